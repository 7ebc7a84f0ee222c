/* SPDX-License-Identifier: MIT */
/* opts.c - parses options by a table of rows, prints the table as help, and offers the nearest name
 * for a wrong one. */
#include "analyzer/base/opts.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- nearest name */

#define NAME_MAX_LENGTH 32

/* Edit distance (insert, delete, replace, swap neighbours), or a large number where a name is too
 * long to be a typo. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t cost[NAME_MAX_LENGTH + 1][NAME_MAX_LENGTH + 1];

	if (n > NAME_MAX_LENGTH || m > NAME_MAX_LENGTH)
		return SIZE_MAX;
	for (size_t i = 0; i <= n; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			size_t best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (best > cost[i - 1][j] + 1)
				best = cost[i - 1][j] + 1;
			if (best > cost[i][j - 1] + 1)
				best = cost[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				best > cost[i - 2][j - 2] + 1)
				best = cost[i - 2][j - 2] + 1;
			cost[i][j] = best;
		}
	}
	return cost[n][m];
}

const char *nearest_name(const char *word, const char *const *candidates)
{
	const char *nearest = NULL;
	size_t best = strlen(word) / 3 + 2; /* farther is no typo; that or more is refused */

	for (; *candidates; candidates++) {
		size_t d = distance(word, *candidates);

		if (d < best) {
			best = d;
			nearest = *candidates;
		}
	}
	return nearest;
}

/* ---- parsing */

struct parser {
	const struct option_row *rows;
	const char *who;
	void *values;
	char **argv;
	int argc;
	int next; /* first argument not looked at yet */
};

static size_t row_count(const struct option_row *rows)
{
	size_t count = 0;

	while (rows && rows[count].kind != OPTION_END)
		count++;
	return count;
}

static enum options_result unknown_option(const struct parser *p, const char *name, size_t length)
{
	size_t count = row_count(p->rows);
	const char **names = mem_zalloc(count + 2, sizeof(*names));
	char *word = mem_alloc(length + 1);
	const char *nearest;

	memcpy(word, name, length);
	word[length] = '\0';
	for (size_t i = 0; i < count; i++)
		names[i] = p->rows[i].name;
	names[count] = "help";
	nearest = nearest_name(word, names);
	if (nearest)
		error("%s: unknown option '--%s'; did you mean '--%s'?", p->who, word, nearest);
	else
		error("%s: unknown option '--%s'; see 'mtracer help %s'", p->who, word, p->who);
	free(word);
	free(names);
	return OPTIONS_WRONG;
}

/* A name matches whole, or by a beginning that only one row has. *ambiguous tells the second of two
 * matches. */
static const struct option_row *find_long(const struct option_row *rows, const char *name,
	size_t length, const struct option_row **ambiguous)
{
	const struct option_row *found = NULL;

	*ambiguous = NULL;
	for (; rows && rows->kind != OPTION_END; rows++) {
		if (strncmp(rows->name, name, length) != 0)
			continue;
		if (rows->name[length] == '\0') {
			*ambiguous = NULL;
			return rows;
		}
		if (found)
			*ambiguous = rows;
		else
			found = rows;
	}
	return found;
}

static const struct option_row *find_short(const struct option_row *rows, char letter)
{
	for (; rows && rows->kind != OPTION_END; rows++) {
		if (rows->letter && rows->letter == letter)
			return rows;
	}
	return NULL;
}

static void list_add(struct option_list *list, const char *item)
{
	list->items = mem_resize(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = item;
}

static void report_choices(const struct parser *p, const struct option_row *row, const char *text)
{
	struct strbuf known = { 0 };

	for (int i = 0; row->choices[i]; i++)
		strbuf_addf(&known, "%s%s", i ? ", " : "", row->choices[i]);
	error("%s: '--%s %s' is not known; known are %s", p->who, row->name, text,
		strbuf_text(&known));
	strbuf_release(&known);
}

static bool parse_choice(
	const struct parser *p, const struct option_row *row, const char *text, int *choice)
{
	const char *nearest;

	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], text) == 0) {
			*choice = i;
			return true;
		}
	}
	nearest = nearest_name(text, row->choices);
	if (nearest)
		error("%s: '--%s %s' is not known; did you mean '%s'?", p->who, row->name, text,
			nearest);
	else
		report_choices(p, row, text);
	return false;
}

static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static enum options_result store(
	const struct parser *p, const struct option_row *row, const char *text)
{
	void *value = (char *)p->values + row->offset;
	bool ok = true;

	switch (row->kind) {
	case OPTION_TEXT:
		*(const char **)value = text;
		break;
	case OPTION_NUMBER:
		ok = parse_number(text, value);
		break;
	case OPTION_SIZE:
		ok = parse_size(text, value);
		break;
	case OPTION_CHOICE:
		if (!parse_choice(p, row, text, value))
			return OPTIONS_WRONG;
		break;
	case OPTION_LIST:
	case OPTION_MANY:
		list_add(value, text);
		break;
	case OPTION_FLAG: /* has no value */
	case OPTION_END:
		break;
	}
	if (ok)
		return OPTIONS_OK;
	error("%s: '--%s %s' is not a %s", p->who, row->name, text,
		row->kind == OPTION_SIZE ? "size such as 4096, 64KiB or 1.5MiB" : "whole number");
	return OPTIONS_WRONG;
}

