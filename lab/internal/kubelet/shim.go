package kubelet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"spire-federation/lab/internal/images"
)

// shimName is the argv[0] by which a container's first process knows what it is.
const shimName = "lab-container"

// rootSpec is what a container's first process is told.
type rootSpec struct {
	Root     string // an empty directory to build the root on
	Hostname string
	Files    map[string]string
	Mounts   []mount
	ReadOnly bool
	Dir      string
	Argv     []string
	Env      []string
	Path     string // the PATH of Env
	Rewrite  *images.Rewrite
}

type mount struct {
	Source, Target string
	ReadOnly       bool
}

// ShimMain must be the first call in main: in a container's first process it
// builds the container's root, becomes the container's program and never returns.
func ShimMain() {
	if os.Args[0] != shimName {
		return
	}
	in, failure := os.NewFile(3, "spec"), os.NewFile(4, "failure")
	unix.CloseOnExec(4)
	fmt.Fprint(failure, become(in))
	os.Exit(128)
}

// become returns only if the container cannot be started.
func become(in io.ReadCloser) error {
	var s rootSpec
	if err := json.NewDecoder(in).Decode(&s); err != nil {
		return fmt.Errorf("container specification: %w", err)
	}
	_ = in.Close()
	unix.Umask(0)
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"new root", s.build},
		{"enter the new root", s.enter},
		{"rewrite", func() error { return rewrite(s.Argv, s.Rewrite) }},
		{"read-only root", s.seal},
		{"host name " + s.Hostname, func() error { return unix.Sethostname([]byte(s.Hostname)) }},
		{"working directory", func() error { return os.Chdir(s.Dir) }},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	program, err := lookPath(s.Argv[0], s.Path)
	if err != nil {
		return err
	}
	unix.Umask(0o022)
	return fmt.Errorf("exec %s: %w", program, unix.Exec(program, s.Argv, s.Env))
}

// build lays out the new root below s.Root: an empty file system of the
// container's own, in which nothing of this machine is seen but its programs and libraries, read-only.
func (s *rootSpec) build() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", s.Root, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	const open = os.ModeSticky | 0o777
	for dir, mode := range map[string]os.FileMode{
		"proc": 0o555, "dev/shm": open, "tmp": open, "var/tmp": open, "run": 0o755, "root": 0o700,
		"etc/pki/tls/certs": 0o755, "etc/ssl": 0o755,
	} {
		if err := os.MkdirAll(filepath.Join(s.Root, dir), mode); err != nil {
			return err
		}
	}
	links := map[string]string{
		"var/run": "../run",
		"dev/fd":  "/proc/self/fd", "dev/stdin": "/proc/self/fd/0", "dev/stdout": "/proc/self/fd/1", "dev/stderr": "/proc/self/fd/2",
		// As on RHEL: one real bundle, so that a ConfigMap mounted over its directory replaces all roots.
		// Debian's ca-certificates.crt is not there.
		"etc/pki/tls/certs/ca-bundle.crt": "../../ca-trust/extracted/pem/tls-ca-bundle.pem",
		"etc/ssl/certs":                   "../pki/tls/certs",
	}
	mounts := []mount{}
	for _, top := range []string{"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc/alternatives", "etc/ld.so.cache", "etc/ssl/openssl.cnf"} {
		info, err := os.Lstat("/" + top)
		if err != nil {
			continue // not every machine has all of them
		}
		if info.Mode()&os.ModeSymlink != 0 {
			target, err := os.Readlink("/" + top)
			if err != nil {
				return err
			}
			links[top] = strings.TrimPrefix(target, "/")
		} else {
			mounts = append(mounts, mount{"/" + top, "/" + top, true})
		}
	}
	for _, device := range []string{"null", "zero", "full", "random", "urandom"} {
		mounts = append(mounts, mount{"/dev/" + device, "/dev/" + device, false})
	}
	for link, target := range links {
		if err := os.Symlink(target, filepath.Join(s.Root, link)); err != nil {
			return err
		}
	}
	if err := unix.Mount("proc", filepath.Join(s.Root, "proc"), "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	for path, content := range s.Files {
		if err := put(filepath.Join(s.Root, path), content, 0o644); err != nil {
			return err
		}
	}
	slices.SortStableFunc(s.Mounts, func(a, b mount) int { return len(a.Target) - len(b.Target) })
	for _, m := range append(mounts, s.Mounts...) {
		if err := s.bind(m); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.Source, m.Target, err)
		}
	}
	return nil
}

// put writes a file and the directories above it.
func put(path, content string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), mode)
}

func (s *rootSpec) bind(m mount) error {
	target := filepath.Join(s.Root, m.Target)
	info, err := os.Stat(m.Source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else if _, missing := os.Lstat(target); missing != nil {
		err = put(target, "", 0o644)
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(m.Source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if m.ReadOnly {
		return readOnly(target, unix.AT_RECURSIVE)
	}
	return nil
}

// readOnly adds the flag and keeps all others, which a user namespace would not allow to be dropped.
func readOnly(path string, flags uint) error {
	return unix.MountSetattr(unix.AT_FDCWD, path, flags, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
}

func (s *rootSpec) enter() error {
	if err := os.Chdir(s.Root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil { // puts the old root on top of the new one
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	return os.Chdir("/")
}

func (s *rootSpec) seal() error {
	if !s.ReadOnly {
		return nil
	}
	return readOnly("/", 0)
}

// rewrite corrects a file named by an argument in a copy, and names the copy instead.
func rewrite(argv []string, r *images.Rewrite) error {
	if r == nil {
		return nil
	}
	for i, arg := range argv {
		path, prefix := "", ""
		switch {
		case strings.HasPrefix(arg, r.Flag+"="):
			prefix = r.Flag + "="
			path = strings.TrimPrefix(arg, prefix)
		case i > 0 && argv[i-1] == r.Flag:
			path = arg
		default:
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%s: %w", arg, err)
		}
		copied := filepath.Join("/run/lab", filepath.Base(path))
		if err := put(copied, strings.ReplaceAll(string(text), r.From, r.To), 0o644); err != nil {
			return err
		}
		argv[i] = prefix + copied
	}
	return nil
}

// notFound is a program that the container does not have, in the words of crun, OpenShift's runtime since 4.18 (find_executable
// in its src/libcrun/utils.c). The older runc says `exec: "x": executable file not found in $PATH` or `stat /x: no such file or directory`.
type notFound string

func (program notFound) Error() string {
	where := " in $PATH"
	if strings.HasPrefix(string(program), "/") {
		where = ""
	}
	return fmt.Sprintf("executable file `%s` not found%s: No such file or directory", string(program), where)
}

// lookPath finds a program as a shell would, with the container's PATH.
func lookPath(program, path string) (string, error) {
	if strings.Contains(program, "/") {
		found, err := exec.LookPath(program)
		if errors.Is(err, fs.ErrNotExist) {
			err = notFound(program)
		}
		return found, err
	}
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return found, nil
		}
	}
	return "", notFound(program)
}
