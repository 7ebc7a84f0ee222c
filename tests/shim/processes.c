/* SPDX-License-Identifier: MIT */
/*
 * processes.c - new processes in every way there is; the first argument says which (see test_processes.py).
 */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

extern char **environ;

static char *self;
static int enough;

static int wait_for(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

/* The child's heap holds the parent's blocks; what it does to them isn't the parent's. */
static void fork_once(void)
{
	void *kept = malloc(1000); /* line: kept */
	void *freed = malloc(2000); /* line: freed */
	pid_t pid = fork();

	CHECK(pid >= 0 && kept);
	if (pid == 0) {
		free(freed);
		CHECK(malloc(300)); /* line: child */
		exit(3);
	}
	CHECK(WEXITSTATUS(wait_for(pid)) == 3);
	CHECK(malloc(50)); /* line: parent */
	free(freed);
}

static void *churn(void *seed)
{
	unsigned size = (size_t)seed;

	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
		size = (size * 1103515245 + 12345) & 0xfff;
		free(realloc(malloc(size), 100)); /* line: churn */
	}
	return NULL;
}

static void child_allocates(void)
{
	for (int i = 0; i < 100; i++)
		free(malloc(i)); /* line: storm */
}

/* Forks while other threads allocate: at any moment of theirs, the child must be able to go on. */
static void storm(int forks)
{
	pthread_t threads[3];

	for (size_t i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)) == 0);
	for (int i = 0; i < forks; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			alarm(30); /* a child that hangs dies of it */
			child_allocates();
			_exit(i % 100);
		}
		int status = wait_for(pid);

		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == i % 100);
	}
	__atomic_store_n(&enough, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

/* A child with threads of its own, and a grandchild. */
static void generations(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		pthread_t thread;

		enough = 1;
		CHECK(pthread_create(&thread, NULL, churn, NULL) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
		CHECK(malloc(10)); /* line: generation */
		pid = fork();
		CHECK(pid >= 0);
		CHECK(malloc(10)); /* line: both generations */
		if (pid)
			wait_for(pid);
		exit(0);
	}
	wait_for(pid);
}

static void after_exec(void)
{
	CHECK(malloc(70)); /* line: after */
}

static void exec_self(void)
{
	CHECK(malloc(500)); /* line: before */
	execl(self, self, "after", NULL);
	CHECK(!"exec");
}

/* Each way to execute a program, first with one that isn't there; then the one that is asked
 * for. */
static void exec_by(const char *way, const char *target)
{
	char *const arguments[] = { (char *)"other", NULL }, *const nothing[] = { NULL };
	static char long_path[PATH_MAX + 10];

	CHECK(malloc(777)); /* line: before every way */
	memset(long_path, '/', sizeof(long_path) - 1);
	CHECK(execve(long_path, arguments, nothing) == -1 && errno == ENAMETOOLONG);
	CHECK(execve((char *)8, arguments, nothing) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_execve, 8, arguments, nothing) == -1 && errno == EFAULT);
	for (int last = 0; last < 2; last++) {
		const char *by = last ? way : "", *path = last ? target : "/nonexistent/other";

		if (!last || !strcmp(by, "execve"))
			CHECK(execve(path, arguments, nothing) == -1 && errno == ENOENT);
		if (!last || !strcmp(by, "execv"))
			CHECK(execv(path, arguments) == -1 && errno == ENOENT);
		if (!last || !strcmp(by, "execvp"))
			CHECK(execvp(path, arguments) == -1 && errno == ENOENT);
		if (!last || !strcmp(by, "execvpe"))
			CHECK(execvpe(path, arguments, nothing) == -1 && errno == ENOENT);
		if (!last || !strcmp(by, "execl"))
			CHECK(execl(path, "other", "1", "2", NULL) == -1 && errno == ENOENT);
		if (!last || !strcmp(by, "execlp"))
			CHECK(execlp(path, "other", "1", NULL) == -1 && errno == ENOENT);
		if (!last || !strcmp(by, "execle"))
			CHECK(execle(path, "other", NULL, nothing) == -1 && errno == ENOENT);
		if (!last || !strcmp(by, "execveat"))
			CHECK(syscall(SYS_execveat, AT_FDCWD, path, arguments, nothing, 0) == -1 &&
				errno == ENOENT);
#if __GLIBC_PREREQ(2, 34)
		if (!last || !strcmp(by, "execveat of glibc"))
			CHECK(execveat(AT_FDCWD, path, arguments, nothing, 0) == -1 &&
				errno == ENOENT);
#endif
		if (!last || !strcmp(by, "syscall"))
			CHECK(syscall(SYS_execve, path, arguments, nothing) == -1 &&
				errno == ENOENT);
		if (!last || !strcmp(by, "fexecve"))
			CHECK(fexecve(last ? open(path, O_RDONLY) : 999, arguments, nothing) ==
					-1 &&
				errno == EBADF);
	}
	if (!strcmp(way, "killed"))
		raise(SIGKILL);
}

