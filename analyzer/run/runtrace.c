/* SPDX-License-Identifier: MIT */
/* runtrace.c - finds the traces of a run, and notes in it how the program ended. */
#include "analyzer/run/runtrace.h"

#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "preload/trace_format.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the pattern */

static void add_escaped(struct strbuf *pattern, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (strchr("*?[\\", text[i]))
			strbuf_add(pattern, "\\");
		strbuf_add_bytes(pattern, text + i, 1);
	}
}

/* MTRACE_OUT for glob(): names and pids are open. The library may have added to the end. */
static void add_out(struct strbuf *pattern, const char *out)
{
	struct utsname host;

	for (; *out; out++) {
		if (*out != '%')
			add_escaped(pattern, out, 1);
		else if (*++out == 'p' || *out == 'n')
			strbuf_add(pattern, "*");
		else if (*out == 'h' && uname(&host) == 0)
			add_escaped(pattern, host.nodename, strlen(host.nodename));
		else if (*out == '%')
			strbuf_add(pattern, "%");
		else
			return;
	}
	strbuf_add(pattern, "*");
}

/* ---- the files */

struct found {
	const char *path;
	uint32_t pid, parent;
	uint64_t start_ticks, start_ns;
	dev_t device;
	ino_t inode;
	bool ours; /* the process or a descendant */
};

static int open_trace(const char *path, int flags, struct mt_header *header)
{
	struct stat st;
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		pread(fd, header, sizeof(*header), 0) == (ssize_t)sizeof(*header) &&
		memcmp(header->magic, MT_MAGIC, sizeof(header->magic)) == 0)
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

static bool is_process(const struct mt_header *header, const struct run_process *process)
{
	return header->pid == (uint32_t)process->pid && header->start_ticks == process->start_ticks;
}

/* One of the patterns may be another one's path. */
static bool is_known(const struct found *all, size_t count, const struct stat *st)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].inode == st->st_ino && all[i].device == st->st_dev)
			return true;
	return false;
}

/* The traces that began since the run did. */
static struct found *read_headers(
	const glob_t *files, const struct run_process *process, size_t *count)
{
	struct found *all = mem_zalloc(files->gl_pathc, sizeof(*all));
	struct mt_header header;
	struct stat st;

	*count = 0;
	for (size_t i = 0; i < files->gl_pathc; i++) {
		int fd = open_trace(files->gl_pathv[i], O_RDONLY, &header);

		bool ok = fd >= 0 && fstat(fd, &st) == 0;

		if (fd >= 0)
			close(fd);
		if (!ok || header.start_ns < process->start_ns || is_known(all, *count, &st))
			continue;
		all[(*count)++] = (struct found){ files->gl_pathv[i], header.pid, header.parent_pid,
			header.start_ticks, header.start_ns, st.st_dev, st.st_ino,
			is_process(&header, process) };
	}
	return all;
}

static int by_start(const void *left, const void *right)
{
	const struct found *a = left, *b = right;

	return a->start_ns < b->start_ns ? -1 : a->start_ns > b->start_ns;
}

/* Parents start before their children, so one pass in that order finds all descendants. */
static void mark_descendants(struct found *all, size_t count, pid_t parent)
{
	for (size_t i = 0; i < count; i++) {
		all[i].ours |= parent && all[i].parent == (uint32_t)parent;
		for (size_t j = 0; j < i && !all[i].ours; j++)
			all[i].ours = all[j].ours && all[j].pid == all[i].parent;
	}
}

static bool went_on(const struct found *all, size_t count, size_t at)
{
	for (size_t i = at + 1; i < count; i++)
		if (all[i].pid == all[at].pid && all[i].start_ticks == all[at].start_ticks)
			return true;
	return false;
}

