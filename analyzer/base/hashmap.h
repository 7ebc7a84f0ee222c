/* SPDX-License-Identifier: MIT */
/*
 * hashmap.h - finds the index of an item in an array by the item's key. The items and their keys
 * stay with the caller, who says whether item `index` has the key that is looked for.
 */
#ifndef MTRACER_HASHMAP_H
#define MTRACER_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashmap { /* starts as { 0 } */
	struct hashmap_slot *slots;
	size_t size; /* slots, a power of two, or 0 */
	size_t used;
};

typedef bool hashmap_same(const void *context, uint32_t index, const void *key);

/*
 * The index of the item with this key; where there is none, `next` is stored for it and returned,
 * and the caller then makes the item of that index. UINT32_MAX as `next` stores nothing.
 */
uint32_t hashmap_find(struct hashmap *map, uint64_t hash, hashmap_same *same, const void *context,
	const void *key, uint32_t next);
void hashmap_release(struct hashmap *map);

/* Each entry is found from where its hash belongs, and they are as many as counted. For assertions. */
bool hashmap_is_valid(const struct hashmap *map);

uint64_t hash_number(uint64_t hash, uint64_t number); /* mixes a number into a hash; start with 0 */
uint64_t hash_text(uint64_t hash, const char *text);

#endif
