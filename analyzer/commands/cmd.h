/* SPDX-License-Identifier: MIT */
/*
 * cmd.h - the commands of mtracer: one const struct in each cmd_<name>.c, one table in cmd.c.
 */
#ifndef MTRACER_CMD_H
#define MTRACER_CMD_H

#include "analyzer/base/opts.h"

struct command {
	const char *name;
	const char *usage;   /* what follows "mtracer NAME ", such as "[OPTION]... TRACE" */
	const char *summary; /* one line for the list of commands */
	const char *details; /* paragraphs under the options in the help, or NULL */
	const struct option_row *options; /* --help is understood without a row */
	const void *defaults;		  /* what the values start as; NULL = zeros */
	size_t values_size;		  /* bytes of the values' struct */
	int min_operands;
	int max_operands; /* -1 = any number */
	bool hidden;	  /* not in the list of commands */
	enum command_line command_line;

	/* Returns the exit status (log.h). `values` as parsed; argv[0..argc) are the operands, and
	 * argv[argc] is NULL. */
	int (*run)(const void *values, int argc, char **argv);
};

extern const struct command cmd_annotate;
extern const struct command cmd_completion;
extern const struct command cmd_info;
extern const struct command cmd_diff;
extern const struct command cmd_export;
extern const struct command cmd_flamegraph;
extern const struct command cmd_html;
extern const struct command cmd_leaks;
extern const struct command cmd_mark;
extern const struct command cmd_merge;
extern const struct command cmd_pack;
extern const struct command cmd_report;
extern const struct command cmd_reset_peak;
extern const struct command cmd_run;
extern const struct command cmd_snapshot;
extern const struct command cmd_start;
extern const struct command cmd_stop;
extern const struct command cmd_top;
extern const struct command cmd_tree;
extern const struct command cmd_timeline;

extern const struct command *const commands[]; /* in the order of the help; ends with NULL */

const struct command *command_find(const char *name); /* NULL = no such command */
void command_help(const struct command *command, FILE *out);

/* Rows for the options about tables that aren't for people to read at once, and whether at most one of
 * these and --json was given, else an error's exit status. */
#define TABLE_OPTION_ROWS(type, csv, markdown)                                              \
	{ OPTION_FLAG, "csv", 0, NULL, "print comma-separated values", offsetof(type, csv), \
		NULL },                                                                     \
	{                                                                                   \
		OPTION_FLAG, "markdown", 0, NULL,                                           \
			"print Markdown, for example for a pull request",                   \
			offsetof(type, markdown), NULL                                      \
	}
int check_one_format(const char *who, bool json, bool csv, bool markdown);

/* What main() does; returns the exit status. argv[0] is the program's name. */
int command_main(int argc, char **argv);

#endif
