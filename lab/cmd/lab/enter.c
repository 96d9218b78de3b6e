// Enters the lab before Go's runtime starts: a user namespace can be joined by a single-threaded process only.
//
// With LAB_ENTER="<process descriptor of the keeper> <namespace flags>" in the environment, the child of this process
// goes on to main() inside the lab, and this process stays outside, hands signals on and ends as the child does.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static void fail(const char *what) {
	fprintf(stderr, "lab: %s: %s\n", what, strerror(errno));
	_exit(1);
}

// A signal from the terminal goes to the whole foreground group, so the child has it already: a second one would
// mean something else to many programs. One sent to this process alone is meant for the command.
static void forward(int sig, siginfo_t *info, void *context) {
	(void)context;
	if (info->si_code == SI_USER) kill(child, sig);
}

static void wait_for_child(pid_t foreground) {
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR) fail("wait for the command");
	if (foreground == getpgrp()) tcsetpgrp(STDIN_FILENO, foreground); // a shell had taken the terminal
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

__attribute__((constructor)) static void enter(void) {
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
	const int count = sizeof signals / sizeof *signals;
	const char *spec = getenv("LAB_ENTER");
	char cwd[PATH_MAX];
	int keeper, flags;
	if (!spec || sscanf(spec, "%d %d", &keeper, &flags) != 2) return;
	if (!getcwd(cwd, sizeof cwd)) fail("current directory");
	if (setns(keeper, flags) != 0) fail("enter the lab's namespaces");
	if (chdir(cwd) != 0) fail(cwd);

	int self = syscall(SYS_pidfd_open, getpid(), 0);
	if (self < 0) fail("pidfd_open");
	// In there, the terminal's foreground group has no number, and bash takes the terminal before it is prepared to be
	// stopped for that. So it must not be.
	signal(SIGTTOU, SIG_IGN);
	pid_t foreground = tcgetpgrp(STDIN_FILENO);
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before); // none may arrive before `child` is known
	child = fork();
	if (child < 0) fail("fork");
	if (child == 0) {
		struct pollfd parent = {.fd = self, .events = POLLIN};
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (poll(&parent, 1, 0) != 0) _exit(1); // it died before that
		close(self);
		close(keeper);
		sigprocmask(SIG_SETMASK, &before, NULL);
		return;
	}
	struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART};
	for (int i = 0; i < count; i++) sigaction(signals[i], &action, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	wait_for_child(foreground);
}
