/* SPDX-License-Identifier: MIT */
/* newest.c - finds the newest trace of the working directory. */
#include "analyzer/views/newest.h"
#include "analyzer/base/array.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/trace/recognize.h"
#include "analyzer/views/gather.h"
#include "analyzer/views/livetrace.h"
#include "analyzer/views/operand.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".mtrace"

static bool is_source_name(const char *name)
{
	static const char *const suffixes[] = { ".c", ".h", ".cc", ".cpp", ".cxx", ".c++", ".C",
		".H", ".hh", ".hpp", ".hxx", ".h++", ".inc", ".inl", ".ipp", ".tcc", ".ixx",
		".cppm", ".m", ".mm", ".rs", ".d", ".go", ".s", ".S", ".f", ".F", ".f90", ".F90",
		".f95", ".adb", ".ads", ".zig", ".nim", ".pas", ".y", ".yy", ".l", ".ll", ".cu",
		".vala" };
	size_t size = strlen(name), line = size;
	char file[256];

	while (line && name[line - 1] >= '0' && name[line - 1] <= '9')
		line--;
	if (line && line < size && name[line - 1] == ':')
		size = line - 1;
	snprintf(file, sizeof(file), "%.*s", (int)(size < 255 ? size : 255), name);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (name_ends_in(file, suffixes[i]))
			return true;
	return false;
}

/* "runs/7", "./app.old"; not "src/(a|b)" nor "Vec::operator/". */
static bool is_path(const char *operand)
{
	return strchr(operand, '/') && !operand[strcspn(operand, "*+?()[]{}|^$\\<>")] &&
	       !strstr(operand, "operator/");
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool is_trace(const char *operand)
{
	uint32_t pid;

	if (names_trace(operand) || holds_traces(operand) || livetrace_is_pid(operand, &pid))
		return true;
	return !is_source_name(path_base(operand)) && (is_file(operand) || is_path(operand));
}

bool means_trace(const char *operand)
{
	const char *moment;
	char *trace = operand_trace(operand, &moment);
	bool means = moment ? !*trace || is_trace(trace) : is_trace(operand);

	free(trace);
	return means;
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

/* Whose file nobody may read here may be a trace: better than none. */
static bool is_closed(const char *path)
{
	return access(path, R_OK) != 0 && errno == EACCES;
}

char *newest_trace(void)
{
	DIR *directory = opendir(".");
	struct stat best = { 0 }, st;
	char *name = NULL, *closed = NULL;

	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		if (!name_ends_in(entry->d_name, SUFFIX) || stat(entry->d_name, &st) != 0 ||
			!S_ISREG(st.st_mode))
			continue;
		if (!closed && is_closed(entry->d_name))
			closed = mem_strdup(entry->d_name);
		if ((name && !is_newer(&st, entry->d_name, &best, name)) ||
			!is_trace_file(entry->d_name))
			continue;
		free(name);
		name = mem_strdup(entry->d_name);
		best = st;
	}
	if (directory)
		closedir(directory);
	if (!name)
		return closed;
	free(closed);
	notice("%s: newest trace in this directory", name);
	return name;
}
