/* SPDX-License-Identifier: MIT */
/*
 * early.c - memory from before the tracer's own relocation: it is usable, and may be given back, resized and freed.
 */
#include <string.h>

#include "program.h"

int early_answer(void);
const char *early_text(void);

int main(void)
{
	char *text = (char *)early_text();

	CHECK(early_answer() == 42);
	CHECK(strcmp(text, "chosen") == 0);
	text = realloc(text, 3000);  //= any
	CHECK(strcmp(text, "chosen") == 0);
	free(text);
	free(malloc(10));  //= count 1, total 10
	puts("done");
	return 0;
}
