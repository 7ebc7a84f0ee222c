/* SPDX-License-Identifier: MIT */
/*
 * flamegraph.c - writes the boxes of a flame graph as SVG, with the script and the style that
 * flamegraph.js and flamegraph.css are.
 *
 * A box says in its <title> what a pointer on it shows; the script takes it from there, so that
 * nothing is written twice.
 */
#include "analyzer/print/flamegraph.h"
#include "analyzer/base/array.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"
#include "analyzer/base/xml.h"
#include "analyzer/flamegraph_files.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/symbols/wrappers.h"
#include "analyzer/trace/processes.h"
#include "analyzer/trace/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOP 94		 /* of the first level, under the heading */
#define ROW 17		 /* from level to level */
#define BOX 16		 /* a box's height */
#define PAD 3		 /* between a box's edge and its name */
#define LETTER 7.25	 /* a letter's width; of 12 px monospaced fonts no wider one is common */
#define NAME_MOST 400	 /* columns of a name in a tooltip */
#define PATH_MOST 160	 /* ... and of its place */
#define LINE_MOST 190	 /* columns of a line of the heading */
#define COMMAND_MOST 170 /* bytes of the command line in the heading */
#define LABEL_LEAST 3	 /* columns of a name that are worth showing */
#define FIGURE_GAP 2	 /* columns between a name and its figure */
#define TIMES_LEAST 10	 /* growth that is not in percent any more */
#define MODULE_CLASSES 8 /* of modules with a colour of their own, as in flamegraph.css */
#define RUNTIME_CLASS 0
#define PROGRAM_CLASS 1
#define LIBRARY_CLASS 2

struct module {
	const char *path; /* NULL: none; texts are the resolver's, and equal ones the same */
	double width;	  /* of all boxes of its functions */
	int class;
};

struct picture {
	const struct flamegraph *g;
	FILE *out;
	struct paths *paths;
	struct module *modules;
	size_t module_count, module_room;
	struct hashmap module_index;
	double scale; /* pixels for one of the measure */
	double whole; /* the first box's width */
};

static const struct {
	const char *of, *count;
} phrases[] = {
	[SORT_CURRENT_BYTES] = { "in use at the end", "block" },
	[SORT_CURRENT_BLOCKS] = { "in use at the end", "block" },
	[SORT_PEAK_BYTES] = { "", "" },
	[SORT_AT_PEAK_BYTES] = { "in use at the peak", "block" },
	[SORT_ALLOCATED_BYTES] = { "allocated in the whole run", "allocation" },
	[SORT_ALLOCATIONS] = { "in the whole run", "allocation" },
	[SORT_TEMPORARY] = { "freed before the next allocation", "allocation" },
};

static const char *phrase(const struct flamegraph *g)
{
	bool end = g->key == SORT_CURRENT_BYTES || g->key == SORT_CURRENT_BLOCKS;

	return end && g->trace->state == TRACE_RUNNING ? "in use now" : phrases[g->key].of;
}

/* ---- texts */

static void add_plural(struct strbuf *s, int64_t count, const char *noun)
{
	strbuf_addf(s, "%lld %s%s", (long long)count, noun, count == 1 ? "" : "s");
}

/* "4.00 KiB"; "12 allocations". */
static void add_measure(const struct flamegraph *g, int64_t value, struct strbuf *s)
{
	char number[UNIT_TEXT];

	if (measure_is_bytes(g->key))
		strbuf_add(s, format_measure(number, value, g->key));
	else
		add_plural(s, value, phrases[g->key].count);
}

