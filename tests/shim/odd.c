/* SPDX-License-Identifier: MIT */
/*
 * odd.c - programs that end or behave oddly; the first argument says how (see test_odd.py).
 */
#include <stdint.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

extern char **environ;

static volatile int begun;

static void *churn(void *unused)
{
	for (unsigned i = 0;; i++) {
		free(realloc(malloc(i % 999), 100)); /* line: churn */
		begun = 1;
	}
	return unused;
}

static void start(void *(*function)(void *))
{
	pthread_t thread;

	begun = 0;
	CHECK(pthread_create(&thread, NULL, function, NULL) == 0);
	while (!begun)
		usleep(100);
}

/* exit() and its handlers run while others allocate. */
static void allocate_at_exit(void)
{
	for (int i = 0; i < 100; i++)
		free(malloc(i)); /* line: at exit */
}

static void exit_among_others(void)
{
	CHECK(atexit(allocate_at_exit) == 0);
	for (int i = 0; i < 3; i++)
		start(churn);
	exit(5);
}

static void quick_exit_among_others(void)
{
	CHECK(at_quick_exit(allocate_at_exit) == 0);
	for (int i = 0; i < 3; i++)
		start(churn);
	quick_exit(6);
}

static int hold(struct dl_phdr_info *info, size_t size, void *unused)
{
	begun = 1;
	for (;;)
		pause();
	return 0;
}

static void *hold_loader(void *unused)
{
	dl_iterate_phdr(hold, NULL);
	return unused;
}

/* The loader's lock is never given back: what doesn't need it goes on. */
static void without_loader(void)
{
	pid_t pid;
	int status;

	start(hold_loader);
	free(malloc(90)); /* line: without the loader */
	pid = fork();
	if (pid == 0) {
		alarm(20); /* a child that hangs dies of it */
		free(malloc(91)); /* line: child without the loader */
		_exit(7);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	start(churn);
	_exit(8);
}

static void *new_thread_without_loader(void *unused)
{
	free(malloc(92)); /* line: thread without the loader */
	return unused;
}

static void thread_without_loader(void)
{
	pthread_t thread;

	start(hold_loader);
	CHECK(pthread_create(&thread, NULL, new_thread_without_loader, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	_exit(9);
}

/* Memory that a look at the heap must not touch, and a handler that must not be called for it. */
static void on_fault(int number)
{
	static const char text[] = "the handler was called\n";

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(98);
	_exit(99);
}

static char *pages(size_t count, size_t alignment)
{
	char *p = aligned_alloc(alignment, count * 4096); /* line: pages */

	CHECK(p);
	memset(p, 1, count * 4096);
	return p;
}

static void protected_heap(void)
{
	static char *kept[3], *inside;
	struct sigaction action = { .sa_handler = on_fault };

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0);
	for (int i = 0; i < 3; i++)
		kept[i] = pages(64, 4096);
	CHECK(mprotect(kept[0], 64 * 4096, PROT_NONE) == 0);
	CHECK(mprotect(kept[1] + 5 * 4096, 4096, PROT_NONE) == 0);
	CHECK(munmap(kept[2] + 7 * 4096, 4096) == 0);
	/* The start of which isn't to be seen; nor is it a page's, which the end of some mapping may be. */
	inside = pages(64, 16);
	inside -= (uintptr_t)inside % 4096;
	CHECK(mprotect(inside, 4096, PROT_NONE) == 0);
	inside += 4096 + 8;
}

/* A scan that runs in a child finds nothing there. */
static void not_for_children(void)
{
	static char *kept;
	char *area = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	kept = pages(64, 4096);
	CHECK(madvise(kept, 64 * 4096, MADV_DONTFORK) == 0);
	CHECK(area != MAP_FAILED && madvise(area, 1 << 20, MADV_DONTFORK) == 0);
	CHECK(malloc(77)); /* line: lost */
}

/* As servers do that set their title: over all arguments and the environment behind them. */
static void overwrite_title(char **argv)
{
	char *end = argv[0];
	pid_t pid;
	int status;

	for (char **p = argv; *p; p++)
		if (*p == end)
			end += strlen(*p) + 1;
	for (char **p = environ; *p; p++)
		if (*p == end)
			end += strlen(*p) + 1;
	CHECK(end - argv[0] > 100);
	environ = NULL;
	memset(argv[0], ' ', end - argv[0] - 1);
	memcpy(argv[0], "title: idle", 11);
	free(malloc(60)); /* line: titled */
	pid = fork();
	if (pid == 0) {
		memcpy(argv[0], "../../child", 11);
		free(malloc(61)); /* line: titled child */
		exit(3);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
}

/* Nobody reads what comes out on stderr, and the tracer has something to say: the child has no place for its trace. */
static void fill_stderr(void)
{
	char page[4096] = { 0 };
	int ends[2];

	CHECK(pipe2(ends, O_NONBLOCK) == 0);
	while (write(ends[1], page, sizeof(page)) > 0)
		;
	CHECK(fcntl(ends[1], F_SETFL, 0) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
}

static void *allocates(void *unused)
{
	free(malloc(70)); /* line: cancelled */
	begun = 1;
	for (;;)
		pause();
	return unused;
}

static void full_stderr(const char *directory)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		pthread_t thread;
		void *result;

		alarm(20);
		CHECK(chmod(directory, 0500) == 0);
		CHECK(pthread_create(&thread, NULL, allocates, NULL) == 0);
		while (!begun)
			usleep(100);
		CHECK(pthread_cancel(thread) == 0);
		CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
		exit(4);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 4);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? strdup(argv[1]) : "";

	alarm(60);
	if (!strcmp(how, "exit"))
		exit_among_others();
	else if (!strcmp(how, "quick_exit"))
		quick_exit_among_others();
	else if (!strcmp(how, "loader"))
		without_loader();
	else if (!strcmp(how, "loader_thread"))
		thread_without_loader();
	else if (!strcmp(how, "protected"))
		protected_heap();
	else if (!strcmp(how, "dontfork"))
		not_for_children();
	else if (!strcmp(how, "title"))
		overwrite_title(argv);
	else if (!strcmp(how, "stderr_filled"))
		full_stderr(argv[2]);
	else if (!strcmp(how, "stderr")) {
		fill_stderr();
		execl("/proc/self/exe", argv[0], "stderr_filled", argv[2], NULL);
	} else
		return 1;
	puts("done");
	return 0;
}
