/* SPDX-License-Identifier: MIT */
/* leaks_print.c - leaks, human-readable with the verdict first, and as JSON. */
#include "analyzer/base/array.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/json.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/width.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/symbols/source.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/leaks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_SHOWN 100 /* bytes of a source line */
#define SOURCE_INDENT 8

static size_t plural(char text[64], uint64_t count, const char *what)
{
	return (size_t)snprintf(
		text, 64, "%llu %s%s", (unsigned long long)count, what, count == 1 ? "" : "s");
}

static const char *size_text(char text[128], uint64_t bytes, uint64_t blocks)
{
	char size[UNIT_TEXT], number[64];

	plural(number, blocks, "block");
	snprintf(text, 128, "%s in %s", format_bytes(size, (int64_t)bytes), number);
	return text;
}

static const char *sum_text(char text[128], const struct leak_sum *sum)
{
	return size_text(text, sum->bytes, sum->blocks);
}

/* "3 lines, 10 call stacks" */
static const char *origins_text(char text[160], const struct leak_sum *sum)
{
	char lines[64], stacks[64];

	plural(lines, sum->rows, "line");
	plural(stacks, sum->stacks, "call stack");
	if (sum->rows == sum->stacks)
		snprintf(text, 160, "%s", stacks);
	else
		snprintf(text, 160, "%s, %s", lines, stacks);
	return text;
}

/* ---- the verdict */

static void print_lost(const struct leaks *leaks, FILE *out)
{
	const struct leak_sum *lost = &leaks->found[LEAK_LOST];
	const struct leak_sum *indirect = &leaks->found[LEAK_INDIRECT];
	char text[128], origins[160];

	if (lost->blocks == 0) {
		fprintf(out, "%s%s%s: no lost blocks%s\n", style(STYLE_BOLD),
			leaks->why ? "no verdict on all" : "no leaks", style(STYLE_PLAIN),
			leaks->why ? " in the processes that were checked" : "");
		if (indirect->blocks)
			fprintf(out, "indirectly lost: %s, reachable only from lost blocks\n",
				sum_text(text, indirect));
		return;
	}
	fprintf(out, "%sleaks: %s lost%s", style(STYLE_WARNING),
		size_text(text, lost->bytes + indirect->bytes, lost->blocks + indirect->blocks),
		style(STYLE_PLAIN));
	if (!indirect->blocks) {
		fprintf(out, ", from %s\n", origins_text(origins, lost));
		return;
	}
	fprintf(out, ", from %s:\n%s directly lost, ", origins_text(origins, lost),
		sum_text(text, lost));
	fprintf(out, "%s indirectly lost\n", sum_text(text, indirect));
}

static void print_others(const struct leaks *leaks, const struct leaks_view *view, FILE *out)
{
	const struct leak_sum *possible = &leaks->found[LEAK_POSSIBLE];
	const struct leak_sum *reachable = &leaks->found[LEAK_REACHABLE];
	char text[128];

	if (possible->blocks)
		fprintf(out, "possibly lost: %s, with interior pointers only\n",
			sum_text(text, possible));
	if (reachable->blocks)
		fprintf(out, "still reachable: %s\n", sum_text(text, reachable));
	if ((possible->blocks || reachable->blocks || leaks->found[LEAK_INDIRECT].blocks) &&
		view->hints && !(view->kinds & 1u << LEAK_REACHABLE))
		fprintf(out, "%suse --all to list these too%s\n", style(STYLE_FAINT),
			style(STYLE_PLAIN));
}

static void print_left_out(const struct leaks *leaks, FILE *out)
{
	struct leak_sum all = { 0 };
	char text[128], origins[160];

	for (int kind = 0; kind < LEAK_KINDS; kind++) {
		all.bytes += leaks->suppressed[kind].bytes;
		all.blocks += leaks->suppressed[kind].blocks;
	}
	if (all.blocks)
		fprintf(out, "suppressed: %s\n", sum_text(text, &all));
	if (leaks->small.blocks)
		fprintf(out, "below --min-bytes: %s from %s\n", sum_text(text, &leaks->small),
			origins_text(origins, &leaks->small));
}