/* What else is known of a call, next to its measure: blocks for bytes, bytes for blocks. */
static void add_other_measure(
	const struct flamegraph *g, const struct measures *m, struct strbuf *s)
{
	char number[UNIT_TEXT];

	switch (g->key) {
	case SORT_AT_PEAK_BYTES:
		add_plural(s, (int64_t)m->at_peak_blocks, "block");
		break;
	case SORT_CURRENT_BYTES:
		add_plural(s, m->current_blocks, "block");
		break;
	case SORT_ALLOCATED_BYTES:
		add_plural(s, (int64_t)m->allocations, "allocation");
		break;
	case SORT_CURRENT_BLOCKS:
		strbuf_add(s, format_bytes(number, m->current_bytes));
		break;
	default:
		strbuf_addf(s, "%s allocated", format_bytes(number, (int64_t)m->allocated_bytes));
	}
}

static void add_name(const struct flamegraph *g, const struct flame_box *box, struct strbuf *s)
{
	const struct call *call = &g->tree->calls[box->call];

	if (box->rest)
		strbuf_addf(s, "[%u smaller]", box->rest);
	else if (!call->function)
		strbuf_add(s, "all");
	else
		strbuf_add_visible(s, call->function);
}

/* "table.c:12", and the module where it says more. */
static void add_place(const struct picture *p, const struct call *call, struct strbuf *s)
{
	struct strbuf place = { 0 }, seen = { 0 };
	const char *module = call->module ? paths_short(p->paths, call->module) : NULL;

	if (call->file)
		strbuf_add(&place, paths_short(p->paths, call->file));
	if (call->file && call->line)
		strbuf_addf(&place, ":%u", call->line);
	if (call->file && module)
		strbuf_addf(&place, " in %s", module);
	else if (module && call->offset)
		strbuf_addf(&place, "%s+%#llx", module, (unsigned long long)call->offset);
	else if (module)
		strbuf_add(&place, module);
	strbuf_add_visible(&seen, strbuf_text(&place));
	strbuf_add_path(s, strbuf_text(&seen), PATH_MOST);
	strbuf_release(&place);
	strbuf_release(&seen);
}

/* "+42.9 %", "×12"; "new", "unchanged". */
static void add_growth(int64_t old, int64_t value, bool known, struct strbuf *s)
{
	double percent = 100.0 * ((double)value - (double)old) / (double)old;
	double times = (double)value / (double)old;

	if (!known || old <= 0)
		strbuf_add(s, "new");
	else if (value == old)
		strbuf_add(s, "unchanged");
	else if (fabs(percent) < 0.05)
		strbuf_add(s, "±0 %");
	else if (times >= TIMES_LEAST)
		strbuf_addf(s, "×%.0f", times);
	else
		strbuf_addf(s, "%+.*f %%", fabs(percent) < 99.95 ? 1 : 0, percent);
}

static void add_growth_of(const struct flamegraph *g, const struct flame_box *box, struct strbuf *s)
{
	add_growth(g->diff->old[box->call], box->value, g->diff->known[box->call], s);
}

static void add_change(const struct flamegraph *g, int64_t old, int64_t value, struct strbuf *s)
{
	strbuf_add(s, value > old ? "+" : "");
	add_measure(g, value - old, s);
}

/* "; 2.80 KiB before: +1.20 KiB, +42.9 %". */
static void add_before(const struct flamegraph *g, const struct flame_box *box, struct strbuf *s)
{
	int64_t old = g->diff->old[box->call];

	strbuf_add(s, "; ");
	if (g->diff->known[box->call] && old > 0 && old != box->value) {
		add_measure(g, old, s);
		strbuf_add(s, " before: ");
		add_change(g, old, box->value, s);
		strbuf_add(s, ", ");
	}
	add_growth_of(g, box, s);
}

