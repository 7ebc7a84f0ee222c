/* SPDX-License-Identifier: MIT */
/* test_program.c - what is told of a program before it runs, from programs that can't be traced and
 * from damaged ones. */
#include "unit.h"

#include "analyzer/run/libraries.h"
#include "analyzer/run/program.h"
#include "analyzer/base/which.h"
#include "tests/symbolize/fixtures.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char copy_path[] = "/tmp/mtracer-program-XXXXXX";

/* An obstacle with these words in it; NULL = no obstacle. */
static void expect(const char *path, const char *words, bool harmful)
{
	struct obstacle o = program_obstacle(path);

	if (!words)
		ck_assert_msg(!o.text, "%s %s", path, o.text);
	else
		ck_assert_msg(o.text && strstr(o.text, words), "%s %s", path, o.text);
	ck_assert_msg(o.harmful == harmful, "%s", path);
	ck_assert(!o.text || !strchr(o.text, '\n'));
	free(o.text);
}

/* Some compilers lack the libraries for some of the fixtures. */
static void expect_if_made(const char *name, const char *words, bool harmful)
{
	if (access(fixture(name), R_OK) == 0)
		expect(fixture(name), words, harmful);
}

START_TEST(programs_that_can_be_traced_are_no_matter)
{
	expect(fixture("plain"), NULL, false);
	expect(fixture("places-dynsym"), NULL, false);
	expect(fixture("hidden-malloc"), NULL, false); /* of its own file only */
	expect("/bin/sh", NULL, false);
}
END_TEST

START_TEST(obstacles_are_told)
{
	expect_if_made("static", "statically linked", false);
	expect_if_made("static-pie", "statically linked", false);
	expect(fixture("own-malloc"), "brings its own malloc,", false);
	expect(fixture("own-jemalloc"), "(_rjem_malloc)", false);
	expect_if_made("asan", "sanitizer", true);
}
END_TEST

static void expect_operand(const char *file, const char *words, size_t at)
{
	char text[200], *command[16] = { text };
	size_t count = 0;

	ck_assert(strlen(words) < sizeof(text));
	strcpy(text, words);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		command[count++] = word;
	command[count] = NULL;
	ck_assert_uint_eq(program_operand(file, command), at);
}

START_TEST(what_the_dynamic_linker_starts_is_the_program)
{
	char *linker = program_linker("/bin/sh");

	ck_assert(linker);
	expect_operand(linker, "ld ./app x", 1);
	expect_operand(linker, "ld --library-path /lib:/opt --inhibit-cache ./app --list", 4);
	expect_operand(linker, "ld --argv0 --list --preload=libx.so -- app", 5);
	expect_operand(linker, "ld --list ./app", 0);
	expect_operand(linker, "ld --version", 0);
	expect_operand(linker, "ld --argv0", 0);
	expect_operand(linker, "ld", 0);
	expect_operand("/bin/sh", "sh ./app", 0);
	expect_operand(fixture("plain"), "plain ./app", 0);
	free(linker);
}
END_TEST

START_TEST(what_is_loaded_is_judged_by_its_contents)
{
	struct obstacle o = program_obstacle_loaded(fixture("own-malloc"));

	ck_assert(o.text && strstr(o.text, "brings its own malloc,"));
	free(o.text);
	o = program_obstacle_loaded(fixture("plain"));
	ck_assert(!o.text);
}
END_TEST

START_TEST(what_is_no_program_is_no_matter)
{
	expect("/nonexistent", NULL, false);
	expect("/", NULL, false);
	expect("/dev/null", NULL, false);
	expect("/etc/passwd", NULL, false);
}
END_TEST

/* ---- changed copies */

