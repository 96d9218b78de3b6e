// Package cgroup shows, in place of every container's cgroup, one whose path names its pod and itself.
//
// SPIRE's agent finds a workload's pod and container in that path, …/pod<uid>/<container id>, and believes nothing when
// the machine's own cgroups of version 1 name a container as well, as they do where the lab runs in one.
package cgroup

import (
	"fmt"
	"os"
	"regexp"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Label is the file in a container's root that stands for the cgroup of its processes.
const Label = "/.cgroup"

// Labelled is what Label has to say of a container.
func Labelled(podUID, id string) string { return fmt.Sprintf("0::/kubepods/pod%s/%s\n", podUID, id) }

// Fake makes every process that is started from this thread read the container's Label when it opens /proc/<pid>/cgroup.
//
// The kernel hands each openat of these processes to this program, which answers with another file or lets it go on (see
// seccomp_unotify(2)). Mounts over /proc/<pid>/cgroup would have to be there in time for each process that a container forks.
// A program that calls open or openat2 instead sees the machine's own cgroup; SPIRE's agent and all other Go programs use openat.
func Fake() error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_OPENAT, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("listen for what the container opens: %w", errno)
	}
	go answer(int(listener))
	return nil
}

// The kernel's structures seccomp_notif, seccomp_notif_resp and seccomp_notif_addfd: golang.org/x/sys has the ioctls only.
type (
	notification struct {
		id        uint64
		pid, _    uint32
		nr        int32
		arch      uint32
		_         uint64
		arguments [6]uint64
	}
	response struct {
		id    uint64
		_     int64
		_     int32
		flags uint32
	}
	addFD struct {
		id                           uint64
		flags, sourceFD, _, newFlags uint32
	}
)

// answer lasts as long as there is a process to listen to.
func answer(listener int) {
	defer unix.Close(listener)
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if ready, _ := unix.Poll(poll, -1); ready > 0 && poll[0].Revents&unix.POLLIN == 0 {
			return
		}
		var n notification
		if !ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) {
			continue // a signal has ended it already
		}
		if label := n.label(); label != nil {
			given := addFD{id: n.id, flags: unix.SECCOMP_ADDFD_FLAG_SEND, sourceFD: uint32(label.Fd()), newFlags: unix.O_CLOEXEC}
			ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&given))
			label.Close()
		} else {
			ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}))
		}
	}
}

func ioctl(fd int, request uint, data unsafe.Pointer) bool {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(data))
	return errno == 0
}

var cgroupOf = regexp.MustCompile(`^/proc/(\d+)/cgroup\x00`)

// label is the file to open instead of the one that was asked for; nil for that one.
func (n notification) label() *os.File {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", n.pid))
	if err != nil {
		return nil
	}
	defer memory.Close()
	var path [32]byte
	length, _ := memory.ReadAt(path[:], int64(n.arguments[1])) // less than all of it at the end of a page
	match := cgroupOf.FindSubmatch(path[:length])
	if match == nil {
		return nil
	}
	label, err := os.Open(fmt.Sprintf("/proc/%s/root%s", match[1], Label))
	if err != nil {
		return nil // of no container
	}
	return label
}
