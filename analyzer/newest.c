/* newest.c - finds the newest trace of the working directory. */
#include "newest.h"
#include "gather.h"
#include "log.h"
#include "mem.h"
#include "packing.h"

#include "preload/trace_format.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".mtrace"

static bool has_suffix(const char *name)
{
	size_t size = strlen(name);

	return size > strlen(SUFFIX) && strcmp(name + size - strlen(SUFFIX), SUFFIX) == 0;
}

static bool read_start(const char *path, char start[8])
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool fine;

	if (fd < 0)
		return false;
	fine = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read(fd, start, 8) == 8;
	close(fd);
	return fine;
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

bool means_trace(const char *operand)
{
	return has_suffix(operand) || is_trace_file(operand) || holds_traces(operand);
}

static bool is_newer(
	const struct stat *a, const char *a_name, const struct stat *b, const char *b_name)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
	if (a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
		return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
	return strcmp(a_name, b_name) > 0;
}

char *newest_trace(void)
{
	DIR *directory = opendir(".");
	struct stat best = { 0 }, st;
	char *name = NULL;

	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		if (!has_suffix(entry->d_name) || stat(entry->d_name, &st) != 0 ||
			!S_ISREG(st.st_mode) ||
			(name && !is_newer(&st, entry->d_name, &best, name)) ||
			!is_trace_file(entry->d_name))
			continue;
		free(name);
		name = mem_strdup(entry->d_name);
		best = st;
	}
	if (directory)
		closedir(directory);
	if (name)
		notice("%s: the newest trace here", name);
	return name;
}
