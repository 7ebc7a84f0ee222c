/* SPDX-License-Identifier: MIT */
/* test_suppress.c - suppressions: both formats, what they match, and what is refused. */
#include "analyzer/base/array.h"
#include "analyzer/views/suppress.h"
#include "analyzer/base/strbuf.h"
#include "preload/trace_format.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FRAMES(...)                                     \
	(const struct suppress_frame[]){ __VA_ARGS__ }, \
		sizeof((struct suppress_frame[]){ __VA_ARGS__ }) / sizeof(struct suppress_frame)

static const struct suppress_frame copy = { "copy", NULL, "/src/lib/copy.c", 7, "/opt/libcopy.so.1",
	0 };
static const struct suppress_frame push = { "table::push", "_ZN5table4pushEi", "/src/table.cc", 42,
	"/opt/app", 0 };
static const struct suppress_frame start = { "main", NULL, "/src/main.c", 9, "/opt/app", 0 };
static const struct suppress_frame bare = { "libold.so+0x123", NULL, NULL, 0, "/usr/lib/libold.so",
	0x123 };

/* Whether a text with one suppression matches copy() <- table::push() <- main(). */
static bool suppresses_kind(const char *text, enum leak_kind kind)
{
	struct suppressions s = { 0 };
	char why[256] = "";
	bool found;

	if (!suppressions_add_text(&s, text, "t.supp", why, sizeof(why)))
		ck_abort_msg("refused: %s", why);
	found = suppressions_match(&s, kind, FRAMES(copy, push, start)) != NULL;
	suppressions_release(&s);
	return found;
}

static bool suppresses(const char *text)
{
	return suppresses_kind(text, LEAK_LOST);
}

static bool block(const char *frames)
{
	char text[512];

	snprintf(text, sizeof(text), "{\n  name\n  Memcheck:Leak\n%s}\n", frames);
	return suppresses(text);
}

START_TEST(patterns_find_a_part_of_any_frame)
{
	ck_assert(suppresses("leak:copy"));
	ck_assert(suppresses("leak:able::pu"));
	ck_assert(suppresses("leak:libcopy.so"));
	ck_assert(suppresses("leak:main.c"));
	ck_assert(suppresses("leak:_ZN5table"));
	ck_assert(!suppresses("leak:other"));
	ck_assert(!suppresses("leak:copycat"));
}
END_TEST

START_TEST(patterns_may_name_parameters)
{
	ck_assert(suppresses("leak:table::push(int)"));
	ck_assert(suppresses("leak:^table::push(int)$"));
	ck_assert(suppresses("leak:push(*)"));
	ck_assert(!suppresses("leak:push(double)"));
	ck_assert(!suppresses("leak:main(int)"));
}
END_TEST

START_TEST(patterns_have_wildcards_and_anchors)
{
	ck_assert(suppresses("leak:t*push"));
	ck_assert(suppresses("leak:table*"));
	ck_assert(suppresses("leak:*"));
	ck_assert(suppresses("leak:^table"));
	ck_assert(!suppresses("leak:^able"));
	ck_assert(suppresses("leak:push$"));
	ck_assert(!suppresses("leak:pus$"));
	ck_assert(suppresses("leak:^main$"));
	ck_assert(!suppresses("leak:^mai$"));
	ck_assert(suppresses("leak:^t*h$"));
	ck_assert(!suppresses("leak:p*x*h"));
	ck_assert(suppresses("leak:lib*so.1$"));
}
END_TEST

START_TEST(frames_begin_at_the_innermost)
{
	ck_assert(block("fun:copy\n"));
	ck_assert(block("fun:copy\nfun:_ZN5table4pushEi\nfun:main\n"));
	ck_assert(block("fun:copy\nfun:table::push\n"));
	ck_assert(!block("fun:main\n"));
	ck_assert(!block("fun:copy\nfun:main\n"));
	ck_assert(!block("fun:copy\nfun:*\nfun:main\nfun:_start\n"));
}
END_TEST

START_TEST(allocation_functions_may_stand_in_front)
{
	ck_assert(block("fun:malloc\nfun:copy\n"));
	ck_assert(block("fun:_Znwm\nfun:copy\n"));
	ck_assert(block("fun:*alloc\nfun:copy\n"));
	ck_assert(block("obj:*vgpreload_memcheck*\nfun:copy\n"));
	ck_assert(!block("fun:malloc\nfun:main\n"));
	ck_assert(!block("fun:strdup\nfun:copy\n"));
}
END_TEST

