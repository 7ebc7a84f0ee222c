/* SPDX-License-Identifier: MIT */
/* summary.c - a trace in a few lines, human-readable and as JSON. */
#include "analyzer/print/summary.h"
#include "analyzer/base/json.h"
#include "analyzer/base/markdown.h"
#include "analyzer/base/progress.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/print/notes.h"
#include "analyzer/print/row.h"
#include "analyzer/trace/measures.h"
#include "analyzer/trace/processes.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define COMMAND_LIMIT 200 /* bytes of the command line in a headline */

/* ---- the program */

/* An argument as a shell would take it. */
static void add_argument(struct strbuf *text, const char *argument)
{
	if (*argument && !argument[strcspn(argument, " \t\n\"'\\$`*?[]#~;&|<>(){}!")]) {
		strbuf_add(text, argument);
		return;
	}
	strbuf_add(text, "'");
	for (; *argument; argument++) {
		if (*argument == '\'')
			strbuf_add(text, "'\\''");
		else
			strbuf_add_bytes(text, argument, 1);
	}
	strbuf_add(text, "'");
}

void summary_command(const struct trace *t, size_t limit, struct strbuf *text)
{
	struct strbuf raw = { 0 };

	if (t->process_count) {
		processes_headline(t, text);
		return;
	}
	for (size_t i = 0; i < t->command_count && (!limit || raw.size <= limit); i++) {
		if (i)
			strbuf_add(&raw, " ");
		add_argument(&raw, t->command[i]);
	}
	if (t->command_count == 0)
		strbuf_add(&raw, *trace_program(t) ? trace_program(t) : "unknown program");
	if (limit && raw.size > limit) {
		while (((unsigned char)raw.text[limit] & 0xc0) == 0x80)
			limit--; /* not inside a character */
		raw.text[limit] = '\0';
	}
	strbuf_add_clean(text, strbuf_text(&raw));
	if (limit && raw.size > limit)
		strbuf_add(text, " ...");
	strbuf_release(&raw);
}

/* "went on as /bin/true (exec): true.12.mtrace"; what ran last may have left a status. */
static void add_went_on(const struct trace *t, struct strbuf *text)
{
	strbuf_add(text, "went on as ");
	strbuf_add_clean(text, t->went_on_as ? t->went_on_as : "another program");
	strbuf_add(text, " (exec)");
	if (t->successor) {
		strbuf_add(text, ": ");
		strbuf_add_clean(text, t->successor);
	}
}

