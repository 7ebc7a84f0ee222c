/* SPDX-License-Identifier: MIT */
/* cmd_control.c - mtracer start, stop, mark and reset-peak: requests to a running process. */
#include "analyzer/base/log.h"
#include "analyzer/commands/cmd.h"
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
#define WHOSE \
	"TRACE is the file that the process is writing. Only its own user and root can do this."

static void say(const struct values *v, const struct livetrace *live, const char *what)
{
	if (!v->quiet)
		printf("process %u: %s\n", live->pid, what);
}

/* ---- start, stop */

static int record(const struct values *v, const char *operand, bool on, const char *const said[2])
{
	struct livetrace live;
	int status = livetrace_open(&live, operand);
	bool was = false;

	if (status == EXIT_OK)
		status = request_recording(&live, on, &was);
	if (status == EXIT_OK)
		say(v, &live, said[was == on]);
	livetrace_close(&live);
	return status;
}

static int run_start(const void *values, int argc, char **argv)
{
	static const char *const said[2] = { "records from its next allocation on",
		"was recording already" };

	(void)argc;
	return record(values, argv[0], true, said);
}

static int run_stop(const void *values, int argc, char **argv)
{
	static const char *const said[2] = { "records no new allocations", "was not recording" };

	(void)argc;
	return record(values, argv[0], false, said);
}

const struct command cmd_start = {
	.name = "start",
	.usage = "[OPTION]... PID|TRACE",
	.summary = "let a running process record",
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
	.summary = "let a running process record nothing new",
	.details = "What is recorded stays, and frees of recorded blocks are still followed. The "
		   "process then runs at nearly its own speed. " WHOSE,
	.options = switch_options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = 1,
	.run = run_stop,
};

/* ---- mark, reset-peak */

static int request(const struct values *v, const char *operand, uint32_t kind, const char *label,
	const char *said)
{
	struct livetrace live;
	int status = livetrace_open(&live, operand);

	if (status == EXIT_OK)
		status = request_make(&live, kind, label, v->wait);
	if (status == EXIT_OK)
		say(v, &live, said);
	livetrace_close(&live);
	return status;
}

static int run_mark(const void *values, int argc, char **argv)
{
	const char *label = argv[1];

	(void)argc;
	if (!*label)
		return error("mark: the label is empty");
	if (strlen(label) >= MT_LABEL_SIZE)
		return error("mark: the label has %zu bytes, of which there is room for %u",
			strlen(label), MT_LABEL_SIZE - 1);
	return request(values, argv[0], MT_REQUEST_MARK, label, "marked");
}

static int run_reset_peak(const void *values, int argc, char **argv)
{
	(void)argc;
	return request(values, argv[0], MT_REQUEST_RESET_PEAK, "",
		"what it holds now is its peak, and that of each line");
}

const struct command cmd_mark = {
	.name = "mark",
	.usage = "[OPTION]... PID|TRACE LABEL",
	.summary = "name this moment of a running process",
	.details = "The mark is on the curve of 'mtracer timeline', as those of mtrace_mark() "
		   "are. " WHEN WHOSE,
	.options = request_options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 2,
	.max_operands = 2,
	.run = run_mark,
};

const struct command cmd_reset_peak = {
	.name = "reset-peak",
	.usage = "[OPTION]... PID|TRACE",
	.summary = "let the peaks of a running process begin anew",
	.details = "As mtrace_reset_peak() does: what is held then becomes the peak, of the whole "
		   "and of each line, and reports say so. " WHEN WHOSE,
	.options = request_options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = 1,
	.run = run_reset_peak,
};
