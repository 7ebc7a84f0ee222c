/* SPDX-License-Identifier: MIT */
/* test_hashmap.c - random keys, in the map and in a plain array. */
#include "unit.h"

#include "analyzer/base/hashmap.h"

#define KEYS 3000

static uint64_t keys[KEYS];
static uint32_t count;

static bool same(const void *context, uint32_t index, const void *key)
{
	(void)context;
	return keys[index] == *(const uint64_t *)key;
}

static uint32_t plain_find(uint64_t key)
{
	for (uint32_t i = 0; i < count; i++)
		if (keys[i] == key)
			return i;
	return UINT32_MAX;
}

/* Few different hashes for many keys: long runs, which wrap around the end. */
static uint64_t hash_of(uint64_t key, unsigned round)
{
	return round % 2 ? hash_number(0, key) : UINT64_MAX - key % 50;
}

START_TEST(finds_what_a_plain_array_finds)
{
	for (unsigned round = 0; round < 20; round++) {
		struct hashmap map = { 0 };

		srand(round);
		count = 0;
		for (int i = 0; i < KEYS; i++) {
			uint64_t key = (uint64_t)rand() % (KEYS / 2), hash = hash_of(key, round);
			uint32_t there = plain_find(key);

			ck_assert_uint_eq(
				hashmap_find(&map, hash, same, NULL, &key, UINT32_MAX), there);
			if (rand() % 2)
				continue;
			ck_assert_uint_eq(hashmap_find(&map, hash, same, NULL, &key, count),
				there == UINT32_MAX ? count : there);
			if (there == UINT32_MAX)
				keys[count++] = key;
		}
		ck_assert_uint_eq(map.used, count);
		ck_assert(hashmap_is_valid(&map));
		hashmap_release(&map);
	}
}
END_TEST

UNIT_SUITE("hashmap", finds_what_a_plain_array_finds)
