/* SPDX-License-Identifier: MIT */
/* cmd_info.c - mtracer info: what a trace is, how it was made, how large it is, and what is missing
 * from it. */
#include "analyzer/base/array.h"
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/print/notes.h"
#include "analyzer/print/summary.h"
#include "analyzer/trace/measures.h"
#include "analyzer/trace/processes.h"
#include "analyzer/trace/tables.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/reading.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEPTH_SHOWN 20 /* of the tree of processes */

struct values {
	bool json;
	struct reading_options reading;
};

static const struct option_row options[] = {
	{ OPTION_FLAG, "json", 'j', NULL, "print JSON", offsetof(struct values, json), NULL },
	WIDE_OPTION_ROW(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};

struct info {
	const struct trace *trace;
	struct totals totals;
	uint32_t sites; /* that allocated */
	uint64_t table_bytes;
};

static uint64_t bytes_of_table(const struct trace *t, int table)
{
	return t->header.tables[table].count * t->header.tables[table].record_size;
}

static struct info collect(const struct trace *t)
{
	struct info info = { .trace = t };
	struct measures *sites = site_measures(t);

	info.totals = program_totals(t, sites);
	for (uint32_t i = 1; i < t->site_count; i++)
		info.sites += sites[i].allocations > 0;
	for (int i = 0; i < MT_TABLES_USED; i++)
		info.table_bytes += bytes_of_table(t, i);
	free(sites);
	return info;
}

static void add_build_id(struct strbuf *text, const struct mt_module *m)
{
	for (int i = 0; i < m->build_id_size; i++)
		strbuf_addf(text, "%02x", m->build_id[i]);
}

static const char *kind_of_module(const struct mt_module *m)
{
	if (m->flags & MT_MODULE_SELF)
		return "tracer";
	if (m->flags & MT_MODULE_VDSO)
		return "vdso";
	return m->flags & MT_MODULE_EXE ? "program" : "library";
}

/* Local time, as in "2024-05-01 12:30:05 +0200". */
static char *format_time(char text[40], uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(text, 40, "%Y-%m-%d %H:%M:%S %z", &tm))
		strcpy(text, "unknown");
	return text;
}

/* ---- for machines */

static void json_modules(const struct trace *t, struct json *j)
{
	json_array(j, "modules", t->module_count < 2);
	for (uint32_t i = 1; i < t->module_count; i++) {
		const struct mt_module *m = &t->modules[i];
		struct strbuf build_id = { 0 };

		add_build_id(&build_id, m);
		json_object(j, NULL, true);
		json_text(j, "path", trace_string(t, m->path));
		json_text(j, "kind", kind_of_module(m));
		json_text(j, "build_id", build_id.size ? build_id.text : NULL);
		json_unsigned(j, "start", m->start);
		json_unsigned(j, "end", m->end);
		json_unsigned(j, "bias", m->bias);
		json_unsigned(j, "load_ns", m->load_ns);
		json_known(j, "unload_ns", m->unload_ns);
		json_close(j);
		strbuf_release(&build_id);
	}
	json_close(j);
}

static void json_tables(const struct trace *t, struct json *j)
{
	json_array(j, "tables", false);
	for (int i = 0; i < MT_TABLES_USED; i++) {
		json_object(j, NULL, true);
		json_text(j, "name", trace_table_name(i));
		json_unsigned(j, "records", t->header.tables[i].count);
		json_unsigned(j, "bytes", bytes_of_table(t, i));
		json_close(j);
	}
	json_close(j);
}

static void json_threads(const struct trace *t, struct json *j)
{
	json_array(j, "threads", t->lane_count == 0);
	for (uint32_t i = 0; i < t->lane_count; i++) {
		const struct mt_lane *lane = &t->lanes[i];

		json_object(j, NULL, true);
		json_text(j, "thread", lane->name[0] ? lane->name : NULL);
		json_unsigned(j, "tid", lane->tid);
		json_unsigned(j, "threads", lane->threads);
		json_unsigned(j, "start_ns", lane->start_ns);
		json_known(j, "end_ns", lane->end_ns);
		json_unsigned(j, "max_unpublished", lane->max_unpublished);
		json_close(j);
	}
	json_close(j);
}

/* Numbers of blocks are in so many parts of one. */
static int64_t unit_of(const struct trace *t)
{
	return t->header.sample_unit ? (int64_t)t->header.sample_unit : 1;
}