static bool in_block(const char *frames, const struct suppress_frame *stack, size_t count)
{
	struct suppressions s = { 0 };
	char text[512], why[256] = "";
	bool found;

	snprintf(text, sizeof(text), "{\n  name\n  Memcheck:Leak\n%s}\n", frames);
	ck_assert(suppressions_add_text(&s, text, "t.supp", why, sizeof(why)));
	found = suppressions_match(&s, LEAK_LOST, stack, count) != NULL;
	suppressions_release(&s);
	return found;
}

/* The C++ library's operators call one another and malloc; new[] jumps to new. */
START_TEST(operator_new_is_one_frame)
{
	static const char *const fit[] = { "fun:_Znwm\nfun:copy\n", "fun:_Znam\nfun:copy\n",
		"fun:_ZnwmRKSt9nothrow_t\nfun:copy\n", "fun:_Zn*\nfun:copy\nfun:main\n",
		"obj:*vgpreload_memcheck*\nfun:copy\n", "fun:_Znam\n...\nfun:main\n" };
	static const char *const unfit[] = { "fun:malloc\nfun:copy\n",
		"fun:malloc\n...\nfun:main\n", "fun:*alloc\nfun:_Znwm\n", "fun:_Znam\nfun:main\n" };
	static const struct suppress_frame one = { "operator new", "_Znwm", NULL, 0,
		"/usr/lib/libstdc++.so.6", 1 };
	static const struct suppress_frame fails_not = { "operator new", "_ZnwmRKSt9nothrow_t",
		NULL, 0, "/usr/lib/libstdc++.so.6", 2 };

	for (size_t i = 0; i < ARRAY_SIZE(fit); i++) {
		ck_assert(in_block(fit[i], FRAMES(one, copy, start)));
		ck_assert(in_block(fit[i], FRAMES(one, fails_not, copy, start)));
	}
	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++)
		ck_assert(!in_block(unfit[i], FRAMES(one, copy, start)));
}
END_TEST

/* Whether the lines suppress copy() <- main() of which the first called these functions. */
static bool after_call(const char *frames, uint32_t calls)
{
	struct suppress_frame caller = copy;

	caller.calls = calls;
	return in_block(frames, FRAMES(caller, start));
}

START_TEST(allocation_functions_are_told_apart)
{
	ck_assert(after_call("fun:malloc\nfun:copy\n", 1u << MT_MALLOC));
	ck_assert(after_call("fun:*alloc\nfun:copy\n", 1u << MT_CALLOC));
	ck_assert(after_call("...\nfun:calloc\nfun:copy\n", 1u << MT_CALLOC));
	ck_assert(after_call("fun:copy\n", 1u << MT_CALLOC));
	ck_assert(after_call("fun:malloc\nfun:copy\n", 1u << MT_CALLOC | 1u << MT_MALLOC));
	ck_assert(after_call("fun:malloc\nfun:copy\n", 1u << MT_REALLOC)); /* of NULL */
	ck_assert(after_call(
		"fun:memalign\nfun:posix_memalign\nfun:copy\n", 1u << MT_POSIX_MEMALIGN));
	ck_assert(after_call("fun:posix_memalign\nfun:copy\n", 1u << MT_POSIX_MEMALIGN));
	ck_assert(after_call("fun:_Znwm\nfun:copy\n", 1u << MT_NEW)); /* an allocator's own */
	ck_assert(!after_call("fun:calloc\nfun:copy\n", 1u << MT_MALLOC));
	ck_assert(!after_call("fun:malloc\nfun:copy\n", 1u << MT_CALLOC));
	ck_assert(!after_call("fun:_Znam\nfun:copy\n", 1u << MT_NEW));
	ck_assert(!after_call("fun:*alloc\nfun:main\n", 1u << MT_MALLOC));
	/* It stands for the allocation function, not for its caller. */
	ck_assert(!after_call("fun:*\nfun:main\n", 1u << MT_MALLOC));
	ck_assert(after_call("fun:*\nfun:copy\nfun:main\n", 1u << MT_MALLOC));
}
END_TEST

