/* SPDX-License-Identifier: MIT */
/* test_wrappers.c - which frames a report's row looks through, and which are somebody's own
 * code. */
#include "analyzer/base/array.h"
#include "unit.h"

#include "analyzer/symbols/wrappers.h"

#include <string.h>

static bool match(const struct wrappers *w, const char *function, const char *linkage,
	const char *file, const char *module)
{
	struct symbol symbol = { .function = function, .linkage = linkage, .file = file };

	return wrappers_match(w, &symbol, module);
}

/* clang-format off */
static const char *const looked_through[] = {
	"malloc", "calloc", "realloc", "reallocarray", "posix_memalign", "aligned_alloc", "strdup",
	"asprintf", "getline", "operator new", "operator new[]", "Thing::operator new",
	"Thing<int>::operator new[]", "xmalloc", "xrealloc", "xcalloc", "xstrdup", "xzalloc", "emalloc",
	"ckalloc", "my_malloc", "safe_malloc", "zmalloc", "zcalloc", "ztrymalloc_usable_internal",
	"xnmalloc", "x2nrealloc", "xmalloc_flags", "_xmalloc", "do_xmalloc", "do_xmallocz", "xmallocz",
	"xmemdupz", "g_malloc", "g_malloc0", "g_malloc_n", "g_try_malloc", "g_realloc_n",
	"g_slice_alloc0", "g_strdup", "g_strdup_printf", "g_strndup", "g_string_append_len",
	"PyMem_Malloc", "PyMem_RawMalloc", "_PyMem_RawCalloc", "PyObject_Malloc",
	"_PyObject_Malloc", "_PyObject_GC_NewVar", "Perl_safesysmalloc", "Perl_safesysrealloc",
	"sqlite3Malloc", "sqlite3MemMalloc", "sqlite3DbMallocRawNN", "sqlite3_malloc64",
	"CRYPTO_zalloc", "xmlStrdup", "ruby_xmalloc2", "palloc0", "_emalloc",
	"std::vector<int, std::allocator<int> >::_M_realloc_insert<int const&>",
	"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >::_M_create",
	"std::__1::vector<int, std::__1::allocator<int> >::__push_back_slow_path<int>",
	"__gnu_cxx::new_allocator<int>::allocate", "std::allocator_traits<std::allocator<int> >::allocate",
	"std::_Rb_tree<int, int>::_M_create_node<int const&>", "std::operator+<char>",
	"std::make_unique<Foo>", "std::function<void ()>::function<main::{lambda()#1}, void>",
	"boost::make_shared<Foo>", "boost::container::vector<int>::priv_insert",
	"llvm::SmallVectorBase<unsigned int>::grow_pod", "QArrayData::allocate",
	"__rust_alloc", "__rdl_realloc", "_rjem_malloc",
};

static const char *const own_code[] = {
	"main", "parse", "alloc", "allocate", "test_malloc", "benchmark_calloc", "malloc_test",
	"do_work", "xml_parse", "x", "ex", "zip_open", "my_function", "expand", "allocate_buffers",
	"Parser::alloc", "core::start", "alloc::run", "mystd::vector<int>::push_back",
	"operator+<std::vector<int> >", "run<std::string>", "Cache::operator[]", "Foo::operator new_thing",
	"grow", "std", "stdlib_init", "Foo<std::vector<int> >::bar", "pool_alloc_object", "g_main",
	"PyList_New", "gc_collect_main", "sqlite3Parser", "Perl_runops_standard", "zmq_send", "",
	"(anonymous namespace)::parse", "shapes::run[abi:cxx11]::{lambda()#1}::operator()",
	"void_alloc_x", "malloc_stats_of_mine", "leaf+0x123",
};
/* clang-format on */

START_TEST(allocation_functions_are_looked_through)
{
	struct wrappers *w = wrappers_new();

	for (size_t i = 0; i < ARRAY_SIZE(looked_through); i++)
		ck_assert_msg(match(w, looked_through[i], NULL, NULL, "/bin/app"), "%s",
			looked_through[i]);
	wrappers_free(w);
}
END_TEST

START_TEST(other_functions_are_not)
{
	struct wrappers *w = wrappers_new();

	for (size_t i = 0; i < ARRAY_SIZE(own_code); i++)
		ck_assert_msg(
			!match(w, own_code[i], own_code[i], "/home/me/src/parse.c", "/bin/app"),
			"%s", own_code[i]);
	wrappers_free(w);
}
END_TEST

