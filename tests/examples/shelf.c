/*
 * shelf.c - the example that scripts/run traces: a library that lends its books, with three things to find.
 *
 * A leak: notes about lost books are never freed. A hot loop: each loan formats a label that lives for a moment,
 * which costs no memory in the end, but most of the allocations. A peak: the yearly inventory copies
 * all titles at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOKS 5000
#define LOANS 200000

struct book {
	char *title;
	char *note;
	unsigned loans;
};

static struct book *shelf_fill(size_t count)
{
	struct book *shelf = calloc(count, sizeof(*shelf));

	for (size_t i = 0; i < count; i++) {
		shelf[i].title = malloc(48);
		snprintf(shelf[i].title, 48, "The %zuth thing one should know", i);
	}
	return shelf;
}

/* The hot loop's body: a label for each loan, thrown away at once. */
static size_t loan_label(const struct book *book, unsigned reader)
{
	char *label = malloc(96);
	size_t length = snprintf(label, 96, "%s, reader %u", book->title, reader);

	free(label);
	return length;
}

/* The leak: the first note is lost when the second one comes. */
static void note_loss(struct book *book, unsigned reader)
{
	book->note = malloc(64);
	snprintf(book->note, 64, "lost by reader %u", reader);
}

static size_t lend(struct book *shelf, size_t count, unsigned loans)
{
	size_t printed = 0;

	for (unsigned i = 0; i < loans; i++) {
		struct book *book = &shelf[i * 7919u % count];

		printed += loan_label(book, i);
		if (++book->loans % 20 == 0)
			note_loss(book, i);
	}
	return printed;
}

static int by_title(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The peak: everything twice, for the time of a sort. */
static void take_inventory(const struct book *shelf, size_t count)
{
	char **titles = malloc(count * sizeof(*titles));

	for (size_t i = 0; i < count; i++)
		titles[i] = strdup(shelf[i].title);
	qsort(titles, count, sizeof(*titles), by_title);
	printf("first title: %s\n", titles[0]);
	for (size_t i = 0; i < count; i++)
		free(titles[i]);
	free(titles);
}

static void shelf_clear(struct book *shelf, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(shelf[i].title);
		free(shelf[i].note);
	}
	free(shelf);
}

int main(void)
{
	struct book *shelf = shelf_fill(BOOKS);

	printf("labels: %zu bytes\n", lend(shelf, BOOKS, LOANS));
	take_inventory(shelf, BOOKS);
	shelf_clear(shelf, BOOKS);
	return 0;
}