START_TEST(operators_are_told_apart)
{
	static const struct suppress_frame one = { "operator new", "_Znwm", NULL, 0,
		"/usr/lib/libstdc++.so.6", 1, 1u << MT_MALLOC };
	struct suppress_frame array = copy;

	ck_assert(in_block("fun:_Znwm\nfun:copy\n", FRAMES(one, copy, start)));
	ck_assert(!in_block("fun:_Znam\nfun:copy\n", FRAMES(one, copy, start)));
	array.calls = 1u << MT_NEW_ARRAY;
	ck_assert(in_block("fun:_Znam\nfun:copy\n", FRAMES(one, array, start)));
	ck_assert(!in_block("fun:_Znwm\nfun:copy\n", FRAMES(one, array, start)));
}
END_TEST

START_TEST(symbols_have_several_names)
{
	static const struct suppress_frame text = { "__GI___strdup", "__GI___strdup", "/g/strdup.c",
		42, "/usr/lib/libc.so.6", 1 };
	static const struct suppress_frame file = { "_IO_new_fopen", NULL, NULL, 0,
		"/usr/lib/libc.so.6", 1 };
	static const struct suppress_frame thread = { "clone3", NULL, NULL, 0, "/usr/lib/libc.so.6",
		1 };
	static const struct suppress_frame own = { "__strdup", "__strdup", NULL, 0, "/opt/app", 1 };
	static const struct suppress_frame made = { "maker::maker", "_ZN5makerC2Em", NULL, 0,
		"/opt/app", 1 };

	ck_assert(in_block("fun:malloc\nfun:strdup\n", FRAMES(text, start)));
	ck_assert(in_block("fun:malloc\nfun:fopen@@GLIBC_2.2.5\n", FRAMES(file, start)));
	ck_assert(in_block("fun:malloc\nfun:fopen64\n", FRAMES(file, start)));
	ck_assert(in_block("fun:malloc\nfun:copy\nfun:clone\n", FRAMES(copy, thread)));
	ck_assert(in_block("fun:malloc\nfun:_ZN5makerC1Em\n", FRAMES(made, start)));
	ck_assert(in_block("fun:malloc\nfun:copy.isra.0\n", FRAMES(copy, start)));
	ck_assert(!in_block("fun:malloc\nfun:strdup\n", FRAMES(own, start)));
	ck_assert(!in_block("fun:malloc\nfun:strndup\n", FRAMES(text, start)));
	ck_assert(!in_block("fun:malloc\nfun:_ZN5makerD1Em\n", FRAMES(made, start)));
	ck_assert(!in_block("fun:malloc\nfun:_ZN5makerC1Ei\n", FRAMES(made, start)));
	ck_assert(!in_block("fun:malloc\nfun:copy.txt\n", FRAMES(copy, start)));
}
END_TEST

START_TEST(inlined_functions_have_no_scope)
{
	static const struct suppress_frame in_lambda = { "f()::{lambda()#1}::operator()",
		"_ZZ1fvENKUlvE_clEv", NULL, 0, "/opt/app", 1, 0, true };
	static const struct suppress_frame in_template = { "ns::maker::get<0ul>", NULL, NULL, 0,
		"/opt/app", 1, 0, true };
	static const struct suppress_frame of_text = { "maker::get<char const*>", NULL, NULL, 0,
		"/opt/app", 1, 0, true };

	ck_assert(
		in_block("fun:malloc\nfun:get<const char *>\nfun:main\n", FRAMES(of_text, start)));
	ck_assert(
		!in_block("fun:malloc\nfun:put<const char *>\nfun:main\n", FRAMES(of_text, start)));
	ck_assert(in_block("fun:malloc\nfun:operator()\nfun:main\n", FRAMES(in_lambda, start)));
	ck_assert(in_block("fun:malloc\nfun:get<0>\nfun:main\n", FRAMES(in_template, start)));
	ck_assert(!in_block("fun:malloc\nfun:push\n", FRAMES(push, start)));
	ck_assert(!in_block("fun:malloc\nfun:get\nfun:main\n", FRAMES(in_template, start)));
}
END_TEST

/* Whether a file's last block suppresses inner() <- outer() <- main(), the first one inlined. */
static bool in_file(const char *text)
{
	static const struct suppress_frame inner = { "inner", NULL, NULL, 0, "/opt/app", 1, 0,
		true };
	static const struct suppress_frame outer = { "outer", NULL, NULL, 0, "/opt/app", 1 };
	struct suppressions s = { 0 };
	char why[256] = "";
	bool found;

	ck_assert(suppressions_add_text(&s, text, "t.supp", why, sizeof(why)));
	suppressions_see(&s, FRAMES(inner, outer, start));
	found = suppressions_match(&s, LEAK_LOST, FRAMES(inner, outer, start)) != NULL;
	suppressions_release(&s);
	return found;
}

