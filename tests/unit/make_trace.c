/* SPDX-License-Identifier: MIT */
/* make_trace.c - writes a trace from its description: make_trace DESCRIPTION TRACE. */
#include "trace_builder.h"

#include <string.h>

int main(int argc, char **argv)
{
	struct builder *b = builder_new();
	bool ok = false;
	FILE *in;

	if (argc != 3) {
		fputs("usage: make_trace DESCRIPTION TRACE\n", stderr);
		return 2;
	}
	in = fopen(argv[1], "r");
	if (in) {
		ok = builder_read(b, in, argv[1]) && builder_write(b, argv[2]);
		fclose(in);
	}
	builder_free(b);
	if (!ok)
		fprintf(stderr, "make_trace: cannot make '%s' from '%s'\n", argv[2], argv[1]);
	return ok ? 0 : 1;
}