/* All the arguments arrive, as they do natively. */
static void exec_with_arguments(const char *way)
{
	if (!strcmp(way, "execl"))
		execl("/bin/echo", "echo", "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL);
	else if (!strcmp(way, "execlp"))
		execlp("echo", "echo", "1", "", "3", NULL);
	else
		execle("/usr/bin/env", "env", "A=1", "B=2", NULL,
			(char *[]){ (char *)"C=3", NULL });
	CHECK(!"exec");
}

static const char *handler_target;

static void exec_in_handler(int signal)
{
	char *const arguments[] = { (char *)"other", NULL };

	(void)signal;
	execv(handler_target, arguments);
	_exit(9);
}

static void *exec_in_thread(void *target)
{
	char *const arguments[] = { (char *)"other", NULL };

	execv(target, arguments);
	return NULL;
}

static volatile sig_atomic_t failed_to_exec;

static void *exec_in_vain(void *nothing)
{
	char *const arguments[] = { (char *)"other", NULL };

	for (;;) {
		execv("/nonexistent", arguments);
		failed_to_exec = 1;
	}
	return nothing;
}

/* Elsewhere than in main: in a handler that interrupts malloc, or in another thread, also while a
 * third one tries to in vain. */
static void exec_from(const char *where, char *target)
{
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	pthread_t thread, other;

	CHECK(malloc(777)); /* line: before elsewhere */
	if (!strcmp(where, "handler")) {
		handler_target = target;
		CHECK(signal(SIGALRM, exec_in_handler) != SIG_ERR);
		CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
		for (;;)
			free(malloc(50));
	}
	if (!strcmp(where, "among"))
		CHECK(pthread_create(&other, NULL, exec_in_vain, NULL) == 0);
	while (!strcmp(where, "among") && !failed_to_exec)
		sched_yield();
	CHECK(pthread_create(&thread, NULL, exec_in_thread, target) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(!"exec");
}

/* Children that share the memory execute a program, or fail to, and then the parent is killed. */
static void vfork_killed(void)
{
	CHECK(malloc(777)); /* line: before vfork */
	for (int i = 0; i < 2; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			execl(i ? "/bin/true" : "/nonexistent", "other", NULL);
			_exit(4);
		}
		CHECK(WEXITSTATUS(wait_for(pid)) == (i ? 0 : 4));
	}
	raise(SIGKILL);
}

static void vfork_exec(void)
{
	CHECK(malloc(500)); /* line: vfork */
	pid_t pid = vfork();

	if (pid == 0) {
		execl(self, self, "after", NULL);
		_exit(9);
	}
	CHECK(wait_for(pid) == 0);
	pid = vfork();
	if (pid == 0)
		_exit(4);
	CHECK(WEXITSTATUS(wait_for(pid)) == 4);
	free(malloc(600)); /* line: after vfork */
}

static void spawn(void)
{
	char after[] = "after", *arguments[] = { self, after, NULL };
	pid_t pid;

	CHECK(posix_spawn(&pid, self, NULL, NULL, arguments, environ) == 0);
	CHECK(wait_for(pid) == 0);
}

static void shell(void)
{
	char command[4200];

	snprintf(command, sizeof(command), "'%s' after; exit 5", self);
	CHECK(WEXITSTATUS(system(command)) == 5);
}

/* As daemons do: fork, a new session, fork again, and all descriptors closed. */
static void daemonize(void)
{
	int done[2];
	char byte;

	CHECK(pipe(done) == 0);
	fflush(stdout);
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			dup2(done[1], 0);
			closefrom(1);
			CHECK(malloc(90)); /* line: daemon */
			CHECK(write(0, "x", 1) == 1);
			_exit(0);
		}
		_exit(0);
	}
	close(done[1]);
	CHECK(read(done[0], &byte, 1) == 1 && read(done[0], &byte, 1) == 0);
}

/* A child of the system call alone: no handlers run, and its memory is its own. */
static void raw_clone(void)
{
	void *kept = malloc(1000); /* line: kept raw */
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	CHECK(pid >= 0);
	if (pid == 0) {
		free(kept);
		for (int i = 0; i < 100; i++)
			CHECK(malloc(30)); /* line: raw child */
		_exit(6);
	}
	CHECK(WEXITSTATUS(wait_for((pid_t)pid)) == 6);
	free(malloc(50)); /* line: raw parent */
}

