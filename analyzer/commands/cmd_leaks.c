/* SPDX-License-Identifier: MIT */
/* cmd_leaks.c - mtracer leaks: the blocks that nothing points to, by call stack; of a trace or of a
 * running process. */
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/print/summary.h"
#include "analyzer/views/livetrace.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/leaks.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/request.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT UINT64_MAX /* ROWS_SHOWN if human-readable, all in JSON and CSV */
#define ROWS_SHOWN 20

struct values {
	bool all;
	int by;
	uint64_t min_bytes;
	uint64_t limit, frames, stacks;
	struct option_list suppressions;
	bool no_builtin;
	bool unused_suppressions;
	bool gen_suppressions;
	bool strict;
	uint64_t wait;
	bool json, csv, markdown;
	struct reading_options reading;
};

static const struct values defaults = {
	.limit = LIMIT_DEFAULT, .frames = 24, .stacks = 3, .wait = 10
};

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_FLAG, "all", 'a', NULL, "also list indirectly lost, possibly lost and reachable "
		"blocks", AT(all) },
	{ OPTION_CHOICE, "by", 'b', "WHAT", "group by line, or by site (each call stack "
		"separately)\n(default: line)", offsetof(struct values, by), leaks_by_names },
	{ OPTION_SIZE, "min-bytes", 0, "SIZE", "hide rows smaller than SIZE, including what they "
		"hold; hidden\nrows are excluded from the exit status", AT(min_bytes) },
	{ OPTION_NUMBER, "limit", 'n', "N", "list at most N rows; 0 for all (default: 20; all "
		"with --json\nor --csv)", AT(limit) },
	{ OPTION_NUMBER, "stacks", 0, "N", "show at most N call stacks per row; 0 for all "
		"(default: 3)", AT(stacks) },
	{ OPTION_NUMBER, "frames", 0, "N", "show at most N frames per stack; 0 for all (default: "
		"24)", AT(frames) },
	{ OPTION_LIST, "suppressions", 's', "FILE", "read suppressions from FILE, in "
		"LeakSanitizer or Valgrind\nformat; may be given more than once", AT(suppressions) },
	{ OPTION_FLAG, "no-builtin", 0, NULL, "do not use the built-in suppressions (C library, "
		"loader, ...)",
		AT(no_builtin) },
	{ OPTION_FLAG, "unused-suppressions", 0, NULL, "list suppressions of FILE that matched "
		"nothing",
		AT(unused_suppressions) },
	{ OPTION_FLAG, "gen-suppressions", 0, NULL, "print suppressions for the leaks instead of "
		"the leaks",
		AT(gen_suppressions) },
	{ OPTION_FLAG, "strict", 0, NULL, "exit with status 2 if there is no verdict", AT(strict) },
	{ OPTION_NUMBER, "wait", 0, "SECONDS", "wait at most SECONDS for a running process "
		"(default: 10)", AT(wait) },
	{ OPTION_FLAG, "json", 'j', NULL, "print JSON", AT(json) },
	TABLE_OPTION_ROWS(struct values, csv, markdown),
	WIDE_OPTION_ROW(struct values, reading),
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

struct command_state {
	const struct values *values;
	struct reading reading;
	struct suppressions suppressions;
	struct leaks *leaks;
	struct leaks_view view;
};

/* ---- suppressions */

static int read_suppressions(struct command_state *c)
{
	const struct option_list *files = &c->values->suppressions;
	char why[512];

	for (size_t i = 0; i < files->count; i++) {
		if (!suppressions_add_file(&c->suppressions, files->items[i], why, sizeof(why)))
			return error("%s: %s", files->items[i], why);
	}
	if (!c->values->no_builtin) /* last: what the user says is known as used first */
		suppressions_add_builtin(&c->suppressions);
	return EXIT_OK;
}

static bool is_unused(const struct suppression *s)
{
	return s->file && s->used == 0;
}

static void print_unused(const struct suppressions *all)
{
	bool any = false;

	for (size_t i = 0; i < all->count; i++) {
		struct strbuf text = { 0 };

		if (!is_unused(&all->items[i]))
			continue;
		strbuf_add_clean(&text, all->items[i].file);
		strbuf_addf(&text, ":%u: ", all->items[i].line);
		strbuf_add_clean(&text, all->items[i].name);
		printf("%s    %s\n", any ? "" : "\nunused suppressions:\n", text.text);
		strbuf_release(&text);
		any = true;
	}
	if (!any)
		puts("\nno suppression is unused");
}

static void suppressions_json(const struct suppressions *all, struct json *j)
{
	json_array(j, "suppressions", false);
	for (size_t i = 0; i < all->count; i++) {
		const struct suppression *s = &all->items[i];

		if (!s->file && s->used == 0)
			continue; /* built in, and of no interest */
		json_object(j, NULL, true);
		json_text(j, "name", s->name);
		json_text(j, "file", s->file);
		json_unsigned(j, "line", s->line);
		json_unsigned(j, "used", s->used);
		json_unsigned(j, "bytes", s->bytes);
		json_unsigned(j, "blocks", s->blocks);
		json_close(j);
	}
	json_close(j);
}

