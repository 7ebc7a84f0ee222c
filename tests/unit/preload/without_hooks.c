/* without_hooks.c - stands for the parts that are left out of the unit tests: nothing starts by
 * itself. */
#include "preload/internal.h"

void init_start(void)
{
}
