package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"spire-federation/lab/internal/state"
)

// proxies lead out of the lab, where no route goes.
var proxies = []string{"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}

// execCommand runs a command in the lab's namespaces, as the caller would: same folder, terminal, files and environment
// but for what it needs to find the lab. The command's exit code is ours.
func execCommand(args []string) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return usage("lab exec: no command given (lab exec [--] <command> [argument…])")
	}
	dir, toolchain, err := places()
	if err != nil {
		return fail("lab exec", err)
	}
	if !isEntered() {
		return enterLab(dir)
	}
	env := commandEnv(os.Environ(), dir, toolchain)
	os.Setenv("PATH", lookup(env, "PATH"))
	program, err := exec.LookPath(args[0])
	if err != nil {
		fmt.Fprintf(os.Stderr, "lab exec: %v\n", err)
		if errors.Is(err, fs.ErrPermission) {
			return 126 // as every shell has it
		}
		return 127
	}
	return fail("lab exec", syscall.Exec(program, args, env))
}

// enterLab goes on inside the running lab.
func enterLab(dir state.Dir) int {
	if !dir.Running() {
		return fail("lab", fmt.Errorf("no lab runs on %s; start one with `lab up`", dir))
	}
	pidfd, pid, err := openKeeper(dir)
	if err != nil {
		return fail("lab", err)
	}
	return fail("lab", enter(pidfd, pid))
}

// shell is exec of the user's shell, with a greeting and a prompt that says where one is.
func shell(args []string) int {
	if len(args) > 0 {
		return usage("lab shell takes no arguments; to run a command: lab exec -- COMMAND")
	}
	dir, err := state.Find()
	if err != nil {
		return fail("lab shell", err)
	}
	if isEntered() {
		fmt.Fprintf(os.Stderr, "Inside the lab: kube contexts %s, names *.apps.clusterN.example.com, no way out.\n", reportOf(dir).contexts())
		fmt.Fprintf(os.Stderr, "Leave with Ctrl-D; the lab runs on until `lab down`.\n")
	}
	program := os.Getenv("SHELL")
	if program == "" {
		program = "/bin/sh"
	}
	if filepath.Base(program) == "bash" {
		return execCommand([]string{program, "--rcfile", filepath.Join(dir.Etc(), "bashrc")})
	}
	return execCommand([]string{program})
}

// commandEnv is the caller's environment with what a command needs to find the lab.
func commandEnv(env []string, dir state.Dir, toolchain string) []string {
	path := filepath.Join(toolchain, "bin")
	var version string
	// The CLI is where the npm package and the Automation API look for it; PATH is for people.
	if versions, _ := filepath.Glob(filepath.Join(toolchain, "pulumi", "versions", "*")); len(versions) > 0 {
		version = filepath.Base(versions[0])
		path += ":" + filepath.Join(versions[0], "bin")
	}
	if old := lookup(env, "PATH"); old != "" {
		path += ":" + old
	}
	set := []string{
		"PATH=" + path,
		"KUBECONFIG=" + dir.Kubeconfig(),
		"PULUMI_HOME=" + filepath.Join(toolchain, "pulumi"),
		"PULUMI_VERSION=" + version,           // what npm's package of the CLI runs; its own version lags behind
		"NODE_EXTRA_CA_CERTS=" + dir.Bundle(), // Node has CAs of its own and does not read the machine's
	}
	drop := append([]string{entered, "PATH", "KUBECONFIG", "PULUMI_HOME", "PULUMI_VERSION", "NODE_EXTRA_CA_CERTS"}, proxies...)
	return append(without(env, drop...), set...)
}

// lookup returns a variable of an environment.
func lookup(env []string, name string) string {
	for _, entry := range env {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

// without drops variables from an environment.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(names, name)
	})
}
