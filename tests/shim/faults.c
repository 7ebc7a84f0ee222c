/* SPDX-License-Identifier: MIT */
/*
 * faults.c - linked into a copy of the library, in which one call of the system fails, or all from one on.
 *
 * The linker's --wrap leads every function that asks the kernel for something by here (the list is in meson.build). They
 * are counted; FAULT_AT says which one fails, FAULT_ALL=1 that all later ones do too. Each that failed is a line in
 * the file FAULT_LOG, and with FAULT_AT=0, where none does, how many there were. A fork child goes on with its parent's
 * count. pthread_setspecific isn't among them: with fewer than 32 keys it can't fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define REAL(result, name, ...)                    \
	result __real_##name(__VA_ARGS__);         \
	result __wrap_##name(__VA_ARGS__);         \
	result __wrap_##name(__VA_ARGS__)

long __real_syscall(long number, ...);

static unsigned long at; /* the number of the call that fails */
static bool all, known, counting;
static const char *log_path;
static unsigned long count;

static const char *variable(const char *name)
{
	size_t size = strlen(name);

	for (char **e = environ; *e; e++)
		if (strncmp(*e, name, size) == 0 && (*e)[size] == '=')
			return *e + size + 1;
	return NULL;
}

static void read_variables(void)
{
	static char path[4096];
	const char *value = variable("FAULT_AT");

	known = true;
	log_path = variable("FAULT_LOG");
	if (!value || !log_path)
		return;
	counting = true;
	log_path = strncpy(path, log_path, sizeof(path) - 1);
	all = variable("FAULT_ALL") != NULL;
	for (; *value >= '0' && *value <= '9'; value++)
		at = at * 10 + (unsigned long)(*value - '0');
}

static void note(const char *name, long number)
{
	char line[64], *p = line;
	long fd = __real_syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

	while (*name && p < line + 40)
		*p++ = *name++;
	*p++ = ' ';
	for (long unit = 100000; unit > 0; unit /= 10)
		*p++ = (char)('0' + number / unit % 10);
	*p++ = '\n';
	if (fd >= 0) {
		(void)!__real_syscall(SYS_write, fd, line, p - line);
		__real_syscall(SYS_close, fd);
	}
}

/* Is it this call's turn to fail? */
static bool fails(const char *name, long number)
{
	int saved = errno;
	unsigned long this;
	bool turn;

	if (!known && environ)
		read_variables();
	if (!counting)
		return false;
	this = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	turn = at && (this == at || (all && this > at));
	if (turn)
		note(name, number);
	errno = saved;
	return turn;
}

/* After the library's own, which has calls to make. */
__attribute__((destructor(101))) static void tell_count(void)
{
	if (counting && !at)
		note("calls", (long)count);
}

static long failed(int error)
{
	errno = error;
	return -1;
}

static int likely_error(long number)
{
	switch (number) {
	case SYS_mmap:
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_madvise:
		return ENOMEM;
	case SYS_openat:
	case SYS_fcntl:
	case SYS_memfd_create:
		return EMFILE;
	case SYS_fallocate:
	case SYS_pwrite64:
	case SYS_write:
		return ENOSPC;
	case SYS_clone:
		return EAGAIN;
	case SYS_wait4:
		return ECHILD;
	default:
		return EIO;
	}
}

/* What can't fail, or must not for the program's own sake. */
static bool is_certain(long number, long how)
{
	return number == SYS_exit_group || number == SYS_getpid || number == SYS_gettid || number == SYS_futex ||
	       (number == SYS_rt_sigprocmask && how >= 0);
}

long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	long a[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_exit_group)
		tell_count();
	if (!is_certain(number, a[0]) && fails("syscall", number)) {
		if (number == SYS_close) /* it closes even if it says that it failed */
			__real_syscall(SYS_close, a[0]);
		return failed(likely_error(number));
	}
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Not by syscall(), which takes more of the stack. */
bool __real_os_readable(uintptr_t address);
bool __wrap_os_readable(uintptr_t address);
bool __wrap_os_readable(uintptr_t address)
{
	return !fails("syscall", SYS_rt_sigprocmask) && __real_os_readable(address);
}

/* ---- the C library's functions */

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	return fails("open", SYS_open) ? (int)failed(EMFILE) : __real_open64(path, flags, 0600);
}

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...)
{
	va_list list;
	long argument;

	va_start(list, command);
	argument = va_arg(list, long);
	va_end(list);
	return fails("fcntl", SYS_fcntl) ? (int)failed(EMFILE) : __real_fcntl64(fd, command, argument);
}

REAL(int, fstat64, int fd, struct stat *st)
{
	return fails("fstat", SYS_fstat) ? (int)failed(EIO) : __real_fstat64(fd, st);
}

REAL(int, getrlimit64, int which, struct rlimit *limit)
{
	return fails("getrlimit", SYS_getrlimit) ? (int)failed(EPERM) : __real_getrlimit64(which, limit);
}

REAL(int, setrlimit64, int which, const struct rlimit *limit)
{
	return fails("setrlimit", SYS_setrlimit) ? (int)failed(EPERM) : __real_setrlimit64(which, limit);
}

REAL(int, unlink, const char *path)
{
	return fails("unlink", SYS_unlink) ? (int)failed(EROFS) : __real_unlink(path);
}

REAL(int, mkdir, const char *path, mode_t mode)
{
	return fails("mkdir", SYS_mkdir) ? (int)failed(ENOSPC) : __real_mkdir(path, mode);
}

REAL(int, uname, struct utsname *names)
{
	return fails("uname", SYS_uname) ? (int)failed(EFAULT) : __real_uname(names);
}

REAL(char *, getcwd, char *buffer, size_t size)
{
	return fails("getcwd", SYS_getcwd) ? failed(ENOENT), NULL : __real_getcwd(buffer, size);
}

REAL(ssize_t, readlink, const char *path, char *buffer, size_t size)
{
	return fails("readlink", SYS_readlink) ? failed(ENOENT) : __real_readlink(path, buffer, size);
}

REAL(int, madvise, void *address, size_t size, int advice)
{
	return fails("madvise", SYS_madvise) ? (int)failed(EINVAL) : __real_madvise(address, size, advice);
}

REAL(int, pthread_key_create, unsigned *key, void (*destructor)(void *))
{
	return fails("pthread_key_create", 0) ? EAGAIN : __real_pthread_key_create(key, destructor);
}

REAL(int, __register_atfork, void (*prepare)(void), void (*parent)(void), void (*child)(void), void *dso)
{
	return fails("pthread_atfork", 0) ? ENOMEM : __real___register_atfork(prepare, parent, child, dso);
}

REAL(void *, dlopen, const char *path, int flags)
{
	return fails("dlopen", 0) ? NULL : __real_dlopen(path, flags);
}
