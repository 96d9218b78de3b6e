package images

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNameStripsTagAndDigest(t *testing.T) {
	for reference, want := range map[string]string{
		"lab.local/tools":                      "lab.local/tools",
		"lab.local/tools:v1":                   "lab.local/tools",
		"registry:5000/a/b":                    "registry:5000/a/b",
		"registry:5000/a/b:1.0@sha256:0123":    "registry:5000/a/b",
		"ghcr.io/spiffe/spire-server@sha256:0": "ghcr.io/spiffe/spire-server",
	} {
		if got := Name(reference); got != want {
			t.Errorf("Name(%q) = %q, want %q", reference, got, want)
		}
	}
}

func TestArgv(t *testing.T) {
	image := Image{Entrypoint: []string{"/server", "run"}, Cmd: []string{"-default"}}
	stub := Image{Entrypoint: []string{"/x"}, Override: []string{"/stub"}}
	for name, c := range map[string]struct {
		image         Image
		command, args []string
		want          string
	}{
		"nothing asked":        {image, nil, nil, "/server run -default"},
		"args replace cmd":     {image, nil, []string{"-x"}, "/server run -x"},
		"command replaces all": {image, []string{"/other"}, nil, "/other"},
		"command and args":     {image, []string{"/other"}, []string{"-x"}, "/other -x"},
		"override wins":        {stub, []string{"/other"}, []string{"-x"}, "/stub"},
	} {
		if got := strings.Join(c.image.Argv(c.command, c.args), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestOverrideRunsTheBinaryWithThePodsArguments(t *testing.T) {
	const operator = "registry.redhat.io/zero-trust-workload-identity-manager/spire-controller-manager-rhel9"
	table, err := Load(map[string]string{operator: "/build/scm"})
	if err != nil {
		t.Fatal(err)
	}
	image, err := table.Find(operator + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	argv := image.Argv([]string{"/usr/bin/original", "--leader-elect"}, []string{"--port=1"})
	if want := []string{"/opt/lab/scm", "--leader-elect", "--port=1"}; !slices.Equal(argv, want) {
		t.Errorf("argv %q, want %q", argv, want)
	}
	if image.Files["/opt/lab/scm"] != "/build/scm" {
		t.Errorf("the binary is not laid into the container: %v", image.Files)
	}
	if image.Rewrite != nil {
		t.Error("a row's correction of the usual binary's files must not touch another binary's")
	}
}

func TestUnknownImagesAreNamed(t *testing.T) {
	table, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Find("quay.io/nobody/nothing:1"); err == nil || !strings.Contains(err.Error(), `"quay.io/nobody/nothing:1"`) {
		t.Errorf("error does not name the image: %v", err)
	}
	if _, err := Load(map[string]string{"quay.io/nobody/nothing": "/x"}); err == nil {
		t.Error("an override of an unknown image must be refused")
	}
}

// Every row must be one that a pod can reach and start.
func TestRows(t *testing.T) {
	table, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range table {
		if name == "" || name != Name(name) {
			t.Errorf("image %q: a row's name has neither tag nor digest", name)
		}
		for path := range row.Files {
			if !filepath.IsAbs(path) || strings.HasPrefix(path, "/usr/") {
				t.Errorf("image %s: %s must be an absolute path outside /usr, which is this machine's", name, path)
			}
		}
		if len(row.Entrypoint)+len(row.Override) == 0 {
			t.Errorf("image %s has nothing to run", name)
		}
	}
	if rows := strings.Count("\n"+string(text), "\n- image:"); rows != len(table) {
		t.Errorf("%d rows but %d images: a name is there twice", rows, len(table))
	}
}