START_TEST(inlined_functions_may_be_unknown_to_a_whole_file)
{
	ck_assert(in_file("{\n a\n Memcheck:Leak\n fun:malloc\n fun:inner\n fun:outer\n}\n"));
	ck_assert(in_file("{\n a\n Memcheck:Leak\n fun:malloc\n fun:outer\n fun:main\n}\n"));
	ck_assert(!in_file("{\n a\n Memcheck:Leak\n fun:malloc\n fun:main\n}\n"));
	ck_assert(!in_file("{\n a\n Memcheck:Leak\n fun:malloc\n fun:outer\n fun:main\n}\n"
			   "{\n b\n Memcheck:Leak\n fun:calloc\n fun:inner\n fun:other\n}\n"));
}
END_TEST

START_TEST(what_calls_main_has_one_name)
{
	static const struct suppress_frame call = { "__libc_start_call_main", NULL, NULL, 0,
		"/lib/libc.so.6", 3 };
	static const struct suppress_frame first = { "_start", NULL, NULL, 0, "/opt/app", 4 };

	ck_assert(in_block(
		"fun:malloc\nfun:copy\nfun:main\nfun:(below main)\n", FRAMES(copy, start, call)));
	ck_assert(in_block("...\nfun:(below main)\n", FRAMES(copy, first)));
	ck_assert(!in_block("...\nfun:(below main)\n", FRAMES(copy, start)));
}
END_TEST

START_TEST(frames_have_wildcards)
{
	ck_assert(block("fun:c?py\n"));
	ck_assert(!block("fun:c?opy\n"));
	ck_assert(block("...\nfun:main\n"));
	ck_assert(block("...\n"));
	ck_assert(block("fun:copy\n...\nfun:main\n"));
	ck_assert(block("fun:copy\n...\nfun:table*\n...\nfun:main\n"));
	ck_assert(!block("...\nfun:main\nfun:copy\n"));
	ck_assert(block("obj:*/libcopy.so*\nobj:/opt/app\n"));
	ck_assert(block("src:copy.c\n"));
	ck_assert(block("src:copy.c:7\n"));
	ck_assert(!block("src:copy.c:8\n"));
	ck_assert(block("src:/src/lib/*.c:7\n"));
}
END_TEST

START_TEST(kinds_are_matched)
{
	static const char possible[] =
		"{\nname\nMemcheck:Leak\nmatch-leak-kinds: possible,reachable\nfun:copy\n}\n";
	static const char none[] = "{\nname\nMemcheck:Leak\nmatch-leak-kinds: none\nfun:copy\n}\n";
	static const char any[] = "{\nname\nMemcheck:Leak\nfun:copy\n}\n";

	ck_assert(!suppresses_kind(possible, LEAK_LOST));
	ck_assert(!suppresses_kind(possible, LEAK_INDIRECT));
	ck_assert(suppresses_kind(possible, LEAK_POSSIBLE));
	ck_assert(suppresses_kind(possible, LEAK_REACHABLE));
	for (int kind = 0; kind < LEAK_KINDS; kind++) {
		ck_assert(suppresses_kind(any, (enum leak_kind)kind));
		ck_assert(!suppresses_kind(none, (enum leak_kind)kind));
	}
}
END_TEST

START_TEST(both_formats_stand_in_one_file)
{
	static const char text[] =
		"# a comment\n\n  leak:zlib  \r\n"
		"{\n   first # not a comment\n   Memcheck:Leak\n   fun:f\n}\n"
		"{\n   other tool\n   Helgrind:Race\n   fun:f\n   anything\n}\n"
		"{\n   other error\n   Memcheck:Param\n   write(buf)\n   fun:f\n}\n"
		"{\n   two tools\n   Memcheck,Drd:Leak\n   obj:*\n}";
	struct suppressions s = { 0 };
	char why[256] = "";

	ck_assert_msg(suppressions_add_text(&s, text, "f", why, sizeof(why)), "%s", why);
	ck_assert_uint_eq(s.count, 3);
	ck_assert_str_eq(s.items[0].name, "leak:zlib");
	ck_assert_uint_eq(s.items[0].line, 3);
	ck_assert_str_eq(s.items[1].name, "first # not a comment");
	ck_assert_uint_eq(s.items[1].line, 4);
	ck_assert_str_eq(s.items[2].name, "two tools");
	suppressions_release(&s);
}
END_TEST

