/* slots.c - the memory behind slots.h: a root that is mapped at the start, leaves when a region is
 * first met. */
#include "preload/slots.h"

uint32_t **slot_root;
unsigned slot_shift;
uint32_t *slot_regions;
uint32_t slot_region_count;

uint64_t slot_read_large(const uint32_t *slot)
{
	uint64_t size = 0;

	for (int i = SLOT_PIECES; i > 0; i--)
		size = size << SLOT_SITE_BIT | slot[i];
	return size;
}

void slot_write_large(uint32_t *slot, uint64_t size)
{
	for (int i = 1; i <= SLOT_PIECES; i++, size >>= SLOT_SITE_BIT)
		slot[i] = size & ((1u << SLOT_SITE_BIT) - 1);
}

bool slots_init(bool glibc)
{
	slot_shift = glibc ? 5 : 3;
	slot_root = os_map(sizeof(*slot_root) << (SLOT_ADDRESS_BITS - SLOT_REGION_BITS));
	slot_regions = os_map(sizeof(*slot_regions) << (SLOT_ADDRESS_BITS - SLOT_REGION_BITS));
	slot_region_count = 0;
	return slot_root != NULL && slot_regions != NULL;
}

cold_path uint32_t *slot_leaf_new(uintptr_t address)
{
	/* A little more than the region's share: a large block at its very end has its size in the
	 * slots behind. */
	size_t size = (sizeof(uint32_t) << (SLOT_REGION_BITS - slot_shift)) +
		      SLOT_PIECES * sizeof(uint32_t);
	uint32_t **entry = &slot_root[address >> SLOT_REGION_BITS];
	uint32_t *leaf, *there = NULL;

	if (address >> SLOT_ADDRESS_BITS)
		return NULL;
	leaf = os_map(size);
	if (!leaf)
		return NULL;
	if (!__atomic_compare_exchange_n(
		    entry, &there, leaf, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		os_unmap(leaf, size); /* another thread was faster */
		return there;
	}
	slot_regions[add_relaxed(&slot_region_count, 1)] = (uint32_t)(address >> SLOT_REGION_BITS);
	return leaf;
}