static void json_snapshots(const struct trace *t, struct json *j)
{
	json_array(j, "snapshots", t->snapshot_count == 0);
	for (uint32_t i = 0; i < t->snapshot_count; i++) {
		const struct mt_snapshot *s = &t->snapshots[i];

		json_object(j, NULL, true);
		json_unsigned(j, "ns", s->ns);
		json_text(j, "label", trace_string(t, s->label));
		json_unsigned(j, "current_bytes", s->live_bytes);
		json_unsigned(j, "current_blocks", s->live_blocks / (uint64_t)unit_of(t));
		json_unsigned(j, "allocated_bytes", s->allocated_bytes);
		json_unsigned(j, "allocations", s->allocations / (uint64_t)unit_of(t));
		json_unsigned(j, "temporary", s->temporary / (uint64_t)unit_of(t));
		json_close(j);
	}
	json_close(j);
	json_unsigned(j, "lost_snapshots", t->header.lost_snapshots);
}

static void json_recording(const struct info *info, struct json *j)
{
	const struct mt_header *h = &info->trace->header;

	json_object(j, "recording", false);
	json_unsigned(j, "format", h->version);
	json_text(j, "directory", trace_directory(info->trace));
	json_unsigned(j, "parent_pid", h->parent_pid);
	json_known(j, "forked_from", h->forked_from);
	json_unsigned(j, "start_ns", h->start_ns);
	json_unsigned(j, "depth", h->depth);
	json_unsigned(j, "sample_bytes", h->sample_bytes);
	json_bool(j, "enabled", h->enabled & MT_ENABLED_RECORD);
	json_unsigned(j, "foreign_frees", h->foreign_frees);
	json_unsigned(j, "missed_frees", h->missed_frees);
	json_unsigned(j, "overlaid_frees", h->overlaid_frees);
	json_unsigned(j, "broken_stacks", h->broken_stacks);
	json_unsigned(j, "file_bytes", info->trace->file_size);
	json_unsigned(j, "table_bytes", info->table_bytes);
	json_unsigned(j, "call_sites", info->sites);
	json_close(j);
}

static void print_json(const struct info *info)
{
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL, false);
	summary_json(info->trace, &info->totals, &j);
	json_recording(info, &j);
	if (info->trace->process_count)
		processes_json(info->trace, &j);
	json_tables(info->trace, &j);
	json_threads(info->trace, &j);
	json_snapshots(info->trace, &j);
	json_modules(info->trace, &j);
	json_close(&j);
	json_finish(&j);
}

/* ---- human-readable */

__attribute__((format(printf, 2, 3))) static void print_field(
	const char *name, const char *format, ...)
{
	struct strbuf text = { 0 };
	char *value;
	va_list args;

	va_start(args, format);
	if (vasprintf(&value, format, args) < 0)
		value = NULL;
	va_end(args);
	strbuf_add_clean(&text, value ? value : "");
	if (text.size)
		printf("%-10s %s\n", name, text.text);
	strbuf_release(&text);
	free(value);
}

static void print_process(const struct trace *t)
{
	const struct mt_header *h = &t->header;
	struct strbuf text = { 0 };
	char time[40];
	char run_time[UNIT_TEXT];
	uint64_t ns;
	bool exact = trace_run_time(t, &ns);

	if (t->process_count) {
		summary_command(t, 0, &text);
		print_field("sum of", "%s", strbuf_text(&text));
	} else {
		print_field("program", "%s", trace_program(t));
		summary_command(t, 0, &text);
		print_field("command", "%s", strbuf_text(&text));
		print_field("directory", "%s", trace_directory(t));
		print_field("process", "%u, parent %u", h->pid, h->parent_pid);
	}
	print_field("host", "%s", trace_host(t));
	print_field("started", "%s", format_time(time, h->start_ns));
	strbuf_clear(&text);
	summary_states(t, &text);
	print_field("ran", "%s%s, %s", exact ? "" : "at least ", format_duration(run_time, ns),
		strbuf_text(&text));
	strbuf_release(&text);
}

/* Of several processes, what they held at one time: that each had a peak says little. */
static void print_peak(const struct info *info)
{
	const struct totals *totals = &info->totals;
	const struct measures *m = &totals->all;
	struct process_totals processes = process_totals(info->trace);
	char a[UNIT_TEXT], b[UNIT_TEXT], c[UNIT_TEXT];

	if (processes.count > 1)
		print_field("peak",
			"at most %s at one time; the largest process %s; the sum of the %u peaks "
			"%s",
			format_bytes(a, (int64_t)processes.peak_at_most),
			format_bytes(b, (int64_t)processes.peak_at_least), processes.count,
			format_bytes(c, (int64_t)m->peak_bytes));
	else if (totals->peak_error_bytes)
		print_field("peak", "%s (%llu bytes), within %s",
			format_bytes(a, (int64_t)m->peak_bytes), (unsigned long long)m->peak_bytes,
			format_bytes(b, (int64_t)totals->peak_error_bytes));
	else
		print_field("peak", "%s%s (%llu bytes)", m->peak_is_bound ? "at most " : "",
			format_bytes(a, (int64_t)m->peak_bytes), (unsigned long long)m->peak_bytes);
}

