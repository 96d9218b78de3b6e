package keeper

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"spire-federation/lab/internal/fabric"
	"spire-federation/lab/internal/state"
)

// startACME runs the ACME server and, once it serves, puts its root beside those that pods and commands trust.
func (c Config) startACME(children *children) error {
	root, told, err := os.Pipe()
	if err != nil {
		return err
	}
	defer root.Close()
	// Before it starts, so that this never hides its end; nobody looks before the clusters are ready.
	if err := c.State.SetStatus(state.Status{Name: state.ACME, Phase: state.Ready}); err != nil {
		return err
	}
	dir := c.State.Cluster(state.ACME)
	argv := []string{
		filepath.Join(c.Toolchain, "bin", "pebble"), "-listen", net.JoinHostPort(fabric.ACME.Addr().String(), "443"),
		"-certificate", filepath.Join(dir, "tls.crt"), "-key", filepath.Join(dir, "tls.key"),
	}
	err = c.run(children, state.ACME, c.State.ACMELog(), argv, told.Fd())
	told.Close()
	if err != nil {
		return err
	}
	pem, err := io.ReadAll(root)
	if err == nil && len(pem) == 0 {
		err = fmt.Errorf("ended before it served; last lines of its log:\n%s", state.Tail(c.State.ACMELog(), 20))
	}
	if err == nil {
		err = errors.Join(appendTo(c.State.Roots(), pem), appendTo(c.State.Bundle(), pem))
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
