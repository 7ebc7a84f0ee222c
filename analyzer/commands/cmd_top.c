/* SPDX-License-Identifier: MIT */
/*
 * cmd_top.c - mtracer top: what running processes hold, as it changes.
 *
 * print/topview.c says what is shown, topscreen.c shows it; here is when.
 */
#include "analyzer/base/clock.h"
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/progress.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/topscreen.h"
#include "analyzer/print/canvas.h"
#include "analyzer/print/timeline_plot.h"
#include "analyzer/print/topview.h"
#include "analyzer/run/started.h"
#include "analyzer/views/follow.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS_SHOWN 20 /* of a frame that is printed */
#define NOT_GIVEN UINT64_MAX
#define WIDTH_USUAL 100 /* of one that goes elsewhere than to a terminal */
#define HEAD_LINES 6
#define SHARE 20	 /* of a core's time: one part of so many, at most */
#define SLOWEST 30.0	 /* seconds */
#define SETTLE 0.2	 /* seconds after the end: who waited for the process writes how it ended */
#define FIRST_TRACE 0.02 /* seconds between looks for the first one */
#define TRACE_AWAITED 5.0 /* seconds, before it is said that there is none */

struct values {
	int by;
	const char *sort, *interval;
	uint64_t limit;
	bool once, json, plain, ascii, no_children;
	const char *out, *program_output;
	struct reading_options reading;
};

static const struct values defaults = { .by = BY_LINE, .limit = NOT_GIVEN };

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_CHOICE, "by", 'b', "WHAT", "group by line, function, file, module, site (a "
		"call\nstack) or thread (default: line)",
		offsetof(struct values, by), profile_by_names },
	{ OPTION_TEXT, "sort", 's', "KEY", "sort by KEY: current_bytes, growth, rate, "
		"current_blocks,\npeak_bytes, at_peak_bytes, allocated_bytes, allocations, "
		"temporary\nor name (default: current_bytes)",
		offsetof(struct values, sort), NULL },
	{ OPTION_TEXT, "interval", 'i', "S", "look again every S seconds, such as 0.5 (default: 1)",
		offsetof(struct values, interval), NULL },
	{ OPTION_FLAG, "once", '1', NULL, "print one frame and end; rates are those of one "
		"interval",
		offsetof(struct values, once), NULL },
	{ OPTION_FLAG, "json", 'j', NULL, "with --once: print JSON",
		offsetof(struct values, json), NULL },
	{ OPTION_FLAG, "plain", 0, NULL, "print one frame after the other (the default where "
		"the output\nis no terminal)",
		offsetof(struct values, plain), NULL },
	{ OPTION_NUMBER, "limit", 'n', "N", "print at most N rows of a frame; 0 for all (default: "
		"20; all\nwith --json)",
		offsetof(struct values, limit), NULL },
	{ OPTION_FLAG, "no-children", 0, NULL, "show a process without those that it started",
		offsetof(struct values, no_children), NULL },
	{ OPTION_TEXT, "out", 'o', "FILE", "with a program: write its trace to FILE, as 'mtracer "
		"run' does",
		offsetof(struct values, out), NULL },
	{ OPTION_TEXT, "program-output", 0, "FILE", "with a program: write what it prints to FILE\n"
		"(default: /dev/null)",
		offsetof(struct values, program_output), NULL },
	{ OPTION_FLAG, "ascii", 0, NULL, "draw with ASCII characters (default where the locale is\n"
		"not UTF-8)",
		offsetof(struct values, ascii), NULL },
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

struct top {
	const struct values *values;
	double interval, pace;
	enum top_sort sort;
	struct follow follow;
	struct topview *view;
	struct canvas canvas;
	struct started program; /* that was started here */
	bool ascii;
	bool status_shown;
	int updates_left; /* after the end, as its status may be written later */
};

static double now(void)
{
	return (double)clock_ns(CLOCK_MONOTONIC) / 1e9;
}

/* ---- readings */