static void print_measures(const struct info *info)
{
	const struct measures *m = &info->totals.all;
	char a[UNIT_TEXT];

	print_peak(info);
	print_field("current", "%s (%lld bytes), blocks: %lld", format_bytes(a, m->current_bytes),
		(long long)m->current_bytes, (long long)m->current_blocks);
	print_field("allocated", "%s, allocations: %llu, frees: %llu, temporary: %llu",
		format_bytes(a, (int64_t)m->allocated_bytes), (unsigned long long)m->allocations,
		(unsigned long long)m->frees, (unsigned long long)m->temporary);
}

static void print_recording(const struct info *info)
{
	const struct trace *t = info->trace;
	const struct mt_header *h = &t->header;
	char a[UNIT_TEXT], b[UNIT_TEXT];

	print_field("recording", "format %u, up to %u frames a stack, %s", h->version, h->depth,
		h->sample_bytes ? "sampled" : "every allocation");
	if (info->sites)
		print_field("file",
			"%s, of which %s in use: %llu bytes a call site, call sites: %u",
			format_bytes(a, (int64_t)t->file_size),
			format_bytes(b, (int64_t)info->table_bytes),
			(unsigned long long)(info->table_bytes / info->sites), info->sites);
	else
		print_field("file", "%s, of which %s in use, call sites: 0",
			format_bytes(a, (int64_t)t->file_size),
			format_bytes(b, (int64_t)info->table_bytes));
}

static void print_notes(const struct trace *t)
{
	struct notes notes = notes_of(t);

	print_field("complete", "%s", trace_is_complete(t) ? "yes" : "no");
	for (size_t i = 0; i < notes.count; i++)
		printf("%s- %s%s\n", style(notes.items[i].loss ? STYLE_WARNING : STYLE_PLAIN),
			notes.items[i].text, style(STYLE_PLAIN));
	notes_release(&notes);
}

static void print_tables(const struct trace *t)
{
	struct table *table = table_new();
	char text[UNIT_TEXT];

	table_column(table, "table", ALIGN_LEFT);
	table_column(table, "records", ALIGN_RIGHT);
	table_column(table, "bytes", ALIGN_RIGHT);
	for (int i = 0; i < MT_TABLES_USED; i++) {
		if (t->header.tables[i].count == 0)
			continue;
		table_row(table);
		table_cell(table, trace_table_name(i));
		table_cell(table, format_count(text, (int64_t)t->header.tables[i].count));
		table_cell(table, format_count(text, (int64_t)bytes_of_table(t, i)));
	}
	table_print(table, stdout);
	table_free(table);
}

static void print_threads(const struct trace *t)
{
	struct table *table = table_new();
	char text[UNIT_TEXT];

	table_column(table, "thread", ALIGN_LEFT);
	table_column(table, "tid", ALIGN_RIGHT);
	table_column(table, "started", ALIGN_RIGHT);
	table_column(table, "ended", ALIGN_RIGHT);
	table_column(table, "threads before it", ALIGN_RIGHT);
	for (uint32_t i = 0; i < t->lane_count; i++) {
		const struct mt_lane *lane = &t->lanes[i];

		table_row(table);
		table_cell(table, lane->name[0] ? lane->name : "?");
		table_cell(table, format_count(text, lane->tid));
		table_cell(table, format_duration(text, lane->start_ns));
		table_cell(table, lane->end_ns ? format_duration(text, lane->end_ns) : "");
		table_cell(table, lane->threads > 1 ? format_count(text, lane->threads - 1) : "");
	}
	table_print(table, stdout);
	table_free(table);
}

static void print_snapshots(const struct trace *t)
{
	struct table *table = table_new();
	char text[UNIT_TEXT];

	table_column(table, "snapshot", ALIGN_LEFT);
	table_column(table, "at", ALIGN_RIGHT);
	table_column(table, "current", ALIGN_RIGHT);
	table_column(table, "blocks", ALIGN_RIGHT);
	table_column(table, "allocated", ALIGN_RIGHT);
	table_column(table, "allocs", ALIGN_RIGHT);
	for (uint32_t i = 0; i < t->snapshot_count; i++) {
		const struct mt_snapshot *s = &t->snapshots[i];

		table_row(table);
		table_cell(table, trace_string(t, s->label));
		table_cell(table, format_duration(text, s->ns));
		table_cell(table, format_bytes(text, (int64_t)s->live_bytes));
		table_cell(table, format_count(text, (int64_t)s->live_blocks / unit_of(t)));
		table_cell(table, format_bytes(text, (int64_t)s->allocated_bytes));
		table_cell(table, format_count(text, (int64_t)s->allocations / unit_of(t)));
	}
	table_print(table, stdout);
	table_free(table);
}