/* The value is what is attached, or the next argument. */
static enum options_result take_value(
	struct parser *p, const struct option_row *row, const char *attached)
{
	if (row->kind == OPTION_FLAG) {
		if (attached) {
			error("%s: option '--%s' takes no value", p->who, row->name);
			return OPTIONS_WRONG;
		}
		*(bool *)((char *)p->values + row->offset) = true;
		return OPTIONS_OK;
	}
	if (!attached && p->next >= p->argc) {
		error("%s: option '--%s' needs a value: --%s %s", p->who, row->name, row->name,
			row->value);
		return OPTIONS_WRONG;
	}
	if (store(p, row, attached ? attached : p->argv[p->next++]) != OPTIONS_OK)
		return OPTIONS_WRONG;
	while (row->kind == OPTION_MANY && p->next < p->argc && p->argv[p->next][0] != '-')
		store(p, row, p->argv[p->next++]);
	return OPTIONS_OK;
}

static enum options_result parse_long(struct parser *p, const char *name)
{
	size_t length = strcspn(name, "=");
	const char *attached = name[length] == '=' ? name + length + 1 : NULL;
	const struct option_row *other;
	const struct option_row *row = find_long(p->rows, name, length, &other);

	if (length == 4 && memcmp(name, "help", 4) == 0 && !attached)
		return OPTIONS_HELP;
	if (!row || length == 0)
		return unknown_option(p, name, length);
	if (other) {
		error("%s: option '--%.*s' could be '--%s' or '--%s'", p->who, (int)length, name,
			row->name, other->name);
		return OPTIONS_WRONG;
	}
	return take_value(p, row, attached);
}

static enum options_result parse_short(struct parser *p, const char *letters)
{
	const struct option_row *row = find_short(p->rows, letters[0]);

	if (!row && letters[0] == 'h' && !letters[1])
		return OPTIONS_HELP;
	if (!row) {
		error("%s: unknown option '-%s'; see 'mtracer help %s'", p->who, letters, p->who);
		return OPTIONS_WRONG;
	}
	return take_value(p, row, letters[1] ? letters + 1 : NULL);
}

enum options_result options_parse(const struct option_row *rows, const char *who, void *values,
	int argc, char **argv, enum command_line command_line, int *operands)
{
	struct parser p = { rows, who, values, argv, argc, 0 };
	enum options_result result = OPTIONS_OK;
	bool only_operands = false;
	int kept = 0;

	while (p.next < argc && result == OPTIONS_OK) {
		char *arg = argv[p.next++];

		if (only_operands || arg[0] != '-' || arg[1] == '\0') {
			argv[kept++] = arg;
			only_operands |= command_line == COMMAND_LINE_ONLY;
		} else if (strcmp(arg, "--") == 0) {
			only_operands = true;
			if (command_line == COMMAND_LINE_BEHIND_DASHES)
				argv[kept++] = arg;
		} else if (arg[1] == '-') {
			result = parse_long(&p, arg + 2);
		} else {
			result = parse_short(&p, arg + 1);
		}
	}
	*operands = kept;
	return result;
}

void options_release(const struct option_row *rows, void *values)
{
	for (; rows && rows->kind != OPTION_END; rows++) {
		if (rows->kind == OPTION_LIST || rows->kind == OPTION_MANY) {
			struct option_list *list = (void *)((char *)values + rows->offset);

			free(list->items);
			*list = (struct option_list){ 0 };
		}
	}
}

/* ---- help */

static int row_heading(const struct option_row *row, char *text, size_t size)
{
	char letter[8] = "    ";

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	return snprintf(text, size, "  %s--%s%s%s", letter, row->name, row->value ? " " : "",
		row->value ? row->value : "");
}

#define HELP_WIDTH 80 /* columns of any terminal */

/* In columns: characters, as no word of the help has wide ones. */
static size_t word_width(const char *word, int size)
{
	size_t width = 0;

	for (int i = 0; i < size; i++)
		width += ((unsigned char)word[i] & 0xc0) != 0x80;
	return width;
}

void help_text(const char *text, int indent, FILE *out)
{
	size_t column = (size_t)indent;
	bool first = true;

	for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
		int size = (int)strcspn(text, " \n");
		size_t width = word_width(text, size);

		if (!first && column + 1 + width > HELP_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = (size_t)indent;
		} else if (!first) {
			putc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", size, text);
		column += width;
		text += size;
		first = false;
	}
	putc('\n', out);
}

void options_help(const struct option_row *rows, FILE *out)
{
	static const struct option_row help = { OPTION_FLAG, "help", 'h', NULL,
		"show this help and exit" };
	size_t count = row_count(rows);
	char heading[128];
	int width = 0;

	for (size_t i = 0; i <= count; i++) {
		int size = row_heading(i < count ? &rows[i] : &help, heading, sizeof(heading));

		width = size > width ? size : width;
	}
	for (size_t i = 0; i <= count; i++) {
		const struct option_row *row = i < count ? &rows[i] : &help;

		row_heading(row, heading, sizeof(heading));
		fprintf(out, "%-*s  ", width, heading);
		help_text(row->help, width + 2, out);
	}
}
