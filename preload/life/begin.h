/* SPDX-License-Identifier: MIT */
/* begin.h - whether an event may be recorded, and the begin of recording where it is time for that. */
#ifndef MTRACE_BEGIN_H
#define MTRACE_BEGIN_H

#include <stdbool.h>

#include "preload/sys/phase.h"

#pragma GCC visibility push(hidden)

bool phase_begin(void); /* not on: is it time to be? */

#pragma GCC visibility pop

/* May this event be recorded? */
static inline bool phase_ready(void)
{
	return likely(load_relaxed(&phase_page.phase) == PHASE_ON) || phase_begin();
}

#endif
