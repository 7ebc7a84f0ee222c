/* SPDX-License-Identifier: MIT */
/*
 * rule.h - an unwind rule: how to get from a frame to its caller, in 32 bits.
 *
 * For a return address the unwind information always says the same: where the canonical frame
 * address (CFA: the caller's stack pointer after the return) comes from, and where the caller's
 * frame-pointer register was saved. Kinds:
 *
 *   SP      CFA = sp + offset
 *   BP      CFA = bp + offset
 *   DEREF   CFA = *(bp + offset)          functions that realign their stack
 *   SIGNAL  everything from the kernel's signal frame at sp
 *   END     outermost frame
 *   NONE    neither unwind information nor code that tells (code.h): follow the frame pointer, where
 *           what it leads to is a call
 *   HARD    information that doesn't fit a rule (registers other than sp and bp): the walk ends there
 *   ASK     not here, but in the table of return addresses (stacks.h)
 *
 *   bits 0-2    kind
 *        3-9    where bp was saved, in words below the CFA; 0 = it wasn't, 127 = at bp itself (not
 *               with SP: then the way out doesn't depend on bp)
 *        10-30  offset, in words
 *        31     NO_CALL
 *
 * NO_CALL: there is no call before the address. So it is no return address but where a signal came,
 * or what somebody put at the top of a stack that he made by hand, which ends there. Of these,
 *
 *   START     a function's first byte
 *   NOWHERE   in no module: unless a signal came there, what was read was no address of code
 */
#ifndef MTRACE_RULE_H
#define MTRACE_RULE_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t rule_t;

enum rule_kind {
	RULE_SP,
	RULE_BP,
	RULE_DEREF,
	RULE_SIGNAL,
	RULE_END,
	RULE_NONE,
	RULE_HARD,
	RULE_ASK
};

/* The low bits that hold nearly all rules whole: those with an offset in [0, 8 KiB). */
#define RULE_SHORT 0xfffffu

#define RULE_NO_CALL (1u << 31)
#define RULE_START (RULE_NO_CALL | RULE_END)
#define RULE_NOWHERE (RULE_NO_CALL | RULE_HARD | 1u << 3)

/* NONE, in no module: the code may be another by the next time. */
#define RULE_GENERATED (RULE_NONE | 1u << 3)

#define RULE_NOT_SAVED 0u
#define RULE_SAVED_AT_BP 127u

static inline rule_t rule_make(enum rule_kind kind, uint32_t saved, int32_t words)
{
	return (uint32_t)kind | saved << 3 | ((uint32_t)words << 10 & ~RULE_NO_CALL);
}

static inline enum rule_kind rule_kind(rule_t r)
{
	return (enum rule_kind)(r & 7u);
}

static inline uint32_t rule_saved(rule_t r)
{
	return r >> 3 & 127u;
}

/* Bytes. */
static inline intptr_t rule_offset(rule_t r)
{
	return (intptr_t)((int32_t)(r << 1) >> 11) * 8;
}

/* Does the CFA come from the frame-pointer register? */
static inline bool rule_uses_bp(rule_t r)
{
	return rule_kind(r) == RULE_BP || rule_kind(r) == RULE_DEREF || rule_kind(r) == RULE_NONE;
}

/* Is the caller's frame-pointer register read from memory? */
static inline bool rule_restores_bp(rule_t r)
{
	return rule_saved(r) != RULE_NOT_SAVED || rule_kind(r) == RULE_SIGNAL ||
	       rule_kind(r) == RULE_NONE;
}

#endif
