/* SPDX-License-Identifier: MIT */
/* places.h - a function to inline from another file, reached by a path that isn't plain. */
#ifndef PLACES_H
#define PLACES_H

static inline __attribute__((always_inline)) void in_header(const struct place *up)
{
	tell(PLACE(up));
	KEEP;
}

#endif
