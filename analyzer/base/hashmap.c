/* SPDX-License-Identifier: MIT */
/* hashmap.c - open addressing, linear probing, at most half full. */
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"

#include <assert.h>
#include <stdlib.h>

struct hashmap_slot {
	uint64_t hash;
	uint32_t index;
	bool used;
};

static void grow(struct hashmap *map)
{
	struct hashmap_slot *old = map->slots;
	size_t old_size = map->size;

	map->size = old_size ? old_size * 2 : 64;
	map->slots = mem_zalloc(map->size, sizeof(*map->slots));
	for (size_t i = 0; i < old_size; i++) {
		size_t at = old[i].hash & (map->size - 1);

		if (!old[i].used)
			continue;
		while (map->slots[at].used)
			at = (at + 1) & (map->size - 1);
		map->slots[at] = old[i];
	}
	free(old);
	assert(hashmap_is_valid(map));
}

/* No free slot between an entry and the slot that its hash belongs to. */
static bool is_reached(const struct hashmap *map, size_t at)
{
	for (size_t i = map->slots[at].hash & (map->size - 1); i != at;
		i = (i + 1) & (map->size - 1))
		if (!map->slots[i].used)
			return false;
	return true;
}

bool hashmap_is_valid(const struct hashmap *map)
{
	size_t used = 0;

	for (size_t i = 0; i < map->size; i++) {
		if (!map->slots[i].used)
			continue;
		if (!is_reached(map, i))
			return false;
		used++;
	}
	return used == map->used && used * 2 <= map->size;
}

uint32_t hashmap_find(struct hashmap *map, uint64_t hash, hashmap_same *same, const void *context,
	const void *key, uint32_t next)
{
	size_t at;

	if (map->used * 2 >= map->size)
		grow(map);
	at = hash & (map->size - 1);
	while (map->slots[at].used) {
		if (map->slots[at].hash == hash && same(context, map->slots[at].index, key))
			return map->slots[at].index;
		at = (at + 1) & (map->size - 1);
	}
	if (next != UINT32_MAX) {
		map->slots[at] = (struct hashmap_slot){ hash, next, true };
		map->used++;
	}
	return next;
}

void hashmap_release(struct hashmap *map)
{
	free(map->slots);
	*map = (struct hashmap){ 0 };
}

/* The finalizer of splitmix64. */
uint64_t hash_number(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) + 0x9e3779b97f4a7c15u;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
	return hash ^ (hash >> 31);
}

uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++) /* FNV-1a, then mixed */
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash_number(hash, 0);
}
