package pki

import (
	"os"

	"sigs.k8s.io/yaml"
)

// Access is what a client needs to know of one cluster.
type Access struct {
	Name   string
	Server string
	CA     []byte
	Client Pair
}

// WriteKubeconfig writes a kubeconfig with a context for each cluster; the first is the current one.
func WriteKubeconfig(file string, clusters ...Access) error {
	text, err := Kubeconfig(clusters...)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// Kubeconfig renders what WriteKubeconfig writes. Context, cluster and user have the cluster's name.
func Kubeconfig(clusters ...Access) ([]byte, error) {
	type object = map[string]any
	var entries, users, contexts []object
	for _, c := range clusters {
		entries = append(entries, object{"name": c.Name, "cluster": object{"server": c.Server, "certificate-authority-data": c.CA}})
		users = append(users, object{"name": c.Name, "user": object{"client-certificate-data": c.Client.Cert, "client-key-data": c.Client.Key}})
		contexts = append(contexts, object{"name": c.Name, "context": object{"cluster": c.Name, "user": c.Name}})
	}
	return yaml.Marshal(object{
		"apiVersion": "v1", "kind": "Config",
		"clusters": entries, "users": users, "contexts": contexts,
		"current-context": clusters[0].Name,
	})
}