static void print_unclassified(const struct leaks *leaks, FILE *out)
{
	const struct leak_sum *sum = &leaks->found[LEAK_UNCLASSIFIED];
	char text[128], origins[160];

	fprintf(out, "%sunclassified: %s live%s, possibly leaked, from %s\n", style(STYLE_BOLD),
		sum_text(text, sum), style(STYLE_PLAIN), origins_text(origins, sum));
	fprintf(out, "%sno verdict%s: %s%s\n", style(STYLE_WARNING),
		leaks->classified ? " on these" : "", leaks->why, style(STYLE_PLAIN));
}

/* Why something is possible that nothing in memory points to. */
static void print_blind(const struct trace *t, FILE *out)
{
	char threads[64];

	if (!t->header.scan_blind)
		return;
	plural(threads, t->header.scan_blind, "thread");
	fprintf(out,
		"%sno block is reported as lost%s: the registers of %s could not be read (ptrace "
		"is not permitted, or another tracer is attached) and may hold the possibly lost "
		"blocks\n",
		style(STYLE_WARNING), style(STYLE_PLAIN), threads);
}

static void print_verdict(
	const struct leaks *leaks, const struct trace *t, const struct leaks_view *view, FILE *out)
{
	char text[UNIT_TEXT];

	if (leaks->classified) {
		if (t->state != TRACE_EXITED)
			fprintf(out, "%s after the start:\n",
				format_duration(text, t->header.scan_at_ns));
		print_lost(leaks, out);
		print_others(leaks, view, out);
		print_blind(t, out);
	}
	if (leaks->why)
		print_unclassified(leaks, out);
	print_left_out(leaks, out);
}

/* ---- rows */

struct call_stack {
	struct frame_function *items;
	size_t count, room;
	uint32_t root; /* where the stack ends */
};

struct printer {
	const struct leaks *leaks;
	const struct trace *trace;
	struct resolver *resolver;
	struct source_cache *sources;
	const struct leaks_view *view;
	struct paths *paths;
	struct frame_function
		owner; /* of the row that is printed; without symbol once it was shown */
	FILE *out;
};

static void print_source(struct printer *p, const struct frame_function *fn)
{
	const struct symbol *s = fn->symbol;
	const char *line = s->file && s->line ? source_line(p->sources, s->file, s->line) : NULL;
	struct strbuf text = { 0 };
	size_t size;

	if (!line)
		return;
	source_is_other(p->sources, s->file, p->resolver, fn->frame->module);
	line += strspn(line, " \t");
	size = strlen(line);
	if (size > SOURCE_SHOWN) {
		for (size = SOURCE_SHOWN; ((unsigned char)line[size] & 0xc0) == 0x80;)
			size--; /* not inside a character */
	}
	strbuf_add_bytes(&text, line, size);
	if (size) {
		struct strbuf clean = { 0 }, cut = { 0 };
		size_t width = output_width();

		strbuf_add(&text, line[size] ? " ..." : "");
		strbuf_add_clean(&clean, text.text);
		strbuf_add_cut(&cut, clean.text, width == SIZE_MAX ? width : width - SOURCE_INDENT);
		fprintf(p->out, "%*s%s%s%s\n", SOURCE_INDENT, "", style(STYLE_FAINT), cut.text,
			style(STYLE_PLAIN));
		strbuf_release(&clean);
		strbuf_release(&cut);
	}
	strbuf_release(&text);
}

static bool same_frame_function(const struct frame_function *a, const struct frame_function *b)
{
	return a->frame == b->frame && a->symbol == b->symbol;
}

static void add_frame_function(void *context, const struct frame_function *fn)
{
	struct call_stack *frames = context;

	VEC_PUSH(frames->items, frames->count, frames->room, *fn);
}

static struct call_stack call_stack_of(const struct printer *p, uint32_t site)
{
	struct call_stack frames = { 0 };

	frames.root = stack_walk(p->trace, p->resolver, site, add_frame_function, &frames);
	return frames;
}

/* The line's source once, though it may recur. */
static void print_frame_function(
	struct printer *p, const char *how, const struct frame_function *fn)
{
	struct strbuf text = { 0 };

