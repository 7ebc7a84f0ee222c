/* SPDX-License-Identifier: MIT */
/*
 * paths.c - shortens paths to what distinguishes them.
 *
 * Every path starts with its last component. As long as two different paths have the same short
 * form, both get one more component; a round looks at each path once. After ROUNDS of them what
 * still clashes is shown whole: the paths come from a trace, and may be made to cost time.
 */
#include "analyzer/base/paths.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 32

struct entry {
	const char *path;
	const char *from; /* where the short form begins in it */
	bool clashes;
};

struct paths {
	struct entry *entries;
	size_t count, room;
	struct hashmap index; /* of entries, by path */
	bool settled;
};

static bool same_path(const void *context, uint32_t index, const void *path)
{
	return strcmp(((const struct paths *)context)->entries[index].path, path) == 0;
}

static bool same_short(const void *context, uint32_t index, const void *text)
{
	return strcmp(((const struct paths *)context)->entries[index].from, text) == 0;
}

struct paths *paths_new(void)
{
	return mem_zalloc(1, sizeof(struct paths));
}

void paths_free(struct paths *p)
{
	if (!p)
		return;
	hashmap_release(&p->index);
	free(p->entries);
	free(p);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void paths_add(struct paths *p, const char *path)
{
	struct entry entry = { path, path ? path_base(path) : NULL, false };

	if (!path || hashmap_find(&p->index, hash_text(0, path), same_path, p, path,
			     (uint32_t)p->count) != p->count)
		return;
	VEC_PUSH(p->entries, p->count, p->room, entry);
}

static bool mark_clashes(struct paths *p)
{
	struct hashmap shorts = { 0 };
	bool any = false;

	for (size_t i = 0; i < p->count; i++) {
		uint32_t other = hashmap_find(&shorts, hash_text(0, p->entries[i].from), same_short,
			p, p->entries[i].from, (uint32_t)i);

		if (other != i)
			p->entries[i].clashes = p->entries[other].clashes = any = true;
	}
	hashmap_release(&shorts);
	return any;
}

/* One component more. "/a" becomes "/a" from "a": the slash itself is the last that can be
 * added. */
static void lengthen(struct entry *e)
{
	const char *from = e->from;

	if (from > e->path)
		from--;
	while (from > e->path && from[-1] != '/')
		from--;
	e->from = from;
}

static void settle(struct paths *p)
{
	for (int round = 0; round <= ROUNDS && mark_clashes(p); round++) {
		for (size_t i = 0; i < p->count; i++) {
			struct entry *e = &p->entries[i];

			if (e->clashes && round == ROUNDS)
				e->from = e->path;
			else if (e->clashes)
				lengthen(e);
			e->clashes = false;
		}
	}
	p->settled = true;
}

const char *paths_short(struct paths *p, const char *path)
{
	uint32_t at;

	if (!p->settled)
		settle(p);
	at = hashmap_find(&p->index, hash_text(0, path), same_path, p, path, UINT32_MAX);
	return at == UINT32_MAX ? path : p->entries[at].from;
}
