/* SPDX-License-Identifier: MIT */
/* process.c - asks /proc whether a trace's process still lives and still has the trace mapped. */
#include "analyzer/trace/process.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static FILE *open_proc(uint32_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	return fopen(path, "re");
}

static bool same_boot(const char *boot_id)
{
	char line[64] = "";
	FILE *f;

	if (!*boot_id)
		return true;
	f = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (!f)
		return true;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, boot_id) == 0;
}

/* A first thread that has ended shows as a zombie while other threads go on. */
static bool has_other_threads(uint32_t pid)
{
	char path[64];
	struct dirent *entry;
	int threads = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		threads += entry->d_name[0] != '.';
	closedir(dir);
	return threads > 1;
}

/*
 * /proc/PID/stat: "PID (NAME) STATE 19 FIELDS STARTTIME ...", where NAME may hold anything, ')' too.
 * False: no such process.
 */
static bool read_stat(uint32_t pid, char *state, uint64_t *start_ticks)
{
	FILE *f = open_proc(pid, "stat");
	char text[1024];
	size_t size;
	char *next;

	if (!f)
		return false;
	size = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[size] = '\0';
	next = strrchr(text, ')');
	if (!next || next[1] != ' ' || !next[2])
		return false;
	*state = next[2];
	for (int field = 2; next && field < 22; field++)
		next = strchr(next + 1, ' ');
	*start_ticks = next ? strtoull(next + 1, NULL, 10) : 0;
	return next != NULL;
}

uint64_t process_start_ticks(pid_t pid)
{
	uint64_t ticks;
	char state;

	return pid > 0 && read_stat((uint32_t)pid, &state, &ticks) ? ticks : 0;
}

static bool lives(uint32_t pid, uint64_t start_ticks)
{
	uint64_t ticks;
	char state;

	if (!read_stat(pid, &state, &ticks) || (start_ticks && ticks != start_ticks))
		return false;
	return (state != 'Z' && state != 'X') || has_other_threads(pid);
}

/* "START-END PERMS OFFSET MAJOR:MINOR INODE PATH"; overlays tell another device, but the same
 * path. */
static bool maps_line_is(const char *line, const char *path, const struct stat *stat)
{
	unsigned major, minor;
	unsigned long long inode;
	const char *name;

	if (sscanf(line, "%*x-%*x %*s %*x %x:%x %llu", &major, &minor, &inode) != 3 || inode == 0)
		return false;
	if (inode == stat->st_ino && makedev(major, minor) == stat->st_dev)
		return true;
	name = strchr(line, '/');
	return name && strcmp(name, path) == 0;
}

enum process_state process_state(uint32_t pid, uint64_t start_ticks, const char *boot_id,
	const char *path, const struct stat *stat)
{
	char absolute[PATH_MAX];
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	bool any = false, found = false;
	FILE *maps;

	if (pid == 0 || !same_boot(boot_id) || !lives(pid, start_ticks))
		return PROCESS_GONE;
	maps = open_proc(pid, "maps");
	if (!maps)
		return PROCESS_WRITES;
	if (!realpath(path, absolute))
		absolute[0] = '\0';
	while (!found && (length = getline(&line, &size, maps)) > 0) {
		any = true;
		line[strcspn(line, "\n")] = '\0';
		found = maps_line_is(line, absolute, stat);
	}
	free(line);
	fclose(maps);
	return found || !any ? PROCESS_WRITES : PROCESS_WENT_ON;
}
