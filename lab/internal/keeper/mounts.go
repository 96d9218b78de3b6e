package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"spire-federation/lab/internal/control"
	"spire-federation/lab/internal/state"
)

// Bundles are the places where distributions keep the CA bundle that programs read by default.
var Bundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}

// mounts makes the lab's view of the file system: the machine's, with a few files replaced.
func mounts(dir state.Dir) error {
	// A slave sees what the machine mounts and unmounts later on, and the machine sees nothing of the lab's.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := os.MkdirAll(control.Provisioned, 0o777); err != nil {
		return err
	}
	if err := os.MkdirAll(dir.HostPathVolumes(), 0o755); err != nil {
		return err
	}
	if err := bind(dir.HostPathVolumes(), control.Provisioned); err != nil {
		return err
	}
	for _, bundle := range Bundles {
		if err := bindIfThere(dir.Bundle(), bundle); err != nil {
			return err
		}
	}
	for _, file := range []string{"resolv.conf", "nsswitch.conf"} {
		if err := bindIfThere(filepath.Join(dir.Etc(), file), filepath.Join("/etc", file)); err != nil {
			return err
		}
	}
	return nil
}

// bindIfThere replaces a file that this machine may not have.
func bindIfThere(source, target string) error {
	if _, err := os.Stat(target); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return bind(source, target)
}

func bind(source, target string) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s over %s: %w", source, target, err)
	}
	return nil
}
