/* SPDX-License-Identifier: MIT */
/*
 * roots.c - the memory that a scan for leaks starts from: all that is writable and isn't an
 * allocator's, and registers.
 *
 * What an allocator has can only be identified by its blocks: a mapping with blocks in it is the
 * allocator's, and nothing in it is a root by itself. But the kernel merges neighbours, so under
 * glibc the parts of such a mapping that are its arenas and its single mappings are cut out, under
 * other allocators what these have mapped (mapped.h), and the rest is a root. So are left out the
 * unused parts of stacks, where it is known that they are no more than that, and the stacks that
 * threads have left.
 */
#include "preload/leakscan/roots.h"
#include "preload/leakscan/breaks.h"
#include "preload/leakscan/mapped.h"
#include "preload/leakscan/scan.h"
#include "preload/leakscan/scanmem.h"
#include "preload/leakscan/words.h"
#include "preload/store/tracefile.h"
#include "preload/sys/array.h"
#include "preload/sys/cpu.h"
#include "preload/sys/maps.h"
#include "preload/sys/next.h"
#include "preload/sys/object.h"
#include "preload/sys/ranges.h"
#include "preload/sys/single.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#define MAPS_MOST (16u << 20)	/* bytes of /proc/self/maps */
#define ARENA_SIZE (64ul << 20) /* glibc's further arenas are aligned to this */
#define THREAD_DESCRIPTOR 4096u /* bytes behind the thread pointer, at the most */

static struct mapping *mappings; /* in order of address; ended by one at 0 */
static size_t mapping_count;
static const struct scan_stack *stacks;
static size_t stack_count;
static size_t tls_size; /* below the thread pointer */
/* By roots_init(): the loader's lock may be held by a thread that was stopped. */
static struct object self, libc; /* libc.end 0: its allocator isn't the program's */
static struct object allocator;	 /* a library that is no more than that; end 0: there is none */
/* of each thread: from and to so far below the thread pointer */
static struct os_range allocator_tls;

/* ---- what in a mapping is no root */

#define MOST_RANGES 8192

static struct os_range *left_out; /* sorted */
static size_t left_out_count;

static void leave_out(uintptr_t start, uintptr_t end)
{
	size_t at = left_out_count;

	if (start >= end || left_out_count == MOST_RANGES)
		return;
	for (; at > 0 && left_out[at - 1].start > start; at--)
		left_out[at] = left_out[at - 1];
	left_out[at] = (struct os_range){ start, end };
	left_out_count++;
}

/* An address in the C library's data that leads to the chunk behind a block is its allocator's: that
 * of the topmost chunk or of a free one. A chunk's address is in the last bytes of the block before
 * it, or just behind them. */
static void take_of_libc(uintptr_t word)
{
	uintptr_t block = word % 16 == 0 ? scan_block_at(word) : 0, header;

	if (!block || !word_read(block - 8, &header) || block - 16 + (header & ~7ul) != word)
		scan_word(word);
}

static void scan_part(const struct mapping *m, uintptr_t start, uintptr_t end)
{
	bool private = !m->shared && *m->name != '/';

	if (start < libc.end && end > libc.start)
		scan_root_by(start, end, private, take_of_libc);
	else
		scan_root(start, end, private);
}

/* A root, without what is left out. */
static void scan_rest(const struct mapping *m, uintptr_t start, uintptr_t end)
{
	for (size_t i = 0; i < left_out_count && start < end; i++) {
		const struct os_range *r = &left_out[i];

		if (r->end <= start)
			continue;
		if (r->start >= end)
			break;
		if (r->start > start)
			scan_part(m, start, r->start);
		start = r->end;
	}
	if (start < end)
		scan_part(m, start, end);
}

/* One of glibc's further arenas? Then its head (struct heap_info) names the arena that it belongs to,
 * and how much of it is in use and accessible. */
static uintptr_t arena_end(uintptr_t start, uintptr_t end)
{
	uintptr_t arena, used, open;

	if (end - start < CPU_PAGE || !word_read(start, &arena) || !word_read(start + 16, &used) ||
		!word_read(start + 24, &open))
		return 0;
	if (arena % 16 || arena % ARENA_SIZE < 16 || arena % ARENA_SIZE >= CPU_PAGE ||
		used % CPU_PAGE || open % CPU_PAGE || used < CPU_PAGE || open < used ||
		open > ARENA_SIZE || open > end - start)
		return 0;
	return start + open;
}

/* The range that belongs to glibc around one of its blocks, which is in no further arena. Where nothing
 * can be read in front of it, it was freed unseen, and what is there now isn't glibc's: none. */