	strbuf_addf(&text, "    %s ", how);
	frame_function_text(fn, p->paths, text.size, &text);
	fprintf(p->out, "%s\n", text.text);
	if (same_frame_function(fn, &p->owner)) {
		print_source(p, fn);
		p->owner.symbol = NULL;
	}
	strbuf_release(&text);
}

/* Frames of a stack from `first` to before `last`; of those behind the limit their number. */
static void print_frames(
	struct printer *p, const struct call_stack *frames, size_t first, size_t last)
{
	size_t most = p->view->frames ? p->view->frames : SIZE_MAX;

	for (size_t i = first; i < last && i < most; i++)
		print_frame_function(p, i ? "by" : "at", &frames->items[i]);
	if (last < frames->count)
		return;
	if (frames->count > most)
		fprintf(p->out, "    ... %zu more%s\n",
			frames->count - (first > most ? first : most),
			p->view->hints ? ": --frames 0" : "");
	else if (frames->root == MT_NODE_DEEP)
		fputs("    (cut here: more frames than MTRACE_DEPTH)\n", p->out);
	else if (frames->root != MT_NODE_ROOT)
		fputs("    (could not be unwound further)\n", p->out);
}

/* How many frames, from the innermost on, all stacks of a row have in common; none where its line
 * isn't among them. */
static size_t common_frames(const struct printer *p, const struct leak *leak)
{
	struct call_stack first = call_stack_of(p, leak->stacks[0].site);
	size_t common = first.count;
	bool has_line = false;

	for (size_t i = 1; i < leak->stack_count; i++) {
		struct call_stack other = call_stack_of(p, leak->stacks[i].site);
		size_t same = 0;

		while (same < common && same < other.count &&
			same_frame_function(&first.items[same], &other.items[same]))
			same++;
		common = same;
		free(other.items);
	}
	for (size_t i = 0; i < common; i++)
		has_line |= same_frame_function(&first.items[i], &leak->owner);
	free(first.items);
	return has_line ? common : 0;
}

/* Whether all blocks of a row are known to be of one size: a trace has the sums of stacks, so each
 * must have one block. That a sum divides evenly proves nothing. */
static bool is_one_size(const struct leak *leak)
{
	for (size_t i = 0; i < leak->stack_count; i++)
		if (leak->stacks[i].own.blocks != 1 ||
			leak->stacks[i].own.bytes != leak->stacks[0].own.bytes)
			return leak->own.bytes == 0;
	return true;
}

/* "8 B in 1 block, holding 48.1 MiB in 50000 blocks" */
static void print_sizes(const struct printer *p, const struct leak_size *own,
	const struct leak_size *all, bool one_size)
{
	char text[128], each[UNIT_TEXT];

	fputs(size_text(text, own->bytes, own->blocks), p->out);
	if (own->blocks > 1)
		fprintf(p->out, one_size ? " of %s each" : " of %s on average",
			format_bytes(each, (int64_t)(own->bytes / own->blocks)));
	if (all->blocks > own->blocks)
		fprintf(p->out, ", holding %s",
			size_text(text, all->bytes - own->bytes, all->blocks - own->blocks));
}

static void print_heading(const struct printer *p, const struct leak *leak)
{
	fprintf(p->out, "%s%s%s ", style(STYLE_BOLD), leak_kind_names[leak->kind],
		style(STYLE_PLAIN));
	print_sizes(p, &leak->own, &leak->all, is_one_size(leak));
	if (leak->stack_count > 1)
		fprintf(p->out, ", by %zu call stacks", leak->stack_count);
	if (leak->m.allocations > leak->own.blocks)
		fprintf(p->out, "; %llu allocated here", (unsigned long long)leak->m.allocations);
	fputc('\n', p->out);
}

static void print_more_stacks(const struct printer *p, const struct leak *leak, size_t shown)
{
	struct leak_size left = { 0, 0 };
	char text[128], stacks[64];

	for (size_t i = shown; i < leak->stack_count; i++) {
		left.bytes += leak->stacks[i].all.bytes;
		left.blocks += leak->stacks[i].all.blocks;
	}
	plural(stacks, leak->stack_count - shown, "more call stack");
	fprintf(p->out, "  %s by %s%s\n", size_text(text, left.bytes, left.blocks), stacks,
		p->view->hints ? ": --stacks 0" : "");
}

