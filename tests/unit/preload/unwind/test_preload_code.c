/* SPDX-License-Identifier: MIT */
/* test_preload_code.c - how functions return: some by hand, and all of the C library's against its unwind information. */
#include "fixture.h"

#include "preload/unwind/code.h"

#include <stdlib.h>

/* Each begins where a call would come back to. */
#define CODE(name, text) \
	void name(void); \
	__asm__(".pushsection .text\n" #name ":\n" text "\n\t.popsection");

CODE(plain, "mov %rax, %rbx\n\tadd $8, %rsp\n\tret")
CODE(large, "add $0x1010, %rsp\n\tpop %rbx\n\tpop %rbp\n\tpop %r12\n\tret")
CODE(framed, "mov -8(%rbp), %rax\n\tleave\n\tret")
CODE(framed_by_hand, "mov %rbp, %rsp\n\tpop %rbp\n\tret")
CODE(framed_below, "lea -16(%rbp), %rsp\n\tpop %rbx\n\tpop %r12\n\tpop %rbp\n\tret")
CODE(uses_rbp,
	"lea 1(%rax), %rbp\n\tadd %rbp, %rbx\n\tadd $24, %rsp\n\tpop %rbx\n\tpop %rbp\n\tret")
CODE(around, "1:\n\ttest %eax, %eax\n\tje 2f\n\tdec %eax\n\tjmp 1b\n2:\n\tpop %rcx\n\tret")
CODE(traps_first, "test %eax, %eax\n\tje 1f\n\tud2\n1:\n\tadd $40, %rsp\n\tret")
CODE(pushes_more, "push %rbp\n\tmov %rsp, %rbp\n\tsub $64, %rsp\n\tleave\n\tadd $8, %rsp\n\tret")
CODE(vectors,
	"vmovaps 16(%rsp), %ymm4\n\tmovaps %xmm5, 32(%rsp)\n\tcvttsd2si %xmm0, %eax\n\tvpshufd $3, "
	"%xmm4, %xmm5\n\t"
	"pshufb 16(%rsp), %xmm4\n\tpalignr $4, %xmm4, %xmm5\n\tmovabs $0x1122334455667788, %rcx\n\t"
	"movw $0x1234, 8(%rsp)\n\tadd $72, %rsp\n\tret")
CODE(another, "nop\n\tpush %rbx\n\tsub $16, %rsp\n\tadd $16, %rsp\n\tpop %rbx\n\tret")
CODE(never, "mov %eax, %edi\n\tud2")
CODE(aligned, "and $-32, %rsp\n\tret")
CODE(by_register, "pop %rcx\n\tjmp *%rcx")
CODE(loses_rbp, "mov %rax, %rbp\n\tret")

static rule_t rule_of(void (*f)(void))
{
	return code_rule((uintptr_t)f, true);
}

START_TEST(functions_by_hand)
{
	ck_assert_uint_eq(rule_of(plain), rule_make(RULE_SP, RULE_NOT_SAVED, 2));
	ck_assert_uint_eq(rule_of(large), rule_make(RULE_SP, 3, 0x1010 / 8 + 4));
	ck_assert_uint_eq(rule_of(framed), rule_make(RULE_BP, 2, 2));
	ck_assert_uint_eq(rule_of(framed_by_hand), rule_make(RULE_BP, 2, 2));
	ck_assert_uint_eq(rule_of(framed_below), rule_make(RULE_BP, 2, 2));
	ck_assert_uint_eq(rule_of(uses_rbp), rule_make(RULE_SP, 2, 6));
	ck_assert_uint_eq(rule_of(around), rule_make(RULE_SP, RULE_NOT_SAVED, 2));
	ck_assert_uint_eq(rule_of(traps_first), rule_make(RULE_SP, RULE_NOT_SAVED, 6));
	ck_assert_uint_eq(rule_of(pushes_more), rule_make(RULE_SP, RULE_NOT_SAVED, 2));
	ck_assert_uint_eq(rule_of(vectors), rule_make(RULE_SP, RULE_NOT_SAVED, 10));
	ck_assert_int_eq(rule_kind(rule_of(never)), RULE_HARD);
	ck_assert_int_eq(rule_kind(rule_of(another)), RULE_NONE);
	ck_assert_int_eq(rule_kind(rule_of(aligned)), RULE_NONE);
	ck_assert_int_eq(rule_kind(rule_of(by_register)), RULE_NONE);
	ck_assert_int_eq(rule_kind(rule_of(loses_rbp)), RULE_NONE);
	ck_assert_int_eq(rule_kind(code_rule(8, true)), RULE_NONE);
}
END_TEST

/* Is there a call of a function's first byte here? Such bytes are no part of anything else. */
static bool calls_function(const unsigned char *p, const struct object *o)
{
	int32_t distance;
	uintptr_t target;

	memcpy(&distance, p + 1, sizeof(distance));
	target = (uintptr_t)p + 5 + (uintptr_t)(intptr_t)distance;
	return *p == 0xe8 && target % 16 == 0 && target >= o->start && target < o->end &&
	       fixture_derive(target) == RULE_START;
}

/* Of a way that the unwind information says by the same register. */
static bool is_wrong(rule_t code, rule_t table)
{
	if (rule_kind(code) != rule_kind(table))
		return false;
	if (rule_offset(code) != rule_offset(table))
		return true;
	if (rule_saved(table) == RULE_SAVED_AT_BP)
		return rule_saved(code) * 8 != (uint32_t)rule_offset(code);
	return rule_saved(code) != rule_saved(table);
}

START_TEST(functions_of_the_c_library)
{
	unsigned calls = 0, told = 0, wrong = 0;
	struct object o;

	fixture_start();
	ck_assert(object_find((uintptr_t)qsort, &o));
	for (uintptr_t at = (uintptr_t)qsort - 100000; at < (uintptr_t)qsort + 100000; at++) {
		const unsigned char *p = (const unsigned char *)at;
		rule_t code, table;

		if (!calls_function(p, &o))
			continue;
		table = fixture_derive(at + 5);
		if (rule_kind(table) != RULE_SP && rule_kind(table) != RULE_BP)
			continue;
		code = code_rule(at + 5, true);
		calls++;
		told += rule_kind(code) == RULE_SP || rule_kind(code) == RULE_BP;
		wrong += is_wrong(code, table);
	}
	ck_assert_uint_gt(calls, 500);
	ck_assert_uint_ge(told * 10, calls * 6);
	ck_assert_uint_le(wrong * 200, calls);
}
END_TEST

UNIT_SUITE("code", functions_by_hand, functions_of_the_c_library)
