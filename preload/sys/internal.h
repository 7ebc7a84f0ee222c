/*
 * internal.h - what the files of the library share, grouped by the file that defines it.
 *
 *   stack    the return addresses from an allocation outwards
 *   frame    one return address, in the module that it lay in
 *   rule     how to get from a frame to its caller (rules.h)
 *   node     a frame below a parent node: a stack is a path in the stack tree
 *   site     a node that allocated; has the counters
 *   line     an allocating instruction; has a peak of its own over all its sites
 *   slot     what is remembered of a live block: its site and size
 *   lane     a thread's own counters
 *   module   an executable or library that frames lie in
 *   extent   a piece of the trace file that a table grew by
 *
 * Hot paths are inline functions in capture.h, slots.h and ledger.h; their rare cases are cold_path
 * functions in the .c of the same name. A hook runs with its thread marked busy (thread.h), so
 * nothing in here is entered twice by one thread; locks (lock.h) are for the rare paths alone.
 */
#ifndef MTRACE_INTERNAL_H
#define MTRACE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/atomic.h"
#include "preload/sys/glibc.h"
#include "preload/sys/lock.h"
#include "preload/trace_format.h"

#pragma GCC visibility push(hidden)

/* ---- os.c: what is asked of the kernel, none of it touching errno; negative errno on failure */

/* os_call(number, up to six arguments): any system call; -EPERM where a seccomp filter forbids it. Not
 * by a variable list, which takes 100 bytes more of stacks that may be small. */
long os_call_with(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
	unsigned long e, unsigned long f);
#define os_call(...) OS_CALL_PADDED(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define OS_CALL_PADDED(number, a, b, c, d, e, f, ...)                                      \
	os_call_with(number, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), \
		(unsigned long)(d), (unsigned long)(e), (unsigned long)(f))
void *os_map(size_t size);	/* zeroed private memory that costs nothing until touched; NULL */
void *os_map_unlisted(size_t size); /* as os_map, without a lock: not among os_own_ranges() */
void *os_reserve(size_t size);	/* address space without access; NULL */
bool os_make_writable(void *address, size_t size); /* whole pages */
void os_unmap(void *address, size_t size);
void os_forget(void *address, size_t size); /* of os_map: the memory; what is there becomes zeros */
size_t os_address_limit(void);		    /* of the process, bytes; SIZE_MAX: none */
size_t os_data_limit(void);		    /* of its private writable memory */

/* The library's own mappings are known, so that a scan for leaks leaves them out. */
struct os_range {
	uintptr_t start, end;
};
size_t os_own_ranges(struct os_range *ranges, size_t most); /* sorted by address */
void os_forked(void);
void os_own_add(void *address, size_t size); /* what others than os_map() have mapped for the library */
void os_own_remove(void *address, size_t size);
void os_unlock_own(bool later); /* what mlockall has locked of it; later: and what is mapped from now on */
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
int os_pid(void);
int os_tid(void);
void os_thread_name(char name[16]); /* the calling thread's */
bool os_thread_is_gone(int tid);
uint64_t os_start_ticks(int pid); /* field 22 of /proc/PID/stat; 0 = no such process */
size_t os_read_file(const char *path, char *buffer, size_t size); /* zero-terminated; bytes read */
void os_boot_id(char *id, size_t size);				  /* "" where unknown */
size_t os_page_size(void);
int os_move_fd(int fd); /* out of the way of programs that expect the lowest numbers, or count on
			   0-99; where that can't be, it is closed: -1 */
int os_memory_file(
	const char *name); /* a file in memory, without a path, which can't be truncated */

/* As their namesakes, errno included, but no points at which a thread may be cancelled. */
int os_open(const char *path, int flags, unsigned mode);
int os_close(int fd);
long os_pread(int fd, void *data, size_t size, int64_t offset);
long os_pwrite(int fd, const void *data, size_t size, int64_t offset);

/* ---- text.c: formatting and messages without stdio or memory */

struct text {
	char *buffer;
	size_t size; /* of the buffer */
	size_t used; /* without the terminating zero, which is always there; what doesn't fit is cut
		      */
};

void text_init(struct text *t, char *buffer, size_t size);
void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const char *s, size_t n);
void text_add_number(struct text *t, uint64_t n);
bool text_to_number(const char *s, uint64_t *n); /* decimal, all of s */
const char *text_hex(const char *s, uintptr_t *n); /* without 0x; returns what is behind it */
void message(const char *first, ...)
	__attribute__((sentinel)); /* "libmtrace: ...\n" on stderr; ends with NULL */
void message_start(void);	   /* from here on only while stderr stays what it is now */

/* ---- env.c: the MTRACE_* variables */

struct config {
	const char *out;
	bool anchored; /* out is a relative path that was made absolute */
	uint32_t depth;
	bool start;
	bool follow;
	struct {
		uint64_t mean; /* bytes; 0: record every block */
		uint64_t seed;
	} sample;
	bool reachable;
	bool mmap;
	bool slack;
	uint32_t timeline;
	bool verbose;
};

extern struct config config;
bool env_read(char **environment); /* false: a value is bad, which has been said */
void env_stop_following(
	char **environment); /* takes the library out of LD_PRELOAD for programs started later */

/* ---- heap.c: the library's own memory, apart from the program's */