void summary_state(const struct trace *t, struct strbuf *text)
{
	uint32_t status = t->header.wait_status;
	bool known = t->header.flags & MT_HAS_WAIT_STATUS, went_on = trace_went_on(t);

	if (went_on)
		add_went_on(t, text);
	if (went_on && known)
		strbuf_add(text, ", then ");
	if (t->state == TRACE_RUNNING)
		strbuf_add(text, "still running");
	else if (known && WIFEXITED(status))
		strbuf_addf(text, "exited with status %d", WEXITSTATUS(status));
	else if (known && WIFSIGNALED(status))
		strbuf_addf(text, "%skilled by signal %d (%s)", went_on ? "was " : "",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (went_on)
		return;
	else if (t->state == TRACE_EXITED)
		strbuf_add(text, "exited");
	else
		strbuf_add(text,
			"ended unseen (a signal, a crash, or a system call, as daemon() does)");
}

void summary_states(const struct trace *t, struct strbuf *text)
{
	struct process_totals totals = process_totals(t);

	if (!totals.count) {
		summary_state(t, text);
		return;
	}
	if (totals.running)
		strbuf_addf(text, "%u still running", totals.running);
	if (totals.died)
		strbuf_addf(text, "%s%u died", totals.running ? ", " : "", totals.died);
	if (!totals.running && !totals.died)
		strbuf_add(text, "all exited");
}

/* ---- human-readable */

/* What can be said of one moment: each peak was at a time of its own. */
static void print_peak_at_once(const struct process_totals *totals, FILE *out)
{
	char most[UNIT_TEXT], largest[UNIT_TEXT];

	fprintf(out, "all at one time: at most %s%s%s%s; the largest process %s\n",
		style(STYLE_BOLD), format_bytes(most, (int64_t)totals->peak_at_most),
		style(STYLE_PLAIN),
		totals->forked ? " (counting memory shared with forked children twice)" : "",
		format_bytes(largest, (int64_t)totals->peak_at_least));
}

void summary_moment(const struct trace *t, struct strbuf *text)
{
	const struct trace_moment *m = &t->moment;
	char time[UNIT_TEXT];

	switch (m->kind) {
	case MOMENT_END:
		strbuf_add(text, "the end");
		return;
	case MOMENT_SNAPSHOT:
		strbuf_add(text, "snapshot '");
		strbuf_add_clean(text, m->label);
		strbuf_add(text, "'");
		break;
	case MOMENT_PEAK:
		strbuf_add(text, "the peak");
		break;
	case MOMENT_POINT:
		strbuf_add(text, "the nearest point of the timeline");
		break;
	}
	if (m->ns)
		strbuf_addf(text, ", %s after the start", format_duration(time, m->ns));
}

static void print_moment(const struct trace *t, FILE *out)
{
	struct strbuf text = { 0 };

	summary_moment(t, &text);
	fprintf(out, "%s\n", text.text);
	strbuf_release(&text);
}

static void print_run(const struct trace *t, FILE *out)
{
	struct strbuf state = { 0 };
	char time[UNIT_TEXT];
	uint64_t ns;
	bool exact = trace_run_time(t, &ns);

	if (t->moment.kind != MOMENT_END) {
		print_moment(t, out);
		return;
	}
	summary_states(t, &state);
	fprintf(out, "ran %s%s, %s%s%s\n", exact ? "" : "at least ", format_duration(time, ns),
		style(t->state == TRACE_DIED ? STYLE_WARNING : STYLE_PLAIN), strbuf_text(&state),
		style(STYLE_PLAIN));
	strbuf_release(&state);
}

/* "1.2 MiB ±4 %" */
static void print_bytes(FILE *out, int64_t bytes, double variance)
{
	char a[UNIT_TEXT], b[UNIT_TEXT];

	fprintf(out, "%s%s", format_bytes(a, bytes),
		format_error(b, standard_error(variance), bytes));
}

static void print_count(FILE *out, int64_t count, double variance)
{
	char text[UNIT_TEXT];

	fprintf(out, "%lld%s", (long long)count,
		format_error(text, standard_error(variance), count));
}

/* Of several processes, what the rows add up to: more than they ever held at one time. */
static void print_peak(const struct totals *totals, uint32_t processes, FILE *out)
{
	const struct measures *m = &totals->all;
	bool sum = processes > 1;
	char text[UNIT_TEXT];

	if (sum)
		fprintf(out, "sum of the %u peaks ", processes);
	else
		fprintf(out, "peak %s%s", m->peak_is_bound ? "at most " : "", style(STYLE_BOLD));
	print_bytes(out, (int64_t)m->peak_bytes, m->v.peak_bytes);
	if (!sum)
		fputs(style(STYLE_PLAIN), out);
	if (totals->peak_error_bytes)
		fprintf(out, " (within %s)", format_bytes(text, (int64_t)totals->peak_error_bytes));
}

static const char *moment_word(const struct trace *t)
{
	if (t->moment.kind != MOMENT_END)
		return "then ";
	return t->state == TRACE_RUNNING ? "now " : "at the end ";
}

static void print_measures(const struct trace *t, const struct totals *totals, FILE *out)
{
	const struct measures *m = &totals->all;
	struct process_totals processes = process_totals(t);
	char text[UNIT_TEXT];

	if (processes.count > 1)
		print_peak_at_once(&processes, out);
	if (!(m->unknown & UNKNOWN_PEAK)) {
		print_peak(totals, processes.count, out);
		fputs(", ", out);
	}
	fputs(moment_word(t), out);
	print_bytes(out, m->current_bytes, m->v.current_bytes);
	fputs(" in ", out);
	print_count(out, m->current_blocks, m->v.current_blocks);
	fprintf(out, " block%s\n", m->current_blocks == 1 ? "" : "s");
	if (m->unknown & UNKNOWN_TOTALS)
		return;
	print_count(out, (int64_t)m->allocations, m->v.allocations);
	fprintf(out, " allocation%s of ", m->allocations == 1 ? "" : "s");
	print_bytes(out, (int64_t)m->allocated_bytes, m->v.allocated_bytes);
	if (m->allocations && !(m->unknown & UNKNOWN_TEMPORARY)) {
		fputs(", ", out);
		print_count(out, (int64_t)m->temporary, m->v.temporary);
		fprintf(out, " temporary (%s)", format_share(text, m->temporary, m->allocations));
	}
	putc('\n', out);
}

/* Estimates must not pass for counts. */
static void print_sampling(const struct trace *t, FILE *out)
{
	char mean[UNIT_TEXT];

	if (t->header.sample_bytes)
		fprintf(out,
			"estimates from sampling one byte in %s; ± is the standard error, and the "
			"peak is biased upwards\n",
			format_count(mean, (int64_t)t->header.sample_bytes));
}

static void print_losses(const struct trace *t, FILE *out)
{
	struct notes notes = notes_of(t);

	for (size_t i = 0; i < notes.count; i++) {
		if (notes.items[i].loss)
			fprintf(out, "%snote: %s%s\n", style(STYLE_WARNING), notes.items[i].text,
				style(STYLE_PLAIN));
	}
	notes_release(&notes);
}

/* A part of what rows have can't pass for all. */
static void print_unknown(const struct trace *t, FILE *out)
{
	char *text = moment_unknown(t);

	if (text)
		fprintf(out, "note: %s\n", text);
	free(text);
}

static void print_figures(const struct trace *t, const struct totals *totals, FILE *out)
{
	print_run(t, out);
	print_measures(t, totals, out);
	print_sampling(t, out);
	print_unknown(t, out);
	print_losses(t, out);
}

void summary_print(const struct trace *t, const struct totals *totals, FILE *out)
{
	struct strbuf command = { 0 };

	progress_end();
	summary_command(t, COMMAND_LIMIT, &command);
	fprintf(out, "%s%s%s\n", style(STYLE_BOLD), strbuf_text(&command), style(STYLE_PLAIN));
	strbuf_release(&command);
	print_figures(t, totals, out);
}

/* ---- Markdown */

void lines_markdown(void (*print)(const void *subject, FILE *out), const void *subject)
{
	char *lines = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);

	if (!out)
		return;
	style_off();
	print(subject, out);
	fclose(out);
	markdown_lines(lines, stdout);
	free(lines);
}

