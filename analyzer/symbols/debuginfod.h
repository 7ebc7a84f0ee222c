/* SPDX-License-Identifier: MIT */
/*
 * debuginfod.h - debug files from servers, through libdwfl: how long it may take, and what is said
 * meanwhile.
 *
 * libdwfl asks the servers in DEBUGINFOD_URLS by itself whenever it looks for a debug file. Some
 * distributions set that variable for everyone, so it is hidden from libdwfl unless it was asked
 * for, and when the time is over.
 */
#ifndef MTRACER_DEBUGINFOD_H
#define MTRACER_DEBUGINFOD_H

#include <stdbool.h>

#include <elfutils/libdwfl.h>

struct symbolizer_options;

/* A session's questions are to end in time, and to show their progress. */
void debuginfod_watch(Dwfl *dwfl, const struct symbolizer_options *options);

/* Around everything that may make libdwfl ask. It can't unless `wanted`, and there is time left. */
void debuginfod_begin(bool wanted);
void debuginfod_end(void);

/* Whether the time was over before a question was answered, or asked. */
bool debuginfod_gave_up(void);

#endif
