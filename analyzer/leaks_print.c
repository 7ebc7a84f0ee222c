/* leaks_print.c - leaks for people, verdict first, and for machines. */
#include "json.h"
#include "leaks.h"
#include "mem.h"
#include "paths.h"
#include "row.h"
#include "source.h"
#include "strbuf.h"
#include "table.h"
#include "trace.h"
#include "units.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_SHOWN 100 /* bytes of a source line */

static size_t plural(char text[64], uint64_t count, const char *what)
{
	return (size_t)snprintf(
		text, 64, "%llu %s%s", (unsigned long long)count, what, count == 1 ? "" : "s");
}

static const char *sum_text(char text[128], const struct leak_sum *sum)
{
	char bytes[UNIT_TEXT], blocks[64];

	plural(blocks, sum->blocks, "block");
	snprintf(text, 128, "%s in %s", format_bytes(bytes, (int64_t)sum->bytes), blocks);
	return text;
}

/* ---- the verdict */

static void print_lost(const struct leaks *leaks, FILE *out)
{
	const struct leak_sum *lost = &leaks->found[LEAK_LOST];
	const struct leak_sum *indirect = &leaks->found[LEAK_INDIRECT];
	char text[128], stacks[64];

	if (lost->blocks == 0) {
		fprintf(out, "%sno leaks%s: no block is lost\n", style(STYLE_BOLD),
			style(STYLE_PLAIN));
	} else {
		plural(stacks, lost->stacks, "call stack");
		fprintf(out, "%sleaks: %s lost%s, which nothing points to, from %s\n",
			style(STYLE_WARNING), sum_text(text, lost), style(STYLE_PLAIN), stacks);
	}
	if (indirect->blocks && lost->blocks)
		fprintf(out, "and %s that only lost blocks point to\n", sum_text(text, indirect));
	else if (indirect->blocks)
		fprintf(out, "indirectly lost: %s, that only lost blocks point to\n",
			sum_text(text, indirect));
}

static void print_others(const struct leaks *leaks, const struct leaks_view *view, FILE *out)
{
	const struct leak_sum *possible = &leaks->found[LEAK_POSSIBLE];
	const struct leak_sum *reachable = &leaks->found[LEAK_REACHABLE];
	char text[128];

	if (possible->blocks)
		fprintf(out, "possibly lost: %s, by pointers to their inside only\n",
			sum_text(text, possible));
	if (reachable->blocks)
		fprintf(out, "still reachable: %s\n", sum_text(text, reachable));
	if ((possible->blocks || reachable->blocks || leaks->found[LEAK_INDIRECT].blocks) &&
		view->hints && !(view->kinds & 1u << LEAK_REACHABLE))
		fprintf(out, "%s--all lists these, too%s\n", style(STYLE_FAINT),
			style(STYLE_PLAIN));
}

static void print_left_out(const struct leaks *leaks, FILE *out)
{
	struct leak_sum all = { 0 };
	char text[128], stacks[64];

	for (int kind = 0; kind < LEAK_KINDS; kind++) {
		all.bytes += leaks->suppressed[kind].bytes;
		all.blocks += leaks->suppressed[kind].blocks;
	}
	if (all.blocks)
		fprintf(out, "suppressed: %s\n", sum_text(text, &all));
	if (leaks->small.blocks) {
		plural(stacks, leaks->small.stacks, "call stack");
		fprintf(out, "below --min-bytes: %s from %s\n", sum_text(text, &leaks->small),
			stacks);
	}
}

static void print_unclassified(const struct leaks *leaks, FILE *out)
{
	const struct leak_sum *sum = &leaks->found[LEAK_UNCLASSIFIED];
	char text[128], stacks[64];

	plural(stacks, sum->stacks, "call stack");
	fprintf(out, "%sunclassified: %s live%s, lost or not, from %s\n", style(STYLE_BOLD),
		sum_text(text, sum), style(STYLE_PLAIN), stacks);
	fprintf(out, "%sno verdict%s: %s%s\n", style(STYLE_WARNING),
		leaks->classified ? " on these" : "", leaks->why, style(STYLE_PLAIN));
}

static void print_verdict(
	const struct leaks *leaks, const struct trace *t, const struct leaks_view *view, FILE *out)
{
	char text[UNIT_TEXT];

	if (leaks->classified) {
		if (t->state != TRACE_EXITED)
			fprintf(out, "as of %s after the start:\n",
				format_duration(text, t->header.scan_at_ns));
		print_lost(leaks, out);
		print_others(leaks, view, out);
	}
	if (leaks->why)
		print_unclassified(leaks, out);
	print_left_out(leaks, out);
}

