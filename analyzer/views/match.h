/* SPDX-License-Identifier: MIT */
/*
 * match.h - which functions and points of several traces are the same code, though lines moved,
 * functions were reordered, files renamed, modules loaded elsewhere or built anew.
 *
 * Traces are added one after the other; each of their points gets an identity, a small number, that
 * the same point of another trace has too. What decides, in this order:
 *
 *   1. functions by module, name and file; then by module and name (the file was renamed, or is
 *      unknown); then by name and file (the code went to another module)
 *   2. points of a function: in the same build by their location; else by their order in the
 *      function, aligned so that most points find a partner which calls the same functions, and the
 *      likest one in what it allocated; where functions have no names, and the order says little,
 *      first those that allocated the same
 *   3. functions that are left on both sides, in the same module: called from the same points,
 *      calling the same functions, with as many points, and not orders of magnitude apart in what
 *      they allocate: renamed. Then 2. and 3. again, until nothing new is found.
 *
 * What is left has no partner: it is new, or gone.
 */
#ifndef MTRACER_MATCH_H
#define MTRACER_MATCH_H

#include <stddef.h>
#include <stdint.h>

struct code;
struct match;

struct match *match_new(void);
void match_free(struct match *match);

/* Sets ids[i] to the identity of code->points[i]. The code's texts must outlive the match. */
void match_add(struct match *match, const struct code *code, uint32_t *ids);

size_t match_point_count(const struct match *match); /* identities are below it */
size_t match_function_count(const struct match *match);

/* The identity of a point's function. */
uint32_t match_function(const struct match *match, uint32_t point);

#endif
