/* SPDX-License-Identifier: MIT */
/* cmd_control.c - mtracer start, stop, mark, snapshot and reset-peak: requests to a running
 * process. */
#include "analyzer/base/log.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/trace/moment.h"
#include "analyzer/views/livetrace.h"
#include "analyzer/views/request.h"
#include "preload/trace_format.h"

#include <string.h>

struct values {
	uint64_t wait;
	bool quiet;
};

static const struct values defaults = { .wait = 5 };

#define AT(member) offsetof(struct values, member), NULL

#define QUIET_ROW                                                           \
	{                                                                   \
		OPTION_FLAG, "quiet", 'q', NULL, "print nothing", AT(quiet) \
	}
#define END_ROW                                          \
	{                                                \
		OPTION_END, NULL, 0, NULL, NULL, 0, NULL \
	}

static const struct option_row switch_options[] = { QUIET_ROW, END_ROW };

/* clang-format off */
static const struct option_row request_options[] = {
	{ OPTION_NUMBER, "wait", 0, "SECONDS", "wait at most SECONDS for the process's next allocation\n"
		"(default: 5)", AT(wait) },
	QUIET_ROW,
	END_ROW,
};
/* clang-format on */

#define WHEN \
	"The request is taken at the process's next allocation; an idle process changes nothing. "
#define WHOSE                                                                                      \
	"TRACE is the file that the process is writing. Only the process's own user and root can " \
	"do this."

/* What a process is asked for, and what is said when it has it. */
struct wish {
	uint32_t kind; /* MT_REQUEST_*; 0: to record, or not to */
	bool record;
	const char *label;
	const char *said, *said_already;
};

static int ask(const struct values *v, const char *operand, const struct wish *w)
{
	struct livetrace live;
	bool already = false;
	int status = livetrace_open(&live, operand);

	if (status == EXIT_OK)
		status = w->kind ? request_make(&live, w->kind, w->label, v->wait)
				 : request_recording(&live, w->record, &already);
	if (status == EXIT_OK && !v->quiet)
		printf("process %u: %s\n", live.pid, already ? w->said_already : w->said);
	livetrace_close(&live);
	return status;
}

/* ---- start, stop */

static int run_start(const void *values, int argc, char **argv)
{
	static const struct wish wish = { .record = true,
		.said = "records from its next allocation on",
		.said_already = "already recording" };

	(void)argc;
	return ask(values, argv[0], &wish);
}

static int run_stop(const void *values, int argc, char **argv)
{
	static const struct wish wish = { .record = false,
		.said = "records no new allocations",
		.said_already = "was not recording" };

	(void)argc;
	return ask(values, argv[0], &wish);
}

const struct command cmd_start = {
	.name = "start",
	.usage = "[OPTION]... PID|TRACE",
	.summary = "start recording in a running process",
	.details =
		"For processes that were started with MTRACE_START=0 ('mtracer run --no-start'), "
		"or stopped. Blocks that were allocated before are not counted. " WHOSE,
	.options = switch_options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = 1,
	.run = run_start,
};

const struct command cmd_stop = {
	.name = "stop",
	.usage = "[OPTION]... PID|TRACE",
	.summary = "stop recording in a running process",
	.details = "What is recorded stays, and frees of recorded blocks are still followed. The "
		   "process then runs at nearly its own speed. " WHOSE,
	.options = switch_options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = 1,
	.run = run_stop,
};

/* ---- mark, snapshot, reset-peak */

static int check_label(const char *who, const char *label)
{
	if (!*label)
		return error("%s: the label is empty", who);
	if (strlen(label) >= MT_LABEL_SIZE)
		return error("%s: the label has %zu bytes, of which there is room for %u", who,
			strlen(label), MT_LABEL_SIZE - 1);
	return EXIT_OK;
}

static int run_mark(const void *values, int argc, char **argv)
{
	struct wish wish = { .kind = MT_REQUEST_MARK, .label = argv[1], .said = "marked" };

	(void)argc;
	return check_label("mark", argv[1]) == EXIT_OK ? ask(values, argv[0], &wish) : EXIT_ERROR;
}

static int run_snapshot(const void *values, int argc, char **argv)
{
	const char *label = argv[1];
	struct wish wish = { .kind = MT_REQUEST_SNAPSHOT, .label = label, .said = "snapshot kept" };

	(void)argc;
	if (check_label("snapshot", label) != EXIT_OK)
		return EXIT_ERROR;
	if (moment_is_reserved(label))
		return error("snapshot: every trace has a TRACE@%s already", label);
	return ask(values, argv[0], &wish);
}

static int run_reset_peak(const void *values, int argc, char **argv)
{
	static const struct wish wish = { .kind = MT_REQUEST_RESET_PEAK,
		.label = "",
		.said = "peaks reset to what it holds now" };

	(void)argc;
	return ask(values, argv[0], &wish);
}

const struct command cmd_mark = {
	.name = "mark",
	.usage = "[OPTION]... PID|TRACE LABEL",
	.summary = "mark this moment of a running process",
	.details = "The mark is on the curve of 'mtracer timeline', as those of mtrace_mark() "
		   "are. " WHEN WHOSE,
	.options = request_options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 2,
	.max_operands = 2,
	.run = run_mark,
};

const struct command cmd_snapshot = {
	.name = "snapshot",
	.usage = "[OPTION]... PID|TRACE LABEL",
	.summary = "keep the state of a running process under a name",
	.details = "As mtrace_snapshot() does: TRACE@LABEL is the state of all call sites at this "
		   "moment, in every command that reads a trace, and 'mtracer diff TRACE@BEFORE "
		   "TRACE@AFTER' what changed between two. A label can be taken once. " WHEN WHOSE,
	.options = request_options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 2,
	.max_operands = 2,
	.run = run_snapshot,
};

const struct command cmd_reset_peak = {
	.name = "reset-peak",
	.usage = "[OPTION]... PID|TRACE",
	.summary = "reset the peaks of a running process",
	.details = "As mtrace_reset_peak() does: what is held then becomes the peak, of the whole "
		   "and of each line, and reports say so. " WHEN WHOSE,
	.options = request_options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = 1,
	.run = run_reset_peak,
};
