/* SPDX-License-Identifier: MIT */
/* object.h - loaded objects, as the loader knows them. */
#ifndef MTRACE_OBJECT_H
#define MTRACE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct object {
	uintptr_t start, end; /* mapping */
	uintptr_t bias;
	uintptr_t unwind_header; /* PT_GNU_EH_FRAME, 0 = none */
	const char *name;	 /* as the loader has it; "" = the program */
};

extern uint32_t code_generation; /* goes up when code may have changed under known addresses */

bool object_find(uintptr_t address, struct object *o); /* lock-free where the loader allows it */
bool object_is_mapped(
	uintptr_t start, uintptr_t end); /* an object with this mapping; reads nothing that
							  another thread may be unloading */

#pragma GCC visibility pop

#endif
