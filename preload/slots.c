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