static uint8_t *read_plain(size_t *size)
{
	FILE *f = fopen(fixture("plain"), "r");
	uint8_t *bytes = malloc(1 << 20);

	ck_assert_ptr_nonnull(f);
	*size = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

static void write_copy(const void *bytes, size_t size)
{
	FILE *f = fopen(copy_path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
	ck_assert_int_eq(fclose(f), 0);
}

static void make_copy(void)
{
	int fd = mkstemp(copy_path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(other_machines_are_told)
{
	size_t size;
	uint8_t *bytes = read_plain(&size);
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;
	uint8_t *linker = memmem(bytes, size, "/lib64/ld-linux", 15);

	make_copy();
	header->e_machine = EM_S390;
	write_copy(bytes, size);
	expect(copy_path, "another architecture", true);
	header->e_machine = EM_X86_64;
	header->e_ident[EI_CLASS] = ELFCLASS32;
	write_copy(bytes, size);
	expect(copy_path, "32-bit", true);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	if (linker) {
		memcpy(linker, "/lib/ld-musl-x\0", 15);
		write_copy(bytes, size);
		expect(copy_path, "musl", true);
	}
	unlink(copy_path);
	free(bytes);
}
END_TEST

START_TEST(scripts_are_what_their_interpreter_is)
{
	char script[4200];

	make_copy();
	snprintf(script, sizeof(script), "#! %s -x\nexit\n", fixture("own-malloc"));
	write_copy(script, strlen(script));
	expect(copy_path, "is a script whose interpreter", false);
	write_copy("#!/bin/sh\n", 10);
	expect(copy_path, NULL, false);
	write_copy("#!", 2);
	expect(copy_path, NULL, false);
	write_copy("#!/nonexistent\n", 15);
	expect(copy_path, NULL, false);
	snprintf(script, sizeof(script), "#!%s\n", copy_path); /* its own interpreter */
	write_copy(script, strlen(script));
	expect(copy_path, NULL, false);
	unlink(copy_path);
}
END_TEST

START_TEST(damaged_programs_do_no_harm)
{
	size_t size;
	uint8_t *bytes = read_plain(&size);
	uint8_t *copy = malloc(size);

	make_copy();
	srand(1);
	for (int round = 0; round < 2000; round++) {
		memcpy(copy, bytes, size);
		for (int i = 0; i < round / 4; i++)
			copy[4 + rand() % (round % 2 ? size - 4 : 1000)] = rand();
		write_copy(copy, round % 3 ? size : (size_t)rand() % size);
		free(program_obstacle(copy_path).text);
		free(program_image(copy_path));
		free(program_linker(copy_path));
		library_has_malloc(copy_path);
	}
	unlink(copy_path);
	free(copy);
	free(bytes);
}
END_TEST

/* ---- what it is loaded with */

START_TEST(libraries_are_those_that_the_linker_loads)
{
	struct libraries l = libraries_of("/bin/sh", NULL, NULL);
	bool uses[INTERFACES];

	ck_assert_ptr_nonnull(libraries_find(&l, "libc.so.6"));
	ck_assert_ptr_null(libraries_find(&l, "libc.so"));
	ck_assert(library_has_malloc(libraries_find(&l, "libc.so.6")));
	libraries_interfaces("/bin/sh", &l, uses);
	for (int i = 0; i < INTERFACES; i++)
		ck_assert(!uses[i]);
	libraries_release(&l);
	ck_assert(!library_has_malloc("/bin/sh"));
	ck_assert(!library_has_malloc("/etc/passwd"));
	ck_assert_uint_eq(libraries_of("/etc/passwd", NULL, NULL).count, 0);
	ck_assert_uint_eq(libraries_of("/nonexistent", NULL, NULL).count, 0);
}
END_TEST

/* ---- finding it */

static void expect_found(const char *name, const char *path)
{
	char *found = which_program(name);

	if (path)
		ck_assert_str_eq(found, path);
	else
		ck_assert_msg(!found, "%s", found);
	free(found);
}

START_TEST(programs_are_found_along_the_path)
{
	char path[8200];
	const char *sh = access("/bin/sh", X_OK) == 0 ? "/bin/sh" : "/usr/bin/sh";

	setenv("PATH", "/nonexistent:/bin:/usr/bin", 1);
	expect_found("sh", sh);
	expect_found("./here", "./here");
	expect_found("/no/such", "/no/such");
	expect_found("no-such-program", NULL);
	expect_found("", NULL);
	snprintf(path, sizeof(path), "/:%s", fixture("."));
	setenv("PATH", path, 1);
	snprintf(path, sizeof(path), "%s/plain", fixture("."));
	expect_found("plain", path);
	expect_found("lines", NULL); /* there, but no program */
	expect_found("debug", NULL); /* a directory */
	ck_assert_int_eq(chdir(fixture(".")), 0);
	setenv("PATH", ":/bin", 1); /* "" is the working directory */
	expect_found("plain", "plain");
	unsetenv("PATH");
	expect_found("sh", sh);
}
END_TEST

UNIT_SUITE("program", programs_that_can_be_traced_are_no_matter, obstacles_are_told,
	what_the_dynamic_linker_starts_is_the_program, what_is_loaded_is_judged_by_its_contents,
	what_is_no_program_is_no_matter, other_machines_are_told,
	scripts_are_what_their_interpreter_is, damaged_programs_do_no_harm,
	programs_are_found_along_the_path, libraries_are_those_that_the_linker_loads)
