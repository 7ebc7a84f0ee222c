/* SPDX-License-Identifier: MIT */
/* init.h - the start of the library's life. */
#ifndef MTRACE_INIT_H
#define MTRACE_INIT_H

#pragma GCC visibility push(hidden)

void init_start(void); /* once, at the first event that is late enough */

#pragma GCC visibility pop

#endif
