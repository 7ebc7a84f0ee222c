/* SPDX-License-Identifier: MIT */
/*
 * snapshots.h - the whole state of all sites at a moment, under a name.
 *
 * All sites are copied with what their lanes have counted, and those that differ from the snapshot
 * before are added to a table. Nothing that is there is written again: a snapshot counts from when its
 * own record does, which comes last, so one that a kill cut short is none. One that has no room leaves
 * no trace but in the header's count of lost ones.
 */
#ifndef MTRACE_SNAPSHOTS_H
#define MTRACE_SNAPSHOTS_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Of a thread that is busy. False: there are as many as may be kept, the label is empty, or there is no
 * room or memory; it has been counted. */
bool snapshots_take(const char *label);

void snapshots_forked(void); /* in a fork child that is traced: it has none yet */

#pragma GCC visibility pop

#endif