/* How many of the outermost frames two stacks have in common. */
static size_t same_end(const struct call_stack *a, const struct call_stack *b)
{
	size_t same = 0;

	while (same < a->count && same < b->count && a->root == b->root &&
		same_frame_function(&a->items[a->count - 1 - same], &b->items[b->count - 1 - same]))
		same++;
	return same;
}

/* The frames from `first` on, up to the one from which on they are those of the stack before. */
static void print_branch(struct printer *p, const struct call_stack *frames, size_t first,
	const struct call_stack *before)
{
	size_t same = same_end(frames, before), last = frames->count;

	if (same > 2 && same < frames->count)
		last -= same - 1;
	if (last <= first || (p->view->frames && last > p->view->frames))
		last = frames->count;
	print_frames(p, frames, first, last);
	if (last < frames->count)
		fprintf(p->out, "    ... %zu more, as above\n", frames->count - last);
}

/* What the stacks have in common, and then how each goes on. */
static void print_stacks(struct printer *p, const struct leak *leak)
{
	size_t most = p->view->stacks && p->view->stacks < leak->stack_count ? p->view->stacks
									     : leak->stack_count;
	size_t common = common_frames(p, leak);
	struct call_stack before = { 0 };

	if (common == 0)
		print_frame_function(p, "at", &leak->owner);
	for (size_t i = 0; i < most; i++) {
		const struct leak_stack *stack = &leak->stacks[i];
		struct call_stack frames = call_stack_of(p, stack->site);

		if (i == 0)
			print_frames(p, &frames, 0, common);
		fputs("  ", p->out);
		print_sizes(p, &stack->own, &stack->all, stack->own.bytes == 0);
		fputc('\n', p->out);
		print_branch(p, &frames, common, &before);
		free(before.items);
		before = frames;
	}
	free(before.items);
	if (most < leak->stack_count)
		print_more_stacks(p, leak, most);
}

#define PARTS_SHOWN 3

static void print_parts(const struct printer *p, const struct leak *leak)
{
	for (size_t i = 0; i < leak->part_count && i < PARTS_SHOWN; i++) {
		const struct leak_part *part = &leak->parts[i];
		struct strbuf line = { 0 };
		char text[128];

		strbuf_addf(&line, "    holds %s of ",
			size_text(text, part->size.bytes, part->size.blocks));
		if (part->owner.symbol)
			frame_function_text(&part->owner, p->paths, line.size, &line);
		else
			strbuf_add(&line, "several lines");
		fprintf(p->out, "%s\n", line.text);
		strbuf_release(&line);
	}
	if (leak->part_count > PARTS_SHOWN)
		fprintf(p->out, "    holds blocks of %zu more line%s\n",
			leak->part_count - PARTS_SHOWN,
			leak->part_count - PARTS_SHOWN == 1 ? "" : "s");
}

static void print_leak(struct printer *p, const struct leak *leak)
{
	struct call_stack frames;

	fputc('\n', p->out);
	print_heading(p, leak);
	p->owner = leak->owner;
	if (leak->stack_count > 1) {
		print_stacks(p, leak);
	} else {
		frames = call_stack_of(p, leak->stacks[0].site);
		print_frames(p, &frames, 0, frames.count);
		free(frames.items);
	}
	print_parts(p, leak);
}

static void add_row_paths(const struct printer *p, const struct leak *leak)
{
	for (size_t i = 0; i < leak->stack_count; i++)
		stack_walk(p->trace, p->resolver, leak->stacks[i].site, add_frame_paths, p->paths);
	for (size_t i = 0; i < leak->part_count && i < PARTS_SHOWN; i++)
		if (leak->parts[i].owner.symbol)
			add_frame_paths(p->paths, &leak->parts[i].owner);
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
		add_row_paths(&p, rows[i]);
	for (size_t i = 0; i < count; i++)
		print_leak(&p, rows[i]);
	if (more)
		fprintf(out, "\n%zu more row%s%s\n", more, more == 1 ? "" : "s",
			view->hints ? ": --limit 0" : "");
	paths_free(p.paths);
	free(rows);
}

