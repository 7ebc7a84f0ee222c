/* SPDX-License-Identifier: MIT */
/*
 * test_symbolize.c - what programs that know their own functions and lines say, against what the
 * symbolizer says, for all kinds of debug information; and files that are wrong, missing, or
 * damaged.
 */
#include "analyzer/base/array.h"
#include "unit.h"

#include "tests/symbolize/fixtures.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct symbolizer_options plain;

static struct symbolizer *begin(const struct symbolizer_options *options, const char *path)
{
	struct symbolizer *s = symbolizer_new(options);
	struct symbolizer_module module = fixture_module(path);

	ck_assert_uint_eq(symbolizer_add_module(s, &module), 0);
	return s;
}

/* ---- right answers */

static void check_file(const struct symbol *symbol)
{
	const char *name;

	ck_assert_ptr_nonnull(symbol->file);
	name = strrchr(symbol->file, '/');
	ck_assert_msg(symbol->file[0] == '/' && !strstr(symbol->file, "/../") &&
			      !strstr(symbol->file, "/./"),
		"%s", symbol->file);
	ck_assert_str_eq(name, strcmp(symbol->function, "in_header") ? "/places.c" : "/places.h");
	ck_assert_int_eq(access(symbol->file, R_OK), 0);
}

static void check_lines(struct symbolizer *s, const struct expectation *e, const char *path)
{
	const struct symbols *got = symbolize(s, 0, e->address);

	ck_assert_msg(got->count == e->count, "%s: 0x%lx: %zu functions, not %zu", path,
		(unsigned long)e->address, got->count, e->count);
	for (size_t i = 0; i < e->count; i++) {
		const struct symbol *symbol = &got->symbols[i];

		ck_assert_msg(strcmp(symbol->function, e->function[i]) == 0,
			"%s: 0x%lx: %s, not %s", path, (unsigned long)e->address, symbol->function,
			e->function[i]);
		ck_assert_msg(symbol->line == e->line[i], "%s: 0x%lx: %s:%u, not %u", path,
			(unsigned long)e->address, symbol->function, symbol->line, e->line[i]);
		ck_assert_int_eq(symbol->inlined, i + 1 < e->count);
		check_file(symbol);
	}
}

/* Returns how many addresses were looked up. */
static int check_program(const struct symbolizer_options *options, const char *path)
{
	struct symbolizer *s = begin(options, path);
	FILE *output = fixture_run(path);
	struct expectation e;
	int count = 0;

	while (fixture_expectation(output, &e)) {
		check_lines(s, &e, path);
		count++;
	}
	ck_assert_msg(pclose(output) == 0 && count == 12, "%s: %d addresses", path, count);
	ck_assert_msg(!symbolizer_complaint(s, 0), "%s", symbolizer_complaint(s, 0));
	ck_assert(symbolizer_has_lines(s, 0));
	symbolizer_free(s);
	return count;
}

START_TEST(every_kind_of_debug_information_is_understood)
{
	FILE *list = fixture_list("lines");
	char path[4096];
	int count = 0;

	for (; fixture_next(list, path); count++)
		check_program(&plain, path);
	fclose(list);
	ck_assert_int_ge(count, 10);
}
END_TEST

START_TEST(debug_files_are_found_by_build_id)
{
	const char *directory = fixture("debug");
	const char *const dirs[] = { "/nonexistent", directory, NULL };
	const struct symbolizer_options options = { .debug_dirs = dirs };

	check_program(&options, fixture("places-id"));
}
END_TEST

START_TEST(the_debug_file_serves_where_the_program_is_gone)
{
	const char *directory = fixture("debug");
	const char *const dirs[] = { directory, NULL };
	const struct symbolizer_options options = { .debug_dirs = dirs };
	struct symbolizer_module module = fixture_module(fixture("places-id"));
	struct symbolizer *s = symbolizer_new(&options);
	FILE *output = fixture_run(fixture("places-id"));
	struct expectation e;

	module.path = "/nonexistent/places-id";
	symbolizer_add_module(s, &module);
	while (fixture_expectation(output, &e))
		check_lines(s, &e, module.path);
	pclose(output);
	ck_assert_ptr_null(symbolizer_complaint(s, 0));
	symbolizer_free(s);
}
END_TEST

START_TEST(the_sysroot_comes_first)
{
	char base[4096];
	struct symbolizer_options options = { .sysroot = base };
	struct symbolizer_module module;
	struct symbolizer *s;

	strcpy(base, fixture("places-symtab"));
	module = fixture_module(base);
	*strrchr(base, '/') = 0;
	module.path = "/places-symtab"; /* only there below the sysroot */
	s = symbolizer_new(&options);
	symbolizer_add_module(s, &module);
	symbolize(s, 0, 0);
	ck_assert_ptr_null(symbolizer_complaint(s, 0));
	symbolizer_free(s);
}
END_TEST

