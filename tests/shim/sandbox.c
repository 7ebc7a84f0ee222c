/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c - forbids itself system calls, and goes on allocating.
 *
 * usage: sandbox HOW WHAT [fork|threads]
 *
 * usage: sandbox without WHAT PROGRAM [ARGUMENT...]    starts a program for which WHAT fails: fallocate, unnamed (files, by
 *        O_TMPFILE; both not supported), links (hard ones), or shared (mappings of files that others see)
 *
 * usage: sandbox exec denied|child    executes a program where that kills; or a child that shares the memory does, which kills itself
 *        for getpid
 *
 *   HOW   prctl, seccomp (by syscall(2), for all threads): kills for what WHAT doesn't name
 *         twice: first a filter that allows all, which the second may not be taken for
 *         errno: answers EPERM instead; strict: read, write, exit and nothing else; refused: a filter that the kernel refuses
 *   WHAT  heap: what malloc and the program itself need; masks: signal masks too; all: everything but ptrace
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

static const int heap[] = {
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect, SYS_futex, SYS_write, SYS_exit,
	SYS_exit_group, SYS_getrandom,
};
static const int threads[] = { SYS_clone3, SYS_clone, SYS_set_robust_list, SYS_rseq, SYS_rt_sigprocmask, SYS_sched_getaffinity };
static const int children[] = { SYS_clone, SYS_wait4, SYS_set_robust_list };

static struct sock_filter code[64];
static unsigned used;

static void add(unsigned short what, unsigned char yes, unsigned char no, unsigned k)
{
	CHECK(used < 64);
	code[used++] = (struct sock_filter){ what, yes, no, k };
}

static void answer(int number, unsigned action)
{
	add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)number);
	add(BPF_RET | BPF_K, 0, 0, action);
}

static void allow(const int *numbers, size_t size)
{
	for (size_t i = 0; i < size / sizeof(*numbers); i++)
		answer(numbers[i], SECCOMP_RET_ALLOW);
}

static struct sock_fprog make_filter(const char *how, const char *what, const char *also)
{
	unsigned no = !strcmp(how, "errno") ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS;

	add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
	add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
	add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
	add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	if (!strcmp(what, "all")) {
		answer(SYS_ptrace, no);
		add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
		return (struct sock_fprog){ (unsigned short)used, code };
	}
	allow(heap, sizeof(heap));
	if (!strcmp(also, "threads"))
		allow(threads, sizeof(threads));
	if (!strcmp(also, "fork"))
		allow(children, sizeof(children));
	if (!strcmp(what, "masks"))
		answer(SYS_rt_sigprocmask, SECCOMP_RET_ALLOW);
	add(BPF_RET | BPF_K, 0, 0, no);
	return (struct sock_fprog){ (unsigned short)used, code };
}

static void install(const char *how, struct sock_fprog filter)
{
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (!strcmp(how, "strict")) {
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
	} else if (!strcmp(how, "refused")) {
		filter.filter[0].code = 0xffff;
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == -1 && errno == EINVAL);
	} else if (!strcmp(how, "seccomp")) {
		CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0);
	} else {
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
	}
}

static void *grow(int level);

static __attribute__((noinline)) void *left(int level)
{
	return grow(level - 1);
}

static __attribute__((noinline)) void *right(int level)
{
	return grow(level - 1);
}

/* Each leaf of the tree of calls is a stack of its own. */
static void *grow(int level)
{
	char space[256]; /* so that the stack becomes deep */

	memset(space, level, sizeof(space));
	if (level > 0) {
		free(left(level));
		return right(level);
	}
	return malloc(100); /* line: leaf */
}

/* Blocks of sizes that are mapped, moved and given back. */
static void *work(void *arg)
{
	static const size_t sizes[] = { 10, 5000, 200000, 3 << 20, 100, 30 << 20, 7 };
	char *block = NULL;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		block = realloc(block, sizes[i]); /* line: moved */
		CHECK(block);
		block[sizes[i] - 1] = 1;
	}
	free(block);
	free(grow(8));
	return arg;
}

static void in_child(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		work(NULL);
		_exit(3);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void forbid_flag(int number, unsigned argument, unsigned flag, int error)
{
	add(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (unsigned)number);
	add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args[argument]));
	add(BPF_JMP | BPF_JSET | BPF_K, 0, 1, flag);
	add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned)error);
	add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

static void start_without(char **argv)
{
	struct sock_fprog filter = { 0, code };

	add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	if (!strcmp(argv[0], "fallocate"))
		answer(SYS_fallocate, SECCOMP_RET_ERRNO | EOPNOTSUPP);
	else if (!strcmp(argv[0], "links"))
		answer(SYS_linkat, SECCOMP_RET_ERRNO | EPERM);
	else if (!strcmp(argv[0], "unnamed"))
		forbid_flag(SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP);
	else
		forbid_flag(SYS_mmap, 3, MAP_SHARED, ENODEV);
	add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	filter.len = (unsigned short)used;
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
	execvp(argv[1], &argv[1]);
	CHECK(!"exec");
}

static void kill_for(int number)
{
	struct sock_fprog filter = { 0, code };

	used = 0;
	add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	answer(number, SECCOMP_RET_KILL_PROCESS);
	add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	filter.len = (unsigned short)used;
	install("prctl", filter);
}

static void execute(const char *how)
{
	char *const arguments[] = { (char *)"false", NULL }, *const nothing[] = { NULL };
	int status;
	pid_t pid;

	CHECK(malloc(60)); /* line: before exec */
	if (!strcmp(how, "denied")) {
		kill_for(SYS_execve);
		execve("/bin/false", arguments, nothing);
	}
	pid = vfork();
	if (pid == 0) {
		kill_for(SYS_getpid);
		execve("/bin/false", arguments, nothing);
		_exit(9);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1);
	execve("/bin/false", arguments, nothing);
	CHECK(!"exec");
}

int main(int argc, char **argv)
{
	const char *also = argc > 3 ? argv[3] : "";
	pthread_t thread;
	void *before;

	CHECK(argc >= 3);
	if (!strcmp(argv[1], "without"))
		start_without(&argv[2]);
	if (!strcmp(argv[1], "exec"))
		execute(argv[2]);
	before = malloc(1000); /* line: before */
	if (!strcmp(also, "threads")) { /* the C library asks for more the first time */
		CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
	}
	if (!strcmp(argv[1], "twice")) {
		install(argv[1], make_filter(argv[1], "all", ""));
		used = 0;
	}
	install(argv[1], make_filter(argv[1], argv[2], also));
	if (!strcmp(argv[1], "strict")) {
		free(before);
		for (int i = 0; i < 100; i++)
			free(grow(3));
		CHECK(write(1, "done\n", 5) == 5);
		syscall(SYS_exit, 0);
	}
	if (!strcmp(also, "threads")) {
		CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
	}
	if (!strcmp(also, "fork"))
		in_child();
	work(NULL);
	free(before);
	CHECK(malloc(60)); /* line: after */
	CHECK(write(1, "done\n", 5) == 5);
	return 0;
}
