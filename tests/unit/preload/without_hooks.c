/* without_hooks.c - stands for the parts that are left out of the unit tests: nothing starts by
 * itself. */
#include "preload/life/init.h"
#include "preload/sys/next.h"
#include "preload/sys/phase.h"

struct next next;

void init_start(void)
{
}

const struct way phase_ways[4], phase_way_stopped, phase_way_passing; /* long ones */
