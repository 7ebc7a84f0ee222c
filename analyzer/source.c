/* source.c - reads source files whole and cuts them into lines. */
#include "source.h"

#include "mem.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libiberty/hashtab.h>

#define FILE_MAX (64u << 20)   /* bytes of one file */
#define CACHE_MAX (512u << 20) /* bytes of all files */

struct source {
	char *path;	 /* first, for the table */
	char *text;	 /* each line ends with a zero; NULL = unreadable */
	uint32_t *lines; /* where each starts in `text` */
	size_t count, room;
};

struct source_cache {
	htab_t sources;
	size_t size; /* bytes of texts */
};

static hashval_t hash_source(const void *entry)
{
	return htab_hash_string(((const struct source *)entry)->path);
}

static int same_source(const void *left, const void *right)
{
	return strcmp(((const struct source *)left)->path, ((const struct source *)right)->path) ==
	       0;
}

static void source_free(void *entry)
{
	struct source *source = entry;

	free(source->path);
	free(source->text);
	free(source->lines);
	free(source);
}

struct source_cache *source_cache_new(void)
{
	struct source_cache *cache = mem_zalloc(1, sizeof(*cache));

	cache->sources =
		htab_create_alloc(61, hash_source, same_source, source_free, mem_zalloc, free);
	return cache;
}

void source_cache_free(struct source_cache *cache)
{
	if (!cache)
		return;
	htab_delete(cache->sources);
	free(cache);
}

/* ---- reading */

static int open_source(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX)
		return fd;
	close(fd);
	return -1;
}

/* All of the file with a zero behind it; NULL = unreadable or too long. The size is what there is
 * to read, since some regular files (in /proc) have none and don't end. */
static char *read_all(int fd, size_t limit, size_t *size)
{
	size_t room = 0;
	char *text = NULL;

	for (*size = 0;;) {
		ssize_t got;

		if (*size + 1 >= room) {
			room = room ? room * 2 : 65536;
			text = mem_resize(text, room, 1);
		}
		got = read(fd, text + *size, room - *size - 1);
		if (got == 0) {
			text[*size] = 0;
			return text;
		}
		if (got < 0 || *size + got > limit) {
			free(text);
			return NULL;
		}
		*size += got;
	}
}

static void cut_lines(struct source *source, size_t size)
{
	char *end = source->text + size;

	for (char *line = source->text; line < end;) {
		char *stop = memchr(line, '\n', end - line);
		char *next = stop ? stop + 1 : end;

		VEC_PUSH(source->lines, source->count, source->room, line - source->text);
		if (stop)
			*stop = 0;
		if (stop > line && stop[-1] == '\r')
			stop[-1] = 0;
		line = next;
	}
}

static void read_source(struct source_cache *cache, struct source *source)
{
	size_t left = CACHE_MAX - cache->size;
	size_t size;
	int fd = open_source(source->path);

	if (fd < 0)
		return;
	source->text = read_all(fd, left < FILE_MAX ? left : FILE_MAX, &size);
	close(fd);
	if (source->text && memchr(source->text, 0, size)) { /* not a text */
		free(source->text);
		source->text = NULL;
	}
	if (!source->text)
		return;
	cache->size += size;
	cut_lines(source, size);
}

static const struct source *find_source(struct source_cache *cache, const char *path)
{
	struct source key = { .path = (char *)path };
	void **slot = htab_find_slot(cache->sources, &key, INSERT);
	struct source *source;

	if (*slot)
		return *slot;
	source = mem_zalloc(1, sizeof(*source));
	source->path = mem_strdup(path);
	*slot = source;
	read_source(cache, source);
	return source;
}

const char *source_line(struct source_cache *cache, const char *file, uint32_t line)
{
	const struct source *source;

	if (!file || line == 0)
		return NULL;
	source = find_source(cache, file);
	if (!source->text || line > source->count)
		return NULL;
	return source->text + source->lines[line - 1];
}
