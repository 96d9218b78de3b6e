package keeper

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/state"
)

// startACME runs the ACME server and, once it serves, puts its root beside those that pods and commands trust.
func (k keeper) startACME(children *children) error {
	root, told, err := os.Pipe()
	if err != nil {
		return err
	}
	defer root.Close()
	// Before it starts, so that this never hides its end; nobody looks before the clusters are ready.
	if err := k.dir.SetStatus(state.Status{Name: state.ACME, Phase: state.Ready}); err != nil {
		return err
	}
	dir := k.dir.Cluster(state.ACME)
	argv := []string{
		filepath.Join(k.Toolchain, "bin", "pebble"), "-listen", net.JoinHostPort(network.ACME.Addr().String(), "443"),
		"-certificate", filepath.Join(dir, "tls.crt"), "-key", filepath.Join(dir, "tls.key"),
	}
	err = k.run(children, state.ACME, k.dir.ACMELog(), argv, told.Fd())
	told.Close()
	if err != nil {
		return err
	}
	pem, err := io.ReadAll(root)
	if err == nil && len(pem) == 0 {
		err = fmt.Errorf("ended before it served; last lines of its log:\n%s", state.Tail(k.dir.ACMELog(), 20))
	}
	if err == nil {
		err = errors.Join(appendTo(k.dir.Roots(), pem), appendTo(k.dir.Bundle(), pem))
	}
	if err != nil {
		return fmt.Errorf("ACME server: %w", err)
	}
	return nil
}

// appendTo leaves the file the one that it is: it is mounted in other places.
func appendTo(name string, text []byte) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
