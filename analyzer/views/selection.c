/* SPDX-License-Identifier: MIT */
/* selection.c - from words of a command line to functions. */
#include "analyzer/views/selection.h"
#include "analyzer/base/array.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/symbols/wrappers.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/filter.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 512

void selection_release(struct selection *s)
{
	free(s->items);
	*s = (struct selection){ 0 };
}

/* ---- order */

struct order {
	const struct annotation *a;
	enum sort_key key;
};

static int compare_locations(const struct annotated *a, const struct annotated *b)
{
	int order = compare_texts(a->file, b->file);

	if (order == 0)
		order = compare_numbers(a->line, b->line);
	return order ? order : compare_texts(a->name, b->name);
}

static int by_measure(const void *left, const void *right, void *context)
{
	const struct order *order = context;
	const struct annotated *a = annotation_function(order->a, *(const size_t *)left);
	const struct annotated *b = annotation_function(order->a, *(const size_t *)right);
	enum sort_key keys[] = { order->key, SORT_AT_PEAK_BYTES, SORT_ALLOCATED_BYTES };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t m = sort_measure(&a->owned, keys[i]);
		int64_t n = sort_measure(&b->owned, keys[i]);

		if (m != n)
			return m > n ? -1 : 1;
	}
	return compare_locations(a, b);
}

static int by_location(const void *left, const void *right, void *context)
{
	const struct order *order = context;

	return compare_locations(annotation_function(order->a, *(const size_t *)left),
		annotation_function(order->a, *(const size_t *)right));
}

static void sort(struct selection *s, int (*compare)(const void *, const void *, void *),
	struct order *order)
{
	if (s->count)
		qsort_r(s->items, s->count, sizeof(*s->items), compare, order);
}

/* ---- the largest */

struct selection select_largest(
	const struct annotation *a, enum sort_key key, uint64_t limit, bool all)
{
	struct selection s = { 0 };
	struct order order = { a, key };
	int64_t least = sort_measure(&annotation_tally(a)->totals.all, key) / 100;
	size_t owners = 0;

	s.items = mem_zalloc(annotation_count(a), sizeof(*s.items));
	for (size_t i = 0; i < annotation_count(a); i++)
		if (annotation_function(a, i)->owned.allocations ||
			annotation_function(a, i)->owned.current_bytes)
			s.items[owners++] = i;
	qsort_r(s.items, owners, sizeof(*s.items), by_measure, &order);
	for (size_t i = 0; i < owners; i++) {
		int64_t measure = sort_measure(&annotation_function(a, s.items[i])->owned, key);

		if ((!limit || s.count < limit) && (all || s.count == 0 || measure >= least)) {
			s.count++;
			continue;
		}
		s.left_out++;
		s.left_out_measure += measure;
	}
	return s;
}

/* ---- by name */

static const char *last_part(const char *name)
{
	const char *found;

	for (const char *next = name; (found = strstr(next, "::")); next = found + 2)
		name = found + 2;
	return name;
}

/* "push" and "Stack::push" mean ns::Stack<int>::push. */
static bool is_name(void *context, const char *name)
{
	const char *word = context;
	char plain[NAME_MAX_BYTES];
	size_t size, word_size = strlen(word);

	if (strcmp(name, word) == 0)
		return true;
	plain_name(name, plain, sizeof(plain));
	size = strlen(plain);
	if (size < word_size || strcmp(plain + size - word_size, word) != 0)
		return false;
	return size == word_size ||
	       (size - word_size >= 2 && memcmp(plain + size - word_size - 2, "::", 2) == 0);
}

/* Whether `path` ends with all components of the first `size` bytes of `word`. */
static bool is_file(const char *path, const char *word, size_t size)
{
	size_t path_size = path ? strlen(path) : 0;

	while (size > 2 && word[0] == '.' && word[1] == '/') {
		word += 2;
		size -= 2;
	}
	if (size == 0 || path_size < size || strncmp(path + path_size - size, word, size) != 0)
		return false;
	return path_size == size || word[0] == '/' || path[path_size - size - 1] == '/';
}

static void add_named(const struct annotation *a, const char *word, struct selection *s)
{
	size_t room = 0;

	for (size_t i = 0; i < annotation_count(a); i++)
		if (annotation_has_name(a, i, is_name, (void *)word))
			VEC_PUSH(s->items, s->count, room, i);
}

static void add_file(const struct annotation *a, const char *word, size_t size, struct selection *s)
{
	size_t room = 0;

	for (size_t i = 0; i < annotation_count(a); i++)
		if (is_file(annotation_function(a, i)->file, word, size))
			VEC_PUSH(s->items, s->count, room, i);
}

/* Of the functions of one file, the last that begins at or before the line; one for each file. */
static void keep_line(const struct annotation *a, uint32_t line, struct selection *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct annotated *f = annotation_function(a, s->items[i]);
		const struct annotated *last =
			kept ? annotation_function(a, s->items[kept - 1]) : NULL;

		if (f->line > line)
			continue;
		if (last && last->file == f->file)
			kept--;
		s->items[kept++] = s->items[i];
	}
	s->count = kept;
}

