package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"spire-federation/lab/internal/state"
)

// asLab makes the test binary behave as the lab command: the lab starts itself again and again, and a test needs the real one.
const asLab = "LAB_TEST_AS_LAB"

func TestMain(m *testing.M) {
	if os.Getenv(asLab) != "" {
		main()
	}
	os.Exit(m.Run())
}

// What stands for a cluster's process in these tests.
const (
	readyCluster   = `echo '{"name":"'$name'","phase":"ready","ztwim":"'$release'"}' > $dir/status.json; exec sleep 1000`
	hangingCluster = `echo '{"name":"'$name'","phase":"starting","waitingFor":["its API server"]}' > $dir/status.json; exec sleep 1000`
	crashing       = `echo no space left >&2; exit 3`
)

// servingACME stands for the ACME server, which hands its root to file 3.
const servingACME = `echo ROOT OF ACME >&3; exec 3>&-; exec tail -f /dev/null`

// lab is a state folder and a toolchain whose clusters are a few lines of bash.
type lab struct {
	t    *testing.T
	dir  state.Dir
	env  []string
	user *syscall.Credential // nil: whoever runs the tests
}

func newLab(t *testing.T, cluster string) lab { return newLabWith(t, cluster, servingACME) }

func newLabWith(t *testing.T, cluster, acme string) lab {
	t.Helper()
	toolchain := t.TempDir()
	if err := os.Mkdir(filepath.Join(toolchain, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/usr/bin/env bash\nname=cluster$2 dir=$4/cluster$2 release=1.1.1\n! grep -q '\"'$name'\":\"1.0\"' $4/lab.json || release=1.0.0\n" + cluster + "\n"
	for _, program := range []string{"lab-cluster", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		if err := os.WriteFile(filepath.Join(toolchain, "bin", program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(toolchain, "bin", "pebble"), []byte("#!/usr/bin/env bash\n"+acme+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir := state.Dir(filepath.Join(t.TempDir(), "state"))
	l := lab{t: t, dir: dir, env: append(os.Environ(), asLab+"=1", "LAB_STATE="+string(dir), "LAB_TOOLCHAIN="+toolchain)}
	t.Cleanup(func() {
		l.run(0, "down")
		if left := l.processes(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return l
}

// command is a lab command that ends with the test, as does the lab that it starts.
func (l lab) command(args ...string) *exec.Cmd {
	if args[0] == "up" && !slices.Contains(args, "--until-exit-of") {
		args = append([]string{"up", "--until-exit-of", strconv.Itoa(os.Getpid())}, args[1:]...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	l.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env, cmd.Dir = l.env, filepath.Dir(string(l.dir))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: l.user}
	return cmd
}

// run runs a lab command, checks its exit code, and returns what it printed.
func (l lab) run(want int, args ...string) string {
	l.t.Helper()
	cmd := l.command(args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	_ = cmd.Run() // the exit code says it all
	if got := cmd.ProcessState.ExitCode(); got != want {
		l.t.Errorf("lab %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, want, output.String())
	}
	return output.String()
}

// start runs a lab command in the background.
func (l lab) start(args ...string) *exec.Cmd {
	l.t.Helper()
	cmd := l.command(args...)
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	return cmd
}

// processes lists those that have the state folder in their command line: keeper and clusters.
func (l lab) processes() []string {
	var all []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if text, _ := os.ReadFile(file); bytes.Contains(text, []byte(l.dir)) {
			all = append(all, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return all
}

func (l lab) waitGone() {
	l.t.Helper()
	l.eventually("all processes end", func() bool { return len(l.processes()) == 0 })
}

func (l lab) eventually(what string, holds func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("did not happen: %s; processes: %v", what, l.processes())
		}
	}
}

func TestALabFromUpToDown(t *testing.T) {
	l := newLab(t, readyCluster)
	l.run(ok, "up")
	if got := l.run(ok, "status"); strings.Count(got, "ready") != 3 {
		t.Errorf("status:\n%s", got)
	}
	if got := l.run(ok, "exec", "--", "getent", "hosts", "federation.apps.cluster2.example.com"); !strings.HasPrefix(got, "198.18.32.1 ") {
		t.Errorf("a name of the lab resolves to %q", got)
	}
	if got := l.run(ok, "exec", "sh", "-c", "cat $NODE_EXTRA_CA_CERTS /etc/ssl/certs/ca-certificates.crt"); strings.Count(got, "ROOT OF ACME") != 2 {
		t.Errorf("commands do not trust the ACME server's root:\n%s", got)
	}
	if got, _ := os.ReadFile(l.dir.Roots()); !strings.HasSuffix(string(got), "-----END CERTIFICATE-----\nROOT OF ACME\n") {
		t.Errorf("roots of pods:\n%s", got)
	}
	if got := l.run(ok, "exec", "cat", "/proc/1/cmdline"); !strings.Contains(got, "keeper") {
		t.Errorf("first process inside: %q", got)
	}
	l.run(7, "exec", "sh", "-c", "exit 7")
	l.run(128+int(syscall.SIGKILL), "exec", "sh", "-c", "kill -9 $$")
	l.run(127, "exec", "no-such-program")
	l.run(ok, "up", "--clusters", "2")
	if got := l.run(failed, "up", "--clusters", "3"); !strings.Contains(got, "lab down") {
		t.Errorf("up with another number of clusters:\n%s", got)
	}
	l.run(ok, "down")
	if _, err := os.Stat(string(l.dir)); !os.IsNotExist(err) || len(l.processes()) > 0 {
		t.Errorf("after down: %v, %v", err, l.processes())
	}
	l.run(ok, "down")
	l.run(failed, "status")
	l.run(failed, "exec", "true")
}

func TestWhatIsMistypedIsExitCode2(t *testing.T) {
	l := newLab(t, readyCluster)
	for _, args := range [][]string{
		{"upp"}, {"up", "--clusters", "0"}, {"up", "--clusters", "11"}, {"up", "--cluster", "1"}, {"up", "3"},
		{"up", "--trust-domain", "cluster3=a"}, {"up", "--trust-domain", "cluster1"},
		{"up", "--ztwim", "1.2"}, {"up", "--ztwim", "cluster3=1.0"},
		{"down", "now"}, {"exec"}, {"exec", "--"}, {"shell", "-c", "true"}, {"keeper"},
	} {
		l.run(misuse, args...)
	}
}

func TestTheReleaseOfZTWIMReachesItsCluster(t *testing.T) {
	l := newLab(t, readyCluster)
	l.run(ok, "up", "--clusters", "2", "--ztwim", "1.1", "--ztwim", "cluster2=1.0")
	for _, want := range []string{"ZTWIM 1.1.1\n", "ZTWIM 1.0.0\n"} {
		if got := l.run(ok, "status"); strings.Count(got, want) != 1 {
			t.Errorf("status does not say %q:\n%s", want, got)
		}
	}
	if got := l.run(ok, "status", "--json"); !strings.Contains(got, `"ztwim": "1.0.0"`) {
		t.Errorf("status:\n%s", got)
	}
	l.run(ok, "up", "--clusters", "2", "--ztwim", "cluster2=1.0")
	if got := l.run(failed, "up", "--clusters", "2"); !strings.Contains(got, "other releases of ZTWIM") {
		t.Errorf("up with another release:\n%s", got)
	}
}

func TestAClusterThatCrashesEndsUpWithItsLastWords(t *testing.T) {
	l := newLab(t, crashing)
	got := l.run(failed, "up", "--clusters", "1")
	for _, want := range []string{"cluster1", "exit code 3", "no space left"} {
		if !strings.Contains(got, want) {
			t.Errorf("up does not say %q:\n%s", want, got)
		}
	}
	l.waitGone()
}

func TestAClusterThatDiesLaterLeavesTheOthersAlone(t *testing.T) {
	l := newLab(t, readyCluster)
	l.run(ok, "up")
	l.run(ok, "exec", "pkill", "-KILL", "-o", "sleep")
	l.eventually("status tells of it", func() bool {
		got, _ := l.command("status").Output() // its exit code may still be that of a lab that is ready
		return strings.Contains(string(got), "SIGKILL")
	})
	if got := l.run(failed, "status"); !strings.Contains(got, "ready") {
		t.Errorf("the other cluster:\n%s", got)
	}
}

func TestAnACMEServerThatCrashesEndsUpWithItsLastWords(t *testing.T) {
	l := newLabWith(t, readyCluster, crashing)
	if got := l.run(failed, "up"); !strings.Contains(got, "no space left") {
		t.Errorf("up does not say why:\n%s", got)
	}
	l.waitGone()
}

func TestStatusTellsOfAnACMEServerThatDiesLater(t *testing.T) {
	l := newLab(t, readyCluster)
	l.run(ok, "up", "--clusters", "1")
	l.run(ok, "exec", "pkill", "-KILL", "-x", "tail")
	l.eventually("status tells of it", func() bool {
		got, _ := l.command("status").Output() // its exit code may still be that of a lab that is ready
		return strings.Contains(string(got), "acme       failed") && strings.Contains(string(got), "SIGKILL")
	})
}

func TestNothingOutlivesAnUpThatWasKilled(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM} {
		t.Run(fmt.Sprint(signal), func(t *testing.T) {
			l := newLab(t, hangingCluster)
			up := l.start("up", "--clusters", "1")
			l.eventually("the cluster starts", func() bool {
				return slices.Equal(l.dir.Status("cluster1").Waiting, []string{"its API server"})
			})
			if err := up.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = up.Wait()
			l.waitGone()
		})
	}
}

func TestDownEndsALabThatIsStillStarting(t *testing.T) {
	l := newLab(t, hangingCluster)
	up := l.start("up", "--clusters", "1")
	l.eventually("the cluster starts", func() bool {
		return len(l.dir.Status("cluster1").Waiting) > 0 && len(l.processes()) > 0
	})
	l.run(ok, "down")
	_ = up.Wait()
	if got := up.ProcessState.ExitCode(); got != failed {
		t.Errorf("up ends with %d", got)
	}
}

func TestUpAfterTheKeeperWasKilled(t *testing.T) {
	l := newLab(t, readyCluster)
	l.run(ok, "up", "--clusters", "1")
	pid, err := l.dir.KeeperPID()
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	l.waitGone()
	l.run(ok, "up", "--clusters", "2")
}

func TestALabEndsWithTheProcessItWasStartedFor(t *testing.T) {
	l := newLab(t, readyCluster)
	client := exec.Command("sleep", "1000")
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	l.run(ok, "up", "--clusters", "1", "--until-exit-of", strconv.Itoa(client.Process.Pid))
	if err := client.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = client.Wait()
	l.waitGone()
	if _, err := os.Stat(string(l.dir)); !os.IsNotExist(err) {
		t.Errorf("the state folder: %v", err)
	}
}

func TestACommandEndsWithTheExecThatRanIt(t *testing.T) {
	l := newLab(t, readyCluster)
	l.run(ok, "up", "--clusters", "1")
	running := func() bool { // by a name that no other process has
		return l.command("exec", "pgrep", "-f", "^sleep 4242").Run() == nil
	}
	command := l.start("exec", "sleep", "4242")
	l.eventually("it runs", running)
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	l.eventually("it is gone", func() bool { return !running() })
}

func TestASignalToExecReachesTheCommand(t *testing.T) {
	l := newLab(t, readyCluster)
	l.run(ok, "up", "--clusters", "1")
	file := filepath.Join(t.TempDir(), "trapped")
	command := l.start("exec", "bash", "-c", "trap 'exit 9' TERM; touch "+file+"; while :; do sleep 0.05; done")
	l.eventually("it runs", func() bool { _, err := os.Stat(file); return err == nil })
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	if got := command.ProcessState.ExitCode(); got != 9 {
		t.Errorf("exit code %d", got)
	}
}
