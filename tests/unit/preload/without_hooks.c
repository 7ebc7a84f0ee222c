/* without_hooks.c - stands for the parts that are left out of the unit tests: nothing starts by
 * itself. */
#include "preload/sys/internal.h"
#include "preload/sys/next.h"
#include "preload/sys/phase.h"

struct next next;

void init_start(void)
{
}

const struct way *way_for(bool several_threads, bool glibc)
{
	static const struct way long_way;

	(void)several_threads;
	(void)glibc;
	return &long_way;
}
