/* SPDX-License-Identifier: MIT */
/* message.c - what goes to standard error, without stdio. */
#include "preload/sys/message.h"
#include "preload/sys/os.h"
#include "preload/sys/seccomp.h"
#include "preload/sys/text.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A closed pipe at the other end must not kill the program: the signal is held back and taken away
 * again. A full one must not hold it up: the message is dropped. */
static void write_quietly(const char *s, size_t size)
{
	static const struct timespec now;
	sigset_t pipe_signal, before, pending;
	ssize_t written;

	if (os_would_wait(STDERR_FILENO))
		return;
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	do
		written = syscall(SYS_write, STDERR_FILENO, s, size);
	while (written < 0 && errno == EINTR);
	if (written < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe_signal, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* What standard error was at the start: later it may be something that we have no business with. */
static struct stat standard_error;
static bool started;

void message_start(void)
{
	if (fstat(STDERR_FILENO, &standard_error) < 0)
		standard_error.st_nlink = 0;
	started = true;
}

static bool is_welcome(void)
{
	struct stat now;

	if (!seccomp_allows_messages())
		return false;
	return !started ||
	       (standard_error.st_nlink > 0 && fstat(STDERR_FILENO, &now) == 0 &&
		       now.st_dev == standard_error.st_dev && now.st_ino == standard_error.st_ino &&
		       now.st_rdev == standard_error.st_rdev);
}

void message(const char *first, ...)
{
	char buffer[1024];
	struct text t;
	va_list rest;
	const char *s;
	int saved = errno;

	if (!is_welcome()) {
		errno = saved;
		return;
	}
	text_init(&t, buffer, sizeof(buffer) - 1); /* keeps room for the newline */
	text_add(&t, "libmtrace: ");
	va_start(rest, first);
	for (s = first; s; s = va_arg(rest, const char *))
		text_add(&t, s);
	va_end(rest);
	buffer[t.used] = '\n';
	write_quietly(buffer, t.used + 1);
	errno = saved;
}
