/* SPDX-License-Identifier: MIT */
/*
 * pprof.c - pprof's profile.proto, gzip'd: for `go tool pprof`, Pyroscope, Parca and others.
 *
 * The encoder is by hand: of protocol buffers this needs varints, bytes and messages inside others,
 * forty lines, while protobuf-c would be a dependency with a compiler of its own and would hold the
 * whole message in memory. Here each sample goes out as it is made; fields may come in any order, so
 * the table of strings is written last.
 */
#include "analyzer/export/plain.h"
#include "analyzer/export/stacks.h"
#include "analyzer/base/array.h"
#include "analyzer/base/intern.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of fields in profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14,
	VALUE_TYPE = 1,
	VALUE_UNIT = 2,
	SAMPLE_LOCATION = 1,
	SAMPLE_VALUE = 2,
	SAMPLE_LABEL = 3,
	LABEL_KEY = 1,
	LABEL_NUM = 3,
	LABEL_NUM_UNIT = 4,
	MAPPING_ID = 1,
	MAPPING_START = 2,
	MAPPING_LIMIT = 3,
	MAPPING_FILENAME = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7, /* and files, lines and inlined frames: the three after it */
	MAPPING_HAS_INLINE_FRAMES = 10,
	LOCATION_ID = 1,
	LOCATION_MAPPING = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4,
	LINE_FUNCTION = 1,
	LINE_LINE = 2,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
	FUNCTION_FILENAME = 4,
	FUNCTION_START_LINE = 5,
};

/* The names are Go's where Go has the same. */
static const struct {
	enum sort_key key;
	const char *name, *unit;
} sample_types[] = {
	{ SORT_AT_PEAK_BYTES, "at_peak_space", "bytes" },
	{ SORT_CURRENT_BYTES, "inuse_space", "bytes" },
	{ SORT_CURRENT_BLOCKS, "inuse_objects", "count" },
	{ SORT_ALLOCATED_BYTES, "alloc_space", "bytes" },
	{ SORT_ALLOCATIONS, "alloc_objects", "count" },
	{ SORT_TEMPORARY, "temporary_objects", "count" },
	{ SORT_PEAK_BYTES, "own_peak_space", "bytes" },
};

/* pprof has a file for each function, and takes its lines for that file's. */
struct function {
	const char *name, *linkage, *file;
	uint32_t line; /* where it begins, if that's in the same file */
};

struct pprof {
	const struct exporter *e;
	struct stacks *stacks;
	struct interner *texts;
	const char **strings;
	struct function *functions;
	size_t string_count, string_room, function_count, function_room;
	struct hashmap string_index, function_index;
	bool *written; /* by frame: the location that it is the innermost of */
	struct strbuf message, inner, packed;
};

/* ---- protocol buffers */

#define WIRE_VARINT 0
#define WIRE_BYTES 2

static void add_varint(struct strbuf *s, uint64_t n)
{
	char bytes[10];
	size_t size = 0;

	for (; n >= 0x80; n >>= 7)
		bytes[size++] = (char)(n | 0x80);
	bytes[size++] = (char)n;
	strbuf_add_bytes(s, bytes, size);
}

/* What is 0 needn't be written. */
static void add_number(struct strbuf *s, unsigned field, uint64_t n)
{
	if (!n)
		return;
	add_varint(s, field << 3 | WIRE_VARINT);
	add_varint(s, n);
}

static void add_bytes(struct strbuf *s, unsigned field, const char *bytes, size_t size)
{
	add_varint(s, field << 3 | WIRE_BYTES);
	add_varint(s, size);
	strbuf_add_bytes(s, bytes, size);
}

/* A message inside another, which is empty again afterwards. */
static void add_message(struct strbuf *s, unsigned field, struct strbuf *message)
{
	add_bytes(s, field, strbuf_text(message), message->size);
	strbuf_clear(message);
}

/* One field of the profile itself. */
static void write_message(struct pprof *p, unsigned field)
{
	struct strbuf whole = { 0 };

	add_message(&whole, field, &p->message);
	fwrite(whole.text, 1, whole.size, p->e->out);
	strbuf_release(&whole);
}

static void write_number(struct pprof *p, unsigned field, uint64_t n)
{
	add_number(&p->message, field, n);
	fwrite(strbuf_text(&p->message), 1, p->message.size, p->e->out);
	strbuf_clear(&p->message);
}

/* ---- strings and functions */

static bool same_string(const void *context, uint32_t index, const void *key)
{
	return ((const struct pprof *)context)->strings[index] == key;
}

