/* SPDX-License-Identifier: MIT */
/*
 * os.c - every need of the kernel, by system calls that neither the program's interposers nor errno
 * see.
 */
#include "preload/sys/os.h"
#include "preload/sys/atomic.h"
#include "preload/sys/cpu.h"
#include "preload/sys/lock.h"
#include "preload/sys/seccomp.h"
#include "preload/sys/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FD_ABOVE 100	/* the program's descriptors 0-99 are as without tracing */
#define FD_HIGHEST 4096 /* a table of this many costs a fork next to nothing */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

static cold_path bool is_forbidden(long number, unsigned long a, unsigned long b, unsigned long c,
	unsigned long d, unsigned long e, unsigned long f)
{
	const unsigned long arguments[6] = { a, b, c, d, e, f };

	return !seccomp_asks(number, arguments);
}

/* syscall(2) that leaves errno as it was and returns negative errno. What the program has forbidden
 * isn't tried. */
long os_call_with(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
	unsigned long e, unsigned long f)
{
	int saved = errno;
	long result;

	if (seccomp_is_on() && is_forbidden(number, a, b, c, d, e, f))
		return -EPERM;
	result = syscall(number, a, b, c, d, e, f);
	if (result == -1)
		result = -errno;
	errno = saved;
	return result;
}

/* As the C library's functions return. */
static long with_errno(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

static bool failed(long result)
{
	return result < 0 && result > -4096;
}

/* The program has had all its memory locked, with what comes later (mlockall). Ours needn't be, and
 * would count against its limit. */
static bool locks_later;

static void keep_unlocked(void *address, size_t size)
{
	if (unlikely(load_relaxed(&locks_later)))
		(void)os_call(SYS_munlock, address, size);
}

static void *map(void *address, size_t size, int protection, int flags, int fd, uint64_t offset)
{
	long result = os_call(SYS_mmap, address, size, protection, flags, fd, offset);

	if (failed(result))
		return NULL;
	keep_unlocked((void *)result, size);
	return (void *)result;
}

/* ---- the list of our mappings */

#define MOST_RANGES 1024

static struct os_range own[MOST_RANGES];
static size_t own_count;
static struct lock own_lock;

static void list(void *address, size_t size)
{
	lock_take(&own_lock);
	if (address && own_count < MOST_RANGES)
		own[own_count++] =
			(struct os_range){ (uintptr_t)address, (uintptr_t)address + size };
	lock_drop(&own_lock);
}

void os_own_add(void *address, size_t size)
{
	list(address, size);
	keep_unlocked(address, size);
}

void os_unlock_own(bool later)
{
	if (later) /* first: another thread may be mapping */
		store_relaxed(&locks_later, true);
	lock_take(&own_lock);
	for (size_t i = 0; i < own_count; i++)
		(void)os_call(SYS_munlock, own[i].start, own[i].end - own[i].start);
	lock_drop(&own_lock);
}

/* Any part of the mappings that were added. */
void os_own_remove(void *address, size_t size)
{
	uintptr_t start = (uintptr_t)address, end = start + size;

	lock_take(&own_lock);
	for (size_t i = 0; i < own_count; i++) {
		struct os_range r = own[i];

		if (r.end <= start || r.start >= end)
			continue;
		if (r.start < start && r.end > end && own_count < MOST_RANGES)
			own[own_count++] = (struct os_range){ end, r.end };
		if (r.start < start)
			own[i].end = start;
		else if (r.end > end)
			own[i].start = end;
		else
			own[i--] = own[--own_count];
	}
	lock_drop(&own_lock);
}

/* The list's lock may be taken inside the private heap's, which fork handlers take too: so no
 * handler takes it, and a child just frees it. The list is for scans alone. */
void os_forked(void)
{
	own_lock.word = 0;
}

size_t os_own_ranges(struct os_range *ranges, size_t most)
{
	size_t count = own_count < most ? own_count : most;

	for (size_t i = 0; i < count; i++) {
		size_t at = i;

		for (; at > 0 && ranges[at - 1].start > own[i].start; at--)
			ranges[at] = ranges[at - 1];
		ranges[at] = own[i];
	}
	return count;
}

/* ---- memory and files */

void *os_map_unlisted(size_t size)
{
	return map(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);
}

void *os_map(size_t size)
{
	void *p = os_map_unlisted(size);

	list(p, cpu_page_up(size));
	return p;
}

void *os_map_touched(size_t size)
{
	void *p = map(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);

	list(p, cpu_page_up(size));
	return p;
}

bool os_make_writable(void *address, size_t size)
{
	return os_call(SYS_mprotect, address, size, PROT_READ | PROT_WRITE) == 0;
}

static size_t limit_of(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) == 0 && limit.rlim_cur < SIZE_MAX ? limit.rlim_cur
									     : SIZE_MAX;
}

