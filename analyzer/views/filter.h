/* SPDX-License-Identifier: MIT */
/*
 * filter.h - which rows to show: regular expressions on functions, locations and modules.
 */
#ifndef MTRACER_FILTER_H
#define MTRACER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/base/opts.h"

struct filter;
struct resolver;
struct trace;

/*
 * POSIX extended regular expressions. NULL when one isn't valid, and then `error` says which and
 * why. Both lists may be empty; the filter then keeps everything.
 */
struct filter *filter_new(const struct option_list *match, const struct option_list *exclude,
	char *error, size_t error_size);
void filter_free(struct filter *filter);

bool filter_is_empty(const struct filter *filter);

/* What the expressions are tried on, one after the other; NULL and 0 = unknown. */
struct filter_subject {
	const char *function;
	const char *file; /* tried as "file:line" */
	uint32_t line;
	const char *module;
};

/* Keeps what some `match` finds in any of the subjects (or there is no `match`), and no `exclude`
 * does. */
bool filter_keeps(const struct filter *filter, const struct filter_subject *subjects, size_t count);

/* The same of the functions on a site's stack; NULL keeps every site. */
bool filter_keeps_stack(const struct filter *filter, const struct trace *trace,
	struct resolver *resolver, uint32_t site);

#endif