/* "4.00 KiB, 12.3 %, 7 blocks; 1.00 KiB of its own". */
static void add_figures(const struct picture *p, const struct flame_box *box, struct strbuf *s)
{
	const struct flamegraph *g = p->g;
	const struct call *call = &g->tree->calls[box->call];
	int64_t own = sort_measure(&call->own, g->key);
	char share[UNIT_TEXT];

	add_measure(g, box->value, s);
	strbuf_addf(s, ", %s",
		format_share(share, (uint64_t)box->value, (uint64_t)g->flame->boxes[0].value));
	if (box->rest)
		return;
	strbuf_add(s, ", ");
	add_other_measure(g, &call->all, s);
	if (own > 0 && own < box->value && !g->callers) {
		strbuf_add(s, "; ");
		add_measure(g, own, s);
		strbuf_add(s, " of its own");
	}
	strbuf_add(s, call->recursive ? "; it calls itself" : "");
	if (g->diff)
		add_before(g, box, s);
}

/* What a name is followed by where there is room. */
static void add_figure(const struct flamegraph *g, const struct flame_box *box, struct strbuf *s)
{
	if (g->diff && !box->rest)
		add_growth_of(g, box, s);
	else
		add_measure(g, box->value, s);
}

static void print_xml(const struct picture *p, const char *text)
{
	struct strbuf xml = { 0 };

	strbuf_add_xml(&xml, text);
	fputs(strbuf_text(&xml), p->out);
	strbuf_release(&xml);
}

/* ---- colours */

static bool same_module(const void *context, uint32_t index, const void *path)
{
	return ((const struct picture *)context)->modules[index].path == path;
}

static struct module *find_module(struct picture *p, const char *path)
{
	struct module module = { .path = path };
	uint32_t index = hashmap_find(&p->module_index, hash_number(0, (uintptr_t)path),
		same_module, p, path, (uint32_t)p->module_count);

	if (index == p->module_count)
		VEC_PUSH(p->modules, p->module_count, p->module_room, module);
	return &p->modules[index];
}

static bool is_program(const struct trace *t, const char *path)
{
	for (uint32_t i = 1; i < t->module_count; i++)
		if (t->modules[i].flags & MT_MODULE_EXE &&
			strcmp(trace_string(t, t->modules[i].path), path) == 0)
			return true;
	return false;
}

static int compare_modules(const void *left, const void *right)
{
	const struct module *a = *(struct module *const *)left, *b = *(struct module *const *)right;

	if (a->width != b->width)
		return a->width < b->width ? 1 : -1;
	return strcmp(a->path ? a->path : "", b->path ? b->path : "");
}

/* The program, run-time libraries, and then libraries by what they have on all levels. */
static void colour_modules(struct picture *p)
{
	struct module **order = mem_zalloc(p->module_count, sizeof(struct module *));
	int next = LIBRARY_CLASS;

	for (size_t i = 0; i < p->module_count; i++)
		order[i] = &p->modules[i];
	qsort(order, p->module_count, sizeof(struct module *), compare_modules);
	for (size_t i = 0; i < p->module_count; i++) {
		const char *path = order[i]->path;

		if (!path)
			order[i]->class = MODULE_CLASSES;
		else if (is_program(p->g->trace, path))
			order[i]->class = PROGRAM_CLASS;
		else if (library_kind(path) != LIBRARY_ORDINARY)
			order[i]->class = RUNTIME_CLASS;
		else
			order[i]->class = next < MODULE_CLASSES ? next++ : MODULE_CLASSES;
	}
	free(order);
}

static bool is_function(const struct picture *p, const struct flame_box *box)
{
	const struct call *call = &p->g->tree->calls[box->call];

	return !box->rest && call->function && (call->module || call->function[0] != '[');
}

static void look_at_modules(struct picture *p)
{
	const struct flame *f = p->g->flame;

	p->paths = paths_new();
	for (size_t i = 0; i < f->count; i++) {
		const struct call *call = &p->g->tree->calls[f->boxes[i].call];

		paths_add(p->paths, call->file);
		paths_add(p->paths, call->module);
		if (is_function(p, &f->boxes[i]))
			find_module(p, call->module)->width += f->boxes[i].width;
	}
	colour_modules(p);
}

