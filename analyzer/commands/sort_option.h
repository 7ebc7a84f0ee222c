/* SPDX-License-Identifier: MIT */
/*
 * sort_option.h - the key that --sort or --measure names, for all commands that have one.
 *
 * Without a name `key` stays what it was. Both give EXIT_OK, or the status of an error that was
 * reported.
 */
#ifndef MTRACER_SORT_OPTION_H
#define MTRACER_SORT_OPTION_H

#include "analyzer/views/profile.h"

/* A measure, or SORT_NAME too with `by_name`. */
int sort_option(const char *command, const char *option, const char *name, bool by_name,
	enum sort_key *key);

/* Of --sort, only measures that add up over calls. */
int sort_option_sums(const char *command, const char *name, enum sort_key *key);

/* The same when there is a trace: where nothing was said of the state at a moment, the key is what was
 * held then. EXIT_ERROR after an error: the measure isn't known of that moment. */
int sort_option_settle(const char *name, const struct trace *trace, enum sort_key *key);

#endif
