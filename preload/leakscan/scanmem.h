/* SPDX-License-Identifier: MIT */
/* scanmem.h - the scan's own memory, which goes all at once. */
#ifndef MTRACE_SCANMEM_H
#define MTRACE_SCANMEM_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/sys/os.h"

#pragma GCC visibility push(hidden)

/* Memory for the scan, zeroed; NULL. */
void *scan_map(size_t size);
void scan_release(void);				 /* all of it */
bool scan_maps(unsigned number, struct os_range *range); /* its pieces: 0, 1, ...; false: no more */

#pragma GCC visibility pop

#endif
