/* SPDX-License-Identifier: MIT */
/*
 * made_stacks.c - stacks that begin where no call has led, and frames that no unwind information describes; the first
 * argument says which (see test_made_stacks.py).
 */
#include <signal.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "by_hand.h"
#include "program.h"
#include "without_tables.h"

#define STACK 65536
#define MANY 100000

static char *stacks;

static __attribute__((noinline)) void work(void)
{
	free(malloc(20)); /* line: work */
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* ---- makecontext: below the stack of the fiber that made it, in one mapping */

static ucontext_t main_context, outer_context, inner_context;

static void inner(void)
{
	for (;;) {
		work();
		CHECK(swapcontext(&inner_context, &outer_context) == 0);
	}
}

static __attribute__((noinline)) void make_inner(void)
{
	CHECK(getcontext(&inner_context) == 0);
	inner_context.uc_stack.ss_sp = stacks;
	inner_context.uc_stack.ss_size = STACK;
	inner_context.uc_link = NULL;
	makecontext(&inner_context, inner, 0);
}

static __attribute__((noinline)) void creators_creator(void)
{
	make_inner();
}

/* What the creator's frame pointer led to is other frames each time. */
static __attribute__((noinline)) void enter(int depth)
{
	volatile char room[32] = { (char)depth };

	if (depth > 0)
		enter(depth - 1);
	else
		CHECK(swapcontext(&outer_context, &inner_context) == 0);
	CHECK(room[0] == (char)depth);
}

static void outer(void)
{
	creators_creator();
	for (int i = 0; i < 200; i++)
		enter(i % 50);
	CHECK(swapcontext(&outer_context, &main_context) == 0);
}

static void contexts(void)
{
	stacks = map(2 * STACK);
	CHECK(getcontext(&outer_context) == 0);
	outer_context.uc_stack.ss_sp = stacks + STACK;
	outer_context.uc_stack.ss_size = STACK;
	makecontext(&outer_context, outer, 0);
	CHECK(swapcontext(&main_context, &outer_context) == 0);
}

/* ---- by hand, in assembler without unwind information: a switch takes rbp from the creator */

void **by_hand_creator, **by_hand_fiber;

/* The fiber's first frame: as boost.context has it, a function jumps to what it finds in a register, and the address
 * it is to return to is that of an ending which nothing calls. */
void by_hand_entry(void);
void by_hand_end(void);
void by_hand_calling(void);
__asm__(".pushsection .text\n\t.type by_hand_entry, @function\n"
	"by_hand_entry:\n\tmov %r12, (%rsp)\n\tjmp *%rbx\n"
	".size by_hand_entry, .-by_hand_entry\n"
	".type by_hand_end, @function\n"
	"nop\n\tby_hand_end:\n\txor %edi, %edi\n\tcall _exit\n\thlt\n"
	".size by_hand_end, .-by_hand_end\n"
	".type by_hand_calling, @function\n"
	"by_hand_calling:\n\tcall *%rbx\n\tud2\n"
	".size by_hand_calling, .-by_hand_calling\n\t.popsection");

static __attribute__((noinline)) void by_hand(void)
{
	for (;;) {
		work();
		switch_stacks(&by_hand_fiber, by_hand_creator);
	}
}

static __attribute__((noinline)) void enter_by_hand(int depth)
{
	volatile char room[32] = { (char)depth };

	if (depth > 0)
		enter_by_hand(depth - 1);
	else
		switch_stacks(&by_hand_creator, by_hand_fiber);
	CHECK(room[0] == (char)depth);
}

static __attribute__((noinline)) void make_by_hand(void (*entry)(void))
{
	void **top = (void **)(stacks + STACK) - 8;

	memset(top, 0x12, 8 * sizeof(*top));
	top[0] = (void *)by_hand_end;
	*--top = (void *)entry;
	top -= 6; /* r15, r14, r13, r12, rbx, rbp */
	top[3] = (void *)by_hand_end;
	top[4] = (void *)by_hand;
	top[5] = __builtin_frame_address(0);
	by_hand_fiber = top;
}

static __attribute__((noinline)) void on_upper_stack(void (*entry)(void))
{
	make_by_hand(entry);
	for (int i = 0; i < 200; i++)
		enter_by_hand(i % 50);
}

static void (*upper_entry)(void);

static void upper(void)
{
	on_upper_stack(upper_entry);
	CHECK(swapcontext(&outer_context, &main_context) == 0);
}

static void by_hands(void (*entry)(void))
{
	stacks = map(2 * STACK);
	upper_entry = entry;
	CHECK(getcontext(&outer_context) == 0);
	outer_context.uc_stack.ss_sp = stacks + STACK;
	outer_context.uc_stack.ss_size = STACK;
	makecontext(&outer_context, upper, 0);
	CHECK(swapcontext(&main_context, &outer_context) == 0);
}

/* ---- a function that needs its frame pointer for something else, and which no table describes */

/* Calls f with rbp as given. That it returns can't be told from its code. */
void with_rbp(void (*f)(void), void *rbp);
__asm__(".pushsection .text\n\t.type with_rbp, @function\n"
	"with_rbp:\n\tpush %rbp\n\tmov %rsi, %rbp\n\tcall *%rdi\n\t.globl behind_with_rbp\nbehind_with_rbp:\n\t"
	"pop %rbp\n\tpop %rcx\n\tjmp *%rcx\n"
	".size with_rbp, .-with_rbp\n"
	".type with_rbp_too, @function\n"
	"with_rbp_too:\n\tpush %rbp\n\tmov %rsi, %rbp\n\tcall *%rdi\n\t.globl behind_with_rbp_too\nbehind_with_rbp_too:\n\t"
	"pop %rbp\n\tpop %rcx\n\tjmp *%rcx\n"
	".size with_rbp_too, .-with_rbp_too\n\t.popsection");
extern char behind_with_rbp[], behind_with_rbp_too[];

static uint32_t seed = 1;

static uint32_t next_random(void)
{
	return seed = seed * 1103515245u + 12345u;
}

/* To no frame: what lies there are numbers. */
static void stale_numbers(void)
{
	uintptr_t words[64];

	for (int i = 0; i < MANY; i++) {
		for (int j = 0; j < 64; j++)
			words[j] = (uintptr_t)next_random() << 16;
		words[0] = (uintptr_t)&words[2];
		words[2] = (uintptr_t)&words[4];
		with_rbp(work, words);
	}
}

/* To what looks like frames, others each time. */
static void stale_frames(void)
{
	struct {
		void *bp, *pc;
	} frames[17];

	for (int i = 0; i < MANY; i++) {
		uint32_t choice = next_random() >> 8;

		for (int j = 0; j < 16; j++, choice >>= 1) {
			frames[j].bp = &frames[j + 1];
			frames[j].pc = choice & 1 ? behind_with_rbp : behind_with_rbp_too;
		}
		frames[16].bp = frames[16].pc = NULL;
		with_rbp(work, frames);
	}
}

/* The fiber's entry has been jumped to, and finds numbers where a return address would be. */
static void numbers_above(void)
{
	stacks = map(2 * STACK);
	for (int i = 0; i < MANY; i++) {
		void **top = (void **)(stacks + STACK) - 8;

		for (int j = 0; j < 8; j++)
			top[j] = (void *)((uintptr_t)next_random() << 8);
		*--top = (void *)by_hand;
		by_hand_fiber = top - 6;
		switch_stacks(&by_hand_creator, by_hand_fiber);
	}
}

/* ---- where a signal came: calls of what is no code */

static sigjmp_buf back;

static void on_fault(int number)
{
	free(malloc((size_t)number)); /* line: on_fault */
	siglongjmp(back, 1);
}

static void (*volatile no_code)(void);

static without_frame_pointer void calls_no_code(void)
{
	no_code();
}

static void faults(void)
{
	CHECK(signal(SIGSEGV, on_fault) == SIG_DFL);
	for (int i = 0; i < 10; i++) {
		no_code = i % 2 ? NULL : (void (*)(void))map(4096);
		if (!sigsetjmp(back, 1))
			calls_no_code();
	}
}

static void no_tables(void)
{
	CHECK(no_table_loops(10) > 0);
}

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "";

	if (!strcmp(which, "contexts"))
		contexts();
	else if (!strcmp(which, "jumped"))
		by_hands(by_hand_entry);
	else if (!strcmp(which, "called"))
		by_hands(by_hand_calling);
	else if (!strcmp(which, "stale_numbers"))
		stale_numbers();
	else if (!strcmp(which, "stale_frames"))
		stale_frames();
	else if (!strcmp(which, "numbers_above"))
		numbers_above();
	else if (!strcmp(which, "faults"))
		faults();
	else if (!strcmp(which, "no_tables"))
		no_tables();
	else
		return 1;
	puts("done");
	return 0;
}