static void check_names(const char *path)
{
	struct symbolizer *s = begin(&plain, path);
	FILE *output = fixture_run(path);
	struct expectation e;

	while (fixture_expectation(output, &e)) {
		const struct symbols *got = symbolize(s, 0, e.address);

		ck_assert_uint_eq(got->count, 1);
		ck_assert_msg(strcmp(got->symbols[0].function, e.function[e.count - 1]) == 0,
			"%s: %s, not %s", path, got->symbols[0].function, e.function[e.count - 1]);
		ck_assert_ptr_null(got->symbols[0].file);
		ck_assert_uint_eq(got->symbols[0].line, 0);
	}
	ck_assert_int_eq(pclose(output), 0);
	ck_assert(!symbolizer_has_lines(s, 0));
	symbolizer_free(s);
}

START_TEST(symbol_tables_give_names)
{
	FILE *list = fixture_list("names");
	char path[4096];
	int count = 0;

	for (; fixture_next(list, path); count++)
		check_names(path);
	fclose(list);
	ck_assert_int_ge(count, 1);
}
END_TEST

START_TEST(what_no_table_names_is_an_offset)
{
	const char *path = fixture("places-dynsym");
	struct symbolizer *s = begin(&plain, path);
	FILE *output = fixture_run(path);
	struct expectation e;
	char offset[64];
	int exported = 0;

	while (fixture_expectation(output, &e)) {
		const char *function = symbolize(s, 0, e.address)->symbols[0].function;

		snprintf(offset, sizeof(offset), "places-dynsym+0x%lx", (unsigned long)e.address);
		if (strcmp(e.function[e.count - 1], "exported") == 0)
			exported++;
		ck_assert_str_eq(function,
			strcmp(e.function[e.count - 1], "exported") ? offset : "exported");
	}
	ck_assert_int_eq(exported, 1);
	pclose(output);
	symbolizer_free(s);
}
END_TEST

START_TEST(the_bias_is_taken_off)
{
	const char *path = fixture("places-symtab");
	struct symbolizer_module module = fixture_module(path);
	struct symbolizer *s = symbolizer_new(&plain);
	FILE *output = fixture_run(path);
	struct expectation e;

	module.bias = 0x7f0012340000;
	module.start = module.bias;
	symbolizer_add_module(s, &module);
	ck_assert(fixture_expectation(output, &e));
	ck_assert_str_eq(symbolize(s, 0, e.address + module.bias)->symbols[0].function,
		e.function[e.count - 1]);
	ck_assert_str_eq(
		symbolize(s, 0, module.bias + 5)->symbols[0].function, "places-symtab+0x5");
	pclose(output);
	symbolizer_free(s);
}
END_TEST

START_TEST(equal_texts_are_one_pointer)
{
	FILE *list = fixture_list("lines");
	char path[4096];
	struct symbolizer *s;
	struct expectation e;
	struct symbolizer_module module;
	FILE *output;
	const struct symbols *a, *b;

	ck_assert_ptr_nonnull(fixture_next(list, path));
	fclose(list);
	s = begin(&plain, path);
	module = fixture_module(path);
	ck_assert_uint_eq(symbolizer_add_module(s, &module), 1);
	output = fixture_run(path);
	while (fixture_expectation(output, &e)) {
		a = symbolize(s, 0, e.address);
		b = symbolize(s, 1, e.address);
		ck_assert_ptr_eq(symbolize(s, 0, e.address), a);
		ck_assert_ptr_eq(a->symbols[0].function, b->symbols[0].function);
		ck_assert_ptr_eq(a->symbols[0].file, b->symbols[0].file);
	}
	pclose(output);
	symbolizer_free(s);
}
END_TEST

/* ---- wrong and missing files */

/* The complaint about a file that can't serve, which has names of offsets only. */
static char *complaint_about(const struct symbolizer_module *module)
{
	struct symbolizer *s = symbolizer_new(&plain);
	const struct symbols *got;
	char *complaint;

	symbolizer_add_module(s, module);
	ck_assert_ptr_null(symbolizer_complaint(s, 0)); /* not looked at yet */
	got = symbolize(s, 0, 0x1234);
	ck_assert_uint_eq(got->count, 1);
	ck_assert_ptr_nonnull(strstr(got->symbols[0].function, "+0x1234"));
	ck_assert_ptr_null(got->symbols[0].file);
	ck_assert_ptr_nonnull(symbolizer_complaint(s, 0));
	complaint = strdup(symbolizer_complaint(s, 0));
	ck_assert_ptr_null(strchr(complaint, '\n'));
	symbolizer_free(s);
	return complaint;
}

START_TEST(another_build_is_refused)
{
	struct symbolizer_module module = fixture_module(fixture("places-symtab"));
	uint8_t id[64];
	char *complaint;

	memcpy(id, module.build_id, module.build_id_size);
	id[0] ^= 1;
	module.build_id = id;
	complaint = complaint_about(&module);
	ck_assert_ptr_nonnull(strstr(complaint, module.path));
	ck_assert_ptr_nonnull(strstr(complaint, "has changed since the trace"));
	free(complaint);
}
END_TEST

