package images

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spire-federation/lab/internal/release"
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
	const operator = "registry.redhat.io/zero-trust-workload-identity-manager/spiffe-spire-controller-manager-rhel9"
	table, err := Load(map[string]string{operator: "/build/scm"}, "")
	if err != nil {
		t.Fatal(err)
	}
	image, err := table.Find(operator + ":0.6.4")
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

func TestMoreImages(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "images.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("- image: example.com/operator\n  files: {/manager: bin/manager, /tini: /bin/tini}\n  entrypoint: [/tini, --]\n  cmd: [/manager]\n")
	table, err := Load(nil, file)
	if err != nil {
		t.Fatal(err)
	}
	image, err := table.Find("example.com/operator:v2")
	if err != nil {
		t.Fatal(err)
	}
	if got := image.Files["/manager"]; got != filepath.Join(dir, "bin/manager") {
		t.Errorf("/manager is %s, which is not beside the file", got)
	}
	if got := image.Files["/tini"]; got != "/bin/tini" {
		t.Errorf("/tini is %s", got)
	}
	if _, err := table.Find("lab.local/tools"); err != nil {
		t.Error(err)
	}
	write("- image: lab.local/tools\n  tags: [old]\n  entrypoint: [/old]\n")
	if table, err = Load(nil, file); err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]string{"old": "/old", "new": "/bin/sh"} {
		if image, err := table.Find("lab.local/tools:" + tag); err != nil || image.Entrypoint[0] != want {
			t.Errorf("%s runs %v (%v), want %s", tag, image.Entrypoint, err, want)
		}
	}
	write("- image: x\n  entry: [/x]\n")
	if _, err := Load(nil, file); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "entry") {
		t.Errorf("error %v does not say which field of which file is unknown", err)
	}
}

func TestUnknownImagesAreNamed(t *testing.T) {
	table, err := Load(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Find("quay.io/nobody/nothing:1"); err == nil || !strings.Contains(err.Error(), `"quay.io/nobody/nothing:1"`) {
		t.Errorf("error does not name the image: %v", err)
	}
	if _, err := Load(map[string]string{"quay.io/nobody/nothing": "/x"}, ""); err == nil {
		t.Error("an override of an unknown image must be refused")
	}
}

func TestATagThatDoesNotExistIsRefused(t *testing.T) {
	table, err := Load(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	const server = "registry.redhat.io/zero-trust-workload-identity-manager/spiffe-spire-server-rhel9"
	for _, reference := range []string{server, server + ":latest", server + ":9.9.9", server + "@sha256:0123", server + ":1.14.7@sha256:0123"} {
		if _, err := table.Find(reference); err == nil || !strings.Contains(err.Error(), "1.13.3, 1.14.7") {
			t.Errorf("%s: error %v", reference, err)
		}
	}
	if _, err := table.Find("lab.local/tools:any"); err != nil {
		t.Error(err)
	}
}

// An upgrade must not end at an image that the lab does not have.
func TestEachReleaseHasItsImages(t *testing.T) {
	table, err := Load(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range release.All {
		for short, tag := range map[string]string{
			"zero-trust-workload-identity-manager-rhel9": r.Version, "spiffe-spire-server-rhel9": r.SPIRE, "spiffe-spire-agent-rhel9": r.SPIRE,
			"spiffe-spire-controller-manager-rhel9": r.ControllerManager,
		} {
			if _, err := table.Find("registry.redhat.io/zero-trust-workload-identity-manager/" + short + ":" + tag); err != nil {
				t.Errorf("ZTWIM %s: %v", r.Version, err)
			}
		}
	}
}

// Every row must be one that a pod can reach and start.
func TestRows(t *testing.T) {
	table, err := Load(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range slices.Concat(slices.Collect(maps.Values(table))...) {
		name := row.Name
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

// layouts is what the product's images add to ubi9-minimal, and their ENTRYPOINT: the same in the Containerfiles of release-1.0.0
// and release-1.1 of github.com/openshift/zero-trust-workload-identity-manager-release. The licences are left out.
var layouts = map[string]struct {
	file       string
	entrypoint []string
}{
	"zero-trust-workload-identity-manager-rhel9": {"/usr/bin/zero-trust-workload-identity-manager", []string{"/usr/bin/zero-trust-workload-identity-manager"}},
	"spiffe-spire-server-rhel9":                  {"/spire-server", []string{"/spire-server", "run"}},
	"spiffe-spire-agent-rhel9":                   {"/spire-agent", []string{"/spire-agent", "run"}},
	"spiffe-spire-controller-manager-rhel9":      {"/spire-controller-manager", []string{"/spire-controller-manager"}},
	"spiffe-spire-oidc-discovery-provider-rhel9": {"/oidc-discovery-provider", []string{"/oidc-discovery-provider"}},
	"spiffe-csi-driver-rhel9":                    {"/spiffe-csi-driver", []string{"/spiffe-csi-driver"}},
}

// What a command finds in a container of the lab, it must find in the product's.
func TestImagesAreLaidOutAsTheProducts(t *testing.T) {
	table, err := Load(nil, "../../toolchain/spire-1.13/images.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const product = "registry.redhat.io/zero-trust-workload-identity-manager/"
	for _, row := range slices.Concat(slices.Collect(maps.Values(table))...) {
		name := row.Name
		short, ours := strings.CutPrefix(name, product)
		if !ours {
			continue
		}
		want, known := layouts[short]
		if !known {
			t.Errorf("%s is no image of the product", name)
		}
		standIn := len(row.Override) > 0
		for path := range row.Files {
			if path != want.file && (!standIn || !strings.HasPrefix(path, "/opt/lab/")) {
				t.Errorf("%s has %s, the product's image has %s only", name, path, want.file)
			}
		}
		if !standIn && !slices.Equal(row.Entrypoint, want.entrypoint) {
			t.Errorf("%s starts %q, the product's image %q", name, row.Entrypoint, want.entrypoint)
		}
		if _, set := row.Env["PATH"]; set {
			t.Errorf("%s sets PATH; in the product, the operator does", name)
		}
	}
	for short := range layouts {
		if _, found := table[product+short]; !found {
			t.Errorf("the lab has no image %s%s", product, short)
		}
	}
}
