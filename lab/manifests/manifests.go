// Package manifests holds the objects that every cluster of the lab starts with, as Go templates; see
// internal/apply for what the templates may use, and lab/README.md for the order.
package manifests

import "embed"

// Files are the manifests, applied in the order of their names.
//
//go:embed *.yaml
var Files embed.FS
