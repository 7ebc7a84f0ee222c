/* SPDX-License-Identifier: MIT */
/* intern.c - one copy of each text. The hash table is libiberty's, the texts lie in one arena. */
#include "analyzer/base/intern.h"

#include "analyzer/base/mem.h"

#include <stdlib.h>
#include <string.h>

#include <libiberty/hashtab.h>

#define CHUNK_SIZE 65536 /* bytes of texts allocated at once */

struct chunk {
	struct chunk *next;
	char text[];
};

struct interner {
	htab_t texts;
	struct chunk *chunks;
	char *free; /* in the first chunk */
	size_t left;
};

static int same_text(const void *a, const void *b)
{
	return strcmp(a, b) == 0;
}

struct interner *interner_new(void)
{
	struct interner *in = mem_zalloc(1, sizeof(*in));

	in->texts = htab_create_alloc(1021, htab_hash_string, same_text, NULL, mem_zalloc, free);
	return in;
}

void interner_free(struct interner *in)
{
	if (!in)
		return;
	htab_delete(in->texts);
	while (in->chunks) {
		struct chunk *next = in->chunks->next;

		free(in->chunks);
		in->chunks = next;
	}
	free(in);
}

static char *keep(struct interner *in, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy;

	if (size > in->left) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		struct chunk *chunk = mem_alloc(sizeof(*chunk) + room);

		chunk->next = in->chunks;
		in->chunks = chunk;
		in->free = chunk->text;
		in->left = room;
	}
	copy = memcpy(in->free, text, size);
	in->free += size;
	in->left -= size;
	return copy;
}

const char *intern(struct interner *in, const char *text)
{
	void **slot = htab_find_slot(in->texts, text, INSERT);

	if (!*slot)
		*slot = keep(in, text);
	return *slot;
}
