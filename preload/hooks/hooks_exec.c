/* SPDX-License-Identifier: MIT */
/*
 * hooks_exec.c - the ways on to another program. This one has no end then at which anything could
 * run: that it went on, and as what, is noted in the trace before, and taken back if the call
 * returns.
 *
 * Most callers are children that share their parent's memory (vfork), perhaps without thread-local
 * storage of their own: who isn't the trace's process passes, and nothing here asks errno.
 */
#include "preload/life/control.h"
#include "preload/sys/atomic.h"
#include "preload/sys/next.h"

#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Another library's constructor may run before our start. */
static const struct next *known(void)
{
	if (unlikely(!next.execve))
		next_resolve();
	return &next;
}

static int back(bool noted, int result)
{
	if (noted)
		control_stays();
	return result;
}

HOOK int execve(const char *path, char *const argv[], char *const envp[])
{
	bool noted = control_goes_on(SYS_execve, path);

	return back(noted, known()->execve(path, argv, envp));
}

HOOK int execv(const char *path, char *const argv[])
{
	bool noted = control_goes_on(SYS_execve, path);

	return back(noted, known()->execv(path, argv));
}

HOOK int execvp(const char *file, char *const argv[])
{
	bool noted = control_goes_on(SYS_execve, file);

	return back(noted, known()->execvp(file, argv));
}

HOOK int execvpe(const char *file, char *const argv[], char *const envp[])
{
	bool noted = control_goes_on(SYS_execve, file);

	return back(noted, known()->execvpe(file, argv, envp));
}

HOOK int fexecve(int fd, char *const argv[], char *const envp[])
{
	bool noted = control_goes_on(SYS_execveat, NULL);

	return back(noted, known()->fexecve(fd, argv, envp));
}

HOOK int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	bool noted;

	if (!known()->execveat) /* the hook of syscall notes it */
		return (int)syscall(SYS_execveat, fd, path, argv, envp, flags);
	noted = control_goes_on(SYS_execveat, path);
	return back(noted, next.execveat(fd, path, argv, envp, flags));
}

/* ---- with the arguments one by one: in an array on the stack, as the C library does it */

static size_t count_arguments(va_list list)
{
	size_t count = 1;
	va_list rest;

	va_copy(rest, list);
	while (va_arg(rest, char *))
		count++;
	va_end(rest);
	return count;
}

/* The terminating NULL too. */
static void take_arguments(char **argv, const char *first, size_t count, va_list *list)
{
	argv[0] = (char *)first;
	for (size_t i = 1; i <= count; i++)
		argv[i] = va_arg(*list, char *);
}

#define TAKE_ARGUMENTS(argv, first)                                  \
	va_list list;                                                \
	va_start(list, first);                                       \
	size_t count = count_arguments(list);                        \
	char **argv = __builtin_alloca((count + 1) * sizeof(*argv)); \
	take_arguments(argv, first, count, &list)

HOOK int execl(const char *path, const char *arg, ...)
{
	TAKE_ARGUMENTS(argv, arg);
	va_end(list);
	return execv(path, argv);
}

HOOK int execlp(const char *file, const char *arg, ...)
{
	TAKE_ARGUMENTS(argv, arg);
	va_end(list);
	return execvp(file, argv);
}

HOOK int execle(const char *path, const char *arg, ...)
{
	TAKE_ARGUMENTS(argv, arg);
	char *const *envp = va_arg(list, char *const *);

	va_end(list);
	return execve(path, argv, envp);
}
