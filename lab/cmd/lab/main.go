// Command lab runs throw-away clusters that look like OpenShift on this machine, without containers.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"spire-federation/lab/internal/state"
)

const (
	ok     = 0
	failed = 1
	misuse = 2
)

//go:embed help.txt
var help string

// init keeps main on the first thread: what /proc says of a process, and what setns makes of its descriptor, are the
// namespaces of that thread, so that one must never be borrowed for another namespace.
func init() { runtime.LockOSThread() }

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"help"}
	}
	os.Exit(run(args[0], args[1:]))
}

func run(command string, args []string) int {
	switch command {
	case "up":
		return up(args)
	case "down":
		return down(args)
	case "status":
		return status(args)
	case "exec":
		return execCommand(args)
	case "shell":
		return shell(args)
	case "keeper": // how `lab up` calls itself
		return keep(args)
	case "help", "-h", "-help", "--help":
		fmt.Print(help)
		return ok
	}
	return usage(fmt.Sprintf("lab has no command %q", command))
}

// parse reads flags of a command that takes nothing else. When it returns false, the command ends with the code.
func parse(flags *flag.FlagSet, args []string) (code int, goOn bool) {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(help)
		return ok, false
	case err != nil:
		return usage(fmt.Sprintf("lab %s: %v", flags.Name(), err)), false
	case flags.NArg() > 0:
		return usage(fmt.Sprintf("lab %s: unexpected argument %q", flags.Name(), flags.Arg(0))), false
	}
	return ok, true
}

func usage(problem string) int {
	fmt.Fprintf(os.Stderr, "%s; see `lab help`\n", problem)
	return misuse
}

func fail(what string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	return failed
}

// places returns the state folder, and the folder of the toolchain: $LAB_TOOLCHAIN, or the one this program lies in.
func places() (state.Dir, string, error) {
	dir, err := state.Find()
	if err != nil {
		return "", "", err
	}
	if toolchain := os.Getenv("LAB_TOOLCHAIN"); toolchain != "" {
		toolchain, err = filepath.Abs(toolchain)
		return dir, toolchain, err
	}
	self, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	return dir, filepath.Dir(filepath.Dir(self)), nil
}