START_TEST(rust_names_are_told_from_others)
{
	static const char *const names[] = { "alloc::raw_vec::RawVec<T,A>::reserve_for_push",
		"alloc::vec::Vec::<u8>::push", "<alloc::vec::Vec<u8>>::push",
		"<alloc::string::String as core::clone::Clone>::clone",
		"core::iter::traits::iterator::Iterator::collect",
		"hashbrown::raw::RawTable<T>::reserve_rehash" };
	struct wrappers *w = wrappers_new();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ck_assert_msg(
			match(w, names[i], "_RNvC5alloc3foo", NULL, "/bin/app"), "%s", names[i]);
		ck_assert_msg(
			match(w, names[i], "_ZN5alloc3foo17h0123456789abcdefE", NULL, "/bin/app"),
			"%s", names[i]);
		ck_assert_msg(
			!match(w, names[i], "_ZN5alloc3fooEv", NULL, "/bin/app"), "%s", names[i]);
	}
	ck_assert(!match(
		w, "<app::Thing as core::clone::Clone>::clone", "_RNvC3app", NULL, "/bin/app"));
	ck_assert(!match(w, "app::main", "_RNvC3app4main", NULL, "/bin/app"));
	wrappers_free(w);
}
END_TEST

START_TEST(the_run_time_libraries_are_looked_through)
{
	struct wrappers *w = wrappers_new();

	ck_assert(match(w, "qsort_r", NULL, NULL, "/lib/x86_64-linux-gnu/libc.so.6"));
	ck_assert(match(w, "libc.so.6+0x1234", NULL, NULL, "/usr/lib64/libc.so.6"));
	ck_assert(match(w, "_dl_open", NULL, NULL, "/lib64/ld-linux-x86-64.so.2"));
	ck_assert(match(w, "f", NULL, NULL, "/usr/lib/libstdc++.so.6.0.30"));
	ck_assert(match(w, "f", NULL, NULL, "libjemalloc.so.2"));
	ck_assert(!match(w, "f", NULL, NULL, "/usr/lib/libcurl.so.4"));
	ck_assert(!match(w, "f", NULL, NULL, "/opt/libc.so.6/app"));
	ck_assert(!match(w, "f", NULL, NULL, NULL));
	wrappers_free(w);
}
END_TEST

START_TEST(unqualified_names_are_told_by_their_file)
{
	struct wrappers *w = wrappers_new();

	ck_assert(
		match(w, "allocate", NULL, "/usr/include/c++/12/bits/new_allocator.h", "/bin/app"));
	ck_assert(
		match(w, "allocate", NULL, "/opt/llvm/include/c++/v1/__memory/allocator.h", NULL));
	ck_assert(
		match(w, "push", NULL, "/rustc/90b35a62/library/alloc/src/vec/mod.rs", "/bin/app"));
	ck_assert(!match(w, "allocate", NULL, "/home/me/c++/allocate.cc", "/bin/app"));
	wrappers_free(w);
}
END_TEST

START_TEST(users_add_their_own)
{
	struct wrappers *w = wrappers_new();
	char error[100] = "";

	ck_assert(!match(w, "pool_get", NULL, NULL, "/bin/app"));
	ck_assert_int_eq(wrappers_add(w, "^pool_(get|put)$", error, sizeof(error)), 0);
	ck_assert(match(w, "pool_get", NULL, NULL, "/bin/app"));
	ck_assert(!match(w, "pool_getter", NULL, NULL, "/bin/app"));
	ck_assert_int_eq(wrappers_add(w, "arena<.*>::", error, sizeof(error)), 0);
	ck_assert(match(w, "arena<int>::take", NULL, NULL, "/bin/app"));
	ck_assert(match(w, "pool_put", NULL, NULL, "/bin/app"));
	ck_assert_int_eq(wrappers_add(w, "(", error, sizeof(error)), -1);
	ck_assert_str_ne(error, "");
	wrappers_free(w);
}
END_TEST

START_TEST(names_of_any_length_and_shape_do_no_harm)
{
	static const char letters[] = "<>:()operator_ as[]abix-";
	struct wrappers *w = wrappers_new();
	char *name = calloc(1, 5001);

	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t size = rand() % (round % 100 ? 100 : 5000);

		for (size_t i = 0; i < size; i++)
			name[i] = letters[rand() % (sizeof(letters) - 1)];
		name[size] = 0;
		match(w, name, name, NULL, "/bin/app");
		memcpy(name, "operator", 8);
		match(w, name, NULL, NULL, "/bin/app");
	}
	free(name);
	wrappers_free(w);
}
END_TEST

UNIT_SUITE("wrappers", allocation_functions_are_looked_through, other_functions_are_not,
	rust_names_are_told_from_others, the_run_time_libraries_are_looked_through,
	unqualified_names_are_told_by_their_file, users_add_their_own,
	names_of_any_length_and_shape_do_no_harm)
