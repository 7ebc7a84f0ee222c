/* SPDX-License-Identifier: MIT */
/* recognize.c - looks at how a file begins, and how a word ends. */
#include "analyzer/trace/recognize.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/packing.h"

#include "preload/trace_format.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".mtrace"

bool name_ends_in(const char *name, const char *suffix)
{
	size_t size = strlen(name), end = strlen(suffix);

	return size > end && strcmp(name + size - end, suffix) == 0;
}

static bool read_start(const char *path, char start[8])
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool regular;

	if (fd < 0)
		return false;
	regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read(fd, start, 8) == 8;
	close(fd);
	return regular;
}

bool is_plain_trace_file(const char *path)
{
	char start[8];

	return read_start(path, start) && memcmp(start, MT_MAGIC, sizeof(start)) == 0;
}

bool is_trace_file(const char *path)
{
	char start[8];

	return read_start(path, start) &&
	       (memcmp(start, MT_MAGIC, sizeof(start)) == 0 || is_packed(start, sizeof(start)));
}

bool names_trace_file(const char *word)
{
	return name_ends_in(word, SUFFIX) || name_ends_in(word, ".zst") || is_trace_file(word);
}

bool names_trace(const char *word)
{
	char *file = mem_strdup(word), *at;
	bool names = names_trace_file(file);

	while (!names && (at = strrchr(file, '@'))) {
		*at = '\0';
		names = names_trace_file(file);
	}
	free(file);
	return names;
}

bool trace_read_header(int fd, struct mt_header *h)
{
	return pread(fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h) &&
	       memcmp(h->magic, MT_MAGIC, sizeof(h->magic)) == 0 &&
	       h->byte_order == MT_BYTE_ORDER && h->oldest_reader <= MT_VERSION;
}