static void print_modules(const struct trace *t)
{
	struct table *table = table_new();
	char text[UNIT_TEXT];

	table_column(table, "module", ALIGN_LEFT);
	table_column(table, "build-id", ALIGN_LEFT);
	table_spare(table, 2);
	table_column(table, "loaded", ALIGN_RIGHT);
	table_spare(table, 1);
	table_column(table, "unloaded", ALIGN_RIGHT);
	table_column(table, "path", ALIGN_LEFT);
	table_shorten(table, strbuf_add_path);
	for (uint32_t i = 1; i < t->module_count; i++) {
		const struct mt_module *m = &t->modules[i];
		struct strbuf build_id = { 0 };

		add_build_id(&build_id, m);
		table_row(table);
		table_cell(table, kind_of_module(m));
		table_cell(table, build_id.size ? build_id.text : "none");
		table_cell(table, format_duration(text, m->load_ns));
		table_cell(table, m->unload_ns ? format_duration(text, m->unload_ns) : "");
		table_cell(table, trace_string(t, m->path));
		strbuf_release(&build_id);
	}
	table_print(table, stdout);
	table_free(table);
}

/* "1234 cc1", below who started it; "exec as" below what the process ran before. */
static void add_process(struct table *table, const struct trace *t, const struct process_node *node)
{
	const struct mt_process *p = &t->processes[node->index];
	struct strbuf text = { 0 };
	char unit[UNIT_TEXT];

	for (uint32_t i = 0; i < node->depth && i < DEPTH_SHOWN; i++)
		strbuf_add(&text, "  ");
	strbuf_addf(&text, "%u", p->pid);
	table_row(table);
	table_cell(table, strbuf_text(&text));
	strbuf_clear(&text);
	strbuf_addf(&text, "%s%s", node->continues ? "then " : "",
		path_base(trace_string(t, p->program)));
	strbuf_add(&text, p->forked_from ? " (forked)" : "");
	table_cell(table, strbuf_text(&text));
	strbuf_clear(&text);
	process_state_text(t, node->index, &text);
	table_cell(table, strbuf_text(&text));
	table_cell(table,
		p->end_ns > p->start_ns ? format_duration(unit, p->end_ns - p->start_ns) : "");
	table_cell(table, format_bytes(unit, (int64_t)p->peak_bytes));
	table_cell(table, format_bytes(unit, (int64_t)p->current_bytes));
	table_cell(table, format_bytes(unit, (int64_t)p->allocated_bytes));
	table_cell(table, format_count(unit, (int64_t)p->allocations));
	strbuf_release(&text);
}

static void print_processes(const struct trace *t)
{
	static const char *const numbers[] = { "ran", "peak", "current", "allocated", "allocs" };
	static const unsigned spare[] = { 3, 0, 0, 1, 2 };
	struct process_node *nodes = process_tree(t);
	struct table *table = table_new();

	table_column(table, "process", ALIGN_LEFT);
	table_shorten(table, strbuf_add_path);
	table_column(table, "program", ALIGN_LEFT);
	table_shorten(table, strbuf_add_name);
	table_column(table, "state", ALIGN_LEFT);
	table_shorten(table, strbuf_add_name);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		table_column(table, numbers[i], ALIGN_RIGHT);
		table_spare(table, spare[i]);
	}
	for (uint32_t i = 0; i < t->process_count; i++)
		add_process(table, t, &nodes[i]);
	table_print(table, stdout);
	table_free(table);
	free(nodes);
	putchar('\n');
}

static void print_text(const struct values *v, const struct info *info)
{
	const struct trace *t = info->trace;

	output_start(&v->reading, 0);
	print_process(t);
	print_measures(info);
	print_recording(info);
	print_notes(t);
	putchar('\n');
	if (t->process_count)
		print_processes(t);
	print_tables(t);
	if (t->lane_count) {
		putchar('\n');
		print_threads(t);
	}
	if (t->snapshot_count) {
		putchar('\n');
		print_snapshots(t);
	}
	if (t->module_count > 1) {
		putchar('\n');
		print_modules(t);
	}
}

/* ---- the command */

static int run(const void *values, int argc, char **argv)
{
	const struct values *v = values;
	struct info info;
	struct trace *t;

	t = reading_trace(argv[0]);
	if (!t)
		return EXIT_ERROR;
	info = collect(t);
	if (v->json)
		print_json(&info);
	else
		print_text(v, &info);
	trace_free(t);
	return EXIT_OK;
}

const struct command cmd_info = {
	.name = "info",
	.usage = "[OPTION]... [TRACE|PID]",
	.summary = "show metadata and recording gaps",
	.options = options,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
