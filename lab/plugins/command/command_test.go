package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"spire-federation/plugins/standin"
)

const urn = resource.URN("urn:pulumi:dev::test::command:local:Command::fetch")

func serve(t *testing.T) *standin.Provider {
	t.Helper()
	p, err := standin.New(Schema, map[tokens.Type]standin.Resource{Type: Local{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func props(m map[string]any) resource.PropertyMap { return resource.NewPropertyMapFromMap(m) }

func create(t *testing.T, inputs map[string]any) (plugin.CreateResponse, error) {
	t.Helper()
	return serve(t).Create(t.Context(), plugin.CreateRequest{URN: urn, Name: "fetch", Type: Type, Properties: props(inputs)})
}

func update(t *testing.T, inputs map[string]any, old resource.PropertyMap) (plugin.UpdateResponse, error) {
	t.Helper()
	return serve(t).Update(t.Context(), plugin.UpdateRequest{
		URN: urn, Name: "fetch", Type: Type, NewInputs: props(inputs), OldOutputs: old,
	})
}

func TestCreateRunsTheCommandWithItsInputs(t *testing.T) {
	dir := t.TempDir()
	made, err := create(t, map[string]any{
		"create":      `printf '%s|%s|%s\n\n' "$WHO" "$(cat)" "$PWD"; echo warn >&2`,
		"environment": map[string]any{"WHO": "peer"},
		"stdin":       "from stdin",
		"dir":         dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	// One final newline is cut, not more.
	if got, want := made.Properties["stdout"].StringValue(), "peer|from stdin|"+dir+"\n"; got != want {
		t.Errorf("stdout = %q, want %q", got, want)
	}
	if got := made.Properties["stderr"].StringValue(); got != "warn" {
		t.Errorf("stderr = %q, want %q", got, "warn")
	}
	if !strings.HasPrefix(string(made.ID), "fetch") || len(made.ID) != len("fetch")+8 {
		t.Errorf("id = %q, want fetch and 8 random characters", made.ID)
	}
}

func TestCreateUsesTheInterpreter(t *testing.T) {
	made, err := create(t, map[string]any{"create": "hello", "interpreter": []any{"/bin/echo", "-n", "say"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := made.Properties["stdout"].StringValue(); got != "say hello" {
		t.Errorf("stdout = %q", got)
	}
}

func TestFailureCarriesTheCommandsWords(t *testing.T) {
	_, err := create(t, map[string]any{"create": "echo out; echo no route to peer >&2; exit 3"})
	if err == nil {
		t.Fatal("a command that exits with 3 was taken as a success")
	}
	for _, want := range []string{"exit status 3", "no route to peer", "out"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}

func TestSecretInputsStaySecretAndOutputsPlain(t *testing.T) {
	inputs := props(map[string]any{"create": "echo $TOKEN"})
	inputs["environment"] = resource.MakeSecret(resource.NewProperty(props(map[string]any{"TOKEN": "t0k"})))
	made, err := serve(t).Create(t.Context(), plugin.CreateRequest{URN: urn, Name: "fetch", Type: Type, Properties: inputs})
	if err != nil {
		t.Fatal(err)
	}
	if !made.Properties["environment"].IsSecret() {
		t.Error("the secret environment is stored in the open")
	}
	if got := made.Properties["stdout"]; !got.IsString() || got.StringValue() != "t0k" {
		t.Errorf("stdout = %v", got)
	}
}

func TestPreviewRunsNothingAndKnowsNoOutputs(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "ran")
	inputs := props(map[string]any{"create": "touch " + mark})
	made, err := serve(t).Create(t.Context(), plugin.CreateRequest{URN: urn, Name: "fetch", Type: Type, Properties: inputs, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := serve(t).Update(t.Context(), plugin.UpdateRequest{
		URN: urn, Name: "fetch", Type: Type, NewInputs: inputs, OldOutputs: props(map[string]any{"stdout": "old"}), Preview: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, state := range map[string]resource.PropertyMap{"create": made.Properties, "update": changed.Properties} {
		if !state["stdout"].IsComputed() || !state["stderr"].IsComputed() {
			t.Errorf("%s preview: outputs are %v and %v, want unknown", what, state["stdout"], state["stderr"])
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a preview ran the command")
	}
}

func TestUpdateRunsUpdateOrCreateAndSeesThePreviousOutput(t *testing.T) {
	old := props(map[string]any{"stdout": "before", "stderr": "grumble"})
	show := `echo "$0 $PULUMI_COMMAND_STDOUT $PULUMI_COMMAND_STDERR"`
	for _, c := range []struct {
		name   string
		inputs map[string]any
		want   string
	}{
		{"update", map[string]any{"create": "echo created", "update": show}, "/bin/sh before grumble"},
		{"create again", map[string]any{"create": show}, "/bin/sh before grumble"},
		{"without previous output", map[string]any{"create": show, "addPreviousOutputInEnv": false}, "/bin/sh  "},
		{"nothing to run", map[string]any{"delete": "true"}, "before"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed, err := update(t, c.inputs, old)
			if err != nil {
				t.Fatal(err)
			}
			if got := changed.Properties["stdout"].StringValue(); got != c.want {
				t.Errorf("stdout = %q, want %q", got, c.want)
			}
		})
	}
}

func TestDeleteRunsWithTheStatesInputs(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "deleted")
	state := props(map[string]any{
		"delete": `echo "$WHO $PULUMI_COMMAND_STDOUT" > ` + mark, "stdout": "bundle",
		"environment": map[string]any{"WHO": "peer"},
	})
	_, err := serve(t).Delete(t.Context(), plugin.DeleteRequest{URN: urn, Name: "fetch", Type: Type, Outputs: state})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(mark); string(got) != "peer bundle\n" {
		t.Errorf("delete left %q", got)
	}
}

func TestOnlyTriggersReplace(t *testing.T) {
	base := map[string]any{"create": "a", "triggers": []any{"x", map[string]any{"url": "1"}}}
	for _, c := range []struct {
		name, changed, replaced string
		news                    map[string]any
	}{
		{"same", "[]", "[]", base},
		{"command", "[create]", "[]", map[string]any{"create": "b", "triggers": base["triggers"]}},
		{"trigger", "[triggers]", "[triggers]", map[string]any{"create": "a", "triggers": []any{"y", map[string]any{"url": "1"}}}},
		{"inside a trigger", "[triggers]", "[triggers]", map[string]any{"create": "a", "triggers": []any{"x", map[string]any{"url": "2"}}}},
		{"no triggers", "[triggers]", "[triggers]", map[string]any{"create": "a"}},
		{"both", "[create triggers]", "[triggers]", map[string]any{"create": "b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			diff, err := serve(t).Diff(t.Context(), plugin.DiffRequest{URN: urn, Type: Type, OldInputs: props(base), NewInputs: props(c.news)})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(diff.ChangedKeys); got != c.changed || (diff.Changes == plugin.DiffSome) != (got != "[]") {
				t.Errorf("changes %v %s, want %s", diff.Changes, got, c.changed)
			}
			if got := fmt.Sprint(diff.ReplaceKeys); got != c.replaced {
				t.Errorf("replaced by %s, want %s", got, c.replaced)
			}
		})
	}
}

func TestCheckRefusesByName(t *testing.T) {
	for key, value := range map[string]any{
		"archivePaths": []any{"*.txt"}, "assetPaths": []any{"*"}, "create": 7, "environment": map[string]any{"A": 1}, "logging": "loud",
	} {
		checked, err := serve(t).Check(t.Context(), plugin.CheckRequest{URN: urn, Type: Type, News: props(map[string]any{key: value})})
		if err != nil {
			t.Fatal(err)
		}
		if len(checked.Failures) != 1 || string(checked.Failures[0].Property) != key {
			t.Errorf("%s: failures = %v, want one about it", key, checked.Failures)
		}
	}
	if _, err := serve(t).Check(t.Context(), plugin.CheckRequest{Type: "command:remote:Command"}); err == nil {
		t.Error("an unknown resource type was accepted")
	}
	if _, err := serve(t).Invoke(t.Context(), plugin.InvokeRequest{Tok: "command:local:run"}); err == nil {
		t.Error("a function was accepted")
	}
}

func TestCheckAdmitsWhatIsNotKnownYet(t *testing.T) {
	news := resource.PropertyMap{"create": resource.MakeComputed(resource.NewProperty(""))}
	checked, err := serve(t).Check(t.Context(), plugin.CheckRequest{URN: urn, Type: Type, News: news})
	if err != nil || len(checked.Failures) > 0 {
		t.Errorf("failures = %v, %v", checked.Failures, err)
	}
}

func TestCancellationEndsAllThatTheCommandStarted(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	p := serve(t)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Create(context.Background(), plugin.CreateRequest{URN: urn, Name: "fetch", Type: Type,
			Properties: props(map[string]any{"create": "sleep 600 & echo $! > " + pidFile + "; wait"})})
		ended <- err
	}()
	child := awaitPid(t, pidFile)
	if err := p.SignalCancellation(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("a cancelled command was taken as a success")
	}
	for syscall.Kill(child, 0) == nil && !zombie(child) { // a survivor would hang here until the test's deadline
		time.Sleep(5 * time.Millisecond)
	}
}

func awaitPid(t *testing.T, file string) int {
	t.Helper()
	for {
		text, _ := os.ReadFile(file)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return pid
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// zombie says whether a process has ended and only waits for its foster parent to notice.
func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestOutputIsShownLineByLine(t *testing.T) {
	for logging, want := range map[string]string{
		"stdout": "one,two", "stderr": "oops", "none": "", "stdoutAndStderr": "one,two,oops",
	} {
		var shown []string
		inputs := resource.FromResourcePropertyMap(props(map[string]any{"logging": logging}))
		// stderr comes once stdout is through, so that the order is certain.
		command := "printf 'one\\ntwo\\n'; sleep 0.2; printf oops >&2"
		if _, err := run(t.Context(), func(l string) { shown = append(shown, l) }, command, inputs, output{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(shown, ","); got != want {
			t.Errorf("logging %s shows %q, want %q", logging, got, want)
		}
	}
}
