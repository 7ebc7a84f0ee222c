/* SPDX-License-Identifier: MIT */
/*
 * paths.h - paths shortened to what distinguishes them: the fewest components from the end that no
 * other path in the set shares.
 */
#ifndef MTRACER_PATHS_H
#define MTRACER_PATHS_H

struct paths;

struct paths *paths_new(void);
void paths_free(struct paths *p);

/* The texts must outlive the set. NULL is ignored; a path may be added more than once. */
void paths_add(struct paths *p, const char *path);

/* The short form of a path that was added, a pointer into it. Everything must be added before the
 * first is asked for. */
const char *paths_short(struct paths *p, const char *path);

/* What follows the last '/'. */
const char *path_base(const char *path);

#endif
