/* SPDX-License-Identifier: MIT */
/* target.c - files, texts and command lines for the fuzz targets. */
#include "target.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/commands/cmd.h"
#include "analyzer/trace/trace.h"

#define SPARSE_MOST (1u << 20) /* bytes of a file that is written sparsely */
#define GAP 16		       /* zeros that end a piece */

void target_expect(bool ok, const char *what)
{
	if (ok)
		return;
	dprintf(STDERR_FILENO, "fuzz: %s\n", what);
	abort();
}

/* What commands print in human-readable form is of no interest; libFuzzer and the sanitizers write
 * to descriptor 2 by themselves. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	target_expect(nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0, "no /dev/null");
	close(nowhere);
	unsetenv("DEBUGINFOD_URLS");
	return 0;
}

/* ---- files and texts */

static int empty_file(char path[TARGET_PATH])
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	target_expect(fd >= 0, "no memory for a file");
	snprintf(path, TARGET_PATH, "/proc/self/fd/%d", fd);
	return fd;
}

static void put(int fd, const uint8_t *data, size_t size, size_t at)
{
	target_expect(pwrite(fd, data, size, (off_t)at) == (ssize_t)size, "no memory for a file");
}

int target_file(const uint8_t *data, size_t size, char path[TARGET_PATH])
{
	int fd = empty_file(path);

	put(fd, data, size, 0);
	return fd;
}

static size_t number(const uint8_t *data, int bytes)
{
	size_t n = 0;

	while (bytes--)
		n = n << 8 | data[bytes];
	return n;
}

int target_sparse_file(const uint8_t *data, size_t size, char path[TARGET_PATH])
{
	int fd = empty_file(path);
	size_t file_size, at;

	if (size < 3)
		return fd;
	file_size = number(data, 3) % (SPARSE_MOST + 1);
	target_expect(ftruncate(fd, (off_t)file_size) == 0, "no memory for a file");
	for (at = 3; at + 5 < size;) {
		size_t offset = number(data + at, 3), piece = number(data + at + 3, 2);

		at += 5;
		piece = piece < size - at ? piece : size - at;
		if (offset < file_size)
			put(fd, data + at, piece < file_size - offset ? piece : file_size - offset,
				offset);
		at += piece;
	}
	return fd;
}

static uint8_t *put_number(uint8_t *to, size_t n, int bytes)
{
	for (; bytes--; n >>= 8)
		*to++ = (uint8_t)n;
	return to;
}

/* Where the zeros are many enough, or the piece as large as can be. */
static size_t end_of_piece(const uint8_t *file, size_t size, size_t at)
{
	size_t end = at + 1;

	for (size_t i = end; i < size && i < end + GAP && i - at < UINT16_MAX; i++) {
		if (file[i])
			end = i + 1;
	}
	return end;
}

size_t target_sparse(const uint8_t *file, size_t size, uint8_t *to)
{
	uint8_t *start = to;

	to = put_number(to, size, 3);
	for (size_t at = 0; at < size; at++) {
		size_t end;

		if (!file[at])
			continue;
		end = end_of_piece(file, size, at);
		to = put_number(to, at, 3);
		to = put_number(to, end - at, 2);
		memcpy(to, file + at, end - at);
		to += end - at;
		at = end;
	}
	return (size_t)(to - start);
}

char *target_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	target_expect(text, "no memory for a text");
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* ---- commands */

/* The caller frees it. */
static char *at_moment(const char *path, const char *moment)
{
	char *name;

	target_expect(asprintf(&name, "%s%s", path, moment) >= 0, "no memory for a name");
	return name;
}

#define OTHER "OTHER" /* stands for the trace to compare with */
#define MOMENT '@'    /* begins what is put behind the traces' names */

