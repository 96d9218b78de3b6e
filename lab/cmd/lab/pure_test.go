package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spire-federation/lab/internal/state"
)

func TestCommandEnvPutsTheLabInAndLeavesTheRest(t *testing.T) {
	toolchain := t.TempDir()
	pulumi := filepath.Join(toolchain, "pulumi", "versions", "3.276.0", "bin")
	if err := os.MkdirAll(pulumi, 0o755); err != nil {
		t.Fatal(err)
	}
	caller := []string{"PATH=/usr/bin", "HOME=/home/u", "KUBECONFIG=/mine", "HTTPS_PROXY=http://proxy:1", "no_proxy=x", "PULUMI_VERSION=3.1.0", "LAB_ENTER=5 6", "EMPTY="}
	got := commandEnv(caller, state.Dir("/s"), toolchain)
	slices.Sort(got)
	want := []string{
		"EMPTY=",
		"HOME=/home/u",
		"KUBECONFIG=/s/kubeconfig",
		"NODE_EXTRA_CA_CERTS=/s/ca/bundle.crt",
		"PATH=" + toolchain + "/bin:" + pulumi + ":/usr/bin",
		"PULUMI_HOME=" + toolchain + "/pulumi",
		"PULUMI_VERSION=3.276.0",
		"no_proxy=x",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestHostsByDNSReplacesThatLineAlone(t *testing.T) {
	got := hostsByDNS("passwd: files sss\nhosts:  files resolve [!UNAVAIL=return] dns\nnetworks: files\n")
	if want := "passwd: files sss\nnetworks: files\nhosts: files dns\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFirstBelowKnowsTheFirstProcessOfANestedNamespace(t *testing.T) {
	for status, want := range map[string]bool{
		"Name:\tlab\nNSpid:\t4711\t1\nNSpgid:\t4711\t1\n": true,
		"Name:\tlab\nNSpid:\t4711\t12\n":                  false,
		"Name:\tinit\nNSpid:\t1\n":                        false,
		"":                                                false,
	} {
		if got := firstBelow(status); got != want {
			t.Errorf("%q: %v", status, got)
		}
	}
}

func TestARefusedNamespaceNamesSettingAndCure(t *testing.T) {
	cause := errors.New("operation not permitted")
	for _, s := range refusals {
		sysctls := t.TempDir()
		set := func(value string) {
			file := filepath.Join(sysctls, strings.ReplaceAll(s.name, ".", "/"))
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(value+"\n"), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		set(s.refuses)
		for _, want := range []string{"operation not permitted", s.name + " = " + s.refuses, "sudo sysctl " + s.name + "=" + s.allows, "as root"} {
			if got := refused(cause, 1000, sysctls).Error(); !strings.Contains(got, want) {
				t.Errorf("%q does not say %q", got, want)
			}
		}
		if got := refused(cause, 0, sysctls); got != cause {
			t.Errorf("root is told of ordinary users: %v", got)
		}
		set(s.allows)
		if got := refused(cause, 1000, sysctls); got != cause {
			t.Errorf("a setting that allows is blamed: %v", got)
		}
	}
}
