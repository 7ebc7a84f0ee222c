/* SPDX-License-Identifier: MIT */
/*
 * code.h - how a function returns, read off its instructions, where no unwind information says it.
 *
 * From a return address the code is followed to a `ret` (or a jump to another function, which leaves
 * the same stack), with what it does to the stack and frame pointers on the way. That tells where
 * the return address is by then, whatever the registers are used for meanwhile: a rule (rule.h).
 */
#ifndef MTRACE_CODE_H
#define MTRACE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/unwind/rule.h"

#pragma GCC visibility push(hidden)

/* The rule of a frame that goes on here, behind a call or where a signal came. HARD: it never returns; NONE: can't be told. Reads no memory
 * that can't be read. */
rule_t code_rule(uintptr_t pc, bool called);

#pragma GCC visibility pop

#endif