/* Reads again, and stays below its share of a core's time by doing that less often where it takes long. */
static void update(struct top *t)
{
	double started = (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9, took;

	if (t->follow.over && t->updates_left > 0)
		t->updates_left--;
	follow_update(&t->follow);
	topview_update(t->view);
	took = (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9 - started;
	t->pace = fmin(fmax(t->interval, took * SHARE), fmax(SLOWEST, t->interval));
	if (t->follow.over && t->updates_left > 0)
		t->pace = SETTLE;
	topview_set_pace(t->view, t->pace);
}

static bool goes_on(const struct top *t)
{
	return !t->follow.over || t->updates_left > 0;
}

/* The program that was started has: then it is read at once, and not when the interval is over. */
static bool has_just_ended(struct top *t)
{
	if (!t->program.pid || t->status_shown || !started_has_ended(&t->program))
		return false;
	topview_set_exit_status(t->view, t->program.status);
	t->status_shown = true;
	t->updates_left = 1;
	return true;
}

/* ---- on a screen */

static void draw(struct top *t)
{
	size_t width, height;

	topscreen_size(&width, &height);
	canvas_start(&t->canvas, width, height, t->ascii);
	topview_draw(t->view, &t->canvas);
	topscreen_show(&t->canvas);
}

static int wait_ms(const struct top *t, double next)
{
	double left = next - now();

	if (!goes_on(t) || topview_is_paused(t->view))
		return -1;
	return left > 0 ? (int)(left * 1000) + 1 : 0;
}

/* Gives the signal that ended it, or 0. */
static int watch(struct top *t)
{
	double next = now() + t->pace;

	for (;;) {
		int event;

		draw(t);
		event = topscreen_wait(wait_ms(t, next));
		if (event == TOPSCREEN_SIGNAL)
			return topscreen_signal();
		if (event >= 0 && !topview_press(t->view, event))
			return 0;
		if (has_just_ended(t) ||
			(now() >= next && goes_on(t) && !topview_is_paused(t->view))) {
			update(t);
			next = now() + t->pace;
		}
	}
}

static int on_screen(struct top *t)
{
	struct strbuf said = { 0 };
	int number;

	progress_end();
	if (!topscreen_open())
		return -1;
	t->ascii = t->values->ascii || !topscreen_is_utf8();
	log_divert(&said);
	number = watch(t);
	topscreen_close();
	log_divert(NULL);
	fputs(strbuf_text(&said), stderr);
	strbuf_release(&said);
	return number;
}

/* ---- frames that are printed */

static void print_frame(struct top *t)
{
	size_t width = terminal_width(STDOUT_FILENO);
	uint64_t limit = t->values->limit == NOT_GIVEN ? ROWS_SHOWN : t->values->limit;

	t->ascii = t->values->ascii || !locale_is_utf8();
	canvas_start(&t->canvas, width == SIZE_MAX ? WIDTH_USUAL : width,
		limit ? (size_t)limit + HEAD_LINES : SIZE_MAX / 2, t->ascii);
	topview_draw_plain(t->view, &t->canvas);
	canvas_print(&t->canvas, stdout);
	fflush(stdout);
}

static void sleep_for(double seconds)
{
	struct timespec time = { (time_t)seconds, (long)(fmod(seconds, 1) * 1e9) };

	nanosleep(&time, NULL);
}

static void print_frames(struct top *t)
{
	print_frame(t);
	while (goes_on(t) && !ferror(stdout)) {
		sleep_for(t->pace);
		has_just_ended(t);
		update(t);
		if (t->follow.over && t->updates_left > 0)
			continue;
		putchar('\n');
		print_frame(t);
	}
}

static void print_json(struct top *t)
{
	uint64_t limit = t->values->limit == NOT_GIVEN ? 0 : t->values->limit;
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL, false);
	topview_json(t->view, (size_t)limit, &j);
	json_close(&j);
	json_finish(&j);
}

/* Rates take two readings. */
static void print_once(struct top *t)
{
	if (!t->follow.over) {
		sleep_for(t->interval);
		update(t);
	}
	if (t->values->json)
		print_json(t);
	else
		print_frame(t);
}

/* ---- the command */

/* Gives the signal that ended it, or 0. */
static int show(struct top *t)
{
	int number = -1;

	t->updates_left = t->follow.over ? 0 : 1;
	t->pace = t->interval;
	t->view = topview_new(&t->follow, (enum profile_by)t->values->by, t->sort);
	topview_set_pace(t->view, t->pace);
	has_just_ended(t);
	if (!t->values->once && !t->values->plain && topscreen_possible())
		number = on_screen(t);
	if (number < 0) {
		progress_end();
		number = 0;
		if (t->values->once)
			print_once(t);
		else
			print_frames(t);
	}
	topview_free(t->view);
	canvas_release(&t->canvas);
	return number;
}

static int top_process(struct top *t, const char *operand)
{
	int status = follow_open(&t->follow, &t->values->reading, operand, !t->values->no_children);
	int number;

	if (status != EXIT_OK)
		return status;
	number = show(t);
	follow_close(&t->follow);
	if (number)
		raise(number);
	return EXIT_OK;
}

/* Until the program has a trace; one that came and went meanwhile left it behind. */
static void await_trace(struct top *t)
{
	double started = now();
	bool said = false, ended = false;

	while (!t->follow.reading.trace && !ended) {
		ended = started_has_ended(&t->program);
		if (ended)
			started_add_traces(&t->program, &t->follow);
		follow_update(&t->follow);
		if (now() - started > TRACE_AWAITED && !said) {
			notice("%s: has no trace yet", t->program.name);
			said = true;
		}
		if (!ended && !t->follow.reading.trace)
			sleep_for(said ? 1 : FIRST_TRACE);
	}
	follow_mark(&t->follow);
}

static int top_program(struct top *t, char **command)
{
	int status = started_begin(&t->program, command, t->values->out, t->values->program_output);
	int number = 0;

	if (status != EXIT_OK)
		return status;
	status = follow_open_family(&t->follow, &t->values->reading, (uint32_t)t->program.pid);
	if (status == EXIT_OK) {
		await_trace(t);
		if (t->follow.reading.trace)
			number = show(t);
		follow_close(&t->follow);
	}
	return started_finish(&t->program, number, status);
}

static int check_values(const struct values *v, struct top *t, bool program)
{
	char *end;

	t->interval = 1;
	if (v->interval) {
		t->interval = strtod(v->interval, &end);
		if (end == v->interval || *end || !(t->interval >= 0.05 && t->interval <= 86400))
			return error("top: '--interval %s' is not a number of seconds from 0.05 on",
				v->interval);
	}
	if (v->json && !v->once)
		return error("top: --json requires --once");
	if (!program && (v->out || v->program_output))
		return error("top: --%s requires a program: mtracer top [OPTION]... -- PROGRAM",
			v->out ? "out" : "program-output");
	if (v->sort && !top_sort_find(v->sort, &t->sort)) {
		const char *nearest = nearest_name(v->sort, top_sort_names);

		if (nearest)
			return error("top: '--sort %s' is not known; did you mean '%s'?", v->sort,
				nearest);
		return error("top: '--sort %s' is not known; see 'mtracer help top'", v->sort);
	}
	if (v->by == BY_THREAD && (t->sort == TOP_PEAK || t->sort == TOP_AT_PEAK))
		return error("top: threads have no peaks to sort by");
	return EXIT_OK;
}

static int run(const void *values, int argc, char **argv)
{
	struct top t = { .values = values };
	bool program = argc > 0 && strcmp(argv[0], "--") == 0;
	int status = check_values(values, &t, program);

	if (status != EXIT_OK)
		return status;
	if (program && argc == 1)
		return error("top: the program is missing behind '--'");
	if (!program && argc > 1)
		return error("top: too many arguments; a program to start comes behind '--'");
	return program ? top_program(&t, argv + 1) : top_process(&t, argv[0]);
}

const struct command cmd_top = {
	.name = "top",
	.usage = "[OPTION]... [PID|TRACE | -- PROGRAM [ARGUMENT]...]",
	.summary = "watch the memory of running processes, line by line",
	.details =
		"Shows heap, resident memory, allocations per second and the rows of 'mtracer "
		"report' with what each holds and how much it grew, again every second. A process "
		"is shown with the traced ones that it started, as the sum of those that live. "
		"Everything is read from the trace files: a process that is watched is not asked "
		"anything, and takes no longer. Keys: q ends, ? lists the others. Where the output "
		"is no terminal, or one that cannot move its cursor, frames are printed one after "
		"the other until the process ends. The command itself takes at most a twentieth of "
		"a core: for large traces it looks less often. "
		"A PROGRAM is started as 'mtracer run' does, without input, and with its output in "
		"the file of --program-output; the exit status is that of the program. Leaving the "
		"view early does not end it; Ctrl-C interrupts both.",
	.options = options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = -1,
	.command_line = COMMAND_LINE_BEHIND_DASHES,
	.run = run,
};
