/* SPDX-License-Identifier: MIT */
/* test_preload_imports.c - replaces what a library calls: with its words left open by the loader,
 * and closed. */
#include "unit.h"

#include "preload/unwind/imports.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int nobody(void)
{
	return -7;
}

static void replaces_in(const char *name)
{
	char path[4096];
	void *library;
	int (*calls_parent)(void);

	snprintf(path, sizeof(path), "%s/%s", getenv("TEST_LIBRARIES"), name);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(library != NULL, "%s", dlerror());
	*(void **)&calls_parent = dlsym(library, "calls_parent");
	ck_assert_int_eq(calls_parent(), getppid());
	ck_assert_ptr_null(imports_replace(library, "getpid", (void *)nobody));
	ck_assert_ptr_nonnull(imports_replace(library, "getppid", (void *)nobody));
	ck_assert_int_eq(calls_parent(), -7);
	ck_assert_int_ne(getppid(), -7);
	ck_assert_ptr_eq(imports_replace(library, "getppid", (void *)getppid), (void *)nobody);
	ck_assert_int_eq(calls_parent(), getppid());
}

START_TEST(an_open_word_is_replaced)
{
	replaces_in("libcalls_open.so");
}
END_TEST

START_TEST(a_closed_word_is_replaced)
{
	replaces_in("libcalls_closed.so");
}
END_TEST

UNIT_SUITE("imports", an_open_word_is_replaced, a_closed_word_is_replaced)
