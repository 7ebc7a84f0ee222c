/* SPDX-License-Identifier: MIT */
/* array.h - how many elements an array has, one that isn't a pointer. */
#ifndef MTRACE_ARRAY_H
#define MTRACE_ARRAY_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
