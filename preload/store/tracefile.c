/* SPDX-License-Identifier: MIT */
/*
 * tracefile.c - the mapped trace: creating it, and growing its tables while the program runs.
 *
 * Each table has a stretch of reserved address space; the file's extents are mapped into it one
 * behind the other, so a table is one array, whatever the order of extents in the file:
 *
 *   address space   [frames: e0 e3 ......][nodes: e1 ......][sites: e2 e4 .....]
 *   file            header e0 e1 e2 e3 e4
 *
 * The first stretch of most tables is a page; a stretch that is used up is followed by one of 32 KiB, and then of
 * four times the size each, into which the same extents are mapped again. The old one stays: it is the same memory, so who still has its address, from
 * before or for good, reads and writes what everybody does.
 *
 * Every extent's blocks are reserved on disk before it is mapped, so a full disk is an error here
 * and never a SIGBUS in the program.
 */
#include "preload/store/tracefile.h"
#include "preload/store/trace_path.h"
#include "preload/store/sample.h"
#include "preload/sys/env.h"
#include "preload/sys/message.h"
#include "preload/sys/os.h"
#include "preload/sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

struct lock tables_lock;
struct trace trace;

#define COMMAND_MOST (64u << 10)		   /* bytes of the command line that are kept */
#define FIRST_STRINGS (COMMAND_MOST + (16u << 10)) /* with the paths */
#define FIRST_ROOM \
	(40u << 10) /* bytes that each trace takes; must be free, or the next candidate is tried \
		     */

static const struct {
	uint32_t record_size;
	uint32_t most;	/* records it may grow to */
	uint32_t ahead; /* that a program may need behind a seccomp filter to do what it is for */
	uint32_t
		unused; /* records at its start that stand for nothing, or the roots of all stacks */
	bool changes;	/* records change after they were written */
} shapes[MT_TABLES_USED] = {
#define SHAPE(id, record, name, member, count, columns, most, ahead, unused, changes) \
	[id] = { sizeof(record), most, ahead, unused, changes },
	MT_EACH_TABLE(SHAPE)
#undef SHAPE
};

#define FIRST_STRETCH (32u << 10) /* bytes, of a table that is more than a page */
#define STRETCH_FACTOR 4
#define MOST_STRETCHES 10 /* one after the other, of a table */

struct stretch {
	unsigned char *base;
	size_t size; /* bytes of address space */
};

static struct {
	unsigned char *base; /* of the last stretch */
	size_t mapped;	     /* bytes, whole pages, from base */
	bool in_memory;	     /* not in the file, which had no room */
	unsigned count;
	struct stretch stretches[MOST_STRETCHES];
} tables[MT_TABLES_USED];

static struct {
	int fd; /* -1: lost for good */
	dev_t device;
	ino_t inode;
	uint64_t size; /* bytes given to the header and the extents */
	size_t page;
	struct trace_path trace_path;
} file = { .fd = -1 };

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

const char *tracefile_path(void)
{
	return file.trace_path.path;
}

size_t tracefile_bytes(void)
{
	return file.size;
}

/* ---- the file */

static bool is_ours(int fd)
{
	struct stat st;

	return seccomp_allows_growth() && fstat(fd, &st) == 0 && st.st_dev == file.device &&
	       st.st_ino == file.inode;
}

/* The descriptor, checked: daemons close everything, and may have reused the number. -1 when there
 * is none to be had. */
