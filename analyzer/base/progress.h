/* SPDX-License-Identifier: MIT */
/*
 * progress.h - a line on stderr that says what takes so long: on a terminal, after half a second.
 */
#ifndef MTRACER_PROGRESS_H
#define MTRACER_PROGRESS_H

/* What is being done now; cheap. The line appears and changes by itself, from a timer, so what
 * follows may block. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes the line away for a message on stderr. */
void progress_clear(void);

/* Before the first output: no more progress is shown. */
void progress_end(void);

#endif
