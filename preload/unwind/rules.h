/* SPDX-License-Identifier: MIT */
/* rules.h - unwind rules of return addresses, by libunwind. */
#ifndef MTRACE_RULES_H
#define MTRACE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/lock.h"
#include "preload/sys/object.h"
#include "preload/unwind/rule.h"

#pragma GCC visibility push(hidden)

bool rules_init(void); /* loads libunwind; false has been explained */

/* Derives the rule for a return address in this object, if the loader knows one, by libunwind: some
 * microseconds. To be called with room. */
struct object;
rule_t rule_derive(uintptr_t return_address, const struct object *o);

size_t rule_function_size(uintptr_t start); /* bytes of code; 0: the tables have no such function */

/* Calls f on a stack of 256 KiB that there is one of; to be called with signals blocked. */
void rules_with_room(void (*f)(void *), void *arg);

bool rule_follows_call(uintptr_t pc); /* is there a call before it, in memory that can be read? */

extern struct lock unwind_lock; /* one derivation at a time; fork.c takes it too */

#pragma GCC visibility pop

#endif
