/* SPDX-License-Identifier: MIT */
/* test_demangle.c - names as people write them, and names that are made to do harm. */
#include "analyzer/base/array.h"
#include "unit.h"

#include "analyzer/symbols/demangle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect(const char *linkage, const char *name)
{
	char *got = demangle(linkage);

	ck_assert_str_eq(got, name);
	free(got);
}

START_TEST(cxx_names_have_no_parameters)
{
	expect("_ZNSt6vectorIiSaIiEE17_M_realloc_insertIJRKiEEEvN9__gnu_cxx17__normal_"
	       "iteratorIPiS1_"
	       "EEDpOT_",
		"std::vector<int, std::allocator<int> >::_M_realloc_insert<int const&>");
	expect("_Znwm", "operator new");
	expect("_ZnamRKSt9nothrow_t", "operator new[]");
	expect("_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()");
	expect("_ZN3FooC2Ev", "Foo::Foo");
	expect("_Z3fooIiET_S0_", "foo<int>");
}
END_TEST

START_TEST(whole_names_have_parameters)
{
	static const char *const names[][2] = { { "_ZN2ns4overEi", "ns::over(int)" },
		{ "_ZN3FooC2Ev", "Foo::Foo()" }, { "main", "main" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *got = demangle_whole(names[i][0]);

		ck_assert_str_eq(got, names[i][1]);
		free(got);
	}
}
END_TEST

START_TEST(rust_and_d_are_known)
{
	expect("_ZN4core3fmt9Formatter3pad17h1234567890abcdefE", "core::fmt::Formatter::pad");
	expect("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	expect("_RINvNtCs_4core3mem4swapjEC3foo", "core::mem::swap::<usize>");
	expect("_D3foo3barFiZv", "foo.bar(int)");
}
END_TEST

/* The hash of a crate may look like a binder; a name that does stays mangled. */
START_TEST(binders_take_no_time)
{
	alarm(10);
	expect("_RNvCsFGzzzzz_7mycrate3foo", "mycrate::foo");
	expect("_RNvCs1234_7mycrate9fooFGbar_", "_RNvCs1234_7mycrate9fooFGbar_");
	expect("_RNvCs1234_7mycrate8fooFGba_", "mycrate::fooFGba_");
	expect("_RNvXs_Cs1_1aFGzzzzzzzzzzEuNtB2_1b3foo", "_RNvXs_Cs1_1aFGzzzzzzzzzzEuNtB2_1b3foo");
	free(demangle("_RNvXs_Cs1_1aFGzzzzzzzzzz_EuNtB2_1b3foo"));
	alarm(0);
}
END_TEST

START_TEST(plain_names_stay)
{
	static const char *const names[] = { "main", "", "_", "_Z", "_R", "_D", "_Rust", "_Data",
		"x.y", ".cold", "@", "_ZN3Foo" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect(names[i], names[i]);
}
END_TEST

START_TEST(clones_and_versions_are_one_function)
{
	expect("parse.cold", "parse");
	expect("parse.part.0", "parse");
	expect("parse.constprop.0.isra.0.cold", "parse");
	expect("parse.llvm.123456", "parse");
	expect("memcpy@@GLIBC_2.14", "memcpy");
	expect("_ZN3Foo3barEv.isra.0", "Foo::bar");
}
END_TEST

START_TEST(names_longer_than_libiberty_likes_are_demangled)
{
	char linkage[4000] = "_ZN", wanted[4000] = "";
	char *got;

	while (strlen(linkage) < 3000) {
		strcat(linkage, "10abcdefghij");
		strcat(wanted, *wanted ? "::abcdefghij" : "abcdefghij");
	}
	strcat(linkage, "Ev");
	got = demangle(linkage);
	ck_assert_str_eq(got, wanted);
	free(got);
}
END_TEST

/* A template's arguments, each a function type made of the one before it, twice: the text doubles
 * with each. */
static void make_bomb(char *linkage, int size)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	strcpy(linkage, "_Z1fIPFviiE");
	for (int i = 0; i < size; i++) {
		char id[4] = { digits[2 * i / 36], digits[2 * i % 36], 0 };
		const char *number = 2 * i < 36 ? id + 1 : id;

		/* The substitutions are f, then a function and a pointer for each argument: S1_ is
		 * the first pointer. */
		linkage += strlen(linkage);
		sprintf(linkage, "PFvS%s_S%s_E", number, number);
	}
	strcat(linkage, "Evv");
}

START_TEST(bombs_stay_mangled)
{
	char linkage[2048];
	char *got;

	make_bomb(linkage, 4);
	got = demangle(linkage);
	ck_assert_msg(strlen(got) > 300 && got[0] == 'f', "%.100s", got);
	free(got);
	make_bomb(linkage, 50);
	got = demangle(linkage);
	ck_assert_msg(strcmp(got, linkage) == 0, "%.100s", got);
	free(got);
}
END_TEST

START_TEST(deep_and_random_names_do_no_harm)
{
	static const char letters[] = "_ZNKSt6vector1aIEPRFiLDpOTBCdlJsrX0.Q3$";
	char linkage[6000];

	memset(linkage, 'P', sizeof(linkage) - 1);
	memcpy(linkage, "_Z1f", 4);
	linkage[sizeof(linkage) - 1] = 0;
	free(demangle(linkage));
	linkage[4000] = 0;
	free(demangle(linkage));
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t size = rand() % 200;

		memcpy(linkage, round % 3 == 0 ? "_Z" : round % 3 == 1 ? "_R" : "_D", 2);
		for (size_t i = 2; i < size + 2; i++)
			linkage[i] = letters[rand() % (sizeof(letters) - 1)];
		linkage[size + 2] = 0;
		free(demangle(linkage));
	}
}
END_TEST

UNIT_SUITE("demangle", cxx_names_have_no_parameters, whole_names_have_parameters,
	rust_and_d_are_known, plain_names_stay, clones_and_versions_are_one_function,
	names_longer_than_libiberty_likes_are_demangled, bombs_stay_mangled, binders_take_no_time,
	deep_and_random_names_do_no_harm)
