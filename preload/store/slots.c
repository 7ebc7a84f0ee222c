/* SPDX-License-Identifier: MIT */
/* slots.c - the memory behind slots.h: branches and leaves are mapped when a region is first
 * met. */
#include "preload/store/slots.h"
#include "preload/sys/os.h"

uint32_t **slot_root[SLOT_BRANCHES];
uintptr_t slot_eighths;
uint32_t slot_leaf_count;

#define MOST_AT_ONCE 32u /* leaves, of 64 MiB */

void slots_init(bool glibc)
{
	slot_eighths = glibc ? 0 : SLOT_EIGHTHS;
}

static size_t leaf_size(void)
{
	return slots_in_leaf() * sizeof(uint32_t);
}

/* Of several threads one sets the entry: what it has then, or NULL where `new` is it. */
static void *set_entry(void *entry, void *new)
{
	void *there = NULL;

	compare_exchange_acq_rel((void **)entry, &there, new);
	return there;
}

static uint32_t **get_branch(uintptr_t address)
{
	uint32_t ***entry = &slot_root[address >> (SLOT_REGION_BITS + SLOT_BRANCH_BITS)];
	uint32_t **new, **there = load_acquire(entry);

	if (there)
		return there;
	new = os_map(SLOT_BRANCH * sizeof(*new));
	there = new ? set_entry(entry, new) : NULL;
	if (!there)
		return new;
	os_unmap(new, SLOT_BRANCH * sizeof(*new)); /* another thread was faster */
	return there;
}

/* Half as many leaves as there are already, up to a number: so a small program has few, and a large
 * one few mappings. */
static uint32_t count_at_once(void)
{
	uint32_t most = load_relaxed(&slot_leaf_count) / 2, count = 1;

	while (count < most && count < MOST_AT_ONCE)
		count *= 2;
	return count;
}

/* Leaves for `count` regions, a power of two, around number `region` of the branch. */
static bool add_leaves(uint32_t **branch, uint32_t region, uint32_t count)
{
	uint32_t **entry = &branch[region & ~(count - 1)];
	size_t size = leaf_size();
	char *leaves = os_map(count * size);

	if (!leaves)
		return false;
	add_relaxed(&slot_leaf_count, count);
	for (uint32_t i = 0; i < count; i++)
		if (set_entry(&entry[i], leaves + i * size)) /* it had one */
			os_unmap(leaves + i * size, size);
	return true;
}

cold_path uint32_t *slot_leaf_new(uintptr_t address)
{
	uint32_t region = address >> SLOT_REGION_BITS & (SLOT_BRANCH - 1);
	uint32_t count = count_at_once();
	uint32_t **branch = address >> SLOT_ADDRESS_BITS ? NULL : get_branch(address);

	if (!branch)
		return NULL;
	if (!load_acquire(&branch[region]) && !add_leaves(branch, region, count) && count > 1)
		add_leaves(branch, region, 1);
	return load_acquire(&branch[region]);
}

/* ---- leftovers of blocks that were freed unseen */

/* By whoever empties the block's own slot, and only pieces: the address of one may have been given
 * to another thread. */
static void clear_pieces(uint32_t *slot)
{
	for (int i = 1; i <= SLOT_PIECES; i++) {
		uint32_t value = load_relaxed(&slot[i]);

		if (value && !(value >> SLOT_SITE_BIT))
			compare_exchange_relaxed(&slot[i], &value, 0);
	}
}

/* Of several threads that find it, one gets it. */
static struct block take_left(uint32_t *slot)
{
	uint32_t value = load_relaxed(slot);
	struct block none = { 0 }, b = { value >> SLOT_SITE_BIT, value & SLOT_LARGE, 1, 0, 0 };

	if (b.size == SLOT_LARGE)
		b.size = slot_read_large(slot);
	if (!b.site || !compare_exchange_acq_rel(slot, &value, 0))
		return none;
	if (b.size >= SLOT_LARGE)
		clear_pieces(slot);
	return b;
}

/* Where a block begins that would have this many slots behind its own before the address. */
static uintptr_t begins_before(uintptr_t address, uint32_t slots, uint32_t value)
{
	uintptr_t granule = (address >> SLOT_GRANULE_BITS) - slots;

	return (granule << SLOT_GRANULE_BITS) + (value & SLOT_HALF ? 16 : 0) +
	       (slot_eighths ? address & 8 : 0);
}