static void glibc_extent(uintptr_t block, uintptr_t *start, uintptr_t *end)
{
	uintptr_t header, front;

	if (!word_read(block - 8, &header) || !word_read(block - 16, &front)) {
		*start = *end = cpu_page_up(block + 1);
	} else if (
		header &
		2) { /* mapped alone: what is in front, if it was aligned, stands before its size */
		*start = cpu_page_down(block - 16 - front);
		*end = block - 16 + (header & ~7ul);
	} else if (header & 4) { /* an arena whose head makes no sense */
		*start = block & ~(ARENA_SIZE - 1);
		*end = *start + ARENA_SIZE;
	} else {
		*start = 0;
		*end = UINTPTR_MAX; /* the main arena, in a mapping that isn't the break's */
	}
}

/* The range that belongs to the allocator around one of its blocks; false: it isn't known. */
static bool find_extent(uintptr_t block, uintptr_t *start, uintptr_t *end)
{
	struct os_range range;

	if (next.glibc) {
		glibc_extent(block, start, end);
		return true;
	}
	if (!mapped_around(block, &range))
		return false;
	*start = range.start;
	*end = range.end;
	return true;
}

/* Between arenas. */
static void scan_between_blocks(const struct mapping *m, uintptr_t start, uintptr_t limit)
{
	while (start < limit && !scan_out_of_time()) {
		uintptr_t block = scan_first_block(start, limit), from, to;

		if (!block) {
			scan_rest(m, start, limit);
			return;
		}
		if (!find_extent(block, &from, &to))
			return;
		if (from > start)
			scan_rest(m, start, from < limit ? from : limit);
		if (to <= start)
			return; /* makes no sense */
		start = to;
	}
}

static void scan_between_arenas(const struct mapping *m)
{
	uintptr_t start = m->start, at = (start + ARENA_SIZE - 1) & ~(ARENA_SIZE - 1);

	for (; next.glibc && !m->shared && at < m->end; at += ARENA_SIZE) {
		uintptr_t end = arena_end(at, m->end);

		if (!end)
			continue;
		scan_between_blocks(m, start, at);
		start = end;
	}
	scan_between_blocks(m, start, m->end);
}

/* The break is the allocator's, but for what the program took of it by itself. */
static void scan_break(const struct mapping *m)
{
	for (size_t i = 0; i < breaks_count; i++) {
		uintptr_t start = breaks[i].start, end = breaks[i].end;

		if (next_is_allocator(breaks[i].caller))
			continue;
		start = start < m->start ? m->start : start;
		end = end > m->end ? m->end : end;
		if (start < end)
			scan_rest(m, start, end);
	}
}

/* The main thread's thread-local storage may be in front of the heap. */
static void scan_tls_in(const struct mapping *m)
{
	uintptr_t tp = cpu_thread_pointer();
	uintptr_t start = tp - tls_size, end = tp + THREAD_DESCRIPTOR;

	if (tp < m->start || tp >= m->end)
		return;
	if (start < m->start || start > tp)
		start = m->start;
	if (end > m->end)
		end = m->end;
	scan_rest(m, start, end);
}

/* ---- threads */

/*
 * The C library keeps its threads in lists, whose heads are in its own data or in the loader's: those
 * that there are, and stacks that were left by threads which have ended and wait for the next one.
 * Of a thread's descriptor it is known that it holds its own address, the list's links, behind them
 * the thread's number, and further on the stack's address and size.
 */
#define LINKS_WITHIN 1024u /* of the descriptor's start */
#define JOINED (-1)	   /* instead of the number; in glibc before 2.42 */

/* that the main thread is in; behind it, 16 bytes on, that of left stacks */
static uintptr_t main_list;

/* What seems to be a pointer may be anything. */
static bool read_word(uintptr_t address, uintptr_t *word)
{
	size_t at = RANGES_FIRST_BEHIND(mappings, mapping_count, address);

	return at < mapping_count && address % 8 == 0 && address >= mappings[at].start &&
	       mappings[at].readable && word_read(address, word);
}

static bool is_list(uintptr_t head, uintptr_t *first)
{
	uintptr_t back;

	*first = *(const uintptr_t *)head;
	return *first != head && read_word(*first + 8, &back) && back == head;
}

/* Of the thread with those links; 0: it is no thread's. */
static uintptr_t descriptor_of(uintptr_t links)
{
	uintptr_t at = links & ~63ul, word;

	for (; links - at <= LINKS_WITHIN; at -= 64)
		if (read_word(at, &word) && word == at && read_word(at + CPU_THREAD_SELF, &word) &&
			word == at)
			return at;
	return 0;
}

