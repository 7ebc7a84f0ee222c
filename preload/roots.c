/*
 * roots.c - the memory that a scan for leaks starts from: the writable data of all modules, stacks
 * from their stack pointers upwards, thread-local storage, and all other writable memory that no
 * allocator has.
 *
 * What an allocator has can only be told by its blocks: a mapping with blocks in it is the
 * allocator's, and nothing in it is a root by itself. But the kernel merges neighbours, so under
 * glibc the parts of such a mapping that are its arenas and its single mappings are cut out, and
 * the rest is a root.
 */
#include "preload/cpu.h"
#include "preload/next.h"
#include "preload/scan.h"

#include <dlfcn.h>
#include <string.h>

#define MAPS_MOST (16u << 20)	/* bytes of /proc/self/maps */
#define ARENA_SIZE (64ul << 20) /* glibc's further arenas are aligned to this */
#define RED_ZONE 128u		/* bytes below the stack pointer that a leaf function may use */
#define THREAD_DESCRIPTOR 4096u /* bytes behind the thread pointer, at the most */

#define MOST_RANGES 1024

static struct os_range own[MOST_RANGES]; /* the library's, sorted */
static size_t own_count;
static const struct scan_stack *stacks;
static size_t stack_count;
static size_t tls_size; /* below the thread pointer */

static const char *parse_hex(const char *p, uintptr_t *n)
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

/* "start-end rwxp offset device inode   name"; the name's end becomes a zero. */
char *mapping_next(char *line, struct mapping *m)
{
	char *end = strchr(line, '\n');
	const char *p;

	if (!end)
		return NULL;
	*end = '\0';
	p = parse_hex(line, &m->start);
	p = parse_hex(p + 1, &m->end);
	m->readable = p[1] == 'r';
	m->writable = p[2] == 'w';
	m->shared = p[4] == 's';
	m->name = p;
	for (int field = 0; field < 5 && *m->name; m->name++)
		field += *m->name == ' ';
	while (*m->name == ' ')
		m->name++;
	return end + 1;
}

/* ---- parts of a mapping */

/* The range that belongs to glibc around one of its blocks: an arena, or a mapping of its own. */
static void glibc_extent(uintptr_t block, uintptr_t *start, uintptr_t *end)
{
	size_t header = ((const size_t *)block)[-1];

	if (header &
		2) { /* mapped alone: what is in front, if it was aligned, stands before its size */
		*start = (block - 16 - ((const size_t *)block)[-2]) & ~4095ul;
		*end = block - 16 + (header & ~7ul);
	} else if (header & 4) { /* another arena: its header has the size that is in use */
		*start = block & ~(ARENA_SIZE - 1);
		*end = *start + ((const size_t *)*start)[2];
	} else {
		*start = 0;
		*end = UINTPTR_MAX; /* the main arena, in a mapping that isn't the break's */
	}
}

/* A root, except what in it is the library's own: that remembers blocks which nobody else does. */
static void scan_but_own(const struct mapping *m, uintptr_t start, uintptr_t end)
{
	bool private = !m->shared && *m->name != '/';

	for (size_t i = 0; i < own_count && start < end; i++) {
		if (own[i].end <= start)
			continue;
		if (own[i].start >= end)
			break;
		if (own[i].start > start)
			scan_root(start, own[i].start, private);
		start = own[i].end;
	}
	if (start < end)
		scan_root(start, end, private);
}

static void scan_between_extents(const struct mapping *m)
{
	uintptr_t start = m->start, end = m->end;

	while (start < end && !scan_out_of_time()) {
		uintptr_t block = scan_first_block(start, end), from, to;

		if (!block) {
			scan_but_own(m, start, end);
			return;
		}
		if (!next.glibc)
			return;
		glibc_extent(block, &from, &to);
		if (from > start)
			scan_but_own(m, start, from < end ? from : end);
		if (to <= start)
			return; /* makes no sense */
		start = to;
	}
}

/* The stack in it, from its stack pointer; false: no stack is in it. */
static bool scan_stack_in(const struct mapping *m)
{
	bool any = false;

	for (size_t i = 0; i < stack_count; i++) {
		const struct scan_stack *s = &stacks[i];
		uintptr_t from = s->sp - RED_ZONE;

		if (s->running || s->sp < m->start || s->sp >= m->end)
			continue;
		scan_root(from < m->start ? m->start : from, m->end, false);
		any = true;
	}
	return any;
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
	scan_root(start, end, false);
	scan_word(((const uintptr_t *)tp)[1] -
		  16); /* the vector of dynamic storage is pointed to behind its head */
}

static bool is_trace(const struct mapping *m)
{
	return m->shared && strcmp(m->name, tracefile_path()) == 0;
}

/* The library's mappings and its data. The kernel may have merged them with their neighbours. */
static void find_own(void)
{
	struct object self;
	size_t at;

	own_count = os_own_ranges(own, MOST_RANGES - 1);
	if (!object_find((uintptr_t)&trace, &self))
		return;
	for (at = own_count; at > 0 && own[at - 1].start > self.start; at--)
		own[at] = own[at - 1];
	own[at] = (struct os_range){ self.start & ~4095ul, (self.end + 4095) & ~4095ul };
	own_count++;
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
	if (strcmp(m->name, "[heap]") == 0 && scan_first_block(m->start, m->end))
		return;
	if (!scan_stack_in(m))
		scan_between_extents(m);
}

/* ---- all of them */

static size_t static_tls_size(void)
{
	void (*get)(size_t *, size_t *) = dlsym(RTLD_DEFAULT, "_dl_get_tls_static_info");
	size_t size = 0, align;

	if (get)
		get(&size, &align);
	return size;
}

/* A module's data that became read-only after relocation is followed by its writable data. */
static bool is_relro(const struct mapping *m, const struct mapping *after)
{
	return m->readable && !m->writable && *m->name == '/' && after->writable &&
	       after->start == m->end && strcmp(m->name, after->name) == 0;
}

bool roots_scan(const struct scan_stack *s, size_t count)
{
	char *maps = scan_map(MAPS_MOST);
	struct mapping m = { 0 }, before = { 0 };
	char *line = maps;

	stacks = s;
	stack_count = count;
	find_own();
	tls_size = static_tls_size();
	if (!maps || os_read_file("/proc/self/maps", maps, MAPS_MOST) == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		for (int k = 0; k < 6; k++)
			scan_word(s[i].arguments[k]);
	while (!scan_out_of_time() && (line = mapping_next(line, &m))) {
		if (m.name && before.name && is_relro(&before, &m))
			scan_but_own(&before, before.start, before.end);
		if (m.readable && m.writable && !is_trace(&m))
			scan_mapping(&m);
		before = m;
	}
	return true;
}
