/* SPDX-License-Identifier: MIT */
/* timeline_svg.c - writes the picture, from the back to the front. */
#include "analyzer/print/timeline_svg.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/xml.h"
#include "analyzer/base/units.h"
#include "analyzer/print/timeline_plot.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH 960.0
#define LEFT 90.0 /* of the curve, in the picture */
#define RIGHT 930.0
#define TOP 56.0
#define BOTTOM 386.0
#define LEGEND 446.0 /* its first line */
#define LEGEND_LINE 20.0
#define NAME_MOST 60   /* characters in the legend */
#define MARKS_NAMED 40 /* on the curve; later ones are lines */
#define TIME_TICKS 8   /* at most */
#define SPREAD 14.0    /* between the names of two marks */

struct picture {
	FILE *out;
	const struct timeline *t;
	const struct svg_options *o;
	uint64_t most; /* bytes at the top */
};

/* ---- texts and places */

/* Whatever it holds. */
static void put_text(FILE *out, const char *text)
{
	struct strbuf seen = { 0 }, xml = { 0 };

	strbuf_add_visible(&seen, text);
	strbuf_add_xml(&xml, strbuf_text(&seen));
	fputs(strbuf_text(&xml), out);
	strbuf_release(&seen);
	strbuf_release(&xml);
}

static double x_of(const struct picture *p, uint64_t ns)
{
	double part = p->t->end_ns ? (double)ns / (double)p->t->end_ns : 0;

	return LEFT + (part < 1 ? part : 1) * (RIGHT - LEFT);
}

static double y_of(const struct picture *p, uint64_t bytes)
{
	double part = p->most ? (double)bytes / (double)p->most : 0;

	return BOTTOM - (part < 1 ? part : 1) * (BOTTOM - TOP);
}

/* ---- the areas: heights are kept until the next point */

static void put_step(const struct picture *p, double x, double y)
{
	fprintf(p->out, "H%.1fV%.1f", x, y);
}

/* Between two curves, forwards along the upper and back along the lower one. */
static void put_area(
	const struct picture *p, const uint64_t *lower, const uint64_t *upper, size_t colour)
{
	const struct timeline *t = p->t;

	fprintf(p->out, "<path class=\"a c%zu\" d=\"M%.1f,%.1f", colour, x_of(p, t->points[0].p.ns),
		y_of(p, upper[0]));
	for (size_t i = 1; i < t->count; i++)
		put_step(p, x_of(p, t->points[i].p.ns), y_of(p, upper[i]));
	fprintf(p->out, "V%.1f", y_of(p, lower[t->count - 1]));
	for (size_t i = t->count - 1; i > 0; i--)
		fprintf(p->out, "V%.1fH%.1f", y_of(p, lower[i - 1]),
			x_of(p, t->points[i - 1].p.ns));
	fputs("Z\"/>\n", p->out);
}

static void put_areas(const struct picture *p)
{
	const struct timeline *t = p->t;
	uint64_t *series = timeline_series(t, 0, p->o->rows);
	uint64_t *lower = mem_zalloc(t->count, sizeof(*lower));
	uint64_t *upper = mem_zalloc(t->count, sizeof(*upper));

	for (size_t row = 0; row < p->o->rows; row++) {
		for (size_t i = 0; i < t->count; i++)
			upper[i] = lower[i] + series[row * t->count + i];
		put_area(p, lower, upper, row);
		memcpy(lower, upper, t->count * sizeof(*lower));
	}
	for (size_t i = 0; i < t->count; i++)
		upper[i] =
			t->points[i].p.live_bytes > lower[i] ? t->points[i].p.live_bytes : lower[i];
	put_area(p, lower, upper, SVG_ROWS);
	free(series);
	free(lower);
	free(upper);
}

static void put_rss(const struct picture *p)
{
	const struct timeline *t = p->t;
	bool any = false;

	if (!plot_has_rss(t))
		return;
	fputs("<path class=\"rss\" d=\"", p->out);
	for (size_t i = 0; i < t->count; i++) {
		uint64_t bytes = timeline_rss(&t->points[i]);

		if (!bytes)
			continue;
		if (any)
			put_step(p, x_of(p, t->points[i].p.ns), y_of(p, bytes));
		else
			fprintf(p->out, "M%.1f,%.1f", x_of(p, t->points[i].p.ns), y_of(p, bytes));
		any = true;
	}
	fputs("\"/>\n", p->out);
}

