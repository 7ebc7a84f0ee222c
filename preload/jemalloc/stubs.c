/* SPDX-License-Identifier: MIT */
/*
 * stubs.c - what the private jemalloc gets in the place of libc's functions (see privatize.sh).
 *
 * jemalloc here is a guest in somebody else's process: it takes no orders that were meant for the program's own
 * allocator (MALLOC_CONF, /etc/malloc.conf), starts no thread, and leaves the program's break alone. Its mappings
 * go straight to the kernel, past anybody who interposes mmap, the tracer included.
 * Its profiler is never enabled; the functions only that needs are here so that neither
 * libm nor libgcc_s is loaded into the program.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/*
 * Options of the tracer's heap: few, long-lived, small objects, asked for by any thread but rarely.
 * - one arena, not a second one for large objects either (oversize_threshold), no thread caches: least memory;
 * - unused pages go back to the system at once or after a second, without a thread that sees to it.
 */
const char *mtje_malloc_conf = "narenas:1,oversize_threshold:0,tcache:false,"
			       "background_thread:false,dss:disabled,metadata_thp:disabled,"
			       "thp:default,dirty_decay_ms:1000,muzzy_decay_ms:0";

char *mtje_stub_secure_getenv(const char *name);
char *mtje_stub_getenv(const char *name);
ssize_t mtje_stub_readlink(const char *path, char *buf, size_t size);
ssize_t mtje_stub_readlinkat(int dir, const char *path, char *buf, size_t size);
void *mtje_stub_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
int mtje_stub_munmap(void *addr, size_t length);
int mtje_stub_madvise(void *addr, size_t length, int advice);
int mtje_stub_mprotect(void *addr, size_t length, int prot);
void *mtje_stub_sbrk(intptr_t increment);
void *mtje_stub_dlsym(void *handle, const char *name);
int mtje_stub_pthread_create(void *thread, const void *attr, void *(*start)(void *), void *arg);
int mtje_stub_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int mtje_stub_pthread_key_create(void *key, void (*destructor)(void *));
int mtje_stub_pthread_setspecific(unsigned key, const void *value);
int mtje_stub_atexit(void (*function)(void));
double mtje_stub_exp(double x);
double mtje_stub_log(double x);
double mtje_stub_round(double x);
int mtje_stub__Unwind_Backtrace(void *callback, void *arg);
uintptr_t mtje_stub__Unwind_GetIP(void *context);

char *mtje_stub_secure_getenv(const char *name)
{
	return NULL;
}

char *mtje_stub_getenv(const char *name)
{
	return NULL;
}

/* Only /etc/malloc.conf is read so. */
ssize_t mtje_stub_readlink(const char *path, char *buf, size_t size)
{
	errno = ENOENT;
	return -1;
}

ssize_t mtje_stub_readlinkat(int dir, const char *path, char *buf, size_t size)
{
	errno = ENOENT;
	return -1;
}

/* The library's own ways: to the kernel, and its list of mappings. Absent where the heap is tested alone. */
long os_call_with(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
	unsigned long e, unsigned long f) __attribute__((weak));
void os_own_add(void *address, size_t size) __attribute__((weak));
void os_own_remove(void *address, size_t size) __attribute__((weak));

static long ask(long number, long a, long b, long c, long d, long e, long f)
{
	long result;

	if (!os_call_with)
		return syscall(number, a, b, c, d, e, f);
	result = os_call_with(number, a, b, c, d, e, f);
	if (result >= 0 || result < -4095)
		return result;
	errno = (int)-result;
	return -1;
}

/* What it has to say of failures of the system is not for the program's stderr. */
extern void (*mtje_malloc_message)(void *arg, const char *text);

static void say_nothing(void *arg, const char *text)
{
}

/* It finds out what MADV_DONTNEED does by a page that it maps for the purpose, and writes to it without
 * a look whether there is one. */
static char spare_page[4096] __attribute__((aligned(4096)));

void *mtje_stub_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	void *p = (void *)ask(SYS_mmap, (long)addr, (long)length, prot, flags, fd, offset);

	mtje_malloc_message = say_nothing;
	if (p == (void *)-1 && !addr && length == sizeof(spare_page))
		return spare_page;
	if (p != (void *)-1 && os_own_add)
		os_own_add(p, length);
	return p;
}

int mtje_stub_munmap(void *addr, size_t length)
{
	if (addr == spare_page)
		return 0;
	if (os_own_remove)
		os_own_remove(addr, length);
	return (int)ask(SYS_munmap, (long)addr, (long)length, 0, 0, 0, 0);
}

int mtje_stub_madvise(void *addr, size_t length, int advice)
{
	return (int)ask(SYS_madvise, (long)addr, (long)length, advice, 0, 0, 0);
}

int mtje_stub_mprotect(void *addr, size_t length, int prot)
{
	return (int)ask(SYS_mprotect, (long)addr, (long)length, prot, 0, 0, 0);
}

void *mtje_stub_sbrk(intptr_t increment)
{
	errno = ENOMEM;
	return (void *)-1;
}

/* jemalloc looks for pthread_create only; without it, background threads can't be enabled. */
void *mtje_stub_dlsym(void *handle, const char *name)
{
	return NULL;
}

int mtje_stub_pthread_create(void *thread, const void *attr, void *(*start)(void *), void *arg)
{
	return EAGAIN;
}

/* One thread is all that it knows (mtje_enter()), and no end of that. */
int mtje_stub_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	return 0;
}

int mtje_stub_pthread_key_create(void *key, void (*destructor)(void *))
{
	return 0;
}

int mtje_stub_pthread_setspecific(unsigned key, const void *value)
{
	return 0;
}

/* Its code finds its thread data so far from the thread pointer (untls.py). */
intptr_t mtje_stub_tls_offset;
extern char mtje_stub_tls_data[];

/* And the root of its tree of pages by this pointer (untree.py). */
char *mtje_stub_tree;
size_t mtje_stub_tree_size = 1;

_Bool mtje_enter(void);
_Bool mtje_enter(void)
{
	void *tree;

	mtje_stub_tls_offset = mtje_stub_tls_data - (char *)__builtin_thread_pointer();
	if (mtje_stub_tree)
		return 1;
	tree = mtje_stub_mmap(NULL, mtje_stub_tree_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (tree != MAP_FAILED)
		mtje_stub_tree = tree;
	return mtje_stub_tree != NULL;
}

/* For printing statistics at exit. */
int mtje_stub_atexit(void (*function)(void))
{
	return -1;
}

/* The rest is the profiler's. */

double mtje_stub_exp(double x)
{
	return 0;
}

double mtje_stub_log(double x)
{
	return 0;
}

double mtje_stub_round(double x)
{
	return 0;
}

int mtje_stub__Unwind_Backtrace(void *callback, void *arg)
{
	return 5; /* _URC_END_OF_STACK */
}

uintptr_t mtje_stub__Unwind_GetIP(void *context)
{
	return 0;
}