size_t os_address_limit(void)
{
	return limit_of(RLIMIT_AS);
}

size_t os_data_limit(void)
{
	return limit_of(RLIMIT_DATA);
}

void *os_reserve(size_t size)
{
	return map(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

void os_unmap(void *address, size_t size)
{
	/* First: then the addresses may be somebody else's. */
	os_own_remove(address, cpu_page_up(size));
	(void)os_call(SYS_munmap, address, size);
}

void os_unmap_unlisted(void *address, size_t size)
{
	(void)os_call(SYS_munmap, address, size);
}

/* Memory that is locked (mlockall) stays. */
void os_forget(void *address, size_t size)
{
	if (failed(os_call(SYS_madvise, address, size, MADV_DONTNEED)))
		memset(address, 0, size);
}

int os_map_file(void *address, size_t size, int fd, uint64_t offset)
{
	long result = os_call(SYS_mmap, address, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED, fd, offset);

	if (failed(result))
		return (int)result;
	keep_unlocked(address, size);
	return 0;
}

int os_map_private(void *address, size_t size)
{
	return map(address, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0)
		       ? 0
		       : -ENOMEM;
}

static int fill_with_zeros(int fd, uint64_t offset, uint64_t size)
{
	static const char zeros[4096];

	while (size > 0) {
		size_t part = size < sizeof(zeros) ? size : sizeof(zeros);
		long written = os_call(SYS_pwrite64, fd, zeros, part, offset);

		if (written == -EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? (int)written : -ENOSPC;
		offset += written;
		size -= written;
	}
	return 0;
}

int os_reserve_file(int fd, uint64_t offset, uint64_t size)
{
	struct rlimit limit;
	long result;

	/* Past the limit the kernel would send SIGXFSZ, which kills by default. */
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
		offset + size > limit.rlim_cur)
		return -EFBIG;
	do
		result = os_call(SYS_fallocate, fd, 0, offset, size);
	while (result == -EINTR);
	if (result == -EOPNOTSUPP || result == -ENOSYS)
		return fill_with_zeros(fd, offset, size);
	return (int)result;
}

int os_check_room(int fd, uint64_t size)
{
	long result = os_call(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, size);

	return result == -ENOSPC || result == -EDQUOT ? (int)result : 0;
}

/* The kernel copies the set in before it looks at the unknown `how`: so EINVAL tells a readable one.
 * Anything else may be a filter's answer. Walks ask where they are deepest. */
bool os_readable(uintptr_t address)
{
	if (seccomp_is_on() && is_forbidden(SYS_rt_sigprocmask, ~0ul, address, 0, 8, 0, 0))
		return false;
	return lock_call(SYS_rt_sigprocmask, ~0L, (long)address, 0, 8) == -EINVAL;
}

/* Whatever the umask made of it. */
void os_make_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (st.st_mode & 07777) != 0600)
		(void)os_call(SYS_fchmod, fd, 0600);
}

bool os_would_wait(int fd)
{
	static const struct timespec now;
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	return os_call(SYS_ppoll, &room, 1, &now, NULL, 0) == 0;
}

