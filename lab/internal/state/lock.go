package state

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrRunning says that a lab, or a `lab up`, has the folder.
var ErrRunning = errors.New("a lab runs on this state folder")

// Lock takes the folder, and makes it when there is none. The lock belongs to the open file: whoever inherits it
// keeps it, and when the last one ends, however that happens, it is free. So "locked" is "the lab runs".
func (d Dir) Lock() (*os.File, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	file, err := os.OpenFile(d.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the state folder: %w", err)
	}
	err = unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if err == nil {
		return file, nil
	}
	file.Close()
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return nil, ErrRunning
	}
	return nil, fmt.Errorf("lock the state folder: %w", err)
}

// Running says whether a lab, or a `lab up`, has the folder. It asks without taking the lock: else a `lab up` could meet it.
func (d Dir) Running() bool {
	file, err := os.Open(d.path("lock"))
	if err != nil {
		return false
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	return unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK
}

// Clear empties the folder of all but the lock.
func (d Dir) Clear() error {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == "lock" {
			continue
		}
		if err := os.RemoveAll(d.path(entry.Name())); err != nil {
			return fmt.Errorf("empty the state folder: %w", err)
		}
	}
	return nil
}
