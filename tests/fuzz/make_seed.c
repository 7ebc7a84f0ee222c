/* SPDX-License-Identifier: MIT */
/*
 * make_seed.c - writes a trace as the sparse input of the trace target, or, with the number of a
 * command line, of the commands target: make_seed TRACE SEED [NUMBER].
 */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>

#define TRACE_MOST (1u << 20) /* bytes */

int main(int argc, char **argv)
{
	static uint8_t trace[TRACE_MOST], seed[2 * TRACE_MOST + 3];
	FILE *in = argc > 2 ? fopen(argv[1], "r") : NULL;
	FILE *out = argc > 2 ? fopen(argv[2], "w") : NULL;
	size_t size;

	if (!in || !out) {
		fputs("usage: make_seed TRACE SEED [NUMBER]\n", stderr);
		return 2;
	}
	size = fread(trace, 1, sizeof(trace), in);
	if (argc > 3)
		putc(atoi(argv[3]), out);
	fwrite(seed, 1, target_sparse(trace, size, seed), out);
	return fclose(out) == 0 ? 0 : 1;
}
