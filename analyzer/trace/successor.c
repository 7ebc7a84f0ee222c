/* SPDX-License-Identifier: MIT */
/* successor.c - looks through the directory of a trace for the next one of the same process. */
#include "analyzer/trace/successor.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a plain trace; a packed one is no process's that has just gone on. -1: it is none. */
static int open_header(int directory, const char *name, struct mt_header *h)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		read(fd, h, sizeof(*h)) == sizeof(*h) &&
		memcmp(h->magic, MT_MAGIC, sizeof(h->magic)) == 0 &&
		h->byte_order == MT_BYTE_ORDER && h->oldest_reader <= MT_VERSION)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool read_header(int directory, const char *name, struct mt_header *h)
{
	int fd = open_header(directory, name, h);

	return fd >= 0 && close(fd) == 0;
}

/* Times of start are to a hundredth of a second, so a pid that was used again has another. */
static bool is_later_self(const struct mt_header *now, const struct mt_header *later)
{
	return later->pid == now->pid && later->start_ticks == now->start_ticks &&
	       strncmp(later->boot_id, now->boot_id, sizeof(now->boot_id)) == 0 &&
	       later->start_ns > now->start_ns && !(later->flags & MT_NOTE_MERGED);
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = mem_strdup(slash ? path : ".");

	if (slash)
		directory[slash == path ? 1 : slash - path] = '\0';
	return directory;
}

/* The first one after this. */
static char *find(const struct trace *t)
{
	char *path = directory_of(t->path), *found = NULL;
	DIR *directory = opendir(path);
	struct dirent *entry;
	uint64_t start = 0;
	struct mt_header h;

	while (directory && (entry = readdir(directory))) {
		if (!strstr(entry->d_name, ".mtrace") ||
			!read_header(dirfd(directory), entry->d_name, &h) ||
			!is_later_self(&t->header, &h) || (found && h.start_ns > start))
			continue;
		free(found);
		found = mem_strdup(entry->d_name);
		start = h.start_ns;
	}
	if (directory)
		closedir(directory);
	free(path);
	return found;
}

/* Where the file has this byte of a table; 0: nowhere. */
static uint64_t offset_in_file(const struct mt_header *h, uint32_t table, uint32_t offset)
{
	for (uint32_t i = 0; i < h->extent_count && i < MT_EXTENTS; i++) {
		const struct mt_extent *e = &h->extents[i];
		uint64_t start = (uint64_t)e->table_page * h->page_size;

		if (e->table == table && offset >= start &&
			offset - start < (uint64_t)e->pages * h->page_size)
			return (uint64_t)e->file_page * h->page_size + offset - start;
	}
	return 0;
}

/* Its path, which is among the first strings. */
static char *program_of_trace(const char *beside, const char *name)
{
	char *parent = directory_of(beside), program[PATH_MAX];
	int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mt_header h;
	int fd = directory < 0 ? -1 : open_header(directory, name, &h);
	uint64_t at = fd < 0 ? 0 : offset_in_file(&h, MT_STRINGS, h.program.offset);
	ssize_t size = at ? pread(fd, program, sizeof(program) - 1, (off_t)at) : 0;

	program[size > 0 ? size : 0] = '\0';
	if (fd >= 0)
		close(fd);
	if (directory >= 0)
		close(directory);
	free(parent);
	return *program ? mem_strdup(program) : NULL;
}

/* While it lives. */
static char *program_of_process(uint32_t pid)
{
	char link[64], path[4096];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/%u/exe", pid);
	size = readlink(link, path, sizeof(path) - 1);
	path[size > 0 ? size : 0] = '\0';
	return size > 0 ? mem_strdup(path) : NULL;
}

/* A trace that was copied, or whose process has a status, is the last of its process. */
static bool may_have_successor(const struct trace *t)
{
	return t->header.state == MT_STATE_RUNNING && t->state != TRACE_RUNNING &&
	       !(t->header.flags & (MT_HAS_WAIT_STATUS | MT_NOTE_MERGED | MT_NOTE_COPY)) &&
	       t->header.start_ticks;
}

void successor_look(struct trace *t)
{
	bool lives = trace_went_on(t) && !t->header.went_on;

	if (trace_went_on(t) && *t->header.went_on_as)
		t->went_on_as = mem_strdup(t->header.went_on_as);
	if (!may_have_successor(t))
		return;
	t->successor = find(t);
	if (t->successor)
		t->state = TRACE_EXITED;
	if (t->successor && !t->went_on_as)
		t->went_on_as = program_of_trace(t->path, t->successor);
	else if (lives && !t->successor)
		t->went_on_as = program_of_process(t->header.pid);
}