/* How much of a box is growth, or of what it was is gone; in as many steps as there are colours. */
static void print_growth_class(const struct picture *p, const struct flame_box *box)
{
	static const double steps[] = { 0.01, 0.1, 0.33, 0.67 };
	int64_t old = p->g->diff->old[box->call];
	double change = (double)box->value - (double)old, most;
	size_t step = 0;

	most = old > box->value ? (double)old : (double)box->value;
	while (step < ARRAY_SIZE(steps) && fabs(change) >= steps[step] * most)
		step++;
	if (step == 0)
		fputs("even", p->out);
	else
		fprintf(p->out, "%s%zu", change > 0 ? "up" : "down", step);
}

/* Functions of one module differ by their shade. */
static void print_class(struct picture *p, const struct flame_box *box)
{
	static const char *const shades[] = { "", " a", " b" };
	const struct call *call = &p->g->tree->calls[box->call];

	if (box->rest)
		fputs("rest", p->out);
	else if (p->g->diff)
		print_growth_class(p, box);
	else if (!call->function)
		fputs("whole", p->out);
	else if (!is_function(p, box))
		fputs("odd", p->out);
	else
		fprintf(p->out, "c%d%s", find_module(p, call->module)->class,
			shades[hash_text(0, call->function) % ARRAY_SIZE(shades)]);
}

/* ---- boxes */

static unsigned level_top(const struct picture *p, uint32_t depth)
{
	return TOP + ROW * (p->g->callers ? p->g->flame->deepest - depth : depth);
}

static void print_title(
	const struct picture *p, const struct flame_box *box, const char *name, struct strbuf *s)
{
	const struct call *call = &p->g->tree->calls[box->call];

	strbuf_clear(s);
	strbuf_add_name(s, name, NAME_MOST);
	if (is_function(p, box) && (call->file || call->module)) {
		strbuf_add(s, "\n");
		add_place(p, call, s);
	}
	strbuf_add(s, "\n");
	add_figures(p, box, s);
	fputs("<title>", p->out);
	print_xml(p, strbuf_text(s));
	fputs("</title>", p->out);
}

static void print_label(const struct picture *p, const struct flame_box *box, const char *name,
	double x, double width)
{
	struct strbuf label = { 0 }, figure = { 0 };
	double room = (width - 2 * PAD) / LETTER;
	size_t columns = room > 0 ? (size_t)room : 0;

	if (columns < LABEL_LEAST)
		return;
	add_figure(p->g, box, &figure);
	strbuf_add_name(&label, name, columns);
	fprintf(p->out, "<text x=\"%.1f\" y=\"%u\">", x + PAD, level_top(p, box->depth) + 12);
	print_xml(p, label.text);
	if (text_width(label.text) + FIGURE_GAP + text_width(figure.text) <= columns)
		fprintf(p->out, "<tspan dx=\"8\">%s</tspan>", figure.text);
	fputs("</text>", p->out);
	strbuf_release(&label);
	strbuf_release(&figure);
}

static void print_box(struct picture *p, const struct flame_box *box)
{
	double x = FLAME_MARGIN + box->start * p->scale, width = box->width * p->scale;
	struct strbuf name = { 0 }, title = { 0 };

	add_name(p->g, box, &name);
	fputs("<g class=\"", p->out);
	print_class(p, box);
	fprintf(p->out, "\" data-s=\"%.0f\" data-v=\"%.0f\">", box->start, box->width);
	print_title(p, box, strbuf_text(&name), &title);
	/* A gap tells a box from the next one. */
	fprintf(p->out, "<rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%d\"/>", x,
		level_top(p, box->depth), width > 0.6 ? width - 0.5 : 0.1, BOX);
	print_label(p, box, strbuf_text(&name), x, width);
	fputs("</g>\n", p->out);
	strbuf_release(&name);
	strbuf_release(&title);
}

/* ---- heading */