/* Where the clock may no more be read, what it was last. */
static uint64_t read_clock(clockid_t clock, uint64_t *last)
{
	const unsigned long arguments[6] = { (unsigned long)clock };
	struct timespec t;

	if (seccomp_is_on() && !seccomp_asks(SYS_clock_gettime, arguments))
		return load_relaxed(last);
	clock_gettime(clock, &t);
	store_relaxed(last, (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
	return load_relaxed(last);
}

uint64_t os_time(void)
{
	static uint64_t last;

	return read_clock(CLOCK_REALTIME, &last);
}

uint64_t os_steady_time(void)
{
	static uint64_t last;

	return read_clock(CLOCK_MONOTONIC, &last);
}

int os_pid(void)
{
	static int last; /* where it may no more be asked */
	static const unsigned long none[6];
	/* Not by os_call(): a child that shares our memory alone may have no errno. */
	long pid = seccomp_is_on() && !seccomp_asks(SYS_getpid, none)
			   ? -EPERM
			   : lock_call(SYS_getpid, 0, 0, 0, 0);

	if (pid > 0)
		store_relaxed(&last, (int)pid);
	return load_relaxed(&last);
}

int os_tid(void)
{
	return (int)os_call(SYS_gettid);
}

void os_thread_name(char name[16])
{
	if (os_call(SYS_prctl, PR_GET_NAME, name) < 0)
		*name = '\0';
}

bool os_thread_is_gone(int tid)
{
	return os_call(SYS_tgkill, os_pid(), tid, 0) == -ESRCH;
}

int os_open(const char *path, int flags, unsigned mode)
{
	return (int)with_errno(os_call(SYS_openat, AT_FDCWD, path, flags, mode));
}

int os_close(int fd)
{
	return (int)with_errno(os_call(SYS_close, fd));
}

/* The number at or behind `at`; the old one is closed. -1: none is free there. */
static int move_to(int fd, int at)
{
	int moved = (int)os_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, at);

	if (moved >= 0)
		os_close(fd);
	return moved;
}

/* Behind the limit, where no loop over all descriptors looks: the limit only counts when a
 * descriptor is made, so it is raised for that moment. Not behind a large one: fork copies the
 * table up to there. */
static int move_behind_limit(int fd, const struct rlimit *limit)
{
	struct rlimit raised = *limit;
	int moved;

	if (limit->rlim_cur > FD_HIGHEST || limit->rlim_max <= limit->rlim_cur)
		return -1;
	raised.rlim_cur = limit->rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
		return -1;
	moved = move_to(fd, (int)limit->rlim_cur);
	setrlimit(RLIMIT_NOFILE, limit);
	return moved;
}

int os_move_fd(int fd)
{
	struct rlimit limit;
	int at = FD_ABOVE, moved;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		moved = move_behind_limit(fd, &limit);
		if (moved >= 0)
			return moved;
		if (limit.rlim_cur <= FD_ABOVE)
			at = limit.rlim_cur > 8 ? (int)limit.rlim_cur - 8 : fd;
		else
			at = limit.rlim_cur > 1000 ? 900 : (int)(limit.rlim_cur + FD_ABOVE) / 2;
	}
	moved = move_to(fd, at);
	if (moved < 0)
		os_close(fd);
	return moved;
}

int os_memory_file(const char *name)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	long fd = os_call(SYS_memfd_create, name, flags | MFD_NOEXEC_SEAL);

	if (fd == -EINVAL) /* Linux before 6.3 */
		fd = os_call(SYS_memfd_create, name, flags);
	if (fd >= 0) {
		os_make_private(fd);
		(void)os_call(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK); /* it is mapped */
	}
	return (int)fd;
}

long os_pread(int fd, void *data, size_t size, int64_t offset)
{
	return with_errno(os_call(SYS_pread64, fd, data, size, offset));
}

/* One by one where a filter may know of nothing else: the first. */
long os_pwritev(int fd, const struct iovec *pieces, int count, int64_t offset)
{
	if (seccomp_is_on())
		return with_errno(
			os_call(SYS_pwrite64, fd, pieces->iov_base, pieces->iov_len, offset));
	return with_errno(os_call(SYS_pwritev, fd, pieces, count, offset, 0));
}

size_t os_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t read_file(const char *path, char *buffer, size_t size, bool at_once)
{
	size_t used = 0;
	long fd = os_call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);

	buffer[0] = '\0';
	if (fd < 0)
		return 0;
	while (used + 1 < size) {
		long got = os_call(SYS_read, fd, buffer + used, size - 1 - used);

		if (got == -EINTR)
			continue;
		if (got <= 0)
			break;
		used += got;
		if (at_once)
			break;
	}
	(void)os_call(SYS_close, fd);
	buffer[used] = '\0';
	return used;
}

size_t os_read_file(const char *path, char *buffer, size_t size)
{
	return read_file(path, buffer, size, false);
}

size_t os_read_at_once(const char *path, char *buffer, size_t size)
{
	return read_file(path, buffer, size, true);
}

void os_boot_id(char *id, size_t size)
{
	if (os_read_at_once("/proc/sys/kernel/random/boot_id", id, size) > 0)
		id[strcspn(id, "\n")] = '\0';
}

const char *os_stat_field(const char *stat, int field)
{
	const char *p = strrchr(stat, ')'); /* the name, field 2, may hold anything */

	for (int at = 2; p && at < field; at++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	return p ? p : "";
}

uint64_t os_start_ticks(int pid)
{
	char path[64], stat[1024];
	struct text t;
	const char *p;
	uint64_t ticks = 0;

	text_init(&t, path, sizeof(path));
	text_add(&t, "/proc/");
	if (pid == os_pid()) /* in a pid namespace the number may be another's */
		text_add(&t, "self");
	else
		text_add_number(&t, pid);
	text_add(&t, "/stat");
	if (os_read_at_once(path, stat, sizeof(stat)) == 0)
		return 0;
	for (p = os_stat_field(stat, 22); *p >= '0' && *p <= '9'; p++)
		ticks = ticks * 10 + (uint64_t)(*p - '0');
	return ticks;
}
