/* SPDX-License-Identifier: MIT */
/*
 * selection.h - the functions that a command line means: by FUNCTION, FILE, FILE:LINE or regular
 * expression; or where nothing is said, those that hold most.
 */
#ifndef MTRACER_SELECTION_H
#define MTRACER_SELECTION_H

#include "analyzer/views/annotation.h"

struct selection {
	size_t *items; /* functions of the annotation, in the order to be shown */
	size_t count;
	size_t left_out; /* functions that own memory too, for want of a location */
	int64_t left_out_measure;
};

/*
 * The functions that own most by `key`: at most `limit` (0 = all), and without `all` only those
 * with a percent of the program's and more.
 */
struct selection select_largest(
	const struct annotation *a, enum sort_key key, uint64_t limit, bool all);

/*
 * What the patterns mean: each a name of functions, with or without namespaces and template
 * arguments; a file, by its whole path or its end, maybe with ":LINE"; or else an extended regular
 * expression on function or file. Those of a file come in its order, others by `key`. A pattern
 * that means nothing is reported with the nearest name: as an error where no other means anything,
 * and then *status is EXIT_ERROR.
 */
struct selection select_matching(const struct annotation *a, enum sort_key key,
	char *const *patterns, int count, int *status);

void selection_release(struct selection *s);

#endif
