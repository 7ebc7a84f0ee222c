/* SPDX-License-Identifier: MIT */
/*
 * ongoing_scan.h - the search for leaks that a program began at its exit, and a copy of it finishes:
 * it may go on when the program has ended.
 */
#ifndef MTRACER_ONGOING_SCAN_H
#define MTRACER_ONGOING_SCAN_H

/* Waits until the trace has the verdict and what is written after it: seconds at the most, and not
 * at all where no search goes on. Never fails: what is no trace is left to the reader. */
void ongoing_scan_await(const char *path);

#endif
