/*
 * sheet.c - reads, sorts and prints a table: the build after the change.
 *
 * The file has another name, functions another order, lines were put in, print_rows() is show_rows() now, and
 * sort_rows() keeps the regression.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 1000

struct table {
	char **rows;
	size_t count;
};

char *show_rows(const struct table *t)
{
	char *text = malloc(64 * t->count);
	size_t size = 0;

	/* one line for each */
	for (size_t i = 0; i < t->count; i++)
		size += (size_t)sprintf(text + size, "%s\n", t->rows[i]);
	return text;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

static void *get(size_t size)
{
	if (size == 0)
		size = 1;
	return calloc(1, size);
}

char *log_text;

void sort_rows(struct table *t)
{
	char **sorted;
	char *scratch;

	log_text = malloc(5000); /* line: regression */
	sprintf(log_text, "%zu rows", t->count);

	sorted = get(t->count * sizeof(*sorted));
	scratch = malloc(300);
	memcpy(sorted, t->rows, t->count * sizeof(*sorted));
	qsort(sorted, t->count, sizeof(*sorted), compare);
	free(scratch);
	free(t->rows);
	t->rows = sorted;
}

static char *copy(const char *text)
{
	char *p = malloc(strlen(text) + 1);

	return strcpy(p, text);
}

void read_rows(struct table *t)
{
	char line[64];

	t->rows = malloc(ROWS * sizeof(*t->rows));
	for (t->count = 0; t->count < ROWS; t->count++) {
		snprintf(line, sizeof(line), "row %04zu of the table", t->count);
		t->rows[t->count] = copy(line);
	}
}

int main(void)
{
	struct table t;
	char *text;

	read_rows(&t);

	sort_rows(&t);
	text = show_rows(&t);
	return text[0] != 'r';
}
