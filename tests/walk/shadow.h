/* SPDX-License-Identifier: MIT */
/* shadow.h - what the functions of shadow.cc and shadow_plain.c share. */
#ifndef TEST_SHADOW_H
#define TEST_SHADOW_H

#ifdef __cplusplus
extern "C" {
#endif

struct context;

/* Does something random, and calls further nodes: `budget` tells how many frames deep. */
void go_on(struct context *c, int budget);

/* Around each node's work: the number of its function goes on the shadow stack, and off again. */
int enter(struct context *c, int node);
void leave(struct context *c, int depth);

void node_12(struct context *c, int budget);
void node_13(struct context *c, int budget);

#ifdef __cplusplus
}
#endif

#endif
