/* slots.c - the memory behind slots.h: a root that is mapped at the start, leaves when a region is
 * first met. */
#include "preload/slots.h"

uint32_t **slot_root;
uintptr_t slot_eighths;
uint32_t *slot_regions;
uint32_t slot_region_count;
static uint32_t region_most; /* room in slot_regions */

#define ROOT_SIZE (sizeof(*slot_root) << (SLOT_ADDRESS_BITS - SLOT_REGION_BITS))
#define REGIONS (1u << (SLOT_ADDRESS_BITS - SLOT_REGION_BITS))
#define SPARE_REGIONS                                                              \
	3 /* where memory is limited: the heap, the mappings and a stack lie apart \
	   */

/* As many leaves as there can be blocks for; more would be memory that the program may need. */
static uint32_t count_regions(void)
{
	size_t address = os_address_limit(), data = os_data_limit();
	size_t limit = (address < data ? address : data) >> SLOT_REGION_BITS;

	return limit < REGIONS - SPARE_REGIONS ? (uint32_t)limit + SPARE_REGIONS : REGIONS;
}

/* The root is written to page by page as there are leaves: what can only be read isn't data, as
 * RLIMIT_DATA counts it. */
bool slots_init(bool glibc)
{
	slot_eighths = glibc ? 0 : SLOT_EIGHTHS;
	region_most = count_regions();
	slot_root = os_map_readable(ROOT_SIZE);
	slot_regions = os_map(region_most * sizeof(*slot_regions));
	slot_region_count = 0;
	return slot_root != NULL && slot_regions != NULL;
}

void slots_release(void)
{
	if (slot_regions)
		os_unmap(slot_regions, region_most * sizeof(*slot_regions));
	if (slot_root)
		os_unmap(slot_root, ROOT_SIZE);
	slot_regions = NULL;
	slot_root = NULL;
}

/* A place in the list, 0 until it is filled; false: there is none. */
static bool take_place(uint32_t *place)
{
	*place = load_relaxed(&slot_region_count);
	while (*place < region_most)
		if (__atomic_compare_exchange_n(&slot_region_count, place, *place + 1, false,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

static bool open_root(uint32_t **entry)
{
	return os_make_writable((void *)((uintptr_t)entry & ~(uintptr_t)4095), 4096);
}

cold_path uint32_t *slot_leaf_new(uintptr_t address)
{
	size_t size = slots_in_leaf() * sizeof(uint32_t);
	uint32_t **entry = &slot_root[address >> SLOT_REGION_BITS];
	uint32_t *leaf, *there = NULL;
	uint32_t place;

	if (address >> SLOT_ADDRESS_BITS || !open_root(entry) || !take_place(&place))
		return NULL;
	leaf = os_map(size);
	if (!leaf)
		return NULL;
	if (!__atomic_compare_exchange_n(
		    entry, &there, leaf, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		os_unmap(leaf, size); /* another thread was faster */
		return there;
	}
	slot_regions[place] = (uint32_t)(address >> SLOT_REGION_BITS);
	return leaf;
}

/* ---- leftovers of blocks that were freed unseen */

/* By whoever empties the block's own slot, and only pieces: the address of one may have been given
 * to another thread. */
static void clear_pieces(uint32_t *slot)
{
	for (int i = 1; i <= SLOT_PIECES; i++) {
		uint32_t value = load_relaxed(&slot[i]);

		if (value && !(value >> SLOT_SITE_BIT))
			__atomic_compare_exchange_n(
				&slot[i], &value, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
}

/* Of several threads that find it, one gets it. */
static struct block take_left(uint32_t *slot)
{
	uint32_t value = load_relaxed(slot);
	struct block none = { 0 }, b = { value >> SLOT_SITE_BIT, value & SLOT_LARGE, 1, 0 };

	if (b.size == SLOT_LARGE)
		b.size = slot_read_large(slot);
	if (!b.site || !__atomic_compare_exchange_n(slot, &value, 0, false, __ATOMIC_ACQ_REL,
			       __ATOMIC_RELAXED))
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
