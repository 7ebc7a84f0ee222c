/*
 * place.h - where a trace goes: the path that MTRACE_OUT says, or where else there is room for it.
 *
 * The places are tried one after the other until the trace could be made at one. Each that was no
 * good has said why by place_failed(); the first reason is told with the place that was found.
 */
#ifndef MTRACE_PLACE_H
#define MTRACE_PLACE_H

#include "preload/internal.h"

struct place {
	unsigned next;	     /* the place to be tried next */
	bool child;	     /* of a fork: where it is now isn't where MTRACE_OUT was set */
	bool fixed;	     /* nowhere else than where MTRACE_OUT says */
	bool in_memory;	     /* the present one has no name */
	struct text why;     /* why the first one was no good; "" as long as it may be */
	char path[4096];     /* the present one */
	char why_text[4300]; /* room for a path and a reason */
};

#pragma GCC visibility push(hidden)

void place_init(char **environment); /* once, before the program can change it */
void place_start(struct place *p, bool child);
int place_open(
	struct place *p); /* a new, empty file at the next place; -1 when there is none left */
void place_failed(struct place *p, int error); /* the file that was opened is no good: removes it */
void place_found(struct place *p);	       /* it is: says where, if that isn't as wanted */
void place_none(struct place *p);	       /* none is: says why */

#pragma GCC visibility pop

#endif