/* Adds the files that a trace in this directory would be among. */
static void look_in(glob_t *files, const char *directory, const char *below, const char *out)
{
	struct strbuf pattern = { 0 };

	if (directory) {
		add_escaped(&pattern, directory, strlen(directory));
		strbuf_add(&pattern, below);
	}
	add_out(&pattern, out);
	glob(strbuf_text(&pattern), GLOB_NOSORT | GLOB_APPEND, NULL, files);
	strbuf_release(&pattern);
}

static bool is_absolute(const char *path)
{
	return path && *path == '/';
}

/* Where MTRACE_OUT says, and where the library puts a trace that can't be made there. */
static void look_everywhere(glob_t *files, const char *out)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	const char *temporary = getenv("TMPDIR"), *name = strrchr(out, '/');

	look_in(files, NULL, "", out);
	name = name ? name + 1 : out;
	if (is_absolute(state))
		look_in(files, state, "/libmtrace/", name);
	else if (is_absolute(home))
		look_in(files, home, "/.local/state/libmtrace/", name);
	if (is_absolute(temporary) && strcmp(temporary, "/tmp") != 0)
		look_in(files, temporary, "/", name);
	look_in(files, "/tmp", "/", name);
}

/* `parent`: an untraced one, whose children count; 0 = none. */
static struct run_traces find(const char *out, const struct run_process *process, pid_t parent)
{
	struct run_traces traces = { 0 };
	struct found *all;
	size_t count;
	glob_t files = { 0 };

	look_everywhere(&files, out);
	all = read_headers(&files, process, &count);
	qsort(all, count, sizeof(*all), by_start);
	mark_descendants(all, count, parent);
	traces.all = mem_zalloc(count, sizeof(*traces.all));
	for (size_t i = 0; i < count; i++) {
		if (!all[i].ours)
			continue;
		traces.all[traces.count++] =
			(struct run_trace){ mem_strdup(all[i].path), went_on(all, count, i) };
		if (all[i].pid != (uint32_t)process->pid) {
			traces.children++;
			continue;
		}
		traces.programs++;
		free(traces.path);
		traces.path = mem_strdup(all[i].path);
	}
	free(all);
	globfree(&files);
	return traces;
}

struct run_traces run_traces_find(const char *out, const struct run_process *process)
{
	return find(out, process, 0);
}

struct run_traces run_traces_below(const char *out, const struct run_process *process)
{
	return find(out, process, process->pid);
}

void run_traces_release(struct run_traces *traces)
{
	for (size_t i = 0; i < traces->count; i++)
		free(traces->all[i].path);
	free(traces->all);
	free(traces->path);
	*traces = (struct run_traces){ 0 };
}

/* ---- how it ended */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int write_status(int fd, struct mt_header *header, int wait_status)
{
	uint32_t status = (uint32_t)wait_status;
	uint32_t flags = header->flags | MT_HAS_WAIT_STATUS;
	uint64_t end = now_ns() - header->start_ns;

	/* Who was killed couldn't say when. */
	if (WIFSIGNALED(wait_status) && !header->end_ns &&
		pwrite(fd, &end, sizeof(end), offsetof(struct mt_header, end_ns)) !=
			(ssize_t)sizeof(end))
		return errno ? errno : EIO;
	if (pwrite(fd, &status, sizeof(status), offsetof(struct mt_header, wait_status)) !=
		(ssize_t)sizeof(status))
		return errno ? errno : EIO;
	if (pwrite(fd, &flags, sizeof(flags), offsetof(struct mt_header, flags)) !=
		(ssize_t)sizeof(flags))
		return errno ? errno : EIO;
	return 0;
}

int run_trace_record_status(const char *path, const struct run_process *process, int wait_status)
{
	struct mt_header header;
	int fd = open_trace(path, O_RDWR, &header);
	int error = EINVAL;

	if (fd < 0)
		return errno;
	errno = 0;
	if (header.oldest_reader <= MT_VERSION && header.byte_order == MT_BYTE_ORDER &&
		is_process(&header, process))
		error = write_status(fd, &header, wait_status);
	close(fd);
	return error;
}
