/* SPDX-License-Identifier: MIT */
/* test_runtrace.c - which of the traces beside each other are of a run, and what is noted in
 * them. */
#include "unit.h"

#include "analyzer/run/runtrace.h"
#include "analyzer/trace/process.h"
#include "preload/trace_format.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct run_process process = { .pid = 100, .start_ticks = 5000, .start_ns = 1000000 };

static char directory[] = "/tmp/mtracer-runtrace-XXXXXX";

static void begin(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void end(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlink(entry->d_name);
	closedir(dir);
	rmdir(directory);
}

/* A header is all that is looked at. */
static void make_trace(const char *name, uint32_t pid, uint32_t parent, uint64_t start_ns)
{
	struct mt_header header = {
		.version = MT_VERSION,
		.oldest_reader = MT_OLDEST_READER,
		.byte_order = MT_BYTE_ORDER,
		.pid = pid,
		.parent_pid = parent,
		.start_ticks = 50 * (uint64_t)pid,
		.start_ns = start_ns,
		.flags = MT_NOTE_MULTI,
	};
	FILE *f = fopen(name, "w");

	memcpy(header.magic, MT_MAGIC, sizeof(header.magic));
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(&header, sizeof(header), 1, f), 1);
	ck_assert_int_eq(fclose(f), 0);
}

static void expect(const char *out, const char *path, size_t programs, size_t children)
{
	struct run_traces found = run_traces_find(out, &process);

	if (path)
		ck_assert_str_eq(found.path, path);
	else
		ck_assert_msg(!found.path, "%s", found.path);
	ck_assert_uint_eq(found.programs, programs);
	ck_assert_uint_eq(found.children, children);
	run_traces_release(&found);
}

START_TEST(the_trace_is_found_by_its_header)
{
	begin();
	expect("%n.%p.mtrace", NULL, 0, 0);
	make_trace("app.100.mtrace", 100, 99, 1000001);
	make_trace("app.100.mtrace.2", 100, 99, 999); /* an older process of that pid */
	make_trace("other.7.mtrace", 7, 6, 1000002);
	expect("%n.%p.mtrace", "app.100.mtrace", 1, 0);
	expect("app.100.mtrace", "app.100.mtrace", 1, 0);
	expect("x%n", NULL, 0, 0);
	end();
}
END_TEST

START_TEST(the_last_program_counts_and_descendants_are_known)
{
	begin();
	make_trace("sh.100.mtrace", 100, 99, 1000001);
	make_trace("app.100.mtrace", 100, 99, 1000005);
	make_trace("child.101.mtrace", 101, 100, 1000006);
	make_trace("grandchild.102.mtrace", 102, 101, 1000007);
	make_trace("stranger.103.mtrace", 103, 50, 1000008);
	expect("%n.%p.mtrace", "app.100.mtrace", 2, 2);
	expect("%%n", NULL, 0, 0);
	end();
}
END_TEST

START_TEST(names_may_hold_anything)
{
	begin();
	make_trace("a*[b]?\\.mtrace", 100, 99, 1000001);
	make_trace("aXb.mtrace", 100, 99, 1000002);
	expect("a*[b]?\\.mtrace", "a*[b]?\\.mtrace", 1, 0);
	make_trace("100%.mtrace.100.2", 100, 99, 1000003);
	expect("100%%.mtrace", "100%.mtrace.100.2", 1, 0);
	end();
}
END_TEST

START_TEST(what_is_no_trace_is_passed_over)
{
	FILE *f;

	begin();
	f = fopen("a.mtrace", "w");
	fputs("a text", f);
	fclose(f);
	ck_assert_int_eq(mkfifo("b.mtrace", 0600), 0);
	ck_assert_int_eq(mkdir("c.mtrace", 0700), 0);
	ck_assert_int_eq(symlink("d.mtrace", "e.mtrace"), 0);
	make_trace("d.mtrace", 100, 99, 1000001);
	expect("%n.mtrace", "d.mtrace", 1, 0);
	rmdir("c.mtrace");
	end();
}
END_TEST

START_TEST(the_wait_status_is_noted)
{
	struct mt_header header;
	FILE *f;

	begin();
	make_trace("a.mtrace", 100, 99, 1000001);
	make_trace("b.mtrace", 101, 99, 1000001);
	ck_assert_int_eq(run_trace_record_status("a.mtrace", &process, 0x0700), 0);
	f = fopen("a.mtrace", "r");
	ck_assert_uint_eq(fread(&header, sizeof(header), 1, f), 1);
	fclose(f);
	ck_assert_uint_eq(header.wait_status, 0x0700);
	ck_assert_uint_eq(header.flags, MT_NOTE_MULTI | MT_HAS_WAIT_STATUS);
	ck_assert_int_eq(run_trace_record_status("b.mtrace", &process, 0), EINVAL);
	ck_assert_int_eq(run_trace_record_status("none", &process, 0), ENOENT);
	end();
}
END_TEST

START_TEST(a_process_has_its_start)
{
	uint64_t mine = process_start_ticks(getpid());
	pid_t child;

	ck_assert_uint_gt(mine, 0);
	child = fork();
	if (child == 0)
		_exit(0);
	ck_assert_uint_ge(process_start_ticks(child), mine); /* a zombie by now, or soon */
	ck_assert_uint_eq(process_start_ticks(-5), 0);
}
END_TEST

UNIT_SUITE("runtrace", the_trace_is_found_by_its_header,
	the_last_program_counts_and_descendants_are_known, names_may_hold_anything,
	what_is_no_trace_is_passed_over, the_wait_status_is_noted, a_process_has_its_start)
