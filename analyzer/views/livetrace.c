/* SPDX-License-Identifier: MIT */
/* livetrace.c - finds the trace of a process by its mappings, and the process of a trace. */
#include "analyzer/views/livetrace.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/process.h"
#include "analyzer/trace/recognize.h"
#include "preload/trace_format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- finding it */

bool livetrace_is_pid(const char *operand, uint32_t *pid)
{
	unsigned long number;
	char *end;

	if (*operand < '1' || *operand > '9')
		return false;
	errno = 0;
	number = strtoul(operand, &end, 10);
	if (errno || *end || number > INT32_MAX || access(operand, F_OK) == 0)
		return false;
	*pid = (uint32_t)number;
	return true;
}

/* Opens what the process has mapped as `path`, if it is the trace of that process. */
static bool try_path(struct livetrace *live, const char *prefix, const char *path, int *code)
{
	struct mt_header h;
	char *whole;

	if (asprintf(&whole, "%s%s", prefix, path) < 0)
		return false;
	live->fd = open(whole, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (live->fd < 0 && errno != ENOENT)
		*code = errno;
	if (live->fd >= 0 && trace_read_header(live->fd, &h) &&
		h.start_ticks == process_start_ticks((pid_t)live->pid)) {
		live->path = whole;
		return true;
	}
	if (live->fd >= 0)
		close(live->fd);
	live->fd = -1;
	free(whole);
	return false;
}

struct search {
	bool any;      /* a mapping was seen */
	char *deleted; /* a trace's path, as far as one can tell by its name */
	char *closed;  /* a path that could not be opened */
	int code;      /* why */
};

/* A trace in memory has no path: a descriptor of the process leads to it, unless it was closed. */
static bool try_descriptors(struct livetrace *live, unsigned long inode, int *code)
{
	char directory[64], path[sizeof(directory) + NAME_MAX + 2];
	const struct dirent *e;
	struct stat st;
	bool found = false;
	DIR *d;

	snprintf(directory, sizeof(directory), "/proc/%u/fd", live->pid);
	d = opendir(directory);
	if (!d)
		return false;
	while (!found && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == inode)
			found = try_path(live, "", path, code);
	}
	closedir(d);
	return found;
}

/* "START-END rw-s OFFSET DEVICE INODE   PATH": a shared, written file. */
static bool try_mapping(struct livetrace *live, const char *line, struct search *s)
{
	static const char deleted[] = " (deleted)", memory[] = "/memfd:mtrace";
	const char *path = strchr(line, '/');
	size_t size = path ? strlen(path) : 0;
	char perms[5] = "", root[32];
	unsigned long inode;
	int code = 0;

	s->any = true;
	if (!path || sscanf(line, "%*x-%*x %4s %*s %*s %lu", perms, &inode) != 2 ||
		strcmp(perms, "rw-s") != 0)
		return false;
	if (size > sizeof(deleted) && strcmp(path + size - sizeof(deleted) + 1, deleted) == 0) {
		if (strncmp(path, memory, sizeof(memory) - 1) == 0)
			return try_descriptors(live, inode, &code);
		if (!s->deleted && strstr(path, ".mtrace"))
			s->deleted = strndup(path, size - sizeof(deleted) + 1);
		return false;
	}
	snprintf(root, sizeof(root), "/proc/%u/root", live->pid);
	if (try_path(live, "", path, &code) || try_path(live, root, path, &code))
		return true;
	if (code && !s->closed) {
		s->closed = mem_strdup(path);
		s->code = code;
	}
	return false;
}

static int say_not_found(const struct livetrace *live, const struct search *s)
{
	if (s->closed)
		return error("%s: cannot be opened to query process %u: %s", s->closed, live->pid,
			strerror(s->code));
	if (s->deleted)
		return error("process %u: its trace %s was deleted", live->pid, s->deleted);
	if (!s->any)
		return error("process %u: has no memory of its own", live->pid);
	return error("process %u: not traced; start it with 'mtracer run' or with "
		     "LD_PRELOAD=libmtrace.so",
		live->pid);
}

static int say_no_maps(uint32_t pid, const char *path, int code)
{
	if (code == ENOENT || code == ESRCH)
		return error("process %u: no such process", pid);
	if (code == EACCES || code == EPERM)
		return error("process %u: %s: %s; only its own user and root have access, and only "
			     "root if it is not dumpable (see sysctl fs.suid_dumpable)",
			pid, path, strerror(code));
	return error("process %u: %s: %s", pid, path, strerror(code));
}

int livetrace_open_pid(struct livetrace *live, uint32_t pid)
{
	struct search s = { 0 };
	char path[64], *line = NULL;
	size_t room = 0;
	bool found = false;
	int status = EXIT_OK;
	FILE *maps;

	*live = (struct livetrace){ .pid = pid, .fd = -1 };
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return say_no_maps(pid, path, errno);
	errno = 0;
	while (!found && getline(&line, &room, maps) > 0) {
		line[strcspn(line, "\n")] = '\0';
		found = try_mapping(live, line, &s);
	}
	if (!found && !s.any && errno)
		status = say_no_maps(pid, path, errno);
	else if (!found)
		status = say_not_found(live, &s);
	free(line);
	fclose(maps);
	free(s.deleted);
	free(s.closed);
	return status;
}

static bool is_trace(int fd, struct mt_header *h, struct stat *st)
{
	return fstat(fd, st) == 0 && S_ISREG(st->st_mode) && trace_read_header(fd, h);
}

/* A file that can't be written: what it is matters more than that. */
static int say_not_opened(const char *path, int code)
{
	struct mt_header h;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool other = fd >= 0 && !is_trace(fd, &h, &st);

	if (fd >= 0)
		close(fd);
	if (other)
		return error("%s: not a trace that a process writes", path);
	return error("%s: %s", path, strerror(code));
}

int livetrace_open(struct livetrace *live, const char *operand)
{
	struct mt_header h;
	struct stat st;
	uint32_t pid;

	if (livetrace_is_pid(operand, &pid))
		return livetrace_open_pid(live, pid);
	*live = (struct livetrace){ .path = mem_strdup(operand) };
	live->fd = open(operand, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (live->fd < 0)
		return say_not_opened(operand, errno);
	if (!is_trace(live->fd, &h, &st))
		return error("%s: not a trace that a process writes", operand);
	live->pid = h.pid;
	h.boot_id[sizeof(h.boot_id) - 1] = '\0';
	if (h.flags & MT_NOTE_COPY || h.state == MT_STATE_EXITED ||
		process_state(h.pid, h.start_ticks, h.boot_id, operand, &st) != PROCESS_WRITES)
		return error("%s: its process %u has ended", operand, h.pid);
	return EXIT_OK;
}

struct mt_header *livetrace_map(struct livetrace *live)
{
	void *p;

	if (!live->header) {
		p = mmap(NULL, MT_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, live->fd, 0);
		live->header = p == MAP_FAILED ? NULL : p;
	}
	return live->header;
}

void livetrace_close(struct livetrace *live)
{
	if (live->header)
		munmap(live->header, MT_HEADER_SIZE);
	if (live->fd >= 0)
		close(live->fd);
	free(live->path);
	*live = (struct livetrace){ .fd = -1 };
}
