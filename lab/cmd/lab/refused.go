package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// refusals are settings by which a machine keeps ordinary users from namespaces, or from their rights in them.
var refusals = []struct{ name, refuses, allows string }{
	{"kernel.apparmor_restrict_unprivileged_userns", "1", "0"}, // Ubuntu
	{"kernel.unprivileged_userns_clone", "0", "1"},             // Debian
	{"user.max_user_namespaces", "0", "15000"},
}

const sysctls = "/proc/sys"

// refused adds to the error of an ordinary user's lab which setting is the reason, and what helps.
func refused(err error, uid int, dir string) error {
	if uid == 0 {
		return err
	}
	for _, s := range refusals {
		value, _ := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(s.name, ".", "/"))) // no kernel has all of them
		if strings.TrimSpace(string(value)) == s.refuses {
			return fmt.Errorf("%w\n%s = %s keeps ordinary users from making namespaces: `sudo sysctl %s=%s` allows it, or run the lab as root", err, s.name, s.refuses, s.name, s.allows)
		}
	}
	return err
}
