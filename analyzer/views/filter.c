/* SPDX-License-Identifier: MIT */
/* filter.c - rows by regular expression. */
#include "analyzer/views/filter.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/symbols/resolve.h"
#include "analyzer/trace/recognize.h"

#include <regex.h>
#include <stdlib.h>

struct expressions {
	regex_t *items;
	size_t count;
};

struct filter {
	struct expressions match, exclude;
};

static bool compile(
	struct expressions *e, const struct option_list *list, char *error, size_t error_size)
{
	e->items = mem_zalloc(list->count, sizeof(*e->items));
	for (size_t i = 0; i < list->count; i++) {
		int code;

		if (names_trace(list->items[i])) {
			snprintf(error, error_size, "'%s' is a trace, not a regular expression",
				list->items[i]);
			return false;
		}
		code = regcomp(&e->items[i], list->items[i], REG_EXTENDED | REG_NOSUB);

		if (code) {
			char why[128];

			regerror(code, &e->items[i], why, sizeof(why));
			snprintf(error, error_size, "'%s' is not a regular expression: %s",
				list->items[i], why);
			return false;
		}
		e->count++;
	}
	return true;
}

static void release(struct expressions *e)
{
	for (size_t i = 0; i < e->count; i++)
		regfree(&e->items[i]);
	free(e->items);
}

struct filter *filter_new(const struct option_list *match, const struct option_list *exclude,
	char *error, size_t error_size)
{
	struct filter *f = mem_zalloc(1, sizeof(*f));

	if (compile(&f->match, match, error, error_size) &&
		compile(&f->exclude, exclude, error, error_size))
		return f;
	filter_free(f);
	return NULL;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	release(&f->match);
	release(&f->exclude);
	free(f);
}

bool filter_is_empty(const struct filter *f)
{
	return f->match.count == 0 && f->exclude.count == 0;
}

static bool finds(const struct expressions *e, const char *text)
{
	for (size_t i = 0; text && i < e->count; i++) {
		if (regexec(&e->items[i], text, 0, NULL, 0) == 0)
			return true;
	}
	return false;
}

static bool finds_subject(const struct expressions *e, const struct filter_subject *s)
{
	struct strbuf location = { 0 };
	bool found = finds(e, s->function) || finds(e, s->module);

	if (!found && e->count && s->file) {
		strbuf_add(&location, s->file);
		if (s->line)
			strbuf_addf(&location, ":%u", s->line);
		found = finds(e, strbuf_text(&location));
		strbuf_release(&location);
	}
	return found;
}

bool filter_keeps(const struct filter *f, const struct filter_subject *subjects, size_t count)
{
	bool keep = f->match.count == 0;

	for (size_t i = 0; i < count; i++) {
		if (f->exclude.count && finds_subject(&f->exclude, &subjects[i]))
			return false;
		keep = keep || finds_subject(&f->match, &subjects[i]);
	}
	return keep;
}

struct subjects {
	struct filter_subject *items;
	size_t count, room;
};

static void add_subject(void *context, const struct frame_function *fn)
{
	struct subjects *s = context;
	struct filter_subject subject = { fn->symbol->function, fn->symbol->file, fn->symbol->line,
		fn->frame->module };

	VEC_PUSH(s->items, s->count, s->room, subject);
}

bool filter_keeps_stack(
	const struct filter *f, const struct trace *trace, struct resolver *resolver, uint32_t site)
{
	struct subjects stack = { 0 };
	bool keep;

	if (!f || filter_is_empty(f))
		return true;
	stack_walk(trace, resolver, site, add_subject, &stack);
	keep = filter_keeps(f, stack.items, stack.count);
	free(stack.items);
	return keep;
}
