/* cmd_merge.c - mtracer merge: several traces as one. */
#include "cmd.h"
#include "log.h"
#include "merge.h"
#include "paths.h"
#include "reading.h"
#include "strbuf.h"
#include "trace_write.h"
#include "units.h"

#include <string.h>

struct values {
	const char *out;
	bool no_symbols;
	bool quiet;
	struct reading_options reading;
};

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_TEXT, "out", 'o', "FILE", "write the sum to FILE; packed where its name ends in .zst", AT(out) },
	{ OPTION_FLAG, "no-symbols", 0, NULL, "leave out functions and lines: the binaries will be needed",
		AT(no_symbols) },
	{ OPTION_FLAG, "quiet", 'q', NULL, "print nothing", AT(quiet) },
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

/* What the traces of a merge should have in common. */
struct first {
	char program[256];
	char path[256];
	uint64_t sample_bytes;
	bool known, said_program, said_sample;
};

static void compare_with_first(struct first *first, const struct trace *t)
{
	const char *program = path_base(trace_program(t));

	if (!first->known) {
		snprintf(first->program, sizeof(first->program), "%s", program);
		snprintf(first->path, sizeof(first->path), "%s", t->path);
		first->sample_bytes = t->header.sample_bytes;
		first->known = true;
	}
	if (strncmp(first->program, program, sizeof(first->program) - 1) != 0 &&
		!first->said_program) {
		warning("different programs are added up: %s in %s, %s in %s", first->program,
			first->path, program, t->path);
		first->said_program = true;
	}
	if (first->sample_bytes != t->header.sample_bytes && !first->said_sample) {
		warning("%s was sampled otherwise than %s", t->path, first->path);
		first->said_sample = true;
	}
	if (t->header.forked_from && !(t->header.flags & MT_NOTE_MERGED))
		warning("%s began with the blocks and counts of process %llu, which forked it: "
			"they "
			"count again",
			t->path, (unsigned long long)t->header.forked_from);
}

static int add_all(struct merge *merge, const struct values *v, int count, char **paths)
{
	struct first first = { .known = false };

	for (int i = 0; i < count; i++) {
		struct reading r;
		int status = reading_open(&r, &v->reading, paths[i]);

		if (status != EXIT_FINE)
			return status;
		compare_with_first(&first, r.trace);
		merge_add(merge, r.trace, v->no_symbols ? NULL : r.resolver);
		if (!v->no_symbols)
			reading_warn(&r);
		reading_close(&r);
	}
	return EXIT_FINE;
}

static bool ends_in_zst(const char *path)
{
	size_t size = strlen(path);

	return size > 4 && strcmp(path + size - 4, ".zst") == 0;
}

static void say_result(const struct values *v, uint64_t size, uint64_t traces)
{
	struct strbuf text = { 0 };
	char bytes[UNIT_TEXT];

	strbuf_add_clean(&text, v->out);
	printf("%s: %llu traces, %s\n", text.text, (unsigned long long)traces,
		format_bytes(bytes, (int64_t)size));
	strbuf_release(&text);
}

static int run(const void *values, int argc, char **argv)
{
	const struct values *v = values;
	struct merge *merge;
	uint64_t size;
	int status;

	if (!v->out)
		return error("merge: --out FILE is wanted: where to write the sum");
	merge = merge_new();
	status = add_all(merge, v, argc, argv);
	if (status == EXIT_FINE) {
		struct trace_writer *w = merge_finish(merge);

		status = trace_writer_save(w, v->out, ends_in_zst(v->out), &size);
		if (status == EXIT_FINE && !v->quiet)
			say_result(v, size, w->header.merged);
	}
	merge_free(merge);
	return status;
}

const struct command cmd_merge = {
	.name = "merge",
	.usage = "[OPTION]... --out FILE TRACE...",
	.summary = "add traces up to one: of workers, or of repeated runs",
	.details = "Counts and bytes of equal call stacks are added, wherever their modules were "
		   "loaded.\n"
		   "Peaks are added too, and marked as upper bounds: the processes may have held "
		   "most at\n"
		   "different times. The result is a trace that every command reads, with the "
		   "functions\n"
		   "and lines of its call stacks.",
	.options = options,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = -1,
	.run = run,
};