static bool find_stack(uintptr_t descriptor, uintptr_t links, struct os_range *stack)
{
	uintptr_t start, size = 0, word;

	for (uintptr_t at = links + 16; at < descriptor + THREAD_DESCRIPTOR; at += 8) {
		start = size;
		if (!read_word(at, &size))
			return false;
		if (start >= CPU_PAGE && start <= descriptor && size % 8 == 0 && size >= CPU_PAGE &&
			size < 1ul << 36 && descriptor < start + size &&
			read_word((start + size - 8) & ~7ul, &word)) {
			*stack = (struct os_range){ start, start + size };
			return true;
		}
	}
	return false;
}

/* Storage of one thread that its stack doesn't lead to. */
static void take_storage(uintptr_t descriptor)
{
	uintptr_t word;

	leave_out(descriptor - allocator_tls.start, descriptor - allocator_tls.end);
	if (read_word(descriptor + 8, &word)) /* of libraries that came late */
		scan_word(word - 16);
}

/* A thread that has ended left nothing on its stack; but its result may be waited for. */
static void take_thread(uintptr_t links, uintptr_t list)
{
	uintptr_t descriptor = descriptor_of(links), word;
	const struct scan_stack *s = NULL;
	struct os_range stack;
	int tid;

	if (!descriptor || !read_word(links + 16, &word))
		return;
	tid = (int)word;
	if (tid == (int)trace.header->pid)
		main_list = list;
	take_storage(descriptor);
	if (!find_stack(descriptor, links, &stack))
		return;
	for (size_t i = 0; i < stack_count; i++)
		if (tid > 0 && stacks[i].tid == tid)
			s = &stacks[i];
	if (s && !s->running && s->sp >= stack.start && s->sp < stack.end)
		leave_out(stack.start, s->sp);
	else if (tid == JOINED || (tid <= 0 && main_list && list == main_list + 16))
		leave_out(stack.start, stack.end);
	else if (tid == 0)
		leave_out(stack.start, descriptor);
}

#define MOST_LINKS 100000u /* a list that is being changed may lead anywhere */

static void take_threads(const struct mapping *m)
{
	uintptr_t at;

	for (uintptr_t head = m->start; head < m->end && !scan_out_of_time(); head += 8) {
		if (!is_list(head, &at) || !descriptor_of(at))
			continue;
		for (unsigned i = 0; i < MOST_LINKS && at != head; i++) {
			take_thread(at, head);
			if (!read_word(at, &at))
				break;
		}
	}
}

static bool several; /* threads there were, in a process that this one was forked from */

void roots_before_fork(void)
{
	several |= !process_is_single;
}

/* No stack of another one waits for the next. */
static bool was_always_alone(void)
{
	return process_is_single && !several;
}

static bool has_lists(const struct mapping *m)
{
	static const char *const names[] = { "ld-linux", "ld-2.", "libc.so", "libc-2.",
		"libpthread" };
	const char *name = strrchr(m->name, '/');

	for (size_t i = 0; name && m->readable && i < ARRAY_SIZE(names); i++)
		if (strncmp(name + 1, names[i], strlen(names[i])) == 0)
			return m->writable;
	return false;
}

/* ---- one mapping */

/* The main thread's own grows downwards: what is below its stack pointer was left. */
static void leave_out_below(const struct mapping *m)
{
	uintptr_t lowest = UINTPTR_MAX;

	for (size_t i = 0; i < stack_count; i++) {
		if (stacks[i].running && stacks[i].tid == (int)trace.header->pid)
			return; /* it may be anywhere there */
		if (stacks[i].sp >= m->start && stacks[i].sp < m->end && stacks[i].sp < lowest)
			lowest = stacks[i].sp;
	}
	if (lowest != UINTPTR_MAX)
		leave_out(m->start, lowest);
}

static bool is_trace(const struct mapping *m)
{
	return m->shared && strcmp(m->name, tracefile_path()) == 0;
}

/* The library's mappings and its data, which remember blocks that nobody else does. The kernel may
 * have merged them with their neighbours. */
static void leave_out_own(void)
{
	static struct os_range own[1024];
	size_t count = os_own_ranges(own, 1024);

	for (size_t i = 0; i < count; i++)
		leave_out(own[i].start, own[i].end);
	for (unsigned i = 0; scan_maps(i, own); i++)
		leave_out(own->start, own->end);
	leave_out(cpu_page_down(self.start), cpu_page_up(self.end));
}

