/* SPDX-License-Identifier: MIT */
/* breaks.c - notes in plain memory, since nothing may be allocated while the break moves. */
#include "preload/leakscan/breaks.h"

struct own_break breaks[MOST_BREAKS];
size_t breaks_count;

void breaks_note(uintptr_t from, uintptr_t to, uintptr_t caller)
{
	struct own_break *last = breaks_count > 0 ? &breaks[breaks_count - 1] : NULL;

	for (size_t i = 0; i < breaks_count; i++)
		if (breaks[i].end > to)
			breaks[i].end = to;
	if (to <= from)
		return;
	if (last && last->end == from && last->caller == caller)
		last->end = to;
	else if (breaks_count < MOST_BREAKS)
		breaks[breaks_count++] = (struct own_break){ from, to, caller };
	else
		last->end = to; /* over what is between */
}
