/* without_hooks.c - stands for the parts that are left out of the unit tests: nothing starts by
 * itself. */
#include "preload/internal.h"
#include "preload/next.h"

struct next next;

void init_start(void)
{
}
