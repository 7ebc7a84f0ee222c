/* SPDX-License-Identifier: MIT */
/*
 * intern.h - one copy of each text: equal texts become the same pointer.
 */
#ifndef MTRACER_INTERN_H
#define MTRACER_INTERN_H

struct interner;

struct interner *interner_new(void);
void interner_free(struct interner *in); /* and every text it gave out; NULL is ok */

/* The one copy of `text`, owned by the interner. */
const char *intern(struct interner *in, const char *text);

#endif
