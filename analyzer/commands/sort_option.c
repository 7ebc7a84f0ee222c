/* SPDX-License-Identifier: MIT */
/* sort_option.c - looks a key up, and says what it may have meant. */
#include "analyzer/commands/sort_option.h"
#include "analyzer/base/log.h"
#include "analyzer/base/opts.h"
#include "analyzer/trace/trace.h"

int sort_option(
	const char *command, const char *option, const char *name, bool by_name, enum sort_key *key)
{
	const char *names[SORT_NAME + 2] = { NULL };
	const char *nearest;

	if (!name || (sort_key_find(name, key) && (by_name || *key != SORT_NAME)))
		return EXIT_OK;
	for (int i = 0; i < SORT_NAME + by_name; i++)
		names[i] = sort_key_names[i];
	nearest = nearest_name(name, names);
	if (nearest)
		return error("%s: '--%s %s' is not known; did you mean '%s'?", command, option,
			name, nearest);
	return error("%s: '--%s %s' is not known; see 'mtracer help %s'", command, option, name,
		command);
}

int sort_option_sums(const char *command, const char *name, enum sort_key *key)
{
	int status = sort_option(command, "sort", name, true, key);

	if (status == EXIT_OK && (*key == SORT_PEAK_BYTES || *key == SORT_NAME))
		return error("%s: cannot sort by '%s'", command, sort_key_names[*key]);
	return status;
}

int sort_option_settle(const char *name, const struct trace *t, enum sort_key *key)
{
	const struct measures then = { .unknown = t->moment.unknown };

	if (!name && t->moment.kind != MOMENT_END)
		*key = SORT_CURRENT_BYTES;
	if (measure_is_known(&then, *key))
		return EXIT_OK;
	return error("%s: %s is not known of this moment", t->path, sort_key_names[*key]);
}