static void print_suppression(const struct command_state *c, const struct leak *leak, uint32_t site)
{
	const struct symbol *owner = leak->owner.symbol;
	struct strbuf name = { 0 }, text = { 0 }, clean = { 0 };
	size_t count;
	struct suppress_frame *frames =
		leak_frames(c->reading.trace, c->reading.resolver, site, &count);

	strbuf_addf(&name, "%s in %s", leak_kind_names[leak->kind],
		owner ? owner->function : "unknown code");
	if (owner && owner->file && owner->line)
		strbuf_addf(&name, " (%s:%u)", owner->file, owner->line);
	strbuf_add_clean(&clean, name.text);
	suppression_write(&text, clean.text, leak->kind, frames, count);
	fputs(text.text, stdout);
	strbuf_release(&name);
	strbuf_release(&text);
	strbuf_release(&clean);
	free(frames);
}

static void print_suppressions(const struct command_state *c)
{
	for (size_t i = 0; i < c->leaks->count; i++) {
		const struct leak *leak = &c->leaks->items[i];

		for (size_t k = 0; c->view.kinds & 1u << leak->kind && k < leak->stack_count; k++)
			print_suppression(c, leak, leak->stacks[k].site);
	}
}

/* ---- the report */

static void print_json(const struct command_state *c)
{
	const struct reading *r = &c->reading;
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL, false);
	summary_json(r->trace, &c->leaks->totals, &j);
	leaks_json(c->leaks, r->trace, r->resolver, &c->view, &j);
	suppressions_json(&c->suppressions, &j);
	reading_json(r, &j);
	json_close(&j);
	json_finish(&j);
}

static void print_text(const struct command_state *c)
{
	const struct reading *r = &c->reading;

	output_start(&c->values->reading, 0);
	summary_print(r->trace, &c->leaks->totals, stdout);
	leaks_print(c->leaks, r->trace, r->resolver, r->sources, &c->view, stdout);
	if (c->values->unused_suppressions)
		print_unused(&c->suppressions);
}

static void print_markdown(const struct command_state *c)
{
	const struct reading *r = &c->reading;

	summary_markdown(r->trace, &c->leaks->totals);
	leaks_markdown(c->leaks, r->trace, r->resolver, &c->view);
}

static int report(struct command_state *c)
{
	const struct values *v = c->values;
	uint64_t limit = v->json || v->csv ? 0 : ROWS_SHOWN;

	struct leaks_options how = { (enum leaks_by)v->by, v->min_bytes };

	c->leaks = leaks_new(c->reading.trace, c->reading.resolver, &c->suppressions, &how);
	c->view.kinds = v->all ? (1u << LEAK_KINDS) - 1 : 1u << LEAK_LOST | 1u << LEAK_UNCLASSIFIED;
	c->view.limit = v->limit == LIMIT_DEFAULT ? limit : v->limit;
	c->view.frames = v->frames;
	c->view.stacks = v->stacks;
	c->view.hints = true;
	if (v->gen_suppressions)
		print_suppressions(c);
	else if (v->json)
		print_json(c);
	else if (v->csv)
		leaks_csv(c->leaks, c->reading.trace, c->reading.resolver, &c->view, stdout);
	else if (v->markdown)
		print_markdown(c);
	else
		print_text(c);
	reading_warn(&c->reading);
	if (c->leaks->why && v->strict)
		return error("%s: no verdict: %s", c->reading.trace->path, c->leaks->why);
	return leaks_found(c->leaks) ? EXIT_FOUND : EXIT_OK;
}

/* ---- the command */

static int report_file(struct command_state *c, const char *path)
{
	int status;

	status = reading_open(&c->reading, &c->values->reading, path);
	if (status != EXIT_OK)
		return status;
	if (c->reading.trace->moment.kind != MOMENT_END)
		status = error("%s: leaks are known only of the end", c->reading.trace->path);
	else
		status = report(c);
	leaks_free(c->leaks);
	reading_close(&c->reading);
	return status;
}

static int report_process(struct command_state *c, uint32_t pid)
{
	struct livetrace live;
	int status = livetrace_open_pid(&live, pid);

	if (status == EXIT_OK)
		status = request_scan(&live, c->values->wait);
	if (status == EXIT_OK)
		status = report_file(c, live.path);
	livetrace_close(&live);
	return status;
}

static int run(const void *values, int argc, char **argv)
{
	struct command_state c = { .values = values };
	int status = check_one_format("leaks", c.values->json, c.values->csv, c.values->markdown);
	uint32_t pid;

	if (status == EXIT_OK)
		status = read_suppressions(&c);
	if (status == EXIT_OK && argc && livetrace_is_pid(argv[0], &pid))
		status = report_process(&c, pid);
	else if (status == EXIT_OK)
		status = report_file(&c, argv[0]);
	suppressions_release(&c.suppressions);
	return status;
}

const struct command cmd_leaks = {
	.name = "leaks",
	.usage = "[OPTION]... [TRACE|PID]",
	.summary = "find leaks",
	.details =
		"Lost: no pointer to the block is left anywhere. Indirect: only lost blocks point "
		"to it. Possible: only pointers into its middle are left. Reachable: it could "
		"still be freed. A lost block holds everything that only it leads to; rows are "
		"sorted by the total. A row is a source line that allocated, with the call stacks "
		"that led there, or a call where no line is known. Given a PID, the process "
		"searches its own memory without being stopped. The exit status is 1 if "
		"unsuppressed lost blocks remain; a suppressed block takes what it holds with it. "
		"If the trace has no verdict, live blocks are listed as unclassified, and the "
		"exit status is 0, or 2 with --strict. Without TRACE, the newest *.mtrace file in "
		"the working directory is used.",
	.options = options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
