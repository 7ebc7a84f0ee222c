/* SPDX-License-Identifier: MIT */
/* shadow_plain.c - nodes of shadow.cc that are compiled without unwind information. */
#include "shadow.h"

__attribute__((noinline)) void node_12(struct context *c, int budget)
{
	int depth = enter(c, 12);

	go_on(c, budget);
	leave(c, depth);
	__asm__ volatile("");
}

/* All registers that a call leaves alone are in use, rbp too. */
__attribute__((noinline)) void node_13(struct context *c, int budget)
{
	long a = budget, b = a * 3, d = a ^ 5, e = a + 7, f = a - 9, g = a * a;
	int depth = enter(c, 13);

	for (int i = 0; i < 1 + (budget & 1); i++) {
		go_on(c, budget);
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(d), "+r"(e), "+r"(f), "+r"(g));
	}
	leave(c, depth);
	__asm__ volatile("" : : "r"(a + b + d + e + f + g));
}