/* Returns whether the word is a location in a file, be there functions or not. */
static bool add_location(const struct annotation *a, const char *word, struct selection *s)
{
	struct order order = { a, SORT_NAME };
	const char *colon = strrchr(word, ':');
	char *end;
	unsigned long line;

	add_file(a, word, strlen(word), s);
	if (s->count == 0 && colon && colon[1] >= '0' && colon[1] <= '9') {
		line = strtoul(colon + 1, &end, 10);
		if (*end == 0 && line <= UINT32_MAX)
			add_file(a, word, colon - word, s);
		if (s->count == 0)
			return false;
		sort(s, by_location, &order);
		keep_line(a, (uint32_t)line, s);
		return true;
	}
	sort(s, by_location, &order);
	return s->count > 0;
}

struct expression {
	const struct filter *filter;
	const struct annotated *function;
};

static bool is_matching(void *context, const char *name)
{
	const struct expression *e = context;
	struct filter_subject subject = { name, e->function->file, e->function->line, NULL };

	return filter_keeps(e->filter, &subject, 1);
}

static bool add_matching(const struct annotation *a, const char *word, struct selection *s,
	char *why, size_t why_size)
{
	struct option_list match = { &word, 1 }, exclude = { 0 };
	struct filter *filter = filter_new(&match, &exclude, why, why_size);
	size_t room = 0;

	if (!filter)
		return false;
	for (size_t i = 0; i < annotation_count(a); i++) {
		struct expression e = { filter, annotation_function(a, i) };

		if (annotation_has_name(a, i, is_matching, &e))
			VEC_PUSH(s->items, s->count, room, i);
	}
	filter_free(filter);
	return true;
}

/* ---- nothing found */

struct collected {
	const char **names; /* copies, NULL-terminated at last */
	size_t count, room;
};

static bool collect_name(void *context, const char *name)
{
	struct collected *c = context;
	char plain[NAME_MAX_BYTES];
	const char *copy;

	plain_name(name, plain, sizeof(plain));
	copy = mem_strdup(plain);
	VEC_PUSH(c->names, c->count, c->room, copy);
	copy = mem_strdup(last_part(plain));
	VEC_PUSH(c->names, c->count, c->room, copy);
	return false;
}

/* An error where `fatal`, or else a warning. */
static void report_unknown(const struct annotation *a, const char *word, bool fatal)
{
	struct collected c = { 0 };
	const char *end = NULL, *nearest;

	for (size_t i = 0; i < annotation_count(a); i++) {
		const char *file = annotation_function(a, i)->file;

		annotation_has_name(a, i, collect_name, &c);
		file = mem_strdup(file ? path_base(file) : "");
		VEC_PUSH(c.names, c.count, c.room, file);
	}
	VEC_PUSH(c.names, c.count, c.room, end);
	nearest = nearest_name(word, c.names);
	if (nearest && fatal)
		error("no function or file of the trace matches '%s'; did you mean '%s'?", word,
			nearest);
	else if (fatal)
		error("no function or file of the trace matches '%s'", word);
	else if (nearest)
		warning("nothing matches '%s'; did you mean '%s'?", word, nearest);
	else
		warning("nothing matches '%s'", word);
	for (size_t i = 0; i < c.count; i++)
		free((void *)c.names[i]);
	free(c.names);
}

/* ---- all patterns */

static int match_one(
	const struct annotation *a, enum sort_key key, const char *word, struct selection *s)
{
	struct order order = { a, key };
	char why[256];

	if (!*word)
		return error("empty FUNCTION or FILE");
	add_named(a, word, s);
	if (s->count == 0 && add_location(a, word, s))
		return EXIT_OK;
	if (s->count == 0 && !add_matching(a, word, s, why, sizeof(why)))
		return error("%s", why);
	sort(s, by_measure, &order);
	return EXIT_OK;
}

struct selection select_matching(const struct annotation *a, enum sort_key key,
	char *const *patterns, int count, int *status)
{
	bool *unknown = mem_zalloc(count, sizeof(*unknown));
	bool *taken = mem_zalloc(annotation_count(a), sizeof(*taken));
	struct selection all = { 0 };
	size_t room = 0;

	*status = EXIT_OK;
	for (int i = 0; i < count && *status == EXIT_OK; i++) {
		struct selection one = { 0 };

		*status = match_one(a, key, patterns[i], &one);
		unknown[i] = *status == EXIT_OK && one.count == 0;
		for (size_t k = 0; k < one.count; k++) {
			if (!taken[one.items[k]])
				VEC_PUSH(all.items, all.count, room, one.items[k]);
			taken[one.items[k]] = true;
		}
		selection_release(&one);
	}
	for (int i = 0; i < count && *status == EXIT_OK; i++)
		if (unknown[i])
			report_unknown(a, patterns[i], all.count == 0);
	if (all.count == 0)
		*status = EXIT_ERROR;
	free(taken);
	free(unknown);
	return all;
}
