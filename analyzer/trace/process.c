/* SPDX-License-Identifier: MIT */
/* process.c - asks /proc whether a trace's process still lives and still has the trace mapped. */
#include "analyzer/trace/process.h"
#include "analyzer/base/mem.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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
static bool read_stat(uint32_t pid, char *state, uint32_t *parent, uint64_t *start_ticks)
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
	*parent = next[3] ? (uint32_t)strtoul(next + 4, NULL, 10) : 0;
	for (int field = 2; next && field < 22; field++)
		next = strchr(next + 1, ' ');
	*start_ticks = next ? strtoull(next + 1, NULL, 10) : 0;
	return next != NULL;
}

uint64_t process_start_ticks(pid_t pid)
{
	uint64_t ticks;
	uint32_t parent;
	char state;

	return pid > 0 && read_stat((uint32_t)pid, &state, &parent, &ticks) ? ticks : 0;
}

bool process_lives(uint32_t pid, uint64_t start_ticks)
{
	uint64_t ticks;
	uint32_t parent;
	char state;

	if (!read_stat(pid, &state, &parent, &ticks) || (start_ticks && ticks != start_ticks))
		return false;
	return (state != 'Z' && state != 'X') || has_other_threads(pid);
}

/* ---- families */

static bool read_process(const char *name, struct process *p)
{
	char state;

	p->pid = (uint32_t)strtoul(name, NULL, 10);
	return p->pid && read_stat(p->pid, &state, &p->parent, &p->start_ticks) &&
	       ((state != 'Z' && state != 'X') || has_other_threads(p->pid));
}

static struct process *all_processes(size_t *count)
{
	struct process *all = NULL, p;
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	size_t room = 0;

	*count = 0;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			read_process(entry->d_name, &p))
			VEC_PUSH(all, *count, room, p);
	if (dir)
		closedir(dir);
	return all;
}

/* Moves those that `pid` is, or is the parent of, behind the others that were found. */
static void take(struct process *all, size_t count, size_t *found, uint32_t pid, bool itself)
{
	for (size_t i = *found; i < count; i++) {
		struct process p = all[i];

		if ((itself ? p.pid : p.parent) != pid)
			continue;
		all[i] = all[*found];
		all[(*found)++] = p;
	}
}

struct process *process_family(uint32_t pid, size_t *count)
{
	size_t all_count, found = 0;
	struct process *all = all_processes(&all_count);

	take(all, all_count, &found, pid, true);
	for (size_t i = 0; i < found; i++)
		take(all, all_count, &found, all[i].pid, false);
	*count = found;
	return all;
}

uint64_t process_resident(uint32_t pid)
{
	unsigned long pages = 0;
	FILE *f = open_proc(pid, "statm");

	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- whether it writes */

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

	if (pid == 0 || !same_boot(boot_id) || !process_lives(pid, start_ticks))
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