/* ---- axes */

/* A power of two, so that the numbers at the lines are round. */
static uint64_t byte_step(uint64_t most)
{
	uint64_t step = 1;

	while (step < most / 5 && step < UINT64_MAX / 2)
		step *= 2;
	return step;
}

/* 1, 2 or 5 of a power of ten. */
static uint64_t time_step(uint64_t most)
{
	static const uint64_t factors[] = { 1, 2, 5 };

	for (uint64_t power = 1; power < UINT64_MAX / 100; power *= 10)
		for (size_t i = 0; i < 3; i++)
			if (most / (factors[i] * power) <= TIME_TICKS)
				return factors[i] * power;
	return most;
}

/* None where the end itself would be in its way. */
static void put_times(const struct picture *p)
{
	uint64_t end = p->t->end_ns, step = time_step(end);
	char text[UNIT_TEXT];

	for (uint64_t ns = 0; ns < end - end / TIME_TICKS / 2; ns += step)
		fprintf(p->out, "<text class=\"mid\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			x_of(p, ns), BOTTOM + 20, ns ? format_duration(text, ns) : "0");
	fprintf(p->out, "<text class=\"mid\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", RIGHT, BOTTOM + 20,
		format_duration(text, end));
}

static void put_axes(const struct picture *p)
{
	uint64_t step = byte_step(p->most);
	char text[UNIT_TEXT];

	for (uint64_t at = 0; at <= p->most && p->most - at <= p->most; at += step) {
		fprintf(p->out,
			"<path class=\"grid\" d=\"M%.1f,%.1fH%.1f\"/><text class=\"end\" "
			"x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			LEFT, y_of(p, at), RIGHT, LEFT - 8, y_of(p, at) + 4,
			format_bytes(text, (int64_t)at));
		if (at > UINT64_MAX - step)
			break;
	}
	put_times(p);
}

/* ---- the peak and the marks */

static void put_peak(const struct picture *p)
{
	double x = x_of(p, p->o->peak_ns), y = y_of(p, p->o->peak_bytes);
	char bytes[UNIT_TEXT], time[UNIT_TEXT];

	if (!p->o->peak_ns)
		return;
	/* A short spike's area is too narrow to be seen. */
	fprintf(p->out, "<path class=\"at\" d=\"M%.1f,%.1fV%.1f\"/>", x, y, BOTTOM);
	fprintf(p->out,
		"<circle class=\"peak\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>peak %s at "
		"%s</title></circle>\n",
		x, y, format_bytes(bytes, (int64_t)p->o->peak_bytes),
		format_duration(time, p->o->peak_ns));
}

static void put_marks(const struct picture *p)
{
	double last = -SPREAD;
	size_t named = 0;

	for (size_t i = 0; i < p->t->count; i++) {
		const struct timeline_point *point = &p->t->points[i];
		double x = x_of(p, point->p.ns);

		if (point->p.kind != MT_POINT_MARK)
			continue;
		fprintf(p->out, "<g class=\"mark\"><path d=\"M%.1f,%.1fV%.1f\"/><title>", x, TOP,
			BOTTOM);
		put_text(p->out, point->label);
		fputs("</title>", p->out);
		if (x - last >= SPREAD && named++ < MARKS_NAMED) {
			fprintf(p->out,
				"<text class=\"end\" transform=\"translate(%.1f,%.1f) "
				"rotate(-90)\">",
				x - 3, TOP + 4);
			put_text(p->out, point->label);
			fputs("</text>", p->out);
			last = x;
		}
		fputs("</g>\n", p->out);
	}
}

/* ---- the legend */

static void put_name(const struct picture *p, const char *name)
{
	struct strbuf text = { 0 };
	size_t size = 0, count = 0;

	strbuf_add_clean(&text, name);
	for (const char *at = strbuf_text(&text); *at && count < NAME_MOST; count++) {
		size_t more = utf8_character(at);

		at += more ? more : 1;
		size = (size_t)(at - strbuf_text(&text));
	}
	if (text.size > size) {
		text.text[text.size = size] = '\0';
		strbuf_add(&text, "…");
	}
	put_text(p->out, strbuf_text(&text));
	strbuf_release(&text);
}

/* In two columns. */
static void put_entry(const struct picture *p, size_t at, const char *class, const char *name)
{
	double x = LEFT + (double)(at % 2) * (RIGHT - LEFT) / 2;
	size_t line = at / 2;
	double y = LEGEND + (double)line * LEGEND_LINE;

	fprintf(p->out,
		"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\"/><text "
		"x=\"%.1f\" y=\"%.1f\">",
		class, x, y - 10, x + 18, y);
	put_name(p, name);
	fputs("</text>\n", p->out);
}

static size_t legend_size(const struct picture *p)
{
	return p->o->rows + 1 + plot_has_rss(p->t);
}

static void put_legend(const struct picture *p)
{
	char class[32];

	for (size_t i = 0; i < p->o->rows; i++) {
		snprintf(class, sizeof(class), "a c%zu", i);
		put_entry(p, i, class, p->o->names[i]);
	}
	snprintf(class, sizeof(class), "a c%d", SVG_ROWS);
	put_entry(p, p->o->rows, class, "other lines");
	if (plot_has_rss(p->t))
		put_entry(p, p->o->rows + 1, "rssbox", "resident memory (RSS)");
}

/* ---- the whole */

static const char style_sheet[] =
	"<style>\n"
	"svg{--page:#fff;--ink:#222;--faint:#ddd;--rss:#555}\n"
	"@media(prefers-color-scheme:dark){svg{--page:#17191c;--ink:#e4e4e4;--faint:#3a3d42;--rss:#"
	"bbb}}\n"
	"text{font:12px "
	"system-ui,sans-serif;fill:var(--ink)}.title{font-size:15px;font-weight:600}\n"
	".end{text-anchor:end}.mid{text-anchor:middle}.page{fill:var(--page)}\n"
	".grid{stroke:var(--faint);fill:none}.a{stroke:none;fill-opacity:.85}\n"
	".rss{fill:none;stroke:var(--rss);stroke-width:1.5;stroke-dasharray:4 3}\n"
	".rssbox{fill:none;stroke:var(--rss);stroke-width:1.5;stroke-dasharray:4 3}\n"
	".mark path{stroke:var(--ink);stroke-dasharray:2 "
	"3}.peak{fill:var(--ink);stroke:var(--page)}\n"
	".at{stroke:var(--ink)}"
	".c0{fill:#4269d0}.c1{fill:#efb118}.c2{fill:#ff725c}.c3{fill:#6cc5b0}.c4{fill:#3ca951}\n"
	".c5{fill:#ff8ab7}.c6{fill:#a463f2}.c7{fill:#97bbf5}.c8{fill:#9c6b4e}.c9{fill:#9498a0}\n"
	"</style>\n";

static void put_head(const struct picture *p)
{
	size_t lines = (legend_size(p) + 1) / 2;
	double height = LEGEND + LEGEND_LINE * (double)lines;
	char bytes[UNIT_TEXT], time[UNIT_TEXT];

	fprintf(p->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
		"width=\"%.0f\" "
		"height=\"%.0f\" role=\"img\">\n<title>memory of ",
		WIDTH, height, WIDTH, height);
	put_text(p->out, p->o->title);
	fprintf(p->out, "</title>\n%s<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n",
		style_sheet);
	fprintf(p->out, "<text class=\"title\" x=\"%.1f\" y=\"24\">", LEFT);
	put_name(p, p->o->title);
	fprintf(p->out, "</text>\n<text x=\"%.1f\" y=\"42\">peak %s", LEFT,
		format_bytes(bytes, (int64_t)p->o->peak_bytes));
	if (p->o->peak_ns)
		fprintf(p->out, " at %s", format_duration(time, p->o->peak_ns));
	fputs("</text>\n", p->out);
}

void timeline_svg(FILE *out, const struct timeline *t, const struct svg_options *options)
{
	struct picture p = { out, t, options, t->bytes_most };

	if (plot_has_rss(t) && t->rss_most > p.most)
		p.most = t->rss_most;
	put_head(&p);
	put_axes(&p);
	put_areas(&p);
	put_rss(&p);
	put_marks(&p);
	put_peak(&p);
	put_legend(&p);
	fputs("</svg>\n", out);
}
