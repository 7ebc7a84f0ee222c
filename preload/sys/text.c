/*
 * text.c - formatting and messages without stdio: the program's streams and locks are not ours to
 * use.
 */
#include "preload/sys/internal.h"
#include "preload/life/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void text_init(struct text *t, char *buffer, size_t size)
{
	t->buffer = buffer;
	t->size = size;
	t->used = 0;
	buffer[0] = '\0';
}

void text_add_bytes(struct text *t, const char *s, size_t n)
{
	size_t room = t->size - 1 - t->used;

	if (n > room)
		n = room;
	memcpy(t->buffer + t->used, s, n);
	t->used += n;
	t->buffer[t->used] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_bytes(t, s, strlen(s));
}

void text_add_number(struct text *t, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	text_add_bytes(t, digits + i, sizeof(digits) - i);
}

bool text_to_number(const char *s, uint64_t *n)
{
	uint64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*s - '0');
	}
	*n = value;
	return true;
}

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

	if (!sandbox_allows_messages())
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

const char *text_hex(const char *p, uintptr_t *n)
{
	*n = 0;
	for (;; p++) {
		if (*p >= '0' && *p <= '9')
			*n = *n << 4 | (uintptr_t)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			*n = *n << 4 | (uintptr_t)(*p - 'a' + 10);
		else
			return p;
	}
}