static int checked_fd(void)
{
	int fd;

	if (file.fd >= 0 && is_ours(file.fd))
		return file.fd;
	fd = os_open(file.trace_path.path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return file.fd = -1;
	if (!is_ours(fd)) {
		os_close(fd);
		return file.fd = -1;
	}
	return file.fd = os_move_fd(fd);
}

int tracefile_descriptor(void)
{
	return checked_fd();
}

/* ---- growing */

/* Adds pages [table_page, +pages) of a table at file_page to the directory; merges with the extent
 * before it where both follow. */
static bool note_extent(uint32_t table, uint32_t table_page, uint32_t file_page, uint32_t pages)
{
	struct mt_header *h = trace.header;
	struct mt_extent *last = h->extent_count > 0 ? &h->extents[h->extent_count - 1] : NULL;

	if (last && last->table == table && last->table_page + last->pages == table_page &&
		last->file_page + last->pages == file_page) {
		store_release(&last->pages, last->pages + pages);
		return true;
	}
	if (h->extent_count >= MT_EXTENTS)
		return false;
	h->extents[h->extent_count] = (struct mt_extent){ table, table_page, file_page, pages };
	store_release(&h->extent_count, h->extent_count + 1);
	return true;
}

/* By which part of its size a table grows: a small one, for a small file, while there are many
 * extents left. */
static size_t growth_part(void)
{
	uint32_t extents = trace.header->extent_count;

	return extents < MT_EXTENTS / 2 ? 8 : extents < MT_EXTENTS / 4 * 3 ? 4 : 1;
}

static size_t reserved(int table)
{
	return tables[table].stretches[tables[table].count - 1].size;
}

static size_t most_bytes(int table)
{
	return round_up((size_t)shapes[table].record_size * shapes[table].most, file.page);
}

static bool add_stretch(int table, unsigned char *base, size_t size)
{
	if (tables[table].count == MOST_STRETCHES)
		return false;
	tables[table].stretches[tables[table].count++] = (struct stretch){ base, size };
	tables[table].base = base;
	return true;
}

/* What the file has of the table, at another address. */
static bool map_extents(int table, unsigned char *base, int fd)
{
	const struct mt_header *h = trace.header;

	for (uint32_t i = 0; i < h->extent_count; i++) {
		const struct mt_extent *e = &h->extents[i];

		if (e->table == (uint32_t)table &&
			os_map_file(base + (size_t)e->table_page * file.page,
				(size_t)e->pages * file.page, fd,
				(uint64_t)e->file_page * file.page) < 0)
			return false;
	}
	return true;
}

static void publish_bases(void);

/* Address space for so many bytes, and where there is enough for four times what was. */
static bool widen(int table, size_t bytes, int fd)
{
	size_t size = STRETCH_FACTOR * reserved(table), least = round_up(bytes, file.page);
	unsigned char *base;

	if (least > most_bytes(table))
		return false;
	if (size < FIRST_STRETCH)
		size = FIRST_STRETCH;
	if (size < least)
		size = least;
	if (size > most_bytes(table))
		size = most_bytes(table);
	base = os_reserve(size);
	if (!base)
		base = os_reserve(size = least);
	if (!base)
		return false;
	if (!map_extents(table, base, fd) || !add_stretch(table, base, size)) {
		os_unmap(base, size);
		return false;
	}
	publish_bases();
	return true;
}

static bool grow(enum mt_table_id table, size_t bytes)
{
	size_t step = tables[table].mapped / growth_part();
	size_t want = round_up(bytes - tables[table].mapped, file.page);
	int fd;

	if (trace.header->extent_count >= MT_EXTENTS)
		return false;
	fd = seccomp_allows_growth() ? checked_fd() : -1;
	if (fd < 0 || (bytes > reserved(table) && !widen(table, bytes, fd)))
		return false;
	if (want < step)
		want = round_up(step, file.page);
	if (tables[table].mapped + want > reserved(table))
		want = reserved(table) - tables[table].mapped;
	if (os_reserve_file(fd, file.size, want) < 0)
		return false;
	if (os_map_file(tables[table].base + tables[table].mapped, want, fd, file.size) < 0)
		return false;
	if (!note_extent(table, tables[table].mapped / file.page, file.size / file.page,
		    want / file.page))
		return false;
	tables[table].mapped += want;
	file.size += want;
	return true;
}

bool tracefile_room_if_any(enum mt_table_id table, uint64_t count)
{
	size_t bytes = count * shapes[table].record_size;
	int saved = errno;
	bool ok = bytes <= tables[table].mapped ||
		  (!(trace.header->flags & MT_NOTE_STORAGE) && grow(table, bytes));

	errno = saved;
	return ok;
}

bool tracefile_room(enum mt_table_id table, uint64_t count)
{
	bool ok = tracefile_room_if_any(table, count);

	if (!ok)
		trace.header->flags |= MT_NOTE_STORAGE;
	return ok;
}

bool tracefile_find_room(enum mt_table_id table, uint64_t count, uint64_t wanted)
{
	bool ok = tracefile_has_room(table, count);

	if (ok)
		return true;
	lock_take(&tables_lock);
	ok = tracefile_room_if_any(table, wanted) || tracefile_room_if_any(table, count);
	lock_drop(&tables_lock);
	return ok;
}

/* 2 MiB. */
void tracefile_grow_ahead(void)
{
	for (int i = 0; i < MT_TABLES_USED; i++) {
		uint64_t used = trace.header->tables[i == MT_PUBLISHED ? MT_SITES : i].count;
		uint32_t ahead = shapes[i].ahead;
		size_t bytes;

		if ((i == MT_SLACK && config.slack) || (i == MT_ESTIMATES && config.sample.mean))
			ahead = shapes[MT_SITES].ahead;
		if (ahead == 0)
			continue;
		bytes = (used + ahead) * shapes[i].record_size;
		if (bytes > tables[i].mapped)
			(void)grow(i, bytes);
	}
}

/* An empty table that readers can do without, where the file has no room for it. */
bool tracefile_in_memory(enum mt_table_id table, uint64_t count)
{
	size_t bytes = round_up(count * shapes[table].record_size, file.page);

	unsigned char *base = tables[table].base;

	if (tables[table].mapped > 0)
		return false;
	if (bytes > reserved(table)) {
		base = os_reserve(bytes);
		if (!base || !add_stretch(table, base, bytes))
			return false;
		publish_bases();
	}
	if (os_map_private(base, bytes) < 0)
		return false;
	tables[table].mapped = bytes;
	tables[table].in_memory = true;
	return true;
}

bool tracefile_is_in_memory(enum mt_table_id table)
{
	return tables[table].in_memory;
}

bool tracefile_has_room(enum mt_table_id table, uint64_t count)
{
	return count * shapes[table].record_size <= tables[table].mapped;
}

uint32_t tracefile_string(const char *s, size_t size)
{
	uint64_t offset = trace.header->tables[MT_STRINGS].count;

	if (!tracefile_room(MT_STRINGS, offset + size + 1))
		return 0;
	memcpy(trace.strings + offset, s, size);
	trace.strings[offset + size] = '\0';
	store_release(&trace.header->tables[MT_STRINGS].count, offset + size + 1);
	return (uint32_t)offset;
}

/* ---- creating */

/* Who finds a record's number finds the table that has it. */
static void publish_bases(void)
{
	store_release(&trace.frames, (void *)tables[MT_FRAMES].base);
	store_release(&trace.nodes, (void *)tables[MT_NODES].base);
	store_release(&trace.sites, (void *)tables[MT_SITES].base);
	store_release(&trace.site_info, (void *)tables[MT_SITE_INFO].base);
	store_release(&trace.calls, (void *)tables[MT_CALLS].base);
	store_release(&trace.published, (void *)tables[MT_PUBLISHED].base);
	store_release(&trace.lanes, (void *)tables[MT_LANES].base);
	store_release(&trace.entries, (void *)tables[MT_ENTRIES].base);
	store_release(&trace.modules, (void *)tables[MT_MODULES].base);
	store_release(&trace.strings, (void *)tables[MT_STRINGS].base);
	store_release(&trace.foreign, (void *)tables[MT_FOREIGN].base);
	store_release(&trace.leaks, (void *)tables[MT_LEAKS].base);
	store_release(&trace.slack, (void *)tables[MT_SLACK].base);
	store_release(&trace.estimates, (void *)tables[MT_ESTIMATES].base);
	store_release(&trace.held, (void *)tables[MT_HELD].base);
	store_release(&trace.points, (void *)tables[MT_POINTS].base);
	store_release(&trace.shares, (void *)tables[MT_SHARES].base);
	store_release(&trace.snapshots, (void *)tables[MT_SNAPSHOTS].base);
	store_release(&trace.snapshot_rows, (void *)tables[MT_SNAPSHOT_ROWS].base);
}

/*
 * What every process has something in. In the address space these lie one behind the other, as in a new
 * file, so one mapping does for all up to the strings, which have room for more: a page each, else.
 */
static bool is_first(int table)
{
	return shapes[table].unused > 0 || table == MT_LANES || table == MT_MODULES ||
	       (table == MT_POINTS && config.timeline && !config.sample.mean);
}

static size_t first_size(int table)
{
	switch (table) {
	case MT_STRINGS:
		return round_up(FIRST_STRINGS, file.page);
	case MT_PUBLISHED:
	case MT_ENTRIES:
	case MT_LEAKS:
		return FIRST_STRETCH;
	default:
		return file.page;
	}
}

static unsigned char *cut_off(unsigned char *p, int table)
{
	(void)add_stretch(table, p, first_size(table));
	return p + first_size(table);
}

/* One reservation, cut up. */
static bool reserve_tables(void)
{
	size_t size = round_up(MT_HEADER_SIZE, file.page);
	unsigned char *p;

	for (int i = 0; i < MT_TABLES_USED; i++)
		size += first_size(i);
	p = os_reserve(size);
	if (!p)
		return false;
	trace.header = (void *)p;
	p += round_up(MT_HEADER_SIZE, file.page);
	for (int i = 0; i < MT_TABLES_USED; i++)
		if (is_first(i))
			p = cut_off(p, i);
	for (int i = 0; i < MT_TABLES_USED; i++)
		if (!is_first(i))
			p = cut_off(p, i);
	publish_bases();
	return true;
}

/* Takes the descriptor as the trace's. */
static int adopt_file(int fd, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	file.fd = fd;
	file.size = size;
	file.device = st.st_dev;
	file.inode = st.st_ino;
	return 0;
}

/* The kernel goes on to call a file that was opened without a name "deleted": to be found by its
 * name it is opened anew. */
static void reopen(void)
{
	int fd = os_open(file.trace_path.path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (is_ours(fd) && (fd = os_move_fd(fd)) >= 0) {
		os_close(file.fd);
		file.fd = fd;
	} else if (fd >= 0) {
		os_close(fd);
	}
}

/* Where a new file has the tables. */
struct layout {
	uint64_t size; /* of the file */
	uint64_t offsets[MT_TABLES_USED];
	size_t sizes[MT_TABLES_USED];
};

static int write_copy(int fd, const struct tracefile_copy *copy, struct layout *l);
static int map_copy(const struct layout *l);

/* All of the file is written before it gets its name, and mapped when it has it. Negative errno. */
static int make(int fd, const struct tracefile_copy *copy)
{
	struct layout layout;
	int error = write_copy(fd, copy, &layout);

	if (error == 0)
		error = adopt_file(fd, layout.size);
	if (error == 0)
		error = trace_path_name(&file.trace_path, fd);
	if (error < 0)
		return error;
	if (!file.trace_path.in_memory)
		reopen();
	return map_copy(&layout);
}

/* Makes the trace of this copy, which is empty or a fork child's of its parent's, at the first path
 * where that is possible. False has been explained. */
static bool create_file(const struct tracefile_copy *copy, bool child)
{
	struct trace_path *trace_path = &file.trace_path;
	int fd, error;

	trace_path_start(trace_path, child);
	while ((fd = trace_path_open(trace_path)) >= 0) {
		file.fd = fd;
		error = make(fd, copy);
		if (error == 0) {
			trace_path_found(trace_path);
			return true;
		}
		trace_path_failed(trace_path, -error);
		os_close(file.fd);
		file.fd = -1;
	}
	trace_path_none(trace_path);
	return false;
}

static struct mt_text add_text(const char *s, size_t size)
{
	struct mt_text text = { tracefile_string(s, size), (uint32_t)size };

	return text;
}

/* What the kernel has: arguments with their zeros. They are read to where they stay. */
static struct mt_text add_command(void)
{
	uint64_t *used = &trace.header->tables[MT_STRINGS].count;
	struct mt_text text = { .offset = (uint32_t)*used };

	if (!tracefile_has_room(MT_STRINGS, *used + COMMAND_MOST))
		return (struct mt_text){ 0 };
	text.size = (uint32_t)os_read_at_once(
		"/proc/self/cmdline", trace.strings + *used, COMMAND_MOST);
	*used += text.size + 1;
	return text;
}

static void describe_process(struct mt_header *h)
{
	memcpy(h->magic, MT_MAGIC, sizeof(h->magic));
	h->version = MT_VERSION;
	h->oldest_reader = MT_OLDEST_READER;
	h->byte_order = MT_BYTE_ORDER;
	h->header_size = MT_HEADER_SIZE;
	h->page_size = (uint32_t)file.page;
	h->pid = (uint32_t)os_pid();
	h->parent_pid = (uint32_t)getppid();
	h->start_ticks = os_start_ticks(os_pid());
	h->start_ns = os_time();
	if (!*h->boot_id)
		os_boot_id(h->boot_id, sizeof(h->boot_id));
	h->depth = config.depth;
	h->sample_bytes = config.sample.mean;
	h->sample_unit = config.sample.mean ? SAMPLE_UNIT : 0;
	for (int i = 0; i < MT_TABLES_USED; i++)
		h->tables[i].record_size = shapes[i].record_size;
}

static void describe_program(const char *program)
{
	struct mt_header *h = trace.header;
	struct utsname names;
	char buffer[4096];

	h->program = add_text(program, strlen(program));
	h->command = add_command();
	if (getcwd(buffer, sizeof(buffer)))
		h->directory = add_text(buffer, strlen(buffer));
	if (uname(&names) == 0)
		h->host = add_text(names.nodename, strlen(names.nodename));
}

static bool begin_tables(void)
{
	size_t size = round_up(MT_HEADER_SIZE, file.page);

	for (int i = 0; i < MT_TABLES_USED; i++)
		size += is_first(i) ? first_size(i) : 0;
	if (os_map_private(trace.header, size) < 0)
		return false;
	for (int i = 0; i < MT_TABLES_USED; i++) {
		if (!is_first(i))
			continue;
		tables[i].mapped = first_size(i);
		tables[i].in_memory = true;
		trace.header->tables[i].count = shapes[i].unused;
	}
	return true;
}

/* An empty trace in memory, as the file shall be. */
static bool describe(const char *program)
{
	struct mt_header *h = trace.header;

	if (!begin_tables())
		return false;
	describe_process(h);
	h->enabled = config.start;
	h->flags = (config.mmap ? MT_NOTE_MMAP : 0) | (config.start ? 0 : MT_NOTE_UNSTARTED);
	describe_program(program);
	h->state = MT_STATE_RUNNING;
	return true;
}

void tracefile_discard(void)
{
	if (file.fd >= 0) {
		if (file.trace_path.named)
			unlink(file.trace_path.path);
		os_close(file.fd);
		file.fd = -1;
	}
	if (trace.header)
		os_unmap(trace.header, round_up(MT_HEADER_SIZE, file.page));
	for (int i = 0; i < MT_TABLES_USED; i++)
		for (; tables[i].count > 0; tables[i].count--) {
			struct stretch *s = &tables[i].stretches[tables[i].count - 1];

			os_unmap(s->base, s->size);
		}
	trace = (struct trace){ 0 };
}

bool tracefile_create(const char *program)
{
	file.page = os_page_size();
	if (!reserve_tables() || !describe(program)) {
		message("no address space for the trace's tables; running untraced", NULL);
		return false;
	}
	return create_file(&(struct tracefile_copy){ .header = trace.header }, false);
}

/* ---- fork */

/* Times in the tables go on from the parent's start. */
static void describe_child(struct mt_header *h)
{
	uint64_t start_ns = h->start_ns;

	h->forked_from = h->pid;
	h->state = MT_STATE_RUNNING;
	h->flags &= ~(MT_HAS_WAIT_STATUS | MT_NOTE_STORAGE);
	h->end_ns = 0;
	h->went_on = 0;
	h->went_on_as[0] = '\0';
	h->tables[MT_POINTS].count = 0;
	h->tables[MT_SHARES].count = 0;
	h->tables[MT_SNAPSHOTS].count = 0;
	h->tables[MT_SNAPSHOT_ROWS].count = 0;
	h->lost_marks = 0;
	h->lost_snapshots = 0;
	describe_process(h);
	h->start_ns = start_ns;
}

static size_t used_bytes(const struct mt_header *h, int table)
{
	return h->tables[table].count * shapes[table].record_size;
}

struct tracefile_copy *tracefile_copy(void)
{
	struct tracefile_copy *copy;
	size_t size = sizeof(*copy) + MT_HEADER_SIZE;
	unsigned char *p;

	for (int i = 0; i < MT_TABLES_USED; i++)
		if (shapes[i].changes)
			size += used_bytes(trace.header, i);
	copy = os_map_unlisted(size); /* it has no address of a block */
	if (!copy)
		return NULL;
	copy->size = size;
	p = (unsigned char *)(copy + 1);
	copy->header = memcpy(p, trace.header, sizeof(*copy->header));
	p += MT_HEADER_SIZE;
	for (int i = 0; i < MT_TABLES_USED; i++) {
		if (!shapes[i].changes)
			continue;
		copy->tables[i] = memcpy(p, tables[i].base, used_bytes(copy->header, i));
		p += used_bytes(copy->header, i);
	}
	return copy;
}

void tracefile_copy_free(struct tracefile_copy *copy)
{
	if (copy)
		os_unmap_unlisted(copy, copy->size);
}

/* Pieces of the file that are written by one call, with the few bytes between them. */
struct writing {
	int fd;
	struct iovec pieces[2 * MT_TABLES_USED + 1];
	int count;
	uint64_t start, end;
};

static void skip_written(struct writing *w, size_t size)
{
	int i = 0;

	w->start += size;
	for (; i < w->count && size >= w->pieces[i].iov_len; i++)
		size -= w->pieces[i].iov_len;
	w->count -= i;
	memmove(w->pieces, w->pieces + i, (size_t)w->count * sizeof(w->pieces[0]));
	if (w->count > 0) {
		w->pieces[0].iov_base = (char *)w->pieces[0].iov_base + size;
		w->pieces[0].iov_len -= size;
	}
}

static int write_out(struct writing *w)
{
	while (w->count > 0) {
		long n = os_pwritev(w->fd, w->pieces, w->count, (off_t)w->start);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		skip_written(w, (size_t)n);
	}
	return 0;
}

static void add_bytes(struct writing *w, const void *data, size_t size)
{
	w->pieces[w->count++] =
		(struct iovec){ .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	w->end += size;
}

static int write_at(struct writing *w, const void *data, size_t size, uint64_t offset)
{
	static const char zeros[4096];
	int error = 0;

	if (size == 0)
		return 0;
	if (w->count > 0 && offset - w->end > sizeof(zeros))
		error = write_out(w);
	if (w->count == 0)
		w->start = w->end = offset;
	if (offset > w->end)
		add_bytes(w, zeros, offset - w->end);
	add_bytes(w, data, size);
	return error;
}

/* A new trace's records at the start of tables stand for nothing, and are zeros, as the file is. */
static bool is_written(int table, const struct tracefile_copy *copy)
{
	return copy->header != trace.header || table == MT_STRINGS;
}

/* Lays the tables out one behind the other, with a quarter of each to grow into. */
static void lay_out(const struct mt_header *h, struct layout *l)
{
	l->size = round_up(MT_HEADER_SIZE, file.page);
	for (int i = 0; i < MT_TABLES_USED; i++) {
		size_t used = used_bytes(h, i);

		l->offsets[i] = l->size;
		l->sizes[i] = used > 0	    ? round_up(used + used / 4, file.page)
			      : is_first(i) ? file.page
					    : 0;
		if (l->sizes[i] > reserved(i))
			l->sizes[i] = reserved(i);
		l->size += l->sizes[i];
	}
}

static void note_layout(struct mt_header *h, const struct layout *l)
{
	h->extent_count = 0;
	for (int i = 0; i < MT_TABLES_USED; i++)
		if (l->sizes[i] > 0)
			h->extents[h->extent_count++] = (struct mt_extent){ (uint32_t)i, 0,
				(uint32_t)(l->offsets[i] / file.page),
				(uint32_t)(l->sizes[i] / file.page) };
}

static int write_copy(int fd, const struct tracefile_copy *copy, struct layout *l)
{
	struct writing w = { .fd = fd };
	int error;

	lay_out(copy->header, l);
	note_layout(copy->header, l);
	error = os_reserve_file(fd, 0, l->size);
	if (error == 0 && l->size < FIRST_ROOM)
		error = os_check_room(fd, FIRST_ROOM);
	if (error == 0)
		error = write_at(&w, copy->header, sizeof(*copy->header), 0);
	for (int i = 0; i < MT_TABLES_USED && error == 0; i++)
		if (is_written(i, copy))
			error = write_at(&w, copy->tables[i] ? copy->tables[i] : tables[i].base,
				used_bytes(copy->header, i), l->offsets[i]);
	return error ? error : write_out(&w);
}

/* A piece of the file that is to be mapped. */
struct piece {
	unsigned char *address;
	size_t size;
	uint64_t offset;
};

/* `p`, unless the next one continues it. */
static int map_piece(struct piece *p, struct piece next)
{
	int error = 0;

	if (next.address == p->address + p->size && next.offset == p->offset + p->size) {
		p->size += next.size;
		return 0;
	}
	if (p->size > 0)
		error = os_map_file(p->address, p->size, file.fd, p->offset);
	*p = next;
	return error;
}

/* Everywhere where the table was, of which the file has `size` bytes. */
static int map_table(int table, size_t size, uint64_t offset, struct piece *p)
{
	int error = 0;

	for (unsigned i = 0; i < tables[table].count && error == 0; i++) {
		const struct stretch *s = &tables[table].stretches[i];
		size_t part = s->size < size ? s->size : size;

		if (part > 0)
			error = map_piece(p, (struct piece){ s->base, part, offset });
	}
	tables[table].mapped = size;
	tables[table].in_memory = false;
	return error;
}

/* The tables go where those are that they are copies of; this is the only thread. */
static int map_copy(const struct layout *l)
{
	struct piece p = { (unsigned char *)trace.header, round_up(MT_HEADER_SIZE, file.page), 0 };
	int error = 0;

	for (int i = 0; i < MT_TABLES_USED && error == 0; i++)
		error = map_table(i, l->sizes[i], l->offsets[i], &p);
	return error ? error : map_piece(&p, (struct piece){ 0 });
}

bool tracefile_fork(struct tracefile_copy *copy)
{
	describe_child(copy->header);
	if (file.fd >= 0 && is_ours(file.fd))
		os_close(file.fd);
	file.fd = -1;
	return create_file(copy, true);
}

void tracefile_leave(void)
{
	if (file.fd >= 0 && is_ours(file.fd))
		os_close(file.fd);
	file.fd = -1;
	file.trace_path.path[0] = '\0'; /* not to be opened again */
	/* The mappings stay, as memory of its own: a hook that a signal handler interrupted to fork
	 * may yet write there. */
	(void)os_map_private(trace.header, round_up(MT_HEADER_SIZE, file.page));
	for (int i = 0; i < MT_TABLES_USED; i++)
		for (unsigned k = 0; k < tables[i].count; k++) {
			const struct stretch *s = &tables[i].stretches[k];

			(void)os_map_private(
				s->base, s->size < tables[i].mapped ? s->size : tables[i].mapped);
		}
}
