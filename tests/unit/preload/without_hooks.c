/* SPDX-License-Identifier: MIT */
/* without_hooks.c - stands for the parts that are left out of the unit tests: nothing starts by
 * itself. */
#include "preload/life/init.h"
#include "preload/sys/next.h"
#include "preload/sys/phase.h"

struct next next;

void init_start(void)
{
}

const struct fast_path phase_fast_paths[4], phase_fast_path_stopped,
	phase_fast_path_passing; /* slow paths */
