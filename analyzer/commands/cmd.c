/* SPDX-License-Identifier: MIT */
/* cmd.c - the table of commands, dispatch, help, and a last check that stdout was written. */
#include "analyzer/commands/cmd.h"
#include "analyzer/base/array.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/pager.h"
#include "analyzer/base/shell.h"
#include "analyzer/trace/recognize.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
	&cmd_run,
	&cmd_report,
	&cmd_annotate,
	&cmd_tree,
	&cmd_timeline,
	&cmd_top,
	&cmd_leaks,
	&cmd_diff,
	&cmd_merge,
	&cmd_pack,
	&cmd_html,
	&cmd_export,
	&cmd_flamegraph,
	&cmd_info,
	&cmd_start,
	&cmd_stop,
	&cmd_mark,
	&cmd_snapshot,
	&cmd_reset_peak,
	&cmd_completion,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
	}
	return NULL;
}

/* ---- help */

void command_help(const struct command *command, FILE *out)
{
	fprintf(out, "usage: mtracer %s %s\n\n%s\n\noptions:\n", command->name, command->usage,
		command->summary);
	options_help(command->options, out);
	if (command->details) {
		putc('\n', out);
		help_text(command->details, 0, out);
	}
}

static void general_help(FILE *out)
{
	fputs("usage: mtracer COMMAND [OPTION]... [ARGUMENT]...\n"
	      "\n"
	      "record and analyze the memory use of native programs\n"
	      "\n"
	      "commands:\n",
		out);
	for (const struct command *const *c = commands; *c; c++) {
		if (!(*c)->hidden)
			fprintf(out, "  %-10s  %s\n", (*c)->name, (*c)->summary);
	}
	fputs("  help        show help for a command\n"
	      "\n"
	      "options:\n"
	      "  -h, --help  show this help and exit\n"
	      "  --version   show the version and exit\n"
	      "\n"
	      "'mtracer help COMMAND' lists the options of a command\n",
		out);
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands) + 1] = { "help" };
	const char *nearest;

	for (size_t i = 0; commands[i]; i++)
		names[i + 1] = commands[i]->name;
	if (names_trace(name))
		return error("'%s' is a trace, not a command; did you mean 'mtracer report %s'?",
			name, name);
	nearest = nearest_name(name, names);
	if (nearest)
		return error("unknown command '%s'; did you mean '%s'?", name, nearest);
	return error("unknown command '%s'; see 'mtracer help'", name);
}

static int help(int argc, char **argv)
{
	const struct command *command;

	if (argc == 0 || argv[0][0] == '-' || strcmp(argv[0], "help") == 0) {
		general_help(stdout);
		return EXIT_OK;
	}
	command = command_find(argv[0]);
	if (!command)
		return unknown_command(argv[0]);
	command_help(command, stdout);
	return EXIT_OK;
}

/* ---- dispatch */

static int check_operands(const struct command *command, int count)
{
	if (count < command->min_operands)
		return error("%s: too few arguments; usage: mtracer %s %s", command->name,
			command->name, command->usage);
	if (command->max_operands >= 0 && count > command->max_operands)
		return error("%s: too many arguments; usage: mtracer %s %s", command->name,
			command->name, command->usage);
	return EXIT_OK;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	void *values = mem_zalloc(1, command->values_size ? command->values_size : 1);
	int status = EXIT_ERROR;
	int operands;

	if (command->defaults)
		memcpy(values, command->defaults, command->values_size);
	switch (options_parse(command->options, command->name, values, argc, argv,
		command->command_line, &operands)) {
	case OPTIONS_HELP:
		command_help(command, stdout);
		status = EXIT_OK;
		break;
	case OPTIONS_OK:
		status = check_operands(command, operands);
		if (status == EXIT_OK) {
			argv[operands] = NULL;
			status = command->run(values, operands, argv);
		}
		break;
	case OPTIONS_WRONG:
		break;
	}
	options_release(command->options, values);
	free(values);
	return status;
}

/* A full disk must not pass for a short report. Who closed the pipe has read enough. */
static int finish_output(int status)
{
	struct pollfd out = { STDOUT_FILENO, POLLOUT, 0 };
	int failed = ferror(stdout);

	errno = 0;
	if (fflush(stdout) == 0 && !failed)
		return status;
	if (errno == EPIPE || (poll(&out, 1, 0) == 1 && (out.revents & POLLERR)))
		return status;
	return error("standard output: %s", errno ? strerror(errno) : "cannot be written");
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;
	const char *name = argv[1];

	if (argc < 2) {
		general_help(stderr);
		return EXIT_ERROR;
	}
	if (strcmp(name, "--version") == 0) {
		printf("mtracer %s\n", MTRACER_VERSION);
		return EXIT_OK;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(0, NULL);
	if (strcmp(name, "help") == 0)
		return help(argc - 2, argv + 2);
	command = command_find(name);
	if (command)
		return run_command(command, argc - 2, argv + 2);
	if (name[0] == '-')
		return error("unknown option '%s'; see 'mtracer help'", name);
	return unknown_command(name);
}

int check_one_format(const char *who, bool json, bool csv, bool markdown)
{
	if (json + csv + markdown < 2)
		return EXIT_OK;
	return error("%s: --%s and --%s exclude each other", who, json ? "json" : "csv",
		markdown ? "markdown" : "csv");
}

int command_main(int argc, char **argv)
{
	int status;

	shell_called(argv[0]);
	status = finish_output(dispatch(argc, argv));
	fold_finish();
	pager_finish();
	return status;
}
