/* SPDX-License-Identifier: MIT */
/*
 * opts.h - command line options: one table of rows feeds the parser and the help.
 *
 * A row says where its value goes by an offset into the command's own struct, which starts as a
 * copy of the command's defaults:
 *
 *	struct values { const char *out; bool json; struct option_list wrappers; };
 *	static const struct option_row rows[] = {
 *		{ OPTION_TEXT, "out", 'o', "FILE", "write the trace to FILE",
 *			offsetof(struct values, out) },
 *		{ OPTION_FLAG, "json", 0, NULL, "print JSON", offsetof(struct values, json) },
 *		{ OPTION_LIST, "wrapper", 0, "RE", "...", offsetof(struct values, wrappers) },
 *		{ OPTION_END },
 *	};
 *
 * Accepted: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, an unambiguous beginning of a long name,
 * and `--`.
 */
#ifndef MTRACER_OPTS_H
#define MTRACER_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
	OPTION_END,    /* last row */
	OPTION_FLAG,   /* bool, set to true */
	OPTION_TEXT,   /* const char *, points into argv */
	OPTION_NUMBER, /* uint64_t */
	OPTION_SIZE,   /* uint64_t bytes: 4096, 64KiB, 1.5M */
	OPTION_CHOICE, /* int: index into the row's choices */
	OPTION_LIST,   /* struct option_list: the option may be given more than once */
	OPTION_MANY,   /* struct option_list: takes all arguments up to the next option */
};

struct option_row {
	enum option_kind kind;
	const char *name;  /* without the dashes */
	char letter;	   /* short form, or 0 */
	const char *value; /* name of its value in the help; NULL for flags */
	const char *help;
	size_t offset;		    /* of the value in the command's struct */
	const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
};

struct option_list {
	const char **items; /* point into argv */
	size_t count;
};

enum options_result {
	OPTIONS_OK,
	OPTIONS_HELP,  /* --help or -h was met; nothing more was parsed */
	OPTIONS_WRONG, /* reported on stderr */
};

/* Whether the operands hold a command line, whose options aren't ours. */
enum command_line {
	COMMAND_LINE_NONE,
	COMMAND_LINE_ONLY,	    /* it begins with the first operand */
	COMMAND_LINE_BEHIND_DASHES, /* or with "--", which stays before it as an operand */
};

/*
 * Parses argv[0..argc) (no program name in front) into `values`. Operands are moved to the front of
 * argv in their order, and *operands is their count. A command line inside the command line is left alone.
 * `who` names the command in messages.
 */
enum options_result options_parse(const struct option_row *rows, const char *who, void *values,
	int argc, char **argv, enum command_line command_line, int *operands);

/* Frees what options_parse() allocated in `values`: the lists. */
void options_release(const struct option_row *rows, void *values);

/* A text for the help, in lines as wide as any terminal; what is before its first line takes
 * `indent` columns already. */
void help_text(const char *text, int indent, FILE *out);

/* The rows, aligned. */
void options_help(const struct option_row *rows, FILE *out);

/* The candidate nearest to `word` by its letters, or NULL where none is near. The list ends with
 * NULL. */
const char *nearest_name(const char *word, const char *const *candidates);

#endif
