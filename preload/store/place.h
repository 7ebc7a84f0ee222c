/*
 * place.h - where a trace goes: the path that MTRACE_OUT says, or where else there is room for it.
 *
 * The places are tried one after the other until the trace could be made at one. Each that was no
 * good has said why by place_failed(); the first reason is told with the place that was found.
 *
 * A file has no name until all of it is written: who is killed meanwhile leaves nothing, and nobody
 * ever meets half a trace. Where the file system has no such files, or there is no /proc to name it
 * by, it has another name until then (.NAME.PID.new).
 */
#ifndef MTRACE_PLACE_H
#define MTRACE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/sys/text.h"

struct place {
	unsigned next;	     /* the place to be tried next */
	bool child;	     /* of a fork: where it is now isn't where MTRACE_OUT was set */
	bool fixed;	     /* nowhere else than where MTRACE_OUT says */
	bool in_memory;	     /* the present one never gets a name */
	bool named;	     /* it has got it */
	bool aside;	     /* until then, files have another name */
	bool again;	     /* with one: this one couldn't be named */
	unsigned attempt;    /* which of the names at this place */
	size_t stem;	     /* bytes of the path without what makes it a free one */
	bool has_pid;	     /* among these */
	struct text why;     /* why the first one was no good; "" as long as it may be */
	char path[4096];     /* the present one */
	char other[4096];    /* its name until then; "" = none */
	char why_text[4300]; /* room for a path and a reason */
};

#pragma GCC visibility push(hidden)

void place_init(char **environment); /* once, before the program can change it */
void place_start(struct place *p, bool child);
int place_open(
	struct place *p); /* a new, empty file at the next place; -1 when there is none left */
int place_name(struct place *p, int fd);       /* gives that file its name. Negative errno */
void place_failed(struct place *p, int error); /* the file that was opened is no good: removes it */
void place_found(struct place *p);	       /* it is: says where, if that isn't as wanted */
void place_none(struct place *p);	       /* none is: says why */

#pragma GCC visibility pop

#endif