static uint32_t string_of(struct pprof *p, const char *text)
{
	const char *kept = intern(p->texts, text ? text : "");
	uint32_t index = hashmap_find(&p->string_index, hash_number(0, (uintptr_t)kept),
		same_string, p, kept, (uint32_t)p->string_count);

	if (index == p->string_count)
		VEC_PUSH(p->strings, p->string_count, p->string_room, kept);
	return index;
}

static bool same_function(const void *context, uint32_t index, const void *key)
{
	const struct function *a = &((const struct pprof *)context)->functions[index], *b = key;

	return a->name == b->name && a->linkage == b->linkage && a->file == b->file &&
	       a->line == b->line;
}

/* Its id. */
static uint32_t function_of(struct pprof *p, const struct stack_frame *f)
{
	struct function function = { f->function, f->linkage, f->file ? f->file : f->decl_file, 0 };
	uint64_t hash = hash_number((uintptr_t)f->function, (uintptr_t)f->linkage);
	uint32_t index;

	if (function.file == f->decl_file)
		function.line = f->decl_line;
	hash = hash_number(hash, (uintptr_t)function.file ^ (uint64_t)function.line << 40);
	index = hashmap_find(
		&p->function_index, hash, same_function, p, &function, (uint32_t)p->function_count);
	if (index == p->function_count)
		VEC_PUSH(p->functions, p->function_count, p->function_room, function);
	return index + 1;
}

static void write_functions(struct pprof *p)
{
	for (uint32_t i = 0; i < p->function_count; i++) {
		const struct function *f = &p->functions[i];
		struct strbuf *m = &p->message;

		add_number(m, FUNCTION_ID, i + 1);
		add_number(m, FUNCTION_NAME, string_of(p, f->name));
		add_number(
			m, FUNCTION_SYSTEM_NAME, string_of(p, f->linkage ? f->linkage : f->name));
		add_number(m, FUNCTION_FILENAME, string_of(p, f->file));
		add_number(m, FUNCTION_START_LINE, f->line);
		write_message(p, PROFILE_FUNCTION);
	}
}

/* Strings of protocol buffers are UTF-8. */
static void write_strings(struct pprof *p)
{
	for (size_t i = 0; i < p->string_count; i++) {
		for (const char *c = p->strings[i]; *c;) {
			size_t size = utf8_character(c);

			strbuf_add_bytes(&p->message, size ? c : "\xef\xbf\xbd", size ? size : 3);
			c += size ? size : 1;
		}
		write_message(p, PROFILE_STRING);
	}
}

/* ---- locations and samples */

/* The location whose innermost frame is at `at`; the functions that it is inlined in follow. */
static void write_location(struct pprof *p, const uint32_t *path, size_t at)
{
	const struct stacks *s = p->stacks;
	uint32_t frame = s->nodes[path[at]].frame;
	const struct stack_frame *f = stacks_frame(s, path[at]);
	size_t end = stacks_outermost(s, path, at);

	if (p->written[frame])
		return;
	p->written[frame] = true;
	add_number(&p->message, LOCATION_ID, (uint64_t)frame + 1);
	add_number(&p->message, LOCATION_MAPPING, f->module_index);
	add_number(&p->message, LOCATION_ADDRESS, f->address);
	for (size_t i = at + 1; i-- > end;) {
		f = stacks_frame(s, path[i]);
		add_number(&p->inner, LINE_FUNCTION, function_of(p, f));
		add_number(&p->inner, LINE_LINE, f->line);
		add_message(&p->message, LOCATION_LINE, &p->inner);
	}
	write_message(p, PROFILE_LOCATION);
}

/* Go's profiles have a sample for each size of blocks, with the size as a label. A trace has the sum
 * of a stack's sizes, which is the size only where there was one allocation. */
static void add_size(struct pprof *p, const struct measures *m)
{
	if (m->allocations != 1 || p->e->trace->header.sample_bytes)
		return;
	add_number(&p->inner, LABEL_KEY, string_of(p, "bytes"));
	add_number(&p->inner, LABEL_NUM, m->allocated_bytes);
	add_number(&p->inner, LABEL_NUM_UNIT, string_of(p, "bytes"));
	add_message(&p->message, SAMPLE_LABEL, &p->inner);
}

static void write_sample(
	struct pprof *p, const struct stack_group *group, const uint32_t *path, size_t depth)
{
	const struct stacks *s = p->stacks;

