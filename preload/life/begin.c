/* SPDX-License-Identifier: MIT */
/* begin.c - what comes next: the start, or the trace of a fork child. */
#include "preload/life/begin.h"
#include "preload/life/fork.h"
#include "preload/life/init.h"

cold_path bool phase_begin(void)
{
	if (phase_page.phase == PHASE_OFF)
		init_start();
	else if (phase_page.phase == PHASE_FORKED)
		fork_begin_child();
	return phase_page.phase == PHASE_ON;
}
