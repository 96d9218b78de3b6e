package kubelet

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netns"

	"spire-federation/lab/internal/images"
	"spire-federation/lab/internal/kubelet/cgroup"
)

func init() { runtime.LockOSThread() } // as in lab-cluster

func TestMain(m *testing.M) {
	ShimMain() // containers of these tests begin as this program
	os.Exit(m.Run())
}

// shell is a container that runs a script with this machine's shell, as the lab's tools image does.
func shell(t *testing.T, script string, args ...string) rootSpec {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("containers need root here; the lab's own tests run them without")
	}
	return rootSpec{
		Root: t.TempDir(), Hostname: "box", Dir: "/", Path: "/bin", Env: []string{"PATH=/bin", "GREETING=hello"},
		Files: map[string]string{"/etc/hosts": "127.0.0.1 localhost\n"},
		Argv:  append([]string{"/bin/sh", "-c", script, "sh"}, args...),
	}
}

func launch(t *testing.T, spec rootSpec, hostPID ...bool) (*process, func() string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "0.log")
	p, err := start(spec, netns.None(), len(hostPID) > 0, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		p.stop(now)
	})
	return p, func() string {
		<-p.done
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for line := range strings.Lines(string(text)) {
			said = append(said, strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)[3])
		}
		return strings.Join(said, "\n")
	}
}

func TestContainerSeesItsOwnRootAndExits(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := shell(t, `echo $GREETING from $(hostname), pid $$; cat /a/b/file /etc/hosts; [ -e `+secret+` ] || echo hidden; (echo x > /a/b/file) 2>/dev/null || echo read-only; touch /tmp/x && echo writable; printf partial >&2; exit 7`)
	spec.Mounts = []mount{{secret, "/a/b/file", true}}
	p, said := launch(t, spec)
	want := "hello from box, pid 1\ns3\n127.0.0.1 localhost\nhidden\nread-only\nwritable\npartial"
	if got := said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	if p.exit != 7 {
		t.Errorf("exit code %d, want 7", p.exit)
	}
}

func TestReadOnlyRootLeavesVolumesWritable(t *testing.T) {
	volume := t.TempDir()
	spec := shell(t, `touch /x 2>/dev/null || echo refused; echo data > /data/f; cat /data/f`)
	spec.ReadOnly, spec.Mounts = true, []mount{{volume, "/data", false}}
	_, said := launch(t, spec)
	if got := said(); got != "refused\ndata" {
		t.Errorf("said %q", got)
	}
}

func TestRewriteCorrectsACopy(t *testing.T) {
	config := filepath.Join(t.TempDir(), "conf.yaml")
	if err := os.WriteFile(config, []byte("interval: 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for script, args := range map[string][]string{
		`cat "${1#--config=}" /conf.yaml`: {"--config=conf.yaml"},
		`cat "$2" /conf.yaml`:             {"--config", "conf.yaml"},
	} {
		spec := shell(t, script, args...)
		spec.ReadOnly, spec.Mounts = true, []mount{{config, "/conf.yaml", true}}
		spec.Rewrite = &images.Rewrite{Flag: "--config", From: "interval: 0\n", To: "interval: 10\n"}
		_, said := launch(t, spec)
		if got := said(); got != "interval: 10\ninterval: 0" {
			t.Errorf("with %q, the program reads %q", args, got)
		}
	}
}

func TestStartSaysWhyItCannot(t *testing.T) {
	for word, change := range map[string]func(*rootSpec){
		"/no/such/program":  func(s *rootSpec) { s.Argv = []string{"/no/such/program"} },
		"on /volume":        func(s *rootSpec) { s.Mounts = []mount{{"/no/such/volume", "/volume", false}} },
		"working directory": func(s *rootSpec) { s.Dir = "/no/such/dir" },
	} {
		spec := shell(t, "")
		change(&spec)
		_, err := start(spec, netns.None(), false, filepath.Join(t.TempDir(), "0.log"))
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v does not say %q", err, word)
		}
	}
}

func TestExec(t *testing.T) {
	spec := shell(t, `sleep 1d`)
	spec.Mounts = []mount{{"/bin/cat", "/opt/own/copycat", true}}
	spec.Path = "/opt/own:/bin"
	p, _ := launch(t, spec)
	var out, errOut strings.Builder
	script := `copycat; echo $GREETING $(hostname) >&2; exit 4`
	code, err := p.exec(t.Context(), []string{"sh", "-c", "PATH=/opt/own:/bin; " + script}, strings.NewReader("typed"), &out, &errOut)
	if err != nil || code != 4 || out.String() != "typed" || errOut.String() != "hello box\n" {
		t.Errorf("exit %d, error %v, said %q and %q", code, err, out.String(), errOut.String())
	}
	if code, err := p.exec(t.Context(), []string{"copycat", "/etc/hosts"}, nil, &out, &errOut); err != nil || code != 0 {
		t.Errorf("a program on the container's own PATH: exit %d, error %v", code, err)
	}
	for program, want := range map[string]string{
		"nowhere":      "executable file `nowhere` not found in $PATH: No such file or directory\n",
		"/opt/nowhere": "executable file `/opt/nowhere` not found: No such file or directory\n",
	} {
		errOut.Reset()
		if code, err := p.exec(t.Context(), []string{program}, nil, &out, &errOut); err != nil || code != 1 || errOut.String() != want {
			t.Errorf("%s: exit %d, error %v, said %q", program, code, err, errOut.String())
		}
	}
}

func TestLabelsAreSeenInPlaceOfCgroups(t *testing.T) {
	label := cgroup.Labelled("1234", "abcd")
	spec := shell(t, `sleep 1d & echo up; wait`)
	spec.Files[cgroup.Label] = label
	workload, _ := launch(t, spec)
	main, children := workload.cmd.Process.Pid, ""
	for children == "" { // it forks when it has started
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", main, main))
		children = strings.TrimSpace(string(text))
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	reader := shell(t, `for pid; do cat /proc/$pid/cgroup; done`, fmt.Sprint(main), children, fmt.Sprint(os.Getpid()))
	_, said := launch(t, reader, true)
	if got, want := said(), label+label+strings.TrimSpace(string(own)); got != want {
		t.Errorf("a container that sees the node's processes reads\n%s\nwant\n%s", got, want)
	}
}

func TestStop(t *testing.T) {
	polite, said := launch(t, shell(t, `trap 'echo bye; exit 0' TERM; echo up > /tmp/ready; while :; do sleep 0.05; done`))
	deaf, _ := launch(t, shell(t, `sleep 1d`)) // the first process of a pid namespace does not get a signal that it does not handle
	for ready := ""; ready != "up\n"; {        // not before it listens
		var out strings.Builder
		if _, err := polite.exec(t.Context(), []string{"sh", "-c", "cat /tmp/ready || sleep 0.05"}, nil, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		ready = out.String()
	}
	polite.stop(t.Context())
	if got := said(); got != "bye" || polite.exit != 0 {
		t.Errorf("asked to end: said %q, exit %d", got, polite.exit)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	deaf.stop(impatient)
	if deaf.exit != 137 {
		t.Errorf("killed: exit %d, want 137", deaf.exit)
	}
}