static void print_note(
	const struct picture *p, const char *class, double x, unsigned y, const char *text)
{
	fprintf(p->out, "<text class=\"%s\" x=\"%.0f\" y=\"%u\">", class, x, y);
	print_xml(p, text);
	fputs("</text>\n", p->out);
}

static void add_program(const struct flamegraph *g, struct strbuf *s)
{
	const char *program = trace_program(g->trace);

	if (g->trace->process_count)
		add_plural(s, g->trace->process_count, "process");
	else
		strbuf_add_visible(s, *program ? path_base(program) : "unknown program");
}

/* "app: 1.19 MiB in use at the peak". */
static void add_heading(const struct flamegraph *g, struct strbuf *s)
{
	add_program(g, s);
	strbuf_add(s, ": ");
	if (!g->flame->count) {
		strbuf_addf(s, g->match ? "no stack matches" : "nothing %s", phrase(g));
		return;
	}
	add_measure(g, g->flame->boxes[0].value, s);
	strbuf_addf(s, " %s", phrase(g));
	if (g->diff) {
		strbuf_add(s, ", ");
		add_change(g, g->diff->old[0], g->flame->boxes[0].value, s);
		strbuf_add(s, " (");
		add_growth_of(g, &g->flame->boxes[0], s);
		strbuf_add(s, ")");
	}
}

static void add_explanation(const struct flamegraph *g, struct strbuf *s)
{
	if (!g->flame->count)
		return;
	strbuf_addf(s, "%s; as wide as its %s%s %s.",
		g->callers ? "Above each box, who called it" : "Below each box, what it called",
		measure_is_bytes(g->key) ? "memory" : phrases[g->key].count,
		measure_is_bytes(g->key) ? "" : "s", phrase(g));
	if (g->trace->header.sample_bytes)
		strbuf_add(s, " Figures are estimates, from samples.");
	if (g->diff)
		strbuf_add(s, " The redder, the more of it is growth.");
	if (g->diff && g->diff->gone_calls) {
		strbuf_addf(s, " %zu %s with ", g->diff->gone_calls,
			g->diff->gone_calls == 1 ? "call" : "calls");
		add_measure(g, g->diff->gone, s);
		strbuf_addf(s, " %s gone.", g->diff->gone_calls == 1 ? "is" : "are");
	}
	if (g->match) {
		strbuf_add(s, " Only stacks with ");
		strbuf_add_visible(s, g->match);
		strbuf_add(s, ".");
	}
	if (g->flame->without)
		strbuf_addf(s, " %zu %s too narrow for a box.", g->flame->without,
			g->flame->without == 1 ? "call is" : "calls are");
}

/* A colour and what it means; where the next may begin. */
static double print_swatch(const struct picture *p, const char *class, double x, const char *text)
{
	const unsigned y = TOP - 22;

	fprintf(p->out,
		"<g class=\"%s\"><rect x=\"%.0f\" y=\"%u\" width=\"12\" height=\"12\"/></g>", class,
		x, y);
	if (*text)
		print_note(p, "key", x + 17, y + 10, text);
	return x + 17 + LETTER * (double)text_width(text) + 16;
}

static void print_module_swatches(const struct picture *p)
{
	double x = FLAME_MARGIN;

	for (int class = 0; class <= MODULE_CLASSES; class ++) {
		struct strbuf text = { 0 };
		char name[UNIT_TEXT];

		for (size_t i = 0; i < p->module_count && !text.size; i++) {
			const struct module *m = &p->modules[i];

			if (m->class != class)
				continue;
			if (class == RUNTIME_CLASS)
				strbuf_add(&text, "run-time libraries");
			else if (class == MODULE_CLASSES)
				strbuf_add(&text, "other code");
			else
				strbuf_add_visible(&text, paths_short(p->paths, m->path));
		}
		snprintf(name, sizeof(name), "c%d", class);
		if (text.size && x < FLAME_WIDTH - 150)
			x = print_swatch(p, name, x, text.text);
		strbuf_release(&text);
	}
}