	for (size_t i = depth; i-- > 0;) {
		if (!stacks_innermost(s, path, depth, i))
			continue;
		write_location(p, path, i);
		add_varint(&p->packed, (uint64_t)s->nodes[path[i]].frame + 1);
	}
	add_message(&p->message, SAMPLE_LOCATION, &p->packed);
	for (size_t i = 0; i < ARRAY_SIZE(sample_types); i++)
		add_varint(&p->packed, (uint64_t)sort_measure(&group->sum.m, sample_types[i].key));
	add_message(&p->message, SAMPLE_VALUE, &p->packed);
	add_size(p, &group->sum.m);
	write_message(p, PROFILE_SAMPLE);
}

static void write_samples(struct pprof *p)
{
	uint32_t *path = mem_zalloc(p->stacks->deepest + 1, sizeof(*path));

	for (size_t i = 0; i < p->stacks->group_count; i++) {
		const struct stack_group *group = &p->stacks->groups[i];

		write_sample(p, group, path, stacks_path(p->stacks, group, path));
	}
	free(path);
}

/* ---- the rest */

static const char *build_id(struct pprof *p, const struct mt_module *m)
{
	char text[2 * sizeof(m->build_id) + 1] = "";

	for (size_t i = 0; i < m->build_id_size && i < sizeof(m->build_id); i++)
		snprintf(text + 2 * i, 3, "%02x", m->build_id[i]);
	return intern(p->texts, text);
}

static void write_mapping(struct pprof *p, uint32_t index)
{
	const struct mt_module *m = &p->e->trace->modules[index];
	struct strbuf *message = &p->message;

	add_number(message, MAPPING_ID, index);
	add_number(message, MAPPING_START, m->start);
	add_number(message, MAPPING_LIMIT, m->end);
	add_number(message, MAPPING_FILENAME, string_of(p, trace_string(p->e->trace, m->path)));
	add_number(message, MAPPING_BUILD_ID, string_of(p, build_id(p, m)));
	for (unsigned field = MAPPING_HAS_FUNCTIONS; field <= MAPPING_HAS_INLINE_FRAMES; field++)
		add_number(message, field, 1);
	write_message(p, PROFILE_MAPPING);
}

/* The first is the program's, which pprof names the profile after. */
static void write_mappings(struct pprof *p)
{
	const struct trace *t = p->e->trace;

	for (int exe = 1; exe >= 0; exe--) {
		for (uint32_t i = 1; i < t->module_count; i++) {
			if (!(t->modules[i].flags & MT_MODULE_EXE) == !exe)
				write_mapping(p, i);
		}
	}
}

static void write_value_type(struct pprof *p, unsigned field, const char *name, const char *unit)
{
	add_number(&p->message, VALUE_TYPE, string_of(p, name));
	add_number(&p->message, VALUE_UNIT, string_of(p, unit));
	write_message(p, field);
}

static void write_types(struct pprof *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(sample_types); i++) {
		write_value_type(
			p, PROFILE_SAMPLE_TYPE, sample_types[i].name, sample_types[i].unit);
		if (sample_types[i].key == p->e->measure)
			write_number(
				p, PROFILE_DEFAULT_SAMPLE_TYPE, string_of(p, sample_types[i].name));
	}
}

static void write_run(struct pprof *p)
{
	const struct trace *t = p->e->trace;
	struct strbuf command = { 0 };
	uint64_t ns;

	add_command(&command, t);
	write_value_type(p, PROFILE_PERIOD_TYPE, "space", "bytes");
	write_number(p, PROFILE_PERIOD, t->header.sample_bytes ? t->header.sample_bytes : 1);
	write_number(p, PROFILE_TIME_NANOS, t->header.start_ns);
	if (trace_run_time(t, &ns))
		write_number(p, PROFILE_DURATION_NANOS, ns);
	write_number(p, PROFILE_COMMENT, string_of(p, strbuf_text(&command)));
	strbuf_release(&command);
}

static void release(struct pprof *p)
{
	hashmap_release(&p->string_index);
	hashmap_release(&p->function_index);
	interner_free(p->texts);
	strbuf_release(&p->message);
	strbuf_release(&p->inner);
	strbuf_release(&p->packed);
	free(p->strings);
	free(p->functions);
	free(p->written);
	stacks_free(p->stacks);
}

static void write_pprof(const struct exporter *e)
{
	struct pprof p = { .e = e, .stacks = stacks_new(e, STACKS_ADDRESSES) };

	p.texts = interner_new();
	p.written = mem_zalloc(p.stacks->frame_count + 1, sizeof(*p.written));
	string_of(&p, ""); /* the first string is the empty one */
	write_types(&p);
	write_samples(&p);
	write_mappings(&p);
	write_functions(&p);
	write_run(&p);
	write_strings(&p);
	release(&p);
}

const struct export_format export_pprof = { "pprof", true, false, write_pprof };
