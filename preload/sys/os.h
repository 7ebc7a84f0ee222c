/* SPDX-License-Identifier: MIT */
/* os.h - what is asked of the kernel, none of it touching errno; negative errno on failure. */
#ifndef MTRACE_OS_H
#define MTRACE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* os_call(number, up to six arguments): any system call; -EPERM where a seccomp filter forbids it. Not
 * by a variable list, which takes 100 bytes more of stacks that may be small. */
long os_call_with(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
	unsigned long e, unsigned long f);
#define os_call(...) OS_CALL_PADDED(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define OS_CALL_PADDED(number, a, b, c, d, e, f, ...)                                    \
	os_call_with(number, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), \
		(unsigned long)(d), (unsigned long)(e), (unsigned long)(f))
void *os_map(size_t size); /* zeroed private memory that costs nothing until touched; NULL */
void *os_map_touched(
	size_t size); /* as os_map, for what is used at once: one call instead of a fault a page */
void *os_map_unlisted(size_t size); /* as os_map, without a lock: not among os_own_ranges() */
void *os_reserve(size_t size);	    /* address space without access; NULL */
bool os_make_writable(void *address, size_t size); /* whole pages */
void os_unmap(void *address, size_t size);
void os_unmap_unlisted(void *address, size_t size);
void os_forget(void *address, size_t size); /* of os_map: the memory; what is there becomes zeros */
size_t os_address_limit(void);		    /* of the process, bytes; SIZE_MAX: none */
size_t os_data_limit(void);		    /* of its private writable memory */

/* The library's own mappings are known, so that a scan for leaks leaves them out. */
struct os_range {
	uintptr_t start, end;
};
size_t os_own_ranges(struct os_range *ranges, size_t most); /* sorted by address */
void os_forked(void);
/* what others than os_map() have mapped for the library */
void os_own_add(void *address, size_t size);
void os_own_remove(void *address, size_t size);
/* what mlockall has locked of it; later: and what is mapped from now on */
void os_unlock_own(bool later);
int os_map_file(
	void *address, size_t size, int fd, uint64_t offset); /* shared, over what is there */
int os_map_private(
	void *address, size_t size); /* zeros of this process's own, over what is there */
int os_reserve_file(
	int fd, uint64_t offset, uint64_t size); /* blocks on disk, or fails: never SIGBUS later */
int os_check_room(
	int fd, uint64_t size);	     /* can a file grow to that, on its disk and in the quota? */
bool os_readable(uintptr_t address); /* the 8 bytes there, without a fault */
bool os_would_wait(int fd);	     /* for room to write? */
uint64_t os_time(void);		     /* CLOCK_REALTIME, ns */
uint64_t os_steady_time(void);	     /* CLOCK_MONOTONIC, ns */
int os_pid(void);
int os_tid(void);
void os_thread_name(char name[16]); /* the calling thread's */
bool os_thread_is_gone(int tid);
/* Field 3 or a later one of a line of /proc/.../stat, numbered as in proc(5); "" where it ends before. */
const char *os_stat_field(const char *stat, int field);

uint64_t os_start_ticks(int pid); /* field 22 of /proc/PID/stat; 0 = no such process */
size_t os_read_file(const char *path, char *buffer, size_t size); /* zero-terminated; bytes read */
size_t os_read_at_once(
	const char *path, char *buffer, size_t size); /* what the kernel makes by one read */
void os_boot_id(char *id, size_t size);		      /* "" where unknown */
size_t os_page_size(void);
int os_move_fd(int fd); /* out of the way of programs that expect the lowest numbers, or count on
			   0-99; where that can't be, it is closed: -1 */
void os_make_private(int fd); /* mode 0600 */
int os_memory_file(
	const char *name); /* a file in memory, without a path, which can't be truncated */

/* As their namesakes, errno included, but no points at which a thread may be cancelled. */
int os_open(const char *path, int flags, unsigned mode);
int os_close(int fd);
long os_pread(int fd, void *data, size_t size, int64_t offset);
struct iovec;
long os_pwritev(int fd, const struct iovec *pieces, int count, int64_t offset);

#pragma GCC visibility pop

#endif