cold_path struct block slot_take_left(uintptr_t address, uintptr_t *at)
{
	uint32_t *slot = slot_at((const void *)address), value;
	uint32_t before = (uint32_t)(address >> SLOT_GRANULE_BITS & (SLOT_GRANULES - 1));
	struct block b = { 0 };

	for (uint32_t i = 0; slot && *slot && i <= SLOT_PIECES && i <= before; i++) {
		value = load_relaxed(slot - i);
		if (!(value >> SLOT_SITE_BIT) || (i && (value & SLOT_LARGE) != SLOT_LARGE))
			continue;
		*at = begins_before(address, i, value);
		b = take_left(slot - i);
		break;
	}
	if (!b.site && slot)
		*slot = 0;
	return b;
}

/* ---- the block around an address */

/* Of those that start in this granule and not behind the address the last; 0: none does. `number` is its
 * slot's. */
static uintptr_t last_in_granule(
	const uint32_t *leaf, uintptr_t region, size_t granule, uintptr_t address, size_t *number)
{
	uintptr_t last = 0;

	for (size_t slot = granule; slot < slots_in_leaf(); slot += SLOT_PLANE) {
		uint32_t value = load_relaxed(&leaf[slot]);
		uintptr_t start = slot_block(region, slot, value);

		if (!(value >> SLOT_SITE_BIT) || start > address || start < last)
			continue;
		last = start;
		*number = slot;
	}
	return last;
}

#define BLANK 16 /* granules that are looked at at once, a cache line of each plane */

/* Does nothing start in the granules up to this one, the last of so many? Not even a piece of a size is
 * there then. */
static bool are_blank(const uint32_t *leaf, size_t granule)
{
	uint64_t words[BLANK / 2], any = 0;

	for (size_t slot = granule + 1 - BLANK; slot < slots_in_leaf(); slot += SLOT_PLANE) {
		memcpy(words, &leaf[slot], sizeof(words));
		for (int i = 0; i < BLANK / 2; i++)
			any |= words[i];
	}
	return !any;
}

/* The last slot of a block that starts in the leaf up to this granule and not behind the address; NULL:
 * none does. */
static const uint32_t *last_in_leaf(
	const uint32_t *leaf, uintptr_t region, size_t granule, uintptr_t address, uintptr_t *start)
{
	size_t number = 0;

	for (size_t i = granule + 1; i-- > 0;) {
		if (i % BLANK == BLANK - 1 && are_blank(leaf, i)) {
			i -= BLANK - 1;
			continue;
		}
		*start = last_in_granule(leaf, region, i, address, &number);
		if (*start)
			return leaf + number;
	}
	return NULL;
}

static const uint32_t *leaf_of(uintptr_t region)
{
	uint32_t **branch = load_acquire(&slot_root[region >> SLOT_BRANCH_BITS]);

	return branch ? load_acquire(&branch[region & (SLOT_BRANCH - 1)]) : NULL;
}

/* The region below that may have a leaf. */
static uintptr_t region_below(uintptr_t region)
{
	while (region > 0 && !load_acquire(&slot_root[(region - 1) >> SLOT_BRANCH_BITS]))
		region = (region - 1) & ~(uintptr_t)(SLOT_BRANCH - 1);
	return region ? region - 1 : UINTPTR_MAX;
}

/* Of the last block that doesn't start behind the address; NULL: none. */
static const uint32_t *last_slot(uintptr_t address, uintptr_t *start)
{
	uintptr_t region = address >> SLOT_REGION_BITS;
	size_t granule = address >> SLOT_GRANULE_BITS & (SLOT_GRANULES - 1);

	for (; region != UINTPTR_MAX; region = region_below(region), granule = SLOT_GRANULES - 1) {
		const uint32_t *leaf = leaf_of(region), *slot;

		slot = leaf ? last_in_leaf(leaf, region, granule, address, start) : NULL;
		if (slot)
			return slot;
	}
	return NULL;
}

/* Its thread may free it just now, and another be given its memory: then the slot has changed between
 * two looks. */
cold_path struct block slot_find(uintptr_t address, uintptr_t *start)
{
	struct block b, none = { 0 };
	const uint32_t *slot;
	uint32_t value;

	slot = address >> SLOT_ADDRESS_BITS ? NULL : last_slot(address, start);
	if (!slot)
		return none;
	value = load_acquire(slot);
	b = slot_read(slot);
	if (load_acquire(slot) != value || address - *start >= (b.size ? b.size : 1))
		return none;
	return b;
}

/* ---- all of them */

static void clear_branch(uint32_t **branch)
{
	for (uint32_t i = 0; i < SLOT_BRANCH; i++) {
		uint32_t *leaf = load_acquire(&branch[i]);

		if (leaf)
			os_forget(leaf, leaf_size());
	}
}

cold_path void slots_clear(void)
{
	for (uint32_t i = 0; i < SLOT_BRANCHES; i++)
		if (load_acquire(&slot_root[i]))
			clear_branch(slot_root[i]);
}
