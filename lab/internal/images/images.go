// Package images maps the names of container images to programs of the toolchain.
//
// The lab pulls nothing: an image is a row of images.yaml that says which
// binaries lie where in the container, and what runs when the pod does not say.
package images

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

//go:embed images.yaml
var text []byte

// Image is one row of images.yaml.
type Image struct {
	// Name is the image's name without tag and digest.
	Name string `json:"image"`
	// Tags are the ones that exist; without any, all do.
	Tags []string `json:"tags,omitempty"`
	// Files maps paths in the container to binaries, named as in <toolchain>/bin or by an absolute path.
	Files map[string]string `json:"files,omitempty"`
	// Entrypoint and Cmd are what runs when the pod gives no command, no args.
	Entrypoint []string `json:"entrypoint,omitempty"`
	Cmd        []string `json:"cmd,omitempty"`
	// Env is the container's environment before the pod's own.
	Env map[string]string `json:"env,omitempty"`
	// Override runs in place of whatever the pod asks for: for stand-ins whose arguments are not the original's.
	Override []string `json:"override,omitempty"`
	// Rewrite corrects one line of a file that an argument names.
	Rewrite *Rewrite `json:"rewrite,omitempty"`

	// program, when set, is what runs whatever path the pod's command gives it.
	program string
}

// Rewrite replaces From by To in a private copy of the file that the arguments name: Flag=<file>, or Flag and <file>.
type Rewrite struct {
	Flag string `json:"flag"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Table is the set of known images by name; of rows with the same tag, or without tags, the last one counts.
type Table map[string][]Image

// Load reads the embedded table, and rows of more, a file like it, which count before those. Overrides maps image names to absolute paths of
// binaries that run in place of the row's program, with the pod's own arguments.
func Load(overrides map[string]string, more string) (Table, error) {
	var rows []Image
	if err := yaml.UnmarshalStrict(text, &rows); err != nil {
		return nil, fmt.Errorf("images.yaml: %w", err)
	}
	if more != "" {
		added, err := read(more)
		if err != nil {
			return nil, err
		}
		rows = append(rows, added...)
	}
	t := Table{}
	for _, row := range rows {
		t[row.Name] = append(t[row.Name], row)
	}
	for name, binary := range overrides {
		if t[name] == nil {
			return nil, fmt.Errorf("the lab has no image %q to replace", name)
		}
		for i := range t[name] {
			row := &t[name][i]
			row.program = "/opt/lab/" + filepath.Base(binary)
			row.Files = map[string]string{row.program: binary}
			row.Override, row.Rewrite = nil, nil
		}
	}
	return t, nil
}

// read returns the rows of a file, in which binaries without an absolute path lie beside the file.
func read(file string) ([]Image, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var rows []Image
	if err := yaml.UnmarshalStrict(text, &rows); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, row := range rows {
		for path, binary := range row.Files {
			if !filepath.IsAbs(binary) {
				row.Files[path] = filepath.Join(filepath.Dir(file), binary)
			}
		}
	}
	return rows, nil
}

// Find returns the row of an image reference.
func (t Table) Find(reference string) (Image, error) {
	name, tag := split(reference)
	if t[name] == nil {
		return Image{}, fmt.Errorf("the lab has no image %q; known images are the rows of lab/internal/images/images.yaml", reference)
	}
	var tags []string
	for _, row := range slices.Backward(t[name]) {
		if len(row.Tags) == 0 || slices.Contains(row.Tags, tag) {
			return row, nil
		}
		tags = append(tags, row.Tags...)
	}
	return Image{}, fmt.Errorf("the lab has no image %q; of this one it has %s", reference, strings.Join(tags, ", "))
}

// Name strips tag and digest from an image reference.
func Name(reference string) string {
	name, _ := split(reference)
	return name
}

// split returns an image's name, and its digest or tag.
func split(reference string) (name, tag string) {
	name, digest, pinned := strings.Cut(reference, "@")
	tag = "latest"
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name, tag = name[:colon], name[colon+1:]
	}
	if pinned {
		tag = digest
	}
	return name, tag
}

// Argv is the command line of a container: the pod's command replaces entrypoint and cmd, its args replace cmd.
func (i Image) Argv(command, args []string) []string {
	if len(i.Override) > 0 {
		return i.Override
	}
	if len(command) == 0 {
		command = i.Entrypoint
		if len(args) == 0 {
			args = i.Cmd
		}
	}
	argv := slices.Concat(command, args)
	if i.program != "" && len(argv) > 0 {
		argv[0] = i.program
	}
	return argv
}
