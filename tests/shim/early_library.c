/* SPDX-License-Identifier: MIT */
/*
 * early_library.c - allocates when the loader relocates it, before it has come to the tracer (see early.c).
 */
#include <stdlib.h>
#include <string.h>

int early_answer(void);
const char *early_text(void);

static char *text;

static int answer(void)
{
	return 42;
}

/* Chosen at load time, by what it takes memory for. */
__attribute__((__used__)) static int (*choose(void))(void)
{
	char *scratch = calloc(1, 100);

	text = malloc(8);
	scratch = realloc(scratch, 300);
	if (!text || !scratch)
		return NULL;
	for (int i = 0; i < 7; i++)
		text[i] = "chosen"[i];
	free(scratch);
	return answer;
}

static int chosen(void) __attribute__((ifunc("choose")));
static int (*const volatile pointer)(void) = chosen;

int early_answer(void)
{
	return pointer();
}

const char *early_text(void)
{
	return text;
}