static void print_growth_swatches(const struct picture *p)
{
	static const struct {
		const char *class, *text;
	} steps[] = { { "down4", "" }, { "down3", "" }, { "down2", "" }, { "down1", "less" },
		{ "even", "unchanged" }, { "up1", "" }, { "up2", "" }, { "up3", "" },
		{ "up4", "more, or new" } };
	double x = FLAME_MARGIN;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		x = print_swatch(p, steps[i].class, x, steps[i].text);
		x -= *steps[i].text ? 0 : 20;
	}
}

/* "old.mtrace → new.mtrace: app --option". */
static void add_command(const struct flamegraph *g, struct strbuf *s)
{
	struct strbuf command = { 0 };

	summary_command(g->trace, COMMAND_MOST, &command);
	if (g->diff) {
		strbuf_add_visible(s, path_base(g->old->path));
		strbuf_add(s, " → ");
		strbuf_add_visible(s, path_base(g->trace->path));
		strbuf_add(s, ": ");
	}
	strbuf_add_visible(s, strbuf_text(&command));
	strbuf_release(&command);
}

/* A line of the heading, as much of it as the picture has room for. */
static void print_line(const struct picture *p, unsigned y, const struct strbuf *text)
{
	struct strbuf line = { 0 };

	strbuf_add_cut(&line, strbuf_text(text), LINE_MOST);
	print_note(p, "note", FLAME_MARGIN, y, strbuf_text(&line));
	strbuf_release(&line);
}

static void print_heading(const struct picture *p)
{
	struct strbuf heading = { 0 }, command = { 0 }, text = { 0 };

	add_heading(p->g, &heading);
	add_command(p->g, &command);
	add_explanation(p->g, &text);
	fputs("<title>", p->out);
	print_xml(p, heading.text);
	fputs("</title>\n<desc>", p->out);
	print_xml(p, strbuf_text(&text));
	fputs("</desc>\n<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n", p->out);
	print_note(p, "title", FLAME_MARGIN, 26, heading.text);
	print_line(p, 46, &command);
	print_line(p, 63, &text);
	if (p->g->diff)
		print_growth_swatches(p);
	else
		print_module_swatches(p);
	strbuf_release(&heading);
	strbuf_release(&command);
	strbuf_release(&text);
}

/* ---- the whole */

static void print_picture(struct picture *p)
{
	const struct flamegraph *g = p->g;
	unsigned height = TOP + ROW * (g->flame->deepest + 1) + FLAME_MARGIN;

	fprintf(p->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flame\" width=\"%d\" "
		"height=\"%u\" viewBox=\"0 0 %d %u\" role=\"img\" data-row=\"%d\" "
		"data-margin=\"%d\" data-unit=\"%s\"%s%s>\n",
		FLAME_WIDTH, height, FLAME_WIDTH, height, ROW, FLAME_MARGIN,
		measure_is_bytes(g->key) ? "bytes" : "blocks",
		g->callers ? " data-upwards=\"\"" : "", g->diff ? " data-growth=\"\"" : "");
	fprintf(p->out, "<style>\n%s</style>\n", flamegraph_css);
	print_heading(p);
	fputs("<g class=\"boxes\">\n", p->out);
	for (size_t i = 0; i < g->flame->count; i++)
		print_box(p, &g->flame->boxes[i]);
	fprintf(p->out, "</g>\n<script><![CDATA[\n%s]]></script>\n</svg>\n", flamegraph_js);
}

void flamegraph_write(const struct flamegraph *g, FILE *out)
{
	struct picture p = { .g = g, .out = out };

	if (g->flame->count) {
		p.whole = g->flame->boxes[0].width;
		p.scale = (FLAME_WIDTH - 2 * FLAME_MARGIN) / p.whole;
	}
	look_at_modules(&p);
	print_picture(&p);
	hashmap_release(&p.module_index);
	paths_free(p.paths);
	free(p.modules);
}
