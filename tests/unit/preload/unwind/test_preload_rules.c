/* SPDX-License-Identifier: MIT */
/* test_preload_rules.c - rules of code whose frames are known. */
#include "fixture.h"

#include "preload/sys/cpu.h"

#include <signal.h>
#include <string.h>

static uintptr_t return_address;
static uintptr_t sp_after_return, bp_in_caller;

__attribute__((noinline)) static void note_caller(void)
{
	const uintptr_t *fa = __builtin_frame_address(0);

	return_address = fa[1];
	sp_after_return = (uintptr_t)(fa + 2);
	bp_in_caller = fa[0];
	__asm__ volatile("");
}

/* Does the noted caller's rule lead to where its own return address is? */
static bool leads_to(void *its_return_address)
{
	rule_t rule = fixture_derive(return_address);
	uintptr_t cfa = (rule_kind(rule) == RULE_SP ? sp_after_return : bp_in_caller) +
			(uintptr_t)rule_offset(rule);

	if (rule_kind(rule) == RULE_DEREF)
		cfa = *(uintptr_t *)cfa;
	return ((void **)cfa)[-1] == its_return_address;
}

__attribute__((noinline)) static void frame_on_sp(void)
{
	volatile char room[200];

	room[0] = 1;
	note_caller();
	ck_assert(leads_to(__builtin_return_address(0)));
	(void)room[0];
}

__attribute__((noinline)) static void realigned_frame(void)
{
	volatile char room[64] __attribute__((aligned(64)));

	room[0] = 1;
	note_caller();
	ck_assert(leads_to(__builtin_return_address(0)));
	(void)room[0];
}

__attribute__((noinline)) static void frame_on_bp(int n)
{
	volatile char *room = __builtin_alloca((size_t)n);

	room[0] = 1;
	note_caller();
	ck_assert(leads_to(__builtin_return_address(0)));
	(void)room[0];
}

/* Not a constant that the function could be compiled for. */
static volatile int room_for = 100;

START_TEST(frames_of_this_program)
{
	fixture_start();
	frame_on_sp();
	realigned_frame();
	frame_on_bp(room_for);
	ck_assert_int_eq(rule_kind(fixture_derive(return_address)), RULE_BP);
	ck_assert_uint_ne(rule_saved(fixture_derive(return_address)), RULE_NOT_SAVED);
}
END_TEST

static rule_t signal_rule;

static void on_signal(int number)
{
	const uintptr_t *fa = __builtin_frame_address(0);

	(void)number;
	signal_rule = fixture_derive(fa[1]);
}

START_TEST(a_signal_frame)
{
	fixture_start();
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	ck_assert_int_eq(rule_kind(signal_rule), RULE_SIGNAL);
}
END_TEST

START_TEST(no_code_has_no_rule)
{
	fixture_start();
	ck_assert_uint_eq(fixture_derive(1), RULE_NOWHERE);
	ck_assert_uint_eq(fixture_derive(0x1000), RULE_NOWHERE);
	ck_assert_uint_eq(fixture_derive(UINTPTR_MAX), RULE_NOWHERE);
}
END_TEST

START_TEST(what_no_call_precedes_is_told)
{
	uintptr_t start = (uintptr_t)note_caller;

	fixture_start();
	note_caller();
	ck_assert_uint_eq(fixture_derive(return_address) & RULE_NO_CALL, 0);
	ck_assert_uint_eq(fixture_derive(start), RULE_START);
	ck_assert_uint_ne(fixture_derive(start + 1) & RULE_NO_CALL, 0);
	ck_assert_uint_ne(fixture_derive(start + 1), RULE_START);
}
END_TEST

static bool is_call(const char *bytes, size_t size)
{
	unsigned char code[CPU_CALL_MOST];

	memset(code, 0x90, sizeof(code));
	memcpy(code + sizeof(code) - size, bytes, size);
	return cpu_ends_with_call(code);
}

#define IS_CALL(bytes) is_call(bytes, sizeof(bytes) - 1)

START_TEST(all_calls_are_known)
{
	ck_assert(IS_CALL("\xe8\x01\x02\x03\x04"));
	ck_assert(IS_CALL("\xff\xd0"));			    /* *%rax */
	ck_assert(IS_CALL("\x41\xff\xd4"));		    /* *%r12 */
	ck_assert(IS_CALL("\xff\x13"));			    /* *(%rbx) */
	ck_assert(IS_CALL("\xff\x14\x24"));		    /* *(%rsp) */
	ck_assert(IS_CALL("\xff\x50\x08"));		    /* *8(%rax) */
	ck_assert(IS_CALL("\xff\x54\x24\x08"));		    /* *8(%rsp) */
	ck_assert(IS_CALL("\xff\x90\x00\x01\x00\x00"));	    /* *256(%rax) */
	ck_assert(IS_CALL("\xff\x94\xc8\x00\x01\x00\x00")); /* *256(%rax,%rcx,8) */
	ck_assert(IS_CALL("\xff\x15\x00\x01\x00\x00"));	    /* *256(%rip) */
	ck_assert(IS_CALL("\xff\x14\xc5\x00\x01\x00\x00")); /* *256(,%rax,8) */
	ck_assert(!IS_CALL("\xff\xe0"));		    /* jmp *%rax */
	ck_assert(!IS_CALL("\xff\x50"));
	ck_assert(!IS_CALL("\xe9\x01\x02\x03\x04"));
	ck_assert(!IS_CALL("\xc3"));
}
END_TEST

START_TEST(packing_keeps_what_it_is_given)
{
	for (int kind = RULE_SP; kind <= RULE_HARD; kind++) {
		for (int words = -(1 << 20); words < 1 << 20; words += 4099) {
			rule_t r = rule_make((enum rule_kind)kind, (uint32_t)(words & 127), words);

			ck_assert_uint_eq(r & RULE_NO_CALL, 0);

			ck_assert_int_eq(rule_kind(r), kind);
			ck_assert_uint_eq(rule_saved(r), (uint32_t)(words & 127));
			ck_assert_int_eq(rule_offset(r), words * 8);
		}
	}
}
END_TEST

/* By sp, and where bp was saved by bp: what a rule can say, but the way out would depend on bp
 * then. */
void saved_at_bp(void (*callee)(void));
__asm__("saved_at_bp:\n\t.cfi_startproc\n\tsub $8, %rsp\n\t.cfi_adjust_cfa_offset 8\n\t"
	".cfi_escape 0x10, 6, 2, 0x76, 0\n\tcall *%rdi\n\tadd $8, %rsp\n\t.cfi_adjust_cfa_offset "
	"-8\n\tret\n\t"
	".cfi_endproc");

static void derive_caller(void)
{
	ck_assert_int_eq(
		rule_kind(fixture_derive((uintptr_t)__builtin_return_address(0))), RULE_HARD);
}

START_TEST(a_frame_by_sp_with_bp_saved_at_bp)
{
	fixture_start();
	saved_at_bp(derive_caller);
}
END_TEST

UNIT_SUITE("rules", frames_of_this_program, a_signal_frame, no_code_has_no_rule,
	what_no_call_precedes_is_told, all_calls_are_known, packing_keeps_what_it_is_given,
	a_frame_by_sp_with_bp_saved_at_bp)
