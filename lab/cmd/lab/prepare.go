package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spire-federation/lab/internal/keeper"
	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/state"
)

// prepare fills the state folder with what is known before anything runs: certificates, kubeconfig, and the files
// that stand in for those of /etc.
func prepare(dir state.Dir, clusters int) error {
	var all []pki.Access
	for _, plan := range network.All(clusters) {
		access, err := pki.WriteCluster(dir.PKI(plan.Name), plan)
		if err != nil {
			return err
		}
		all = append(all, access)
	}
	if err := pki.WriteKubeconfig(dir.Kubeconfig(), all...); err != nil {
		return err
	}
	web, err := pki.NewCA("Lab Web CA")
	if err != nil {
		return err
	}
	if err := web.Write(dir.CA(), "web-ca"); err != nil {
		return err
	}
	acme, err := web.Issue(pki.Leaf{CommonName: network.ACMEHost, DNS: []string{network.ACMEHost}})
	if err != nil {
		return err
	}
	if err := acme.Write(dir.Cluster(state.ACME), "tls"); err != nil {
		return err
	}
	if err := os.MkdirAll(dir.Etc(), 0o755); err != nil {
		return err
	}
	nsswitch, _ := os.ReadFile("/etc/nsswitch.conf") // without one, there is nothing to replace
	for file, content := range map[string]string{
		dir.Roots():                               string(web.Cert),
		dir.Bundle():                              machineBundle() + string(web.Cert),
		filepath.Join(dir.Etc(), "resolv.conf"):   fmt.Sprintf("nameserver %s\n", network.Keeper.Addr()),
		filepath.Join(dir.Etc(), "nsswitch.conf"): hostsByDNS(string(nsswitch)),
		filepath.Join(dir.Etc(), "bashrc"):        bashrc,
	} {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

const bashrc = `lab_path=$PATH
[ -f ~/.bashrc ] && . ~/.bashrc
PATH=$lab_path PS1="(lab) $PS1"
`

// hostsByDNS makes every program ask the lab's DNS: other sources, like systemd's resolver, answer from outside.
func hostsByDNS(nsswitch string) string {
	var lines []string
	for line := range strings.Lines(nsswitch) {
		if !strings.HasPrefix(line, "hosts:") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "") + "hosts: files dns\n"
}

// machineBundle is the machine's own CA bundle, empty where it has none.
func machineBundle() string {
	for _, file := range keeper.Bundles {
		if text, err := os.ReadFile(file); err == nil {
			return strings.TrimRight(string(text), "\n") + "\n"
		}
	}
	return ""
}
