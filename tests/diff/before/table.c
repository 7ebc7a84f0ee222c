/* table.c - reads, sorts and prints a table: the build before the change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 1000

struct table {
	char **rows;
	size_t count;
};

static char *copy(const char *text)
{
	char *p = malloc(strlen(text) + 1);

	return strcpy(p, text);
}

static void *get(size_t size)
{
	return calloc(1, size);
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

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

void sort_rows(struct table *t)
{
	char **sorted = get(t->count * sizeof(*sorted));
	char *scratch = malloc(300);

	memcpy(sorted, t->rows, t->count * sizeof(*sorted));
	qsort(sorted, t->count, sizeof(*sorted), compare);
	free(scratch);
	free(t->rows);
	t->rows = sorted;
}

char *print_rows(const struct table *t)
{
	char *text = malloc(64 * t->count);
	size_t size = 0;

	for (size_t i = 0; i < t->count; i++)
		size += (size_t)sprintf(text + size, "%s\n", t->rows[i]);
	return text;
}

int main(void)
{
	struct table t;
	char *text;

	read_rows(&t);
	sort_rows(&t);
	text = print_rows(&t);
	return text[0] != 'r';
}