/* ---- Markdown */

struct verdict {
	const struct leaks *leaks;
	const struct trace *trace;
	const struct leaks_view *view;
};

static void print_verdict_of(const void *subject, FILE *out)
{
	const struct verdict *v = subject;

	print_verdict(v->leaks, v->trace, v->view, out);
}

static void add_columns(struct table *table)
{
	static const char *const numbers[] = { "bytes", "blocks", "holding", "blocks held",
		"allocs", "stacks" };

	table_column(table, "kind", ALIGN_LEFT);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		table_column(table, numbers[i], ALIGN_RIGHT);
	table_column(table, "where", ALIGN_LEFT);
	table_shorten(table, strbuf_add_path);
	table_column(table, "function", ALIGN_LEFT);
	table_shorten(table, strbuf_add_name);
	table_notes_at(table, 2 + ARRAY_SIZE(numbers));
}

static void add_count(struct table *table, bool shown, uint64_t count)
{
	char text[UNIT_TEXT];

	table_cell(table, shown ? format_count(text, (int64_t)count) : "");
}

static void add_size(struct table *table, bool shown, uint64_t bytes, uint64_t blocks)
{
	char text[UNIT_TEXT];

	table_cell(table, shown ? format_bytes(text, (int64_t)bytes) : "");
	add_count(table, shown, blocks);
}

static void add_owner(struct table *table, const struct frame_function *owner, struct paths *paths)
{
	struct strbuf text = { 0 };

	if (owner->symbol)
		frame_function_where(owner, paths, &text);
	table_cell(table, strbuf_text(&text));
	strbuf_clear(&text);
	if (owner->symbol)
		frame_function_name(owner, &text);
	table_cell(table, strbuf_text(&text));
	strbuf_release(&text);
}

static void note_frames(const struct printer *p, const struct leak *leak, struct table *table)
{
	struct call_stack frames = call_stack_of(p, leak->stacks[0].site);
	size_t most = p->view->frames ? p->view->frames : SIZE_MAX;
	char more[64];

	for (size_t i = 0; i < frames.count && i < most; i++) {
		struct strbuf name = { 0 }, where = { 0 };

		frame_function_name(&frames.items[i], &name);
		frame_function_where(&frames.items[i], p->paths, &where);
		table_note_call(table, i ? "by " : "at ", strbuf_text(&name), strbuf_text(&where));
		strbuf_release(&name);
		strbuf_release(&where);
	}
	snprintf(more, sizeof(more), "... %zu more", frames.count - most);
	if (frames.count > most)
		table_note(table, more);
	free(frames.items);
}

static void add_leak(const struct printer *p, const struct leak *leak, struct table *table)
{
	table_row(table);
	table_cell(table, leak_kind_names[leak->kind]);
	add_size(table, true, leak->own.bytes, leak->own.blocks);
	add_size(table, leak->all.blocks > leak->own.blocks, leak->all.bytes - leak->own.bytes,
		leak->all.blocks - leak->own.blocks);
	add_count(table, leak->m.allocations > leak->own.blocks, leak->m.allocations);
	add_count(table, leak->stack_count > 1, leak->stack_count);
	add_owner(table, &leak->owner, p->paths);
	note_frames(p, leak, table);
}