static void refused(const char *text, const char *expected)
{
	struct suppressions s = { 0 };
	char why[256] = "";

	ck_assert(!suppressions_add_text(&s, text, "f", why, sizeof(why)));
	ck_assert_str_eq(why, expected);
	suppressions_release(&s);
}

START_TEST(malformed_ones_are_refused_with_their_line)
{
	refused("\nrace:x\n",
		"line 2: expected leak:PATTERN or the '{' of a Valgrind suppression, not 'race:x'");
	refused("leak:", "line 1: leak: without a pattern");
	refused("{\nn\nMemcheck:Leak\nfun:f\n", "line 4: the block starting at line 1 has no '}'");
	refused("{\nn\nMemcheck:Leak\n}\n", "line 4: the block starting at line 1 names no frame");
	refused("{\nn\n}\n",
		"line 3: the block starting at line 1 needs a name and 'Memcheck:Leak'");
	refused("{\nn\nLeak\nfun:f\n}\n",
		"line 3: expected a line such as 'Memcheck:Leak', not 'Leak'");
	refused("{\nn\nMemcheck:Leak\nfunc:f\n}\n",
		"line 4: expected fun:, obj:, src: or ..., not 'func:f'");
	refused("{\nn\nMemcheck:Leak\nmatch-leak-kinds: big\nfun:f\n}\n",
		"line 4: unknown leak kind: 'big'");
	refused("}\n",
		"line 1: expected leak:PATTERN or the '{' of a Valgrind suppression, not '}'");
	refused("{", "line 1: the block starting at line 1 needs a name and 'Memcheck:Leak'");
}
END_TEST

START_TEST(files_that_are_no_text_are_refused)
{
	static const char zeros[8];
	char path[] = "/tmp/test_suppress.XXXXXX", why[256];
	struct suppressions s = { 0 };
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	ck_assert(!suppressions_add_file(&s, path, why, sizeof(why)));
	ck_assert_str_eq(why, "not a text");
	unlink(path);
	close(fd);
	ck_assert(!suppressions_add_file(&s, path, why, sizeof(why)));
	ck_assert_str_eq(why, "No such file or directory");
	ck_assert(!suppressions_add_file(&s, "/", why, sizeof(why)));
	ck_assert_str_eq(why, "Is a directory");
}
END_TEST

START_TEST(use_is_counted)
{
	struct suppressions s = { 0 };
	char why[256];

	ck_assert(suppressions_add_text(
		&s, "leak:nothing\nleak:copy\nleak:main\n", "f", why, sizeof(why)));
	ck_assert_ptr_eq(suppressions_match(&s, LEAK_LOST, FRAMES(copy, start)), &s.items[1]);
	ck_assert_ptr_eq(suppressions_match(&s, LEAK_LOST, FRAMES(start)), &s.items[2]);
	ck_assert_ptr_null(suppressions_match(&s, LEAK_LOST, FRAMES(bare)));
	ck_assert_uint_eq(s.items[0].used, 0);
	ck_assert_uint_eq(s.items[1].used, 1);
	ck_assert_uint_eq(s.items[2].used, 1);
	suppressions_release(&s);
}
END_TEST

START_TEST(what_is_written_suppresses_its_own_stack)
{
	static const struct suppress_frame stack[] = {
		{ "libold.so+0x123", NULL, NULL, 0, "/usr/lib/libold.so", 0x123, 1u << MT_CALLOC },
		{ "__GI_qsort_r", NULL, NULL, 0, "/usr/lib/libc.so.6", 0x124 },
		{ "ns::inner", "_ZN2ns5innerEv", NULL, 0, "/opt/app", 0, 0, true },
		{ "table::push", "_ZN5table4pushEi", "/src/table.cc", 42, "/opt/app", 0 },
		{ "main", NULL, "/src/main.c", 9, "/opt/app", 0 },
		{ "_start", NULL, NULL, 0, "/opt/app", 0 },
	};
	struct suppressions s = { 0 };
	struct strbuf text = { 0 };
	char why[256];

	suppression_write(&text, "mine", LEAK_POSSIBLE, stack, 6);
	ck_assert_str_eq(text.text,
		"{\n   mine\n   Memcheck:Leak\n   match-leak-kinds: possible\n"
		"   fun:calloc\n   obj:/usr/lib/libold.so\n   fun:*qsort_r\n   fun:inner\n"
		"   fun:_ZN5table4pushEi\n   fun:main\n}\n");
	ck_assert(suppressions_add_text(&s, text.text, "f", why, sizeof(why)));
	ck_assert_ptr_nonnull(suppressions_match(&s, LEAK_POSSIBLE, stack, 6));
	ck_assert_ptr_null(suppressions_match(&s, LEAK_LOST, stack, 6));
	suppressions_release(&s);
	strbuf_release(&text);
}
END_TEST

