/* SPDX-License-Identifier: MIT */
/* trace_write.c - collects the tables of a trace and writes them as one file. */
#include "analyzer/views/trace_write.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/packing.h"
#include "analyzer/symbols/resolve.h"
#include "analyzer/trace/columns.h"
#include "analyzer/trace/layout.h"
#include "analyzer/trace/tables.h"
#include "analyzer/trace/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (UINT32_MAX / 2) /* records of a table */

/* ---- tables */

uint32_t trace_writer_add(
	struct trace_writer *w, enum mt_table_id table, const void *records, uint32_t count)
{
	size_t size = trace_record_size(table);
	size_t used = w->counts[table] * size, more = count * size;
	uint32_t first = w->counts[table];

	if (count > MOST - first)
		die("too many %s for one trace", trace_table_name(table));
	if (used + more > w->rooms[table]) {
		w->rooms[table] =
			2 * w->rooms[table] > used + more ? 2 * w->rooms[table] : used + more;
		w->tables[table] = mem_resize(w->tables[table], w->rooms[table], 1);
	}
	if (more)
		memcpy(w->tables[table] + used, records, more);
	w->counts[table] += count;
	return first;
}

void *trace_writer_at(const struct trace_writer *w, enum mt_table_id table, uint32_t index)
{
	return w->tables[table] + (size_t)index * trace_record_size(table);
}

static bool same_string(const void *context, uint32_t offset, const void *text)
{
	const struct trace_writer *w = context;

	return strcmp((const char *)w->tables[MT_STRINGS] + offset, text) == 0;
}

uint32_t trace_writer_string(struct trace_writer *w, const char *text)
{
	uint32_t next = w->counts[MT_STRINGS];
	uint32_t offset;

	if (!text || !*text)
		return 0;
	offset = hashmap_find(&w->strings, hash_text(0, text), same_string, w, text, next);
	if (offset == next)
		trace_writer_add(w, MT_STRINGS, text, (uint32_t)strlen(text) + 1);
	return offset;
}

struct mt_text trace_writer_text(struct trace_writer *w, const char *bytes, uint32_t size)
{
	struct mt_text text = { 0, size };

	if (size == 0)
		return text;
	text.offset = trace_writer_add(w, MT_STRINGS, bytes, size);
	trace_writer_add(w, MT_STRINGS, "", 1);
	return text;
}

static void add_zeros(struct trace_writer *w, enum mt_table_id table, uint32_t count)
{
	static const char zeros[256];

	while (count--)
		trace_writer_add(w, table, zeros, 1);
}

void trace_writer_init(struct trace_writer *w)
{
	*w = (struct trace_writer){ 0 };
	for (int i = 0; i < MT_TABLES_USED; i++)
		add_zeros(w, i, trace_unused_records(i));
	add_zeros(w, MT_MODULES, 1);
}

/* ---- copies */

static uint32_t state_of(const struct trace *t)
{
	switch (t->state) {
	case TRACE_RUNNING:
		return MT_STATE_RUNNING;
	case TRACE_DIED:
		return MT_STATE_DIED;
	case TRACE_EXITED:
		break;
	}
	return MT_STATE_EXITED;
}

/* The reader makes up the published counters that a trace of one thread lacks. */
static bool is_copied(const struct trace *t, enum mt_table_id table, bool symbols)
{
	if (table == MT_PUBLISHED)
		return t->header.tables[MT_PUBLISHED].count > 0;
	return table != MT_SYMBOLS || symbols;
}

void trace_writer_copy(struct trace_writer *w, const struct trace *t, bool symbols)
{
	uint64_t ns;

	*w = (struct trace_writer){ .header = t->header };
#define COPY(id, record, name, member, count, ...)  \
	if (t->member && is_copied(t, id, symbols)) \
		trace_writer_add(w, id, t->member, t->count);
	MT_EACH_TABLE(COPY)
#undef COPY
	if (t->strings_size == 0)
		add_zeros(w, MT_STRINGS, 1);
	w->header.flags |= MT_NOTE_COPY;
	w->header.state = state_of(t);
	w->header.went_on = trace_went_on(t);
	w->header.scan_request = w->header.scan_answer;
	memset(&w->header.request, 0, sizeof(w->header.request)); /* nobody waits for it */
	if (t->state == TRACE_RUNNING && trace_run_time(t, &ns))
		w->header.end_ns = ns;
}

