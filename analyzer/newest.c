/* newest.c - finds the newest trace of the working directory. */
#include "newest.h"
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

bool is_trace_file(const char *path)
{
	char magic[8];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool is;

	if (fd < 0)
		return false;
	is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	     read(fd, magic, sizeof(magic)) == sizeof(magic) &&
	     (memcmp(magic, MT_MAGIC, sizeof(magic)) == 0 || is_packed(magic, sizeof(magic)));
	close(fd);
	return is;
}

bool means_trace(const char *operand)
{
	return has_suffix(operand) || is_trace_file(operand);
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