bool heap_init(void); /* where it may not begin later; false: no memory */
void *heap_alloc(size_t size); /* zeroed; NULL */
void heap_free(void *p);
size_t heap_used(void);
extern struct lock heap_lock; /* the last of all; fork.c takes it too */

/* ---- tracefile.c: the mapped trace */

/* The tables, each at one address for the whole life of the process. */
struct trace {
	struct mt_header *header;
	struct mt_frame *frames;
	struct mt_node *nodes;
	struct mt_site *sites;
	struct mt_site_info *site_info;
	struct mt_line *lines;
	struct mt_published *published;
	struct mt_lane *lanes;
	struct mt_entry *entries;
	struct mt_module *modules;
	char *strings;
	struct mt_foreign *foreign;
	struct mt_leak *leaks;
	struct mt_held *held;
	struct mt_slack *slack; /* with MTRACE_SLACK=1 */
	struct mt_estimate *estimates;
};

extern struct trace trace;

static inline void count_lost(enum mt_loss why)
{
	__atomic_fetch_add(&trace.header->lost[why], 1, __ATOMIC_RELAXED);
}

bool tracefile_create(const char *program); /* false has been explained */
bool tracefile_room(enum mt_table_id table,
	uint64_t count);	 /* grows the table to hold `count` records; under tables_lock */
void tracefile_grow_ahead(void); /* while it still may grow; under tables_lock */
bool tracefile_in_memory(enum mt_table_id table, uint64_t count); /* instead; not for readers */
bool tracefile_is_in_memory(enum mt_table_id table);
bool tracefile_has_room(enum mt_table_id table, uint64_t count);
uint32_t tracefile_string(const char *s,
	size_t size); /* size without the zero that is added; 0 when there is no room */
const char *tracefile_path(void);
void tracefile_discard(void); /* when something else is missing; gives all back */
void tracefile_leave(
	void); /* in a fork child that can't have a trace: maps nothing of the parent's any more */
size_t tracefile_bytes(void);

/* What a fork child starts from: copies of what the parent goes on changing. */
struct tracefile_copy {
	size_t size;
	struct mt_header *header;
	unsigned char *tables[MT_TABLES_USED]; /* NULL: append-only, read where it is */
};
struct tracefile_copy *tracefile_copy(void); /* NULL when there is no memory */
void tracefile_copy_free(struct tracefile_copy *copy);
bool tracefile_fork(
	struct tracefile_copy *copy); /* in the child: a trace of its own, at the same addresses */

#define HASH_FACTOR 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio */

/* ---- modules.c: loaded objects */

struct object {
	uintptr_t start, end; /* mapping */
	uintptr_t bias;
	uintptr_t unwind_header; /* PT_GNU_EH_FRAME, 0 = none */
	const char *name;	 /* as the loader has it; "" = the program */
};

void modules_init(const char *program);
bool object_find(uintptr_t address, struct object *o); /* lock-free where the loader allows it */
uint32_t module_for(const struct object *o); /* registers it when new; under tables_lock */
void modules_sweep(
	void); /* after a dlclose: retires what is gone, and the rules of its addresses */
extern int modules_closing; /* dlclose calls under way: then no frame is believed */
void modules_close(int add);
void modules_look(void); /* what may have gone without a dlclose that we saw; asks for no lock */
void modules_change(
	uintptr_t start, size_t size); /* generated code goes from here, or comes */
extern struct modules_loader {
	uintptr_t start;
	size_t size;
} modules_loader, modules_self; /* the dynamic linker's own code, and ours */
static inline bool modules_is_loader(uintptr_t pc)
{
	return pc - modules_loader.start < modules_loader.size;
}
static inline bool modules_is_self(uintptr_t pc)
{
	return pc - modules_self.start < modules_self.size;
}
bool module_is_stale(uint32_t module, uintptr_t address); /* of a frame on the caller's stack */
void modules_forked(void);
extern uint32_t code_generation; /* goes up when code may have changed under known addresses */

/* ---- stacks.c: frames, nodes, sites */

extern struct lock tables_lock; /* over every growing table and the hash tables over them */
bool stacks_init(void);
#define MT_SITES_MOST ((1u << 21) - 1)			 /* what a slot can name */
uint32_t site_for(uint32_t node, uint32_t kind);	 /* 0 = no room; the rare path */
void stacks_forget_code(uintptr_t start, uintptr_t end); /* under tables_lock */
bool stacks_forget_generated(uintptr_t start, uintptr_t end); /* if there was any code in no module */

/* ---- init.c, thread.c, control.c, fork.c, hooks_cxx.c */

struct thread;
struct thread *thread_new(void); /* the calling thread's; NULL: no memory or past its end */
bool threads_init(void);
void threads_name_last(void); /* the calling thread's name, as it is at the process's end */
void threads_forked(struct thread *self);

bool fork_init(void);
struct cpu_caller;
extern struct cpu_caller exit_caller; /* hooks_process.c: of the last way out that was called */
void init_start(void); /* once, at the first event that is late enough */
void init_leave(const struct cpu_caller *at); /* on a way out that runs no destructors */

void cxx_init(void); /* hooks_cxx.c: finds the C++ library's operator new */

void control_exit(void);       /* writes the end into the header */
void resident_note_peak(void); /* resident.c, at the exit: what memory the process took */
void resident_note_own(void);  /* and what of it is ours */

#pragma GCC visibility pop

#endif
