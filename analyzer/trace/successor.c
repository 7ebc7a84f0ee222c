/* successor.c - looks through the directory of a trace for the next one of the same process. */
#include "analyzer/trace/successor.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a plain trace; a packed one is no process's that has just gone on. */
static bool read_header(int directory, const char *name, struct mt_header *h)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool whole;

	if (fd < 0)
		return false;
	whole = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read(fd, h, sizeof(*h)) == sizeof(*h);
	close(fd);
	return whole && memcmp(h->magic, MT_MAGIC, sizeof(h->magic)) == 0 &&
	       h->version == MT_VERSION;
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

void successor_look(struct trace *t)
{
	if (t->header.state != MT_STATE_RUNNING || t->state == TRACE_RUNNING ||
		t->header.flags & (MT_HAS_WAIT_STATUS | MT_NOTE_MERGED | MT_NOTE_COPY) ||
		!t->header.start_ticks)
		return;
	t->successor = find(t);
	if (t->successor)
		t->state = TRACE_EXITED;
}