/* A symbol may be any bytes, but makes no lines, nothing that moves a terminal's cursor, no
 * wildcards. */
START_TEST(names_stay_in_their_lines)
{
	static const char *const names[] = {
		"x\n}\n{\n q\n Memcheck:Leak\n ...\n fun:*\n}\n{\n r\n Memcheck:Leak\n fun:z",
		"\x1b]0;title\x07",
		"\r}",
		"*",
		"c*",
		"\xc2\x9b"
		"2J",
		"\xff\xfe",
		" ",
		"end ",
		"",
		"\t",
		"\x7f",
		"gr\xc3\xb6\xc3\x9f"
		"e",
		"size_of(unsigned long)",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct suppress_frame odd[] = {
			{ names[i], NULL, NULL, 0, "/opt/\n...", 0, 1u << MT_MALLOC },
			{ "f", names[i], NULL, 0, NULL, 0 },
			{ NULL, NULL, NULL, 0, names[i], 0 },
		};
		struct suppressions s = { 0 };
		struct strbuf text = { 0 };
		char why[256];

		suppression_write(&text, "mine", LEAK_LOST, odd, 3);
		for (const char *at = text.text; *at; at++)
			ck_assert((unsigned char)*at >= ' ' || *at == '\n');
		ck_assert_ptr_null(strstr(text.text, "\xc2\x9b"));
		ck_assert_ptr_null(strchr(text.text, '*'));
		ck_assert_msg(suppressions_add_text(&s, text.text, "f", why, sizeof(why)), "%s: %s",
			text.text, why);
		ck_assert_uint_eq(s.count, 1);
		ck_assert_uint_eq(s.items[0].frame_count, 4);
		ck_assert_ptr_nonnull(suppressions_match(&s, LEAK_LOST, odd, 3));
		ck_assert_ptr_null(suppressions_match(&s, LEAK_LOST, FRAMES(copy, push, start)));
		suppressions_release(&s);
		strbuf_release(&text);
	}
}
END_TEST

START_TEST(built_in_ones_hide_no_leak_of_a_program)
{
	struct suppress_frame constructor[] = {
		{ "plugin_init", NULL, "/src/plugin.c", 3, "/opt/plugin.so", 0 },
		{ "call_init", NULL, NULL, 0, "/lib64/ld-linux-x86-64.so.2", 0 },
		{ "_dl_open", NULL, NULL, 0, "/lib64/ld-linux-x86-64.so.2", 0 },
		{ "_dlerror_run", NULL, NULL, 0, "/usr/lib/libc.so.6", 0 },
		{ "main", NULL, "/src/main.c", 9, "/opt/app", 0 },
	};
	struct suppress_frame loader[] = { { "allocate_dtv", NULL, NULL, 0,
		"/lib64/ld-linux-x86-64.so.2", 0 } };
	struct suppressions s = { 0 };

	suppressions_add_builtin(&s);
	ck_assert_uint_gt(s.count, 20);
	ck_assert_ptr_null(suppressions_match(&s, LEAK_LOST, constructor, 5));
	ck_assert_ptr_null(suppressions_match(&s, LEAK_LOST, FRAMES(copy, push, start)));
	ck_assert_ptr_nonnull(suppressions_match(&s, LEAK_LOST, loader, 1));
	suppressions_release(&s);
}
END_TEST

UNIT_SUITE("suppress", patterns_find_a_part_of_any_frame, patterns_may_name_parameters,
	patterns_have_wildcards_and_anchors, operator_new_is_one_frame,
	allocation_functions_are_told_apart, operators_are_told_apart, symbols_have_several_names,
	inlined_functions_have_no_scope, inlined_functions_may_be_unknown_to_a_whole_file,
	what_calls_main_has_one_name, frames_begin_at_the_innermost,
	allocation_functions_may_stand_in_front, frames_have_wildcards, kinds_are_matched,
	both_formats_stand_in_one_file, malformed_ones_are_refused_with_their_line,
	files_that_are_no_text_are_refused, use_is_counted,
	what_is_written_suppresses_its_own_stack, names_stay_in_their_lines,
	built_in_ones_hide_no_leak_of_a_program)
