/* SPDX-License-Identifier: MIT */
/* modules.h - the loaded objects in the trace. */
#ifndef MTRACE_MODULES_H
#define MTRACE_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/object.h"

#pragma GCC visibility push(hidden)

void modules_init(const char *program);
uint32_t module_for(const struct object *o); /* registers it when new; under tables_lock */
void modules_sweep(
	void); /* after a dlclose: retires what is gone, and the rules of its addresses */
extern int modules_closing; /* dlclose calls under way: then no frame is believed */
void modules_close(int add);
void modules_look(void); /* what may have gone without a dlclose that we saw; asks for no lock */
void modules_change(uintptr_t start, size_t size); /* generated code goes from here, or comes */
extern struct modules_loader {
	uintptr_t start;
	size_t size;
} modules_loader, modules_self; /* the dynamic linker's own code, and ours */
static inline bool modules_is_loader(uintptr_t pc)
{
	return pc - modules_loader.start < modules_loader.size;
}
static inline bool modules_is_self(uintptr_t pc)
{
	return pc - modules_self.start < modules_self.size;
}
bool module_is_stale(uint32_t module, uintptr_t address); /* of a frame on the caller's stack */
void modules_forked(void);

#pragma GCC visibility pop

#endif
