/* SPDX-License-Identifier: MIT */
/*
 * trace_description.c - builder_read(): traces from text, one statement a line
 * (tests/golden/README.md lists them).
 */
#include "analyzer/base/array.h"
#include "trace_builder.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 256
#define FRAMES_MAX 64

struct names {
	char *names[NAMES_MAX];
	uint32_t indexes[NAMES_MAX];
	size_t count;
};

struct reading {
	struct builder *builder;
	struct names modules, frames, sites, threads;
	const char *file;
	int line;
	char *rest; /* of the line, for word() */
};

static bool wrong(const struct reading *r, const char *what, const char *word)
{
	fprintf(stderr, "%s:%d: %s '%s'\n", r->file, r->line, what, word ? word : "");
	return false;
}

static char *word(struct reading *r)
{
	char *start = r->rest + strspn(r->rest, " \t");
	char *end = start + strcspn(start, " \t");

	r->rest = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

/* What is left of the line, for texts that hold blanks. */
static char *rest(struct reading *r)
{
	return r->rest + strspn(r->rest, " \t");
}

static uint64_t number(struct reading *r)
{
	return strtoull(word(r), NULL, 0);
}

static void name(struct names *n, const char *text, uint32_t index)
{
	if (n->count == NAMES_MAX)
		abort();
	n->names[n->count] = strdup(text);
	n->indexes[n->count++] = index;
}

static bool find(const struct reading *r, const struct names *n, const char *text, uint32_t *index)
{
	for (size_t i = 0; i < n->count; i++) {
		if (strcmp(n->names[i], text) == 0) {
			*index = n->indexes[i];
			return true;
		}
	}
	return wrong(r, "unknown name", text);
}

/* ---- statements */

/* module NAME BIAS START END exe|library|self|vdso PATH; "@APP@" is what the environment's TEST_APP
 * says */
static bool read_module(struct reading *r)
{
	const char *text = word(r);
	uint64_t bias = number(r), start = number(r), end = number(r);
	const char *kind = word(r), *path = rest(r), *app = getenv("TEST_APP");
	uint16_t flags = strcmp(kind, "exe") == 0    ? MT_MODULE_EXE
			 : strcmp(kind, "self") == 0 ? MT_MODULE_SELF
			 : strcmp(kind, "vdso") == 0 ? MT_MODULE_VDSO
						     : 0;

	if (strcmp(path, "@APP@") == 0 && app)
		path = app;
	name(&r->modules, text, builder_module(r->builder, path, bias, start, end, flags));
	return true;
}

/* frame NAME MODULE|- RETURN-ADDRESS [wrapper|without-rule] */
static bool read_frame(struct reading *r)
{
	const char *text = word(r), *in = word(r);
	uint64_t address = number(r);
	const char *what = word(r);
	uint32_t flags = strcmp(what, "wrapper") == 0	     ? MT_FRAME_WRAPPER
			 : strcmp(what, "without-rule") == 0 ? MT_FRAME_NO_RULE
							     : 0;
	uint32_t module = 0;

	if (strcmp(in, "-") != 0 && !find(r, &r->modules, in, &module))
		return false;
	name(&r->frames, text, builder_frame(r->builder, module, address, flags));
	return true;
}

static bool read_frames(struct reading *r, uint32_t *frames, size_t *count)
{
	const char *text;

	for (*count = 0; *(text = word(r)) && *count < FRAMES_MAX; (*count)++) {
		if (!find(r, &r->frames, text, &frames[*count]))
			return false;
	}
	return true;
}

/* site NAME whole|cut|broken heap|mmap [FRAME]..., innermost first */
static bool read_site(struct reading *r)
{
	const char *text = word(r), *end = word(r), *kind = word(r);
	uint32_t frames[FRAMES_MAX];
	uint32_t root = strcmp(end, "cut") == 0	     ? MT_NODE_DEEP
			: strcmp(end, "broken") == 0 ? MT_NODE_BROKEN
						     : MT_NODE_ROOT;
	size_t count;

	if (!read_frames(r, frames, &count))
		return false;
	name(&r->sites, text,
		builder_site(r->builder, root,
			strcmp(kind, "mmap") == 0 ? MT_KIND_MMAP : MT_KIND_HEAP, frames, count));
	return true;
}

/* leak SITE lost|indirect|possible|reachable BYTES BLOCKS; a scan was made, then */
static bool read_leak(struct reading *r)
{
	static const char *const kinds[] = { "lost", "indirect", "possible", "reachable" };
	const char *text = word(r), *name_of_kind = word(r);
	uint32_t site, kind = 0;
	uint64_t bytes;

	if (!find(r, &r->sites, text, &site))
		return false;
	while (kind < 4 && strcmp(kinds[kind], name_of_kind) != 0)
		kind++;
	if (kind == 4)
		return wrong(r, "no such kind of leak", name_of_kind);
	bytes = number(r);
	builder_leak(r->builder, site, MT_LEAK_LOST + kind, bytes, number(r));
	builder_header(r->builder)->scan_state = MT_SCAN_DONE;
	return true;
}

/* held OWNER SITE BYTES BLOCKS: what the lost blocks of the first hold */
static bool read_held(struct reading *r)
{
	const char *owner_text = word(r), *site_text = word(r);
	uint32_t owner, site;
	uint64_t bytes;

	if (!find(r, &r->sites, owner_text, &owner) || !find(r, &r->sites, site_text, &site))
		return false;
	bytes = number(r);
	builder_held(r->builder, owner, site, bytes, number(r));
	return true;
}

/* point regular|peak|mark|end NS [LABEL]; then share SITE BYTES for each site that is of it */
static bool read_point(struct reading *r)
{
	static const char *const kinds[] = { "regular", "peak", "mark", "end" };
	const char *name_of_kind = word(r);
	uint32_t kind = 0;
	uint64_t ns;

	while (kind < 4 && strcmp(name_of_kind, kinds[kind]) != 0)
		kind++;
	if (kind == 4)
		return wrong(r, "no such kind of point", name_of_kind);
	ns = number(r);
	builder_point(r->builder, MT_POINT_REGULAR + kind, ns, rest(r));
	return true;
}

static bool read_share(struct reading *r)
{
	const char *text = word(r);
	uint32_t site;

	if (!find(r, &r->sites, text, &site))
		return false;
	builder_share(r->builder, site, number(r));
	return true;
}

/* snapshot NS LABEL */
static bool read_snapshot(struct reading *r)
{
	uint64_t ns = number(r);

	builder_snapshot(r->builder, ns, rest(r));
	return true;
}

/* symbol FRAME LINE FILE|- FUNCTION; frames in their order, of one frame innermost first */
static bool read_symbol(struct reading *r)
{
	const char *text = word(r), *file;
	uint32_t frame, line;

	if (!find(r, &r->frames, text, &frame))
		return false;
	line = (uint32_t)number(r);
	file = word(r);
	builder_symbol(r->builder, frame, rest(r), strcmp(file, "-") == 0 ? "" : file, line, 0);
	return true;
}

static bool read_foreign(struct reading *r)
{
	uint64_t frees = number(r);
	uint32_t frames[FRAMES_MAX];
	size_t count;

	if (!read_frames(r, frames, &count))
		return false;
	builder_foreign(r->builder, frames, count, frees);
	return true;
}

/* thread NAME TID UNPUBLISHED */
static bool read_thread(struct reading *r)
{
	const char *text = word(r);
	uint32_t tid = (uint32_t)number(r);
	uint32_t lane = builder_thread(r->builder, text, tid);
	struct mt_lane *lanes = builder_table(r->builder, MT_LANES, NULL);

	lanes[lane].max_unpublished = number(r);
	name(&r->threads, text, lane);
	return true;
}

/* alloc|temporary|free SITE BYTES [TIMES [THREAD]] */
static bool read_event(struct reading *r, bool allocates, bool temporary)
{
	uint32_t site, lane = 0;
	const char *text = word(r);
	uint64_t bytes, times;

	if (!find(r, &r->sites, text, &site))
		return false;
	bytes = number(r);
	times = number(r);
	text = word(r);
	if (*text && !find(r, &r->threads, text, &lane))
		return false;
	do {
		if (allocates)
			builder_alloc(r->builder, lane, site, bytes, temporary);
		if (!allocates || temporary)
			builder_release(r->builder, lane, site, bytes);
	} while (times-- > 1);
	return true;
}

/* header FIELD VALUE */
static bool read_header(struct reading *r)
{
	struct mt_header *h = builder_header(r->builder);
	const struct {
		const char *name;
		void *field;
		size_t size;
	} fields[] = {
#define FIELD(f) { #f, &h->f, sizeof(h->f) }
		FIELD(magic),
		FIELD(version),
		FIELD(oldest_reader),
		FIELD(byte_order),
		FIELD(header_size),
		FIELD(page_size),
		FIELD(state),
		FIELD(pid),
		FIELD(parent_pid),
		FIELD(wait_status),
		FIELD(start_ns),
		FIELD(end_ns),
		FIELD(peak_ns),
		FIELD(peak_site),
		FIELD(lost_marks),
		FIELD(lost_snapshots),
		FIELD(last_ns),
		FIELD(depth),
		FIELD(flags),
		FIELD(sample_bytes),
		FIELD(enabled),
		FIELD(missed_frees),
		FIELD(overlaid_frees),
		FIELD(broken_stacks),
		FIELD(lost[0]),
		FIELD(lost[1]),
		FIELD(lost[2]),
		FIELD(lost[3]),
		FIELD(forked_from),
		FIELD(start_ticks),
		FIELD(scan_state),
		FIELD(scan_at_ns),
#undef FIELD
	};
	const char *text = word(r);
	uint64_t value = number(r);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].name, text) == 0) {
			memcpy(fields[i].field, &value, fields[i].size); /* little-endian */
			return true;
		}
	}
	return wrong(r, "no such field", text);
}