void leaks_markdown(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	const struct leaks_view *view)
{
	struct leaks_view plain = *view;
	struct verdict verdict = { leaks, trace, &plain };
	struct printer p = { leaks, trace, resolver, NULL, &plain, paths_new(), { 0 }, stdout };
	struct table *table = table_new();
	size_t count, more;
	const struct leak **rows = listed(leaks, view, &count, &more);

	plain.hints = false;
	lines_markdown(print_verdict_of, &verdict);
	add_columns(table);
	for (size_t i = 0; i < count; i++)
		add_row_paths(&p, rows[i]);
	for (size_t i = 0; i < count; i++)
		add_leak(&p, rows[i], table);
	if (count)
		putchar('\n');
	table_markdown(table, stdout);
	if (more)
		printf("\n%zu more row%s\n", more, more == 1 ? "" : "s");
	table_free(table);
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
		json_unsigned(j, "blind_threads", t->header.scan_blind);
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

static void location_json(const struct frame_function *owner, struct json *j)
{
	const struct symbol *s = owner->symbol;
	bool has_line = s && s->file && s->line;

	json_text(j, "file", has_line ? s->file : NULL);
	json_known(j, "line", has_line ? s->line : 0);
	json_text(j, "function", s ? s->function : NULL);
	json_text(j, "module", owner->frame ? owner->frame->module : NULL);
}

static void sizes_json(enum leak_kind kind, const struct leak_size *own,
	const struct leak_size *all, struct json *j)
{
	json_unsigned(j, "current_bytes", own->bytes);
	json_unsigned(j, "current_blocks", own->blocks);
	if (kind == LEAK_LOST) {
		json_unsigned(j, "held_bytes", all->bytes);
		json_unsigned(j, "held_blocks", all->blocks);
	} else if (j->form != JSON_TEXT) {
		json_null(j, "held_bytes");
		json_null(j, "held_blocks");
	}
}

static void leak_json(const struct leaks *leaks, const struct leak *leak, struct json *j)
{
	const struct measures *m = &leak->m;

	location_json(&leak->owner, j);
	json_text(j, "kind", leak_kind_names[leak->kind]);
	sizes_json(leak->kind, &leak->own, &leak->all, j);
	json_unsigned(j, "peak_bytes", m->peak_bytes);
	json_bool(j, "peak_is_exact", !m->peak_is_bound && leaks->totals.all.peak_is_exact);
	json_unsigned(j, "at_peak_bytes", m->at_peak_bytes);
	json_unsigned(j, "allocated_bytes", m->allocated_bytes);
	json_unsigned(j, "allocations", m->allocations);
	json_unsigned(j, "temporary", m->temporary);
}

static void stacks_json(const struct leak *leak, const struct trace *trace,
	struct resolver *resolver, struct json *j)
{
	json_unsigned(j, "stack_count", leak->stack_count);
	json_array(j, "stacks", leak->stack_count == 1);
	for (size_t i = 0; leak->stack_count > 1 && i < leak->stack_count; i++) {
		json_object(j, NULL, true);
		sizes_json(leak->kind, &leak->stacks[i].own, &leak->stacks[i].all, j);
		json_unsigned(j, "allocations", leak->stacks[i].allocations);
		stack_json(trace, resolver, leak->stacks[i].site, j);
		json_close(j);
	}
	json_close(j);
}

static void parts_json(const struct leak *leak, struct json *j)
{
	json_array(j, "holds", leak->part_count == 0);
	for (size_t i = 0; i < leak->part_count; i++) {
		json_object(j, NULL, true);
		location_json(&leak->parts[i].owner, j);
		json_unsigned(j, "bytes", leak->parts[i].size.bytes);
		json_unsigned(j, "blocks", leak->parts[i].size.blocks);
		json_close(j);
	}
	json_close(j);
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
		stack_json(trace, resolver, rows[i]->stacks[0].site, j);
		stacks_json(rows[i], trace, resolver, j);
		if (rows[i]->kind == LEAK_LOST)
			parts_json(rows[i], j);
		json_close(j);
	}
	json_close(j);
	free(rows);
}

static void print_line(const struct printer *p, const struct leak *leak, struct json *j)
{
	json_object(j, NULL, true);
	leak_json(p->leaks, leak, j);
	json_unsigned(j, "stack_count", leak->stack_count);
	stack_json(p->trace, p->resolver, leak->stack_count ? leak->stacks[0].site : 0, j);
	json_close(j);
}

void leaks_csv(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	const struct leaks_view *view, FILE *out)
{
	static const struct leak titles;
	struct printer p = { .leaks = leaks, .trace = trace, .resolver = resolver };
	size_t count, more;
	const struct leak **rows = listed(leaks, view, &count, &more);
	struct json j;

	json_start_csv(&j, out);
	print_line(&p, &titles, &j);
	for (size_t i = 0; i < count; i++)
		print_line(&p, rows[i], &j);
	free(rows);
}