/* What another allocator has mapped and its library's data: lists of free blocks, and words that were such. Its threads' storage is
 * left out with them (take_thread()). */
static void leave_out_allocator(void)
{
	struct os_range range;

	for (size_t i = 0; mapped_next(&i, &range);)
		leave_out(range.start, range.end);
	leave_out(cpu_page_down(allocator.start), cpu_page_up(allocator.end));
}

/* Devices may do things when they are read. */
static bool is_device(const struct mapping *m)
{
	return strncmp(m->name, "/dev/", 5) == 0 && strncmp(m->name, "/dev/shm/", 9) != 0 &&
	       strncmp(m->name, "/dev/zero", 9) != 0;
}

static void scan_mapping(const struct mapping *m)
{
	if (m->shared && is_device(m))
		return;
	scan_tls_in(m);
	if (strcmp(m->name, "[heap]") == 0 && (next.glibc || scan_first_block(m->start, m->end)))
		scan_break(m);
	else
		scan_between_arenas(m);
}

/* ---- all of them */

/* A module's data that became read-only after relocation is followed by its writable data. */
static bool is_relro(const struct mapping *m, const struct mapping *after)
{
	return m->readable && !m->writable && *m->name == '/' && after->writable &&
	       after->start == m->end && strcmp(m->name, after->name) == 0;
}

static bool find_mappings(void)
{
	char *maps = scan_map(MAPS_MOST);

	mapping_count = 0;
	if (!maps || os_read_file("/proc/self/maps", maps, MAPS_MOST) == 0)
		return false;
	for (const char *p = maps; (p = strchr(p, '\n')); p++)
		mapping_count++;
	mappings = scan_map((mapping_count + 1) * sizeof(*mappings));
	left_out = scan_map(MOST_RANGES * sizeof(*left_out));
	for (size_t i = 0; mappings && i < mapping_count; i++)
		maps = mapping_next(maps, &mappings[i]);
	return mappings && left_out;
}

static void scan_registers(void)
{
	for (size_t i = 0; i < stack_count; i++)
		if (stacks[i].register_size > 0)
			scan_root((uintptr_t)stacks[i].registers,
				(uintptr_t)stacks[i].registers + stacks[i].register_size, false);
}

bool roots_scan(const struct scan_stack *s, size_t count)
{
	stacks = s;
	stack_count = count;
	left_out_count = main_list = 0;
	if (!find_mappings())
		return false;
	leave_out_own();
	leave_out_allocator();
	if (was_always_alone())
		take_storage(cpu_thread_pointer());
	for (const struct mapping *m = mappings; m->end; m++) {
		if (strcmp(m->name, "[stack]") == 0)
			leave_out_below(m);
		else if (!was_always_alone() && has_lists(m))
			take_threads(m);
	}
	scan_registers();
	for (const struct mapping *m = mappings; m->end && !scan_out_of_time(); m++) {
		if (is_relro(m, m + 1))
			scan_rest(m, m->start, m->end);
		if (m->readable && m->writable && !is_trace(m))
			scan_mapping(m);
	}
	return true;
}

/* Others may have data of the program's, too. */
static bool is_allocator_alone(const struct object *o)
{
	static const char *const names[] = { "libjemalloc", "libmimalloc", "libtcmalloc" };
	const char *slash = strrchr(o->name, '/'), *name = slash ? slash + 1 : o->name;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static int find_allocator_tls(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t here = (uintptr_t)info->dlpi_tls_data;

	(void)size;
	(void)unused;
	if (info->dlpi_addr != allocator.bias || !here)
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS && here < cpu_thread_pointer()) {
			allocator_tls.start = cpu_thread_pointer() - here;
			allocator_tls.end = allocator_tls.start - info->dlpi_phdr[i].p_memsz;
		}
	return 1;
}

void roots_init(void)
{
	void (*get)(size_t *, size_t *) = dlsym(RTLD_DEFAULT, "_dl_get_tls_static_info");
	size_t align;

	if (get)
		get(&tls_size, &align);
	(void)object_find((uintptr_t)&trace, &self);
	if (!next.glibc || !object_find((uintptr_t)next.malloc, &libc))
		libc = (struct object){ 0 };
	if (next.glibc || !object_find((uintptr_t)next.malloc, &allocator) ||
		!is_allocator_alone(&allocator))
		allocator = (struct object){ 0 };
	else
		dl_iterate_phdr(find_allocator_tls, NULL);
}
