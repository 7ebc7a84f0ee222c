/* SPDX-License-Identifier: MIT */
/*
 * jit.c - code that no table describes, made at run time: it calls malloc, is freed, and other code with other
 * frames comes to lie at the same address. With a frame pointer the stack goes on through it; without, it ends there,
 * and what the register holds (stale, odd, or out of the stack) must not lead the tracer astray.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "by_hand.h"
#include "program.h"

#define CODE (1 << 16)
#define ROUNDS 300

typedef void *function(size_t size, void *(*callee)(size_t), uintptr_t bp);

static unsigned char *code;

static void put(unsigned char **to, const void *bytes, size_t size)
{
	memcpy(*to, bytes, size);
	*to += size;
}

#define PUT(to, ...)                                            \
	do {                                                    \
		const unsigned char bytes_[] = { __VA_ARGS__ }; \
		put(to, bytes_, sizeof(bytes_));                \
	} while (0)

/* A function with a frame of `room` bytes that calls its second argument with its first. */
static function *make_with_frame_pointer(unsigned room)
{
	unsigned char *p = code;

	PUT(&p, 0x55, 0x48, 0x89, 0xe5); /* push %rbp; mov %rsp, %rbp */
	PUT(&p, 0x48, 0x81, 0xec); /* sub $room, %rsp */
	put(&p, &room, 4);
	PUT(&p, 0xff, 0xd6, 0xc9, 0xc3); /* call *%rsi; leave; ret */
	return (function *)code;
}

/* The same, whose rbp is its third argument meanwhile. */
static function *make_without(unsigned room)
{
	unsigned char *p = code;

	PUT(&p, 0x55, 0x48, 0x89, 0xd5); /* push %rbp; mov %rdx, %rbp */
	PUT(&p, 0x48, 0x81, 0xec); /* sub $room, %rsp */
	put(&p, &room, 4);
	PUT(&p, 0xff, 0xd6); /* call *%rsi */
	PUT(&p, 0x48, 0x81, 0xc4); /* add $room, %rsp */
	put(&p, &room, 4);
	PUT(&p, 0x5d, 0xc3); /* pop %rbp; ret */
	return (function *)code;
}

static void renew(void)
{
	void *old = code;

	CHECK(munmap(code, CODE) == 0);
	code = mmap(old, CODE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(code == old);
}

static void *called(size_t size)
{
	//~ called count 1506, total 57210
	return malloc(size);  //= count 1506, total 57210
}

static void with_frame_pointer(void)
{
	//~ with_frame_pointer count 300, total 15000
	for (unsigned i = 0; i < ROUNDS; i++) {
		function *f = make_with_frame_pointer(i * 16);

		free(f(50, called, 0));
		renew();
	}
}

/* Where a stale frame pointer may lead: into this stack, into none, to a page that goes, to itself. */
static void without(void)
{
	uintptr_t words[8] = { 0 };
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	for (unsigned i = 0; i < ROUNDS; i++) {
		const uintptr_t pointers[] = { (uintptr_t)words, 1, (uintptr_t)page + 4088, ~0ul, (uintptr_t)&i, 8 };
		function *f = make_without(8 + i * 16);

		words[0] = (uintptr_t)words;
		words[1] = (uintptr_t)called + 1;
		free(f(35, called, pointers[i % 6]));
		CHECK(mprotect(page, 8192, i & 64 ? PROT_NONE : PROT_READ | PROT_WRITE) == 0);
		renew();
	}
	CHECK(munmap(page, 8192) == 0);
}

/* The same code again and again, from other depths: its frames are known, where they lead differs. */
static void *deeper(function *f, int depth, uintptr_t bp)
{
	char pad[depth * 16 + 1];
	void *p;

	memset(pad, depth, sizeof(pad));
	p = depth > 0 ? deeper(f, depth - 1, bp) : f(35, called, bp);
	CHECK(pad[depth * 16] == (char)depth);
	return p;
}

static void from_other_depths(void)
{
	function *f = make_without(24);

	for (int i = 0; i < ROUNDS; i++)
		free(deeper(f, i % 30, (uintptr_t)__builtin_frame_address(0)));
}

/* Above the stack, to what looks like a frame, whose caller's is on a page that goes. */
static ucontext_t back, above;
static char *area;

static void on_small_stack(void)
{
	function *f = make_without(24);
	uintptr_t *words = (uintptr_t *)(area + 17 * 4096) - 2;

	words[1] = (uintptr_t)ADDRESS_OF_NO_CALL;
	for (int i = 0; i < 6; i++) {
		if (i == 3)
			CHECK(munmap(area + 17 * 4096, 4096) == 0);
		free(f(35, called, (uintptr_t)words));
	}
}

static void to_the_edge(void)
{
	area = mmap(NULL, 18 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(area != MAP_FAILED);
	CHECK(getcontext(&above) == 0);
	above.uc_stack.ss_sp = area;
	above.uc_stack.ss_size = 16 * 4096;
	above.uc_link = &back;
	makecontext(&above, on_small_stack, 0);
	CHECK(swapcontext(&back, &above) == 0);
	CHECK(munmap(area, 17 * 4096) == 0);
}

/* Two kinds at one address in turn, called by the same line. */
static void in_turn(void)
{
	for (int i = 0; i < 2 * ROUNDS; i++) {
		uintptr_t none = 0;
		function *f = i % 2 ? make_without(40) : make_with_frame_pointer(96);

		free(f(35, called, none));
	}
}

int main(void)
{
	code = mmap(NULL, CODE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(code != MAP_FAILED);
	with_frame_pointer();
	without();
	from_other_depths();
	in_turn();
	to_the_edge();
	puts("done");
	return 0;
}
