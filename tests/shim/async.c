/* SPDX-License-Identifier: MIT */
/*
 * async.c - a timer's handler that interrupts anything, the tracer too, and allocates, forks or jumps out there.
 *
 * usage: async allocate|fork|jump MILLISECONDS LEDGER
 *
 * The C library's allocator mustn't be interrupted and called: so the handler acts only where the interrupted code is
 * the tracer's. In async_safe, which has an allocator that may (signal_malloc.c), it acts anywhere.
 */
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "program.h"

static uintptr_t tracer_start, tracer_end;
static const char *what;
static volatile sig_atomic_t stop;
static volatile sig_atomic_t children, failed;
static __thread sigjmp_buf out;
static __thread volatile sig_atomic_t may_jump;

static struct {
	unsigned long allocations, bytes; /* of the threads */
	unsigned long handler_allocations, handler_bytes, after;
} ledger;

static int find_tracer(struct dl_phdr_info *info, size_t size, void *unused)
{
	if (!strstr(info->dlpi_name, "libmtrace"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
			tracer_start = info->dlpi_addr + p->p_vaddr;
			tracer_end = tracer_start + p->p_memsz;
		}
	}
	return 1;
}

static int may_act(const ucontext_t *at)
{
#ifdef ANYWHERE
	return 1;
#else
	uintptr_t pc = (uintptr_t)at->uc_mcontext.gregs[REG_RIP];

	return pc >= tracer_start && pc < tracer_end;
#endif
}

static void allocate_in_handler(void)
{
	size_t size = 100 + children % 50;
	void *p = malloc(size); /* line: handler */

	__atomic_fetch_add(&ledger.handler_allocations, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&ledger.handler_bytes, size, __ATOMIC_RELAXED);
	free(p);
}

static void fork_in_handler(void)
{
	pid_t pid;

	if (__atomic_fetch_add(&children, 1, __ATOMIC_RELAXED) >= 200)
		return;
	pid = fork();
	if (pid == 0) {
		alarm(20); /* a child that hangs dies of it */
		for (int i = 0; i < 20; i++)
			free(malloc(i)); /* line: child */
		_exit(0);
	}
	int status = 1;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		failed = 1;
}

static void handle(int number, siginfo_t *info, void *context)
{
	if (stop || !may_act(context))
		return;
	if (*what == 'a')
		allocate_in_handler();
	else if (*what == 'f')
		fork_in_handler();
	else if (may_jump)
		siglongjmp(out, 1);
}

/* From depths that change, so that the tracer has something to do. */
static void *deeper(unsigned depth, size_t size)
{
	char room[depth * 16 + 1];
	void *p;

	memset(room, (int)depth, sizeof(room));
	p = depth > 0 ? deeper(depth - 1, size) : malloc(size); /* line: thread */
	if (room[depth * 16] != (char)depth)
		failed = 1;
	return p;
}

static void *work(void *seed)
{
	unsigned random = (unsigned)(size_t)seed, own = 0, bytes = 0;

	while (!stop) {
		if (sigsetjmp(out, 1) == 0)
			may_jump = *what == 'j';
		random = random * 1103515245 + 12345;
		free(deeper(random >> 16 & 15, random >> 20 & 255));
		own++;
		bytes += random >> 20 & 255;
		may_jump = 0;
#ifdef ANYWHERE
		for (volatile int i = 0; i < 100; i++) /* so that most handlers come outside of the tracer */
			;
#endif
	}
	__atomic_fetch_add(&ledger.allocations, own, __ATOMIC_RELAXED);
	__atomic_fetch_add(&ledger.bytes, bytes, __ATOMIC_RELAXED);
	for (int i = 0; i < 1000; i++)
		free(malloc(7)); /* line: after */
	__atomic_fetch_add(&ledger.after, 1000, __ATOMIC_RELAXED);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerval often = { { 0, 60 }, { 0, 60 } }, never = { 0 };
	struct timespec begun, now;
	pthread_t thread;
	sigset_t mask;
	long most = argc > 3 ? atol(argv[2]) : 100;
	int fd;

	what = argc > 1 ? argv[1] : "allocate";
	dl_iterate_phdr(find_tracer, NULL);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, work, (void *)1) == 0);
	CHECK(sigemptyset(&mask) == 0 && sigaddset(&mask, SIGALRM) == 0);
	CHECK(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0); /* all for the other thread */
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		usleep(1000);
	} while ((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 < most);
	stop = 1;
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(!failed);
	fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && write(fd, &ledger, sizeof(ledger)) == sizeof(ledger));
	puts("done");
	return 0;
}
