/* SPDX-License-Identifier: MIT */
/*
 * object.c - asks the loader: by _dl_find_object, which takes no lock; by dl_iterate_phdr where it lacks
 * that.
 */
#include "preload/sys/object.h"
#include "preload/sys/glibc.h"

#include <dlfcn.h>
#include <link.h>

uint32_t code_generation;

#ifdef HAVE_DL_FIND_OBJECT

bool object_is_mapped(uintptr_t start, uintptr_t end)
{
	struct dl_find_object found;

	return _dl_find_object((void *)start, &found) == 0 &&
	       (uintptr_t)found.dlfo_map_start == start && (uintptr_t)found.dlfo_map_end == end;
}

bool object_find(uintptr_t address, struct object *o)
{
	struct dl_find_object found;

	if (_dl_find_object((void *)address, &found) != 0)
		return false;
	o->start = (uintptr_t)found.dlfo_map_start;
	o->end = (uintptr_t)found.dlfo_map_end;
	o->bias = found.dlfo_link_map->l_addr;
	o->unwind_header = (uintptr_t)found.dlfo_eh_frame;
	o->name = found.dlfo_link_map->l_name;
	return true;
}

#else

struct wanted {
	uintptr_t address;
	struct object *o;
};

/* Fills in o when one of the segments covers the address. */
static int look_in(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct wanted *w = arg;
	bool covers = false;

	(void)size;
	*w->o = (struct object){
		.start = UINTPTR_MAX, .bias = info->dlpi_addr, .name = info->dlpi_name
	};
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr, end = start + p->p_memsz;

		if (p->p_type == PT_GNU_EH_FRAME)
			w->o->unwind_header = start;
		if (p->p_type != PT_LOAD)
			continue;
		covers |= w->address >= start && w->address < end;
		if (start < w->o->start)
			w->o->start = start;
		if (end > w->o->end)
			w->o->end = end;
	}
	return covers;
}

bool object_find(uintptr_t address, struct object *o)
{
	struct wanted w = { address, o };

	return dl_iterate_phdr(look_in, &w) != 0;
}

bool object_is_mapped(uintptr_t start, uintptr_t end)
{
	struct object o;

	return object_find(start, &o) && o.start == start && o.end == end;
}

#endif
