/* SPDX-License-Identifier: MIT */
/*
 * gone_code.c - code that goes without a dlclose by name, and other code that takes its place: libraries and generated
 * code, each with a call at the same address. The first argument says what comes after what (see test_gone_code.py).
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "program.h"

#define ROUNDS 10

typedef void *caller(void *(*callee)(size_t));

static int (*unseen_dlclose)(void *);
static uintptr_t call_address, first_address; /* return addresses of the last call and of the first */
static int same;

static __attribute__((noinline)) void *allocate(size_t size)
{
	call_address = (uintptr_t)__builtin_return_address(0);
	free(malloc(size)); /* line: allocate */
	return NULL;
}

/* One line calls all of them. */
static __attribute__((noinline)) void call(caller *function)
{
	function(allocate);
	if (!first_address)
		first_address = call_address;
	same += call_address == first_address;
}

static void *load(const char *path, const char *name)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	CHECK(library);
	call((caller *)dlsym(library, name));
	return library;
}

static void *load_first(void)
{
	return load("$ORIGIN/libplugin_first.so", "first_call");
}

static void *load_second(void)
{
	return load("$ORIGIN/libplugin_second.so", "second_call");
}

/* Generated code around the address of the library's call, with the same frame. */
static void generate(void)
{
	static const unsigned char code[] = {
		0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, /* push %rbp; mov %rsp, %rbp; sub $16, %rsp */
		0xbf, 100, 0, 0, 0, 0x48, 0x89, 0xc8, /* mov $100, %edi; mov %rcx, %rax */
		0xff, 0xd0, 0xc9, 0xc3, /* call *%rax; leave; ret */
	};
	char *page = (char *)(first_address & ~(uintptr_t)4095) - 4096;
	unsigned char *at;

	CHECK(mmap(page, 3 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		      -1, 0) == page);
	at = (unsigned char *)first_address - (sizeof(code) - 2);
	memcpy(at, code, sizeof(code));
	/* The callee comes in rdi: to rcx first. */
	at -= 3;
	memcpy(at, "\x48\x89\xf9", 3);
	call((caller *)(uintptr_t)at);
}

static void forget_generated(void)
{
	CHECK(munmap((char *)(first_address & ~(uintptr_t)4095) - 4096, 3 * 4096) == 0);
}

static void library_after_library(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		unseen_dlclose(load_first());
		unseen_dlclose(load_second());
	}
}

static void code_after_library(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		unseen_dlclose(load_first());
		generate();
		forget_generated();
	}
}

static void library_after_code(void)
{
	unseen_dlclose(load_first());
	for (int i = 0; i < ROUNDS; i++) {
		generate();
		forget_generated();
		unseen_dlclose(load_second());
	}
}

/* ---- a call of no code, among the addresses of a library that has gone */

static sigjmp_buf back;

static void on_fault(int number)
{
	free(malloc((size_t)number)); /* line: on_fault */
	siglongjmp(back, 1);
}

static void (*volatile no_code)(void);

static __attribute__((noinline)) void calls_no_code(void)
{
	no_code();
}

static void null_call(void)
{
	void *library = dlopen("$ORIGIN/libplugin_many.so", RTLD_NOW | RTLD_LOCAL);

	CHECK(library);
	((void (*)(void))dlsym(library, "plugin_all"))();
	CHECK(dlclose(library) == 0);
	CHECK(signal(SIGSEGV, on_fault) == SIG_DFL);
	if (!sigsetjmp(back, 1))
		calls_no_code();
}

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "";
	void *c_library = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

	unseen_dlclose = (int (*)(void *))dlsym(c_library, "dlclose");
	if (!unseen_dlclose) { /* before glibc 2.34 */
		c_library = dlopen("libdl.so.2", RTLD_NOW | RTLD_NOLOAD);
		unseen_dlclose = (int (*)(void *))dlsym(c_library, "dlclose");
	}
	CHECK(unseen_dlclose);
	if (!strcmp(which, "library_after_library"))
		library_after_library();
	else if (!strcmp(which, "code_after_library"))
		code_after_library();
	else if (!strcmp(which, "library_after_code"))
		library_after_code();
	else if (!strcmp(which, "null_call"))
		null_call();
	else
		return 1;
	CHECK(same > ROUNDS || !strcmp(which, "null_call"));
	puts("done");
	return 0;
}