/* ---- rows */

struct printer {
	const struct leaks *leaks;
	const struct trace *trace;
	struct resolver *resolver;
	struct source_cache *sources;
	const struct leaks_view *view;
	struct paths *paths;
	struct spot owner; /* of the row that is printed */
	uint64_t frames;   /* of it so far */
	size_t width;	   /* of its functions' names */
	FILE *out;
};

static void add_paths(void *paths, const struct spot *spot)
{
	paths_add(paths, spot->symbol->line ? spot->symbol->file : NULL);
	paths_add(paths, spot->place->module);
}

static void print_source(struct printer *p, const struct symbol *s)
{
	const char *line = s->file && s->line ? source_line(p->sources, s->file, s->line) : NULL;
	struct strbuf text = { 0 };
	size_t size;

	if (!line)
		return;
	line += strspn(line, " \t");
	size = strlen(line);
	if (size > SOURCE_SHOWN) {
		for (size = SOURCE_SHOWN; ((unsigned char)line[size] & 0xc0) == 0x80;)
			size--; /* not inside a character */
	}
	strbuf_add_bytes(&text, line, size);
	if (size) {
		struct strbuf clean = { 0 };

		strbuf_add_clean(&clean, text.text);
		fprintf(p->out, "        %s%s%s%s\n", style(STYLE_FAINT), clean.text,
			line[size] ? " ..." : "", style(STYLE_PLAIN));
		strbuf_release(&clean);
	}
	strbuf_release(&text);
}

static bool same_spot(const struct spot *a, const struct spot *b)
{
	return a->place == b->place && a->symbol == b->symbol;
}

static void print_frame(void *context, const struct spot *spot)
{
	struct printer *p = context;
	struct strbuf raw = { 0 }, clean = { 0 };

	if (p->view->frames && p->frames >= p->view->frames) {
		p->frames++;
		return;
	}
	spot_text(spot, p->paths, &raw);
	strbuf_add_clean(&clean, strbuf_text(&raw));
	fprintf(p->out, "    %s %s\n", p->frames++ ? "by" : "at", strbuf_text(&clean));
	if (same_spot(spot, &p->owner)) {
		print_source(p, spot->symbol);
		p->owner.symbol = NULL; /* once, though it may recur */
	}
	strbuf_release(&raw);
	strbuf_release(&clean);
}

static void print_size(const struct printer *p, const struct leak *leak)
{
	const struct leak_sum sum = { leak->bytes, leak->blocks, 1 };
	char text[128], each[UNIT_TEXT];

	fprintf(p->out, "%s%s%s %s", style(STYLE_BOLD), leak_kind_names[leak->kind],
		style(STYLE_PLAIN), sum_text(text, &sum));
	if (leak->blocks > 1)
		fprintf(p->out, " of %s%s", leak->bytes % leak->blocks ? "about " : "",
			format_bytes(each, (int64_t)(leak->bytes / leak->blocks)));
	if (leak->m.allocations > leak->blocks)
		fprintf(p->out, "; %llu were allocated here",
			(unsigned long long)leak->m.allocations);
	fputc('\n', p->out);
}

static void print_leak(struct printer *p, const struct leak *leak)
{
	uint32_t root;

	fputc('\n', p->out);
	print_size(p, leak);
	p->owner = leak->owner;
	p->frames = 0;
	root = stack_walk(p->trace, p->resolver, leak->site, print_frame, p);
	if (p->view->frames && p->frames > p->view->frames)
		fprintf(p->out, "    ... %llu more%s\n",
			(unsigned long long)(p->frames - p->view->frames),
			p->view->hints ? ": --frames 0" : "");
	else if (root == MT_NODE_DEEP)
		fputs("    (cut here: more frames than MTRACE_DEPTH)\n", p->out);
	else if (root != MT_NODE_ROOT)
		fputs("    (could not be followed further)\n", p->out);
}

/* The listed rows, `limit` at the most; *more: how many more there are. */
static const struct leak **listed(
	const struct leaks *leaks, const struct leaks_view *view, size_t *count, size_t *more)
{
	const struct leak **rows = mem_zalloc(leaks->count + 1, sizeof(*rows));

	*count = *more = 0;
	for (size_t i = 0; i < leaks->count; i++) {
		if (!(view->kinds & 1u << leaks->items[i].kind))
			continue;
		if (view->limit && *count >= view->limit)
			++*more;
		else
			rows[(*count)++] = &leaks->items[i];
	}
	return rows;
}