void trace_writer_symbols(
	struct trace_writer *w, uint32_t frame, struct resolver *resolver, uint32_t resolver_frame)
{
	const struct resolved_frame *resolved = resolve(resolver, resolver_frame);

	for (size_t i = 0; i < resolved->count; i++) {
		const struct symbol *s = &resolved->symbols[i];
		struct mt_symbol symbol = {
			.frame = frame,
			.function = trace_writer_string(w, s->function),
			.linkage = trace_writer_string(w, s->linkage),
			.file = trace_writer_string(w, s->file),
			.line = s->line,
			.flags = s->inlined ? MT_SYMBOL_INLINED : 0,
			.decl_file = trace_writer_string(w, s->decl_file),
			.decl_line = s->decl_line,
		};

		if (!s->file && !s->linkage)
			return; /* nothing is known here; somebody else may know more */
		trace_writer_add(w, MT_SYMBOLS, &symbol, 1);
	}
}

void trace_writer_release(struct trace_writer *w)
{
	for (int i = 0; i < MT_TABLES_USED; i++)
		free(w->tables[i]);
	hashmap_release(&w->strings);
	*w = (struct trace_writer){ 0 };
}

/* ---- the file */

unsigned char *trace_writer_bytes(struct trace_writer *w, size_t *size)
{
	unsigned char *bytes;

	memset(w->header.tables, 0, sizeof(w->header.tables));
	for (uint32_t i = 0; i < MT_TABLES_USED; i++)
		w->header.tables[i].count = w->counts[i];
	*size = trace_lay_out(&w->header);
	bytes = mem_zalloc(*size, 1);
	memcpy(bytes, &w->header, sizeof(w->header));
	for (uint32_t i = 0; i < w->header.extent_count; i++) {
		const struct mt_extent *e = &w->header.extents[i];

		memcpy(bytes + (size_t)e->file_page * TRACE_PAGE, w->tables[e->table],
			(size_t)w->counts[e->table] * trace_record_size(e->table));
	}
	return bytes;
}

/* A file that isn't a trace is never replaced: somebody mistook the operands. */
static int check_replaced(const char *path)
{
	char start[8] = "";
	struct stat st;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno == ENOENT ? EXIT_OK : error("%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		return error("%s: not a regular file", path);
	}
	got = read(fd, start, sizeof(start));
	close(fd);
	if (got == 0 ||
		(got == (ssize_t)sizeof(start) && (memcmp(start, MT_MAGIC, sizeof(start)) == 0 ||
							  is_packed(start, sizeof(start)))))
		return EXIT_OK;
	return error("%s: exists and is not a trace; not overwritten", path);
}

static int write_bytes(int fd, const unsigned char *bytes, size_t size)
{
	while (size) {
		ssize_t put = write(fd, bytes, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		bytes += put;
		size -= (size_t)put;
	}
	return 0;
}

static int write_file(const char *path, const unsigned char *bytes, size_t size)
{
	char *temporary;
	int fd, code;

	if (check_replaced(path) != EXIT_OK)
		return EXIT_ERROR;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		die("out of memory");
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600, as the library's */
	code = fd < 0 ? errno : write_bytes(fd, bytes, size);
	if (fd >= 0 && close(fd) != 0 && code == 0)
		code = errno;
	if (code == 0 && rename(temporary, path) != 0)
		code = errno;
	if (code && fd >= 0)
		unlink(temporary);
	free(temporary);
	return code ? error("%s: cannot be written: %s", path, strerror(code)) : EXIT_OK;
}

/* Frees the plain one. */
static unsigned char *pack_trace(
	unsigned char *plain, size_t *size, char *error_text, size_t error_size)
{
	size_t columns_size;
	unsigned char *columns = columns_write(plain, &columns_size);
	unsigned char *packed = pack_bytes(columns, columns_size, size, error_text, error_size);

	free(plain);
	free(columns);
	return packed;
}

int trace_writer_save(struct trace_writer *w, const char *path, bool packed, uint64_t *size)
{
	size_t bytes_size;
	unsigned char *bytes = trace_writer_bytes(w, &bytes_size);
	char why[256] = "";
	int status;

	if (packed)
		bytes = pack_trace(bytes, &bytes_size, why, sizeof(why));
	if (!bytes)
		return error("%s: %s", path, why);
	*size = bytes_size;
	status = write_file(path, bytes, bytes_size);
	free(bytes);
	return status;
}