static int in_our_memory(void *arg)
{
	for (int i = 0; i < 100; i++)
		free(malloc(300)); /* line: shared churn */
	*(void **)arg = malloc(4000); /* line: shared */
	_exit(5);
}

/* A process with a stack of its own in our memory: what it allocates is ours. */
static void clone_in_memory(void)
{
	static char stack[256 << 10] __attribute__((aligned(16)));
	void *block = NULL;
	pid_t pid = clone(in_our_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD, &block);

	CHECK(pid > 0 && WEXITSTATUS(wait_for(pid)) == 5 && block);
	free(malloc(60)); /* line: after shared */
}

/* What daemon(3) does, and what programs do by hand: the process that goes on is the last one. */
static void session(void)
{
	int done[2];
	char byte;

	CHECK(malloc(80) && pipe(done) == 0); /* line: before session */
	fflush(stdout);
	if (fork() == 0) {
		CHECK(daemon(1, 1) == 0 && daemon(0, 0) == 0);
		CHECK(malloc(90)); /* line: session */
		CHECK(write(done[1], "x", 1) == 1);
		exit(0);
	}
	close(done[1]);
	CHECK(read(done[0], &byte, 1) == 1 && read(done[0], &byte, 1) == 0);
	CHECK(wait(NULL) > 0);
}

/* Namespaces of its own: another user, other mounts, and a child that is number 1. */
static void namespaces(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS) != 0) {
		printf("skipped: no namespaces\n");
		return;
	}
	fflush(stdout);
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(getpid() == 1);
		CHECK(malloc(45)); /* line: number one */
		exit(2);
	}
	CHECK(WEXITSTATUS(wait_for(pid)) == 2);
	CHECK(malloc(46)); /* line: unshared */
}

/* As make does: each starts `width` programs, which do the same, `depth` generations down. */
static void tree(const char *width, int depth)
{
	char below[16];
	int count = atoi(width);

	CHECK(malloc(70)); /* line: tree */
	snprintf(below, sizeof(below), "%d", depth - 1);
	fflush(stdout);
	for (int i = 0; i < count && depth > 0; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			execl(self, self, "tree", width, below, NULL);
			_exit(9);
		}
	}
	for (int status; wait(&status) > 0;)
		CHECK(status == 0);
}

/* With an environment of the program's own making. */
static void exec_bare(void)
{
	char after[] = "after", name[] = "NAME=value", *arguments[] = { self, after, NULL };
	char *environment[] = { name, NULL };

	CHECK(malloc(500)); /* line: bare */
	execve(self, arguments, environment);
	CHECK(!"exec");
}

/* Goes where the trace can't follow; in a child, so that the parent's heap is as ever. */
static void elsewhere(const char *how, const char *folder)
{
	pid_t pid;

	if (geteuid() != 0) {
		printf("skipped: only root may\n");
		return;
	}
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (!strcmp(how, "chroot"))
			CHECK(chroot(folder) == 0 && chdir("/") == 0);
		else
			CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
		CHECK(malloc(40)); /* line: elsewhere */
		exit(7);
	}
	CHECK(WEXITSTATUS(wait_for(pid)) == 7);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	self = argv[0];
	if (!strcmp(how, "fork"))
		fork_once();
	else if (!strcmp(how, "storm"))
		storm(atoi(argv[2]));
	else if (!strcmp(how, "generations"))
		generations();
	else if (!strcmp(how, "exec"))
		exec_self();
	else if (!strcmp(how, "exec_by"))
		exec_by(argv[2], argv[3]);
	else if (!strcmp(how, "exec_with"))
		exec_with_arguments(argv[2]);
	else if (!strcmp(how, "exec_from"))
		exec_from(argv[2], argv[3]);
	else if (!strcmp(how, "vfork_killed"))
		vfork_killed();
	else if (!strcmp(how, "after"))
		after_exec();
	else if (!strcmp(how, "vfork"))
		vfork_exec();
	else if (!strcmp(how, "spawn"))
		spawn();
	else if (!strcmp(how, "system"))
		shell();
	else if (!strcmp(how, "chroot") || !strcmp(how, "setuid"))
		elsewhere(how, argv[2]);
	else if (!strcmp(how, "rawclone"))
		raw_clone();
	else if (!strcmp(how, "inmemory"))
		clone_in_memory();
	else if (!strcmp(how, "session"))
		session();
	else if (!strcmp(how, "namespaces"))
		namespaces();
	else if (!strcmp(how, "tree"))
		tree(argv[2], atoi(argv[3]));
	else if (!strcmp(how, "bare"))
		exec_bare();
	else if (!strcmp(how, "daemon"))
		daemonize();
	else
		return 1;
	printf("done %s\n", how);
	return 0;
}
