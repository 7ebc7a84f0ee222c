/*
 * scan.h - who points to the live blocks: what is lost, and what can still be reached.
 *
 * Runs in a child of the process that was forked for it, on the memory as it was at that moment, as
 * memcheck and LeakSanitizer do: from the roots (roots.h) each word that is an address of a live
 * block leads to that block and what it holds. A pointer to a block's start makes it reachable, one
 * to its inside only possibly so.
 *
 *   scan.c      marks blocks and adds them up by site
 *   blocks.c    lists the live blocks, and finds them by address (blocks.h)
 *   words.c     reads memory (words.h), of which sift.c tells what may be an address
 *   roots.c     finds the memory to start from
 *   threads.c   stops other threads, and reads their registers
 *   snapshot.c  forks, waits a little, and takes requests
 */
#ifndef MTRACE_SCAN_H
#define MTRACE_SCAN_H

#include "preload/sys/cpu.h"
#include "preload/sys/internal.h"

#define SCAN_REGISTERS 448u /* words: general, and vector registers of 512 bits */

/* Where a thread's stack is in use, from its stack pointer upwards, and its registers. */
struct scan_stack {
	int tid;
	uintptr_t sp; /* the lowest address that is in use */
	bool running;	      /* sp is unknown: its whole stack is a root */
	bool stopped;
	int signal; /* that it gets when it goes on */
	size_t register_size; /* bytes that are known */
	uintptr_t registers[SCAN_REGISTERS];
};

#pragma GCC visibility push(hidden)

/* ---- scan.c */

/* Marks what the words in [start, end) point to. Private: what was never touched of it is zeros. */
void scan_root(uintptr_t start, uintptr_t end, bool private);
void scan_root_by(uintptr_t start, uintptr_t end, bool private, void (*take)(uintptr_t word));
void scan_word(uintptr_t word);
bool scan_out_of_time(void);

/* Is there a live block that begins in [start, end)? The first of them; 0 = none. */
uintptr_t scan_first_block(uintptr_t start, uintptr_t end);
uintptr_t scan_block_at(uintptr_t address); /* the start of the one that it lies in; 0 = none */

/* Memory for the scan, zeroed; NULL. */
void *scan_map(size_t size);
void scan_release(void); /* all of it */
bool scan_maps(unsigned number, struct os_range *range); /* its pieces: 0, 1, ...; false: no more */

/* In the child: scans and fills MT_LEAKS, for which there is room. False: no memory, or not done at
 * `until`, as os_time() has it. Blind: registers aren't known that may hold pointers. */
bool scan(const struct scan_stack *stacks, size_t count, bool blind, uint64_t until);

/* ---- roots.c */

void roots_init(void); /* at the start */

/* Calls scan_root() on all memory that belongs to no allocator. */
bool roots_scan(const struct scan_stack *stacks, size_t count);

/* A line of /proc/self/maps. */
struct mapping {
	uintptr_t start, end;
	bool readable, writable, shared;
	const char *name; /* in the text; "" = none */
};
char *mapping_next(char *line, struct mapping *m); /* the next line; NULL: there is none here */

/* ---- snapshot.c */

/* From the frame that ends the process. */
void snapshot_at_exit(const struct cpu_caller *at); /* scans the process, and waits for that a second at the most */

/*
 * The scan's children, which the program must not find among its own. A hook that waits for children first
 * notes how many of ours are gone, and then asks of what was found. It may have been found when it
 * was there, and be gone by now; and long gone, its number may be that of a child of the program's.
 */
extern unsigned snapshot_gone; /* how many of ours are */
bool snapshot_is_child(int pid, unsigned gone);
void snapshot_child_gone(int pid);

/* Scans if somebody has asked for it and it hasn't been done. In a hook: waits next to nothing. */
void snapshot_answer(void);

void snapshot_note_tracer(unsigned long pid); /* whom the program allows to trace it */

#pragma GCC visibility pop

#endif