struct summary_subject {
	const struct trace *trace;
	const struct totals *totals;
};

static void print_rest(const void *subject, FILE *out)
{
	const struct summary_subject *s = subject;

	print_figures(s->trace, s->totals, out);
}

void summary_markdown(const struct trace *t, const struct totals *totals)
{
	struct summary_subject subject = { t, totals };
	struct strbuf command = { 0 };

	progress_end();
	summary_command(t, COMMAND_LIMIT, &command);
	markdown_code(strbuf_text(&command), stdout);
	putchar('\n');
	lines_markdown(print_rest, &subject);
	strbuf_release(&command);
}

/* ---- for machines */

static void json_state(const struct trace *t, struct json *j)
{
	uint32_t status = t->header.wait_status;
	bool known = t->header.flags & MT_HAS_WAIT_STATUS;

	json_text(j, "state", trace_state_name(t));
	if (known && WIFEXITED(status))
		json_signed(j, "exit_status", WEXITSTATUS(status));
	else
		json_null(j, "exit_status");
	if (known && WIFSIGNALED(status))
		json_signed(j, "signal", WTERMSIG(status));
	else
		json_null(j, "signal");
	if (trace_went_on(t))
		json_text(j, "went_on_as", t->went_on_as);
}

static void json_notes(const struct trace *t, struct json *j)
{
	struct notes notes = notes_of(t);

	json_array(j, "notes", notes.count == 0);
	for (size_t i = 0; i < notes.count; i++) {
		json_object(j, NULL, true);
		json_text(j, "key", notes.items[i].key);
		json_bool(j, "loss", notes.items[i].loss);
		json_unsigned(j, "count", notes.items[i].count);
		json_text(j, "text", notes.items[i].text);
		json_close(j);
	}
	json_close(j);
	notes_release(&notes);
}

