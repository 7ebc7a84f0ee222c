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
	struct block none = { 0 }, b = { value >> SLOT_SITE_BIT, value & SLOT_LARGE, 1, 0 };

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