void leaks_print(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	struct source_cache *sources, const struct leaks_view *view, FILE *out)
{
	struct printer p = { .leaks = leaks,
		.trace = trace,
		.resolver = resolver,
		.sources = sources,
		.view = view,
		.paths = paths_new(),
		.out = out };
	size_t count, more;
	const struct leak **rows = listed(leaks, view, &count, &more);

	print_verdict(leaks, trace, view, out);
	for (size_t i = 0; i < count; i++)
		stack_walk(trace, resolver, rows[i]->site, add_paths, p.paths);
	for (size_t i = 0; i < count; i++)
		print_leak(&p, rows[i]);
	if (more)
		fprintf(out, "\n%zu more call stack%s%s\n", more, more == 1 ? "" : "s",
			view->hints ? ": --limit 0" : "");
	paths_free(p.paths);
	free(rows);
}

/* ---- for machines */

static void sums_json(const struct leaks *leaks, const struct trace *t, struct json *j)
{
	char key[64];

	json_object(j, "leaks", false);
	json_bool(j, "classified", leaks->classified);
	json_text(j, "why_unclassified", leaks->why);
	if (leaks->classified) {
		json_unsigned(j, "scan_at_ns", t->header.scan_at_ns);
		json_unsigned(j, "scan_ns", t->header.scan_ns);
		json_unsigned(j, "scan_bytes", t->header.scan_bytes);
	}
	for (int kind = 0; kind < LEAK_KINDS; kind++) {
		snprintf(key, sizeof(key), "%s_bytes", leak_kind_names[kind]);
		json_unsigned(j, key, leaks->found[kind].bytes);
		snprintf(key, sizeof(key), "%s_blocks", leak_kind_names[kind]);
		json_unsigned(j, key, leaks->found[kind].blocks);
		snprintf(key, sizeof(key), "suppressed_%s_bytes", leak_kind_names[kind]);
		json_unsigned(j, key, leaks->suppressed[kind].bytes);
		snprintf(key, sizeof(key), "suppressed_%s_blocks", leak_kind_names[kind]);
		json_unsigned(j, key, leaks->suppressed[kind].blocks);
	}
	json_unsigned(j, "small_bytes", leaks->small.bytes);
	json_unsigned(j, "small_blocks", leaks->small.blocks);
	json_close(j);
}

static void place_json(const struct spot *owner, struct json *j)
{
	const struct symbol *s = owner->symbol;
	bool has_line = s && s->file && s->line;

	json_text(j, "file", has_line ? s->file : NULL);
	if (has_line)
		json_unsigned(j, "line", s->line);
	else
		json_null(j, "line");
	json_text(j, "function", s ? s->function : NULL);
	json_text(j, "module", owner->place ? owner->place->module : NULL);
}

static void leak_json(const struct leaks *leaks, const struct leak *leak, struct json *j)
{
	const struct measures *m = &leak->m;

	place_json(&leak->owner, j);
	json_text(j, "kind", leak_kind_names[leak->kind]);
	json_unsigned(j, "current_bytes", leak->bytes);
	json_unsigned(j, "current_blocks", leak->blocks);
	json_unsigned(j, "peak_bytes", m->peak_bytes);
	json_bool(j, "peak_is_exact", !m->peak_is_bound && leaks->totals.all.peak_is_exact);
	json_unsigned(j, "at_peak_bytes", m->at_peak_bytes);
	json_unsigned(j, "allocated_bytes", m->allocated_bytes);
	json_unsigned(j, "allocations", m->allocations);
	json_unsigned(j, "temporary", m->temporary);
}

void leaks_json(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	const struct leaks_view *view, struct json *j)
{
	size_t count, more;
	const struct leak **rows = listed(leaks, view, &count, &more);

	sums_json(leaks, trace, j);
	json_unsigned(j, "row_count", count + more);
	json_array(j, "rows", count == 0);
	for (size_t i = 0; i < count; i++) {
		json_object(j, NULL, true);
		leak_json(leaks, rows[i], j);
		stack_json(trace, resolver, rows[i]->site, j);
		json_close(j);
	}
	json_close(j);
	free(rows);
}