START_TEST(what_is_no_program_is_complained_about)
{
	char directory[] = "/tmp/mtracer-symbolize-XXXXXX", fifo[64];
	const char *paths[] = { "/nonexistent/app", "/etc/passwd", "/", "/dev/zero", "/dev/null",
		"/proc/self/mem", "//anon", "", fifo };

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct symbolizer_module module = { .path = paths[i], .end = UINT64_MAX };

		free(complaint_about(&module));
	}
	unlink(fifo);
	rmdir(directory);
}
END_TEST

START_TEST(code_outside_of_modules_is_an_address)
{
	struct symbolizer *s = symbolizer_new(NULL);
	const struct symbols *got = symbolize(s, SIZE_MAX, 0x1234);

	ck_assert_uint_eq(got->count, 1);
	ck_assert_str_eq(got->symbols[0].function, "0x1234");
	ck_assert_ptr_null(got->symbols[0].linkage);
	ck_assert_ptr_null(symbolizer_complaint(s, SIZE_MAX));
	symbolizer_free(s);
}
END_TEST

START_TEST(the_vdso_is_known)
{
	struct symbolizer *s = symbolizer_new(NULL);
	struct symbolizer_module module = { .path = "[vdso]", .end = UINT64_MAX };
	bool found = false;

	symbolizer_add_module(s, &module);
	for (uint64_t address = 0; address < 8192; address++)
		found |= strncmp(symbolize(s, 0, address)->symbols[0].function, "__vdso_", 7) == 0;
	ck_assert(found || symbolizer_complaint(s, 0));
	symbolizer_free(s);
}
END_TEST

/* ---- damaged files */

static size_t read_file(const char *path, uint8_t **bytes)
{
	struct stat st;
	FILE *f = fopen(path, "r");

	ck_assert(f && fstat(fileno(f), &st) == 0);
	*bytes = malloc(st.st_size);
	ck_assert_uint_eq(fread(*bytes, 1, st.st_size, f), (size_t)st.st_size);
	fclose(f);
	return st.st_size;
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
	ck_assert_int_eq(fclose(f), 0);
}

/* Any answer will do, but there is one. */
static void ask_all(const char *path, uint64_t last)
{
	struct symbolizer_module module = { .path = path, .end = UINT64_MAX };
	struct symbolizer *s = symbolizer_new(&plain);

	symbolizer_add_module(s, &module);
	for (uint64_t address = 0x1000; address < last; address += 13) {
		const struct symbols *got = symbolize(s, 0, address);

		ck_assert_uint_ge(got->count, 1);
		for (size_t i = 0; i < got->count; i++)
			ck_assert_ptr_nonnull(got->symbols[i].function);
	}
	symbolizer_free(s);
}

START_TEST(files_that_are_cut_off_do_no_harm)
{
	char path[] = "/tmp/mtracer-symbolize-XXXXXX";
	uint8_t *bytes;
	char whole[4096];
	FILE *list = fixture_list("lines");
	int fd = mkstemp(path);
	size_t size;

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_ptr_nonnull(fixture_next(list, whole));
	fclose(list);
	size = read_file(whole, &bytes);
	for (size_t cut = 0; cut < size; cut += 1 + size / 400) {
		write_file(path, bytes, cut);
		ask_all(path, 0x2000);
	}
	free(bytes);
	unlink(path);
}
END_TEST

START_TEST(files_that_are_overwritten_do_no_harm)
{
	char path[] = "/tmp/mtracer-symbolize-XXXXXX";
	uint8_t *bytes, *copy;
	FILE *list = fixture_list("lines");
	char whole[4096];
	int fd = mkstemp(path);
	size_t size;

	ck_assert_int_ge(fd, 0);
	close(fd);
	srand(1);
	for (int kind = 0; fixture_next(list, whole); kind++) {
		if (kind % 4)
			continue;
		size = read_file(whole, &bytes);
		copy = malloc(size);
		for (int round = 0; round < 100; round++) {
			memcpy(copy, bytes, size);
			for (int i = 0; i < 1 + round; i++)
				copy[rand() % size] = rand();
			memcpy(copy, bytes, 16); /* still a program */
			write_file(path, copy, size);
			ask_all(path, 0x1800);
		}
		free(copy);
		free(bytes);
	}
	fclose(list);
	unlink(path);
}
END_TEST

/* ---- the network */

START_TEST(debuginfod_is_not_asked_unless_wanted)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char url[64];
	struct symbolizer *s;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_TIMEOUT", "2", 1);
	s = begin(&plain, fixture("places-id"));
	symbolize(s, 0, 0x1234);
	symbolizer_free(s);
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	ck_assert_str_eq(getenv("DEBUGINFOD_URLS"), url);
	close(fd);
}
END_TEST

UNIT_SUITE("symbolize", every_kind_of_debug_information_is_understood,
	debug_files_are_found_by_build_id, the_debug_file_serves_where_the_program_is_gone,
	the_sysroot_comes_first, symbol_tables_give_names, what_no_table_names_is_an_offset,
	the_bias_is_taken_off, equal_texts_are_one_pointer, another_build_is_refused,
	what_is_no_program_is_complained_about, code_outside_of_modules_is_an_address,
	the_vdso_is_known, files_that_are_cut_off_do_no_harm, files_that_are_overwritten_do_no_harm,
	debuginfod_is_not_asked_unless_wanted)