static const char *const command_lines[][6] = {
	{ "report" },
	{ "report", "--json" },
	{ "info" },
	{ "info", "--json" },
	{ "report", "--by=site", "--limit=0" },
	{ "report", "--json", "--by=site" },
	{ "report", "--cumulative" },
	{ "report", "--cumulative", "--by=function", "--sort=peak_bytes" },
	{ "report", "--by=thread" },
	{ "report", "--by=thread", "--json" },
	{ "report", "--by=module", "--limit=0" },
	{ "report", "--by=file", "--sort=name" },
	{ "report", "--no-wrappers", "--match=." },
	{ "annotate" },
	{ "annotate", "--json" },
	{ "tree" },
	{ "tree", "--callers" },
	{ "tree", "--json" },
	{ "leaks", "--all" },
	{ "leaks", "--json", "--all" },
	{ "leaks", "--gen-suppressions", "--unused-suppressions" },
	{ "diff", OTHER },
	{ "diff", "--json", "--by=function", OTHER },
	{ "pack", "--quiet", "--plain", "--out=/dev/null" },
	{ "merge", "--quiet", "--out=/dev/null" },
	{ "leaks", "--by=site", "--stacks=0", "--min-bytes=100" },
	{ "timeline" },
	{ "timeline", "--json" },
	{ "timeline", "--csv" },
	{ "timeline", "--svg=/dev/null" },
	{ "report", "@peak" },
	{ "report", "--json", "--by=site", "@step" },
	{ "diff", OTHER, "@step" },
	{ "diff", "--json", OTHER, "@1s" },
	{ "tree", "--json", "@1ns" },
	{ "annotate", "@step" },
	{ "timeline", "@step" },
	{ "export", "--format=csv", "@peak" },
	{ "flamegraph", "--measure=allocated_bytes" },
	{ "flamegraph", "--inverted", "--diff", OTHER },
	{ "html", "--out=/dev/null" },
	{ "html", "--out=/dev/null", "--no-source", "--diff=" OTHER },
};

unsigned target_command_count(void)
{
	return sizeof(command_lines) / sizeof(command_lines[0]);
}

static bool is_one_error(const char *text)
{
	int errors = 0;

	while (*text) {
		size_t size = strcspn(text, "\n");

		if (strncmp(text, "mtracer: ", 9) != 0)
			return false;
		errors += strncmp(text, "mtracer: warning: ", 18) != 0;
		text += size + (text[size] == '\n');
	}
	return errors == 1;
}

bool target_command(unsigned wanted, const char *path, const char *other)
{
	const char *const *line = command_lines[wanted % target_command_count()];
	FILE *outside = stderr;
	const char *moment = "";
	char *argv[10] = { (char *)"mtracer" };
	char *said = NULL, *first, *second;
	size_t size;
	int argc = 1, status;
	bool ok;

	for (int i = 0; line[i]; i++)
		if (*line[i] == MOMENT)
			moment = line[i];
	first = at_moment(path, moment);
	second = at_moment(other, moment);
	for (; line[argc - 1] && *line[argc - 1] != MOMENT; argc++)
		argv[argc] = strcmp(line[argc - 1], OTHER) ? (char *)line[argc - 1] : second;
	argv[argc++] = first;
	stderr = open_memstream(&said, &size);
	target_expect(stderr, "no memory for messages");
	status = command_main(argc, argv);
	fclose(stderr);
	stderr = outside;
	ok = status == 0 || status == 1 || (status == 2 && is_one_error(said));
	if (!ok)
		dprintf(STDERR_FILENO, "fuzz: %s: exit status %d, and said:\n%s\n", argv[1], status,
			said);
	free(said);
	free(first);
	free(second);
	return ok;
}

void target_trace(const uint8_t *data, size_t size)
{
	char path[TARGET_PATH], why[256] = "";
	int fd = target_file(data, size, path);
	struct trace *t = trace_open(path, why, sizeof(why));

	close(fd);
	target_expect(t || why[0], "an error that isn't told");
	trace_free(t);
}