static void json_lost(const struct trace *t, struct json *j)
{
	static const char *const names[MT_LOSSES_USED] = { "site", "slot", "reentrant", "thread",
		"limit" };
	uint64_t other = 0;

	json_object(j, "lost", true);
	for (int i = 0; i < MT_LOSSES; i++) {
		if (i < MT_LOSSES_USED)
			json_unsigned(j, names[i], t->header.lost[i]);
		else
			other += t->header.lost[i];
	}
	json_unsigned(j, "other", other);
	json_close(j);
}

/* Of sums only. */
static void json_processes(const struct trace *t, struct json *j)
{
	struct process_totals totals = process_totals(t);

	if (!totals.count)
		return;
	json_object(j, "processes", true);
	json_unsigned(j, "count", totals.count);
	json_unsigned(j, "programs", totals.programs);
	json_unsigned(j, "running", totals.running);
	json_unsigned(j, "died", totals.died);
	json_unsigned(j, "forked", totals.forked);
	json_unsigned(j, "peak_at_most_bytes", totals.peak_at_most);
	json_unsigned(j, "peak_at_least_bytes", totals.peak_at_least);
	json_close(j);
}

static void json_moment(const struct trace *t, struct json *j)
{
	static const char *const kinds[] = { "end", "snapshot", "peak", "point" };
	const struct trace_moment *m = &t->moment;

	if (m->kind == MOMENT_END)
		return;
	json_object(j, "moment", true);
	json_text(j, "kind", kinds[m->kind]);
	json_text(j, "label", *m->label ? m->label : NULL);
	json_known(j, "ns", m->ns);
	json_close(j);
}

static void json_trace(const struct trace *t, struct json *j)
{
	uint64_t ns;
	bool exact = trace_run_time(t, &ns);

	json_object(j, "trace", false);
	json_text(j, "path", t->path);
	json_text(j, "program", trace_program(t));
	json_unsigned(j, "pid", t->header.pid);
	json_array(j, "command", true);
	for (size_t i = 0; i < t->command_count; i++)
		json_text(j, NULL, t->command[i]);
	json_close(j);
	json_text(j, "host", trace_host(t));
	json_state(t, j);
	json_moment(t, j);
	json_unsigned(j, "run_ns", ns);
	json_bool(j, "run_ns_is_exact", exact);
	json_bool(j, "complete", trace_is_complete(t));
	json_processes(t, j);
	json_lost(t, j);
	json_notes(t, j);
	json_close(j);
}

/* What the scan found to be lost, before any suppressions: the blocks that nothing points to, and
 * all with what only these lead to. */
static void json_scan(const struct trace *t, struct json *j)
{
	uint64_t lost = 0, held = 0;

	if (t->header.scan_state != MT_SCAN_DONE)
		return;
	for (uint32_t i = 0; i < t->leak_count; i++) {
		lost += t->leaks[i].kind == MT_LEAK_LOST ? t->leaks[i].bytes : 0;
		held += t->leaks[i].kind <= MT_LEAK_INDIRECT ? t->leaks[i].bytes : 0;
	}
	json_unsigned(j, "lost_bytes", lost);
	json_unsigned(j, "held", held);
}

static void json_totals(const struct trace *t, const struct totals *totals, struct json *j)
{
	const struct measures *m = &totals->all;

	measure_json(m, SORT_CURRENT_BYTES, j);
	measure_json(m, SORT_CURRENT_BLOCKS, j);
	exact_peak_json(m, j);
	json_unsigned(j, "peak_error_bytes", totals->peak_error_bytes);
	measure_json(m, SORT_ALLOCATED_BYTES, j);
	measure_json(m, SORT_ALLOCATIONS, j);
	frees_json(m, j);
	measure_json(m, SORT_TEMPORARY, j);
	if (t->slack) {
		json_signed(j, "current_slack_bytes", m->current_slack);
		json_unsigned(j, "allocated_slack_bytes", m->allocated_slack);
	}
	json_scan(t, j);
	errors_json(m, t, true, j);
}

void summary_json(const struct trace *t, const struct totals *totals, struct json *j)
{
	json_trace(t, j);
	json_object(j, "totals", false);
	json_totals(t, totals, j);
	json_close(j);
}

void summary_json_now(const struct trace *t, const struct totals *totals, double allocations_per_s,
	struct json *j)
{
	json_trace(t, j);
	json_object(j, "totals", false);
	json_totals(t, totals, j);
	json_real(j, "allocations_per_s", allocations_per_s);
	json_close(j);
}