static bool read_text(struct reading *r, struct mt_text *text)
{
	const char *value = rest(r);

	text->offset = builder_string(r->builder, value);
	text->size = (uint32_t)strlen(value);
	return true;
}

static bool read_statement(struct reading *r)
{
	const char *verb = word(r);

	if (!*verb || *verb == '#')
		return true;
	if (strcmp(verb, "program") == 0)
		return builder_program(r->builder, rest(r)), true;
	if (strcmp(verb, "argument") == 0)
		return builder_argument(r->builder, rest(r)), true;
	if (strcmp(verb, "host") == 0)
		return read_text(r, &builder_header(r->builder)->host);
	if (strcmp(verb, "directory") == 0)
		return read_text(r, &builder_header(r->builder)->directory);
	if (strcmp(verb, "header") == 0)
		return read_header(r);
	if (strcmp(verb, "module") == 0)
		return read_module(r);
	if (strcmp(verb, "frame") == 0)
		return read_frame(r);
	if (strcmp(verb, "site") == 0)
		return read_site(r);
	if (strcmp(verb, "leak") == 0)
		return read_leak(r);
	if (strcmp(verb, "held") == 0)
		return read_held(r);
	if (strcmp(verb, "point") == 0)
		return read_point(r);
	if (strcmp(verb, "share") == 0)
		return read_share(r);
	if (strcmp(verb, "snapshot") == 0)
		return read_snapshot(r);
	if (strcmp(verb, "symbol") == 0)
		return read_symbol(r);
	if (strcmp(verb, "thread") == 0)
		return read_thread(r);
	if (strcmp(verb, "foreign") == 0)
		return read_foreign(r);
	if (strcmp(verb, "alloc") == 0)
		return read_event(r, true, false);
	if (strcmp(verb, "temporary") == 0)
		return read_event(r, true, true);
	if (strcmp(verb, "free") == 0)
		return read_event(r, false, false);
	return wrong(r, "unknown statement", verb);
}

static void forget(struct names *n)
{
	while (n->count)
		free(n->names[--n->count]);
}

bool builder_read(struct builder *b, FILE *in, const char *file)
{
	struct reading r = { .builder = b, .file = file };
	char *line = NULL;
	size_t room = 0;
	bool ok = true;

	while (ok && getline(&line, &room, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		r.rest = line;
		r.line++;
		ok = read_statement(&r);
	}
	free(line);
	forget(&r.modules);
	forget(&r.frames);
	forget(&r.sites);
	forget(&r.threads);
	return ok;
}
