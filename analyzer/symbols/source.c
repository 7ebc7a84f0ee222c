/* SPDX-License-Identifier: MIT */
/* source.c - reads source files whole and cuts them into lines. */
#include "analyzer/symbols/source.h"

#include "analyzer/base/md5.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/symbols/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libiberty/hashtab.h>

#define FILE_MAX (64u << 20)   /* bytes of one file */
#define CACHE_MAX (512u << 20) /* bytes of all files */

struct source {
	char *path; /* as asked for; first, for the table */
	struct source_file file;
	char *found;	 /* owned; file.found */
	char *text;	 /* each line ends with a zero; NULL = unreadable */
	uint32_t *lines; /* where each starts in `text` */
	size_t count, room;
	uint8_t md5[MD5_SIZE];	/* of all bytes */
	const char *judged_for; /* the module that is_other is about */
	bool is_other;
	bool noted; /* is in cache.others */
};

struct map {
	const char *from, *to;
	size_t from_size;
};

struct source_cache {
	htab_t sources;
	size_t size; /* bytes of texts */
	const char **directories;
	size_t directory_count, directory_room;
	struct map *maps;
	size_t map_count, map_room;
	const char *root;
	const struct source **others; /* than what was compiled, as they were met */
	size_t other_count, other_room;
	bool any_newer, any_changed; /* by the time; by the contents */
	struct strbuf complaint;
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
	free(source->found);
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
	free(cache->directories);
	free(cache->maps);
	free(cache->others);
	strbuf_release(&cache->complaint);
	free(cache);
}

void source_add_directory(struct source_cache *cache, const char *directory)
{
	VEC_PUSH(cache->directories, cache->directory_count, cache->directory_room, directory);
}

void source_set_root(struct source_cache *cache, const char *root)
{
	cache->root = root;
}

bool source_add_map(struct source_cache *cache, const char *text)
{
	const char *equals = strchr(text, '=');
	struct map map = { text, equals ? equals + 1 : NULL, equals ? equals - text : 0 };

	if (map.from_size == 0)
		return false;
	while (map.from_size && text[map.from_size - 1] == '/')
		map.from_size--;
	VEC_PUSH(cache->maps, cache->map_count, cache->map_room, map);
	return true;
}

/* ---- finding */

/* Takes DIRECTORY + REST if there is a regular file. */
static bool try_file(struct source *source, const char *directory, const char *rest)
{
	size_t size = strlen(directory);
	struct stat st;
	char *path;
	bool exists;

	while (size && directory[size - 1] == '/')
		size--;
	if (asprintf(&path, "%.*s%s%s", (int)size, directory, *directory && *rest != '/' ? "/" : "",
		    rest) < 0)
		return false;
	exists = stat(path, &st) == 0;
	if (exists && S_ISREG(st.st_mode)) {
		source->found = path;
		source->file.changed_ns =
			(int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
		return true;
	}
	if (exists)
		source->file.problem = "not a regular file";
	free(path);
	return false;
}

static bool try_directory(struct source *source, const char *directory)
{
	for (const char *rest = source->path; rest; rest = strchr(rest, '/')) {
		rest += strspn(rest, "/");
		if (*rest && try_file(source, directory, rest))
			return true;
	}
	return false;
}

/* FROM names whole components: /src doesn't stand for the beginning of /srcdir. */
static bool try_map(struct source *source, const struct map *map)
{
	const char *rest = source->path + map->from_size;

	return strncmp(source->path, map->from, map->from_size) == 0 && *rest == '/' &&
	       try_file(source, map->to, rest);
}

static void find_file(const struct source_cache *cache, struct source *source)
{
	for (size_t i = 0; i < cache->map_count; i++)
		if (try_map(source, &cache->maps[i]))
			return;
	for (size_t i = 0; i < cache->directory_count; i++)
		if (try_directory(source, cache->directories[i]))
			return;
	if (cache->root && try_file(source, cache->root, source->path))
		return;
	try_file(source, "", source->path);
}

/* ---- reading */

static int open_source(struct source *source)
{
	struct stat st;
	int fd = open(source->found ? source->found : source->path,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		source->file.problem = errno == ENOENT	 ? "no such file"
				       : errno == EACCES ? "permission denied"
							 : "cannot be opened";
		return -1;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		source->file.problem = "not a regular file";
	else if (st.st_size > FILE_MAX)
		source->file.problem = "too large for a source file";
	else
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
	int fd;

	find_file(cache, source);
	if (!source->found && source->file.problem)
		return;
	source->file.problem = NULL;
	fd = open_source(source);
	if (fd < 0)
		return;
	source->text = read_all(fd, left < FILE_MAX ? left : FILE_MAX, &size);
	close(fd);
	if (!source->text)
		source->file.problem = "cannot be read, or has no end";
	else if (memchr(source->text, 0, size))
		source->file.problem = "not a text file";
	if (source->file.problem) {
		free(source->text);
		source->text = NULL;
		return;
	}
	cache->size += size;
	md5_buffer(source->text, size, source->md5);
	cut_lines(source, size);
	source->file.found = source->found;
	source->file.lines = (uint32_t)source->count;
}

static struct source *find_source(struct source_cache *cache, const char *path)
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

const struct source_file *source_find(struct source_cache *cache, const char *file)
{
	return &find_source(cache, file)->file;
}

/* ---- another text than was compiled */

#define OTHERS_NAMED 3

static bool judge(struct source_cache *cache, const struct source *source,
	const struct resolver *resolver, const char *module)
{
	int64_t built;

	switch (resolver_source(resolver, module, source->path, source->md5)) {
	case SOURCE_SAME:
		return false;
	case SOURCE_OTHER:
		cache->any_changed = true;
		return true;
	case SOURCE_UNKNOWN:
		break;
	}
	built = resolver_built(resolver, module);
	if (!built || source->file.changed_ns <= built)
		return false;
	cache->any_newer = true;
	return true;
}

bool source_is_other(struct source_cache *cache, const char *file, const struct resolver *resolver,
	const char *module)
{
	struct source *source = find_source(cache, file);

	if (!source->text)
		return false;
	if (!source->judged_for || source->judged_for != module)
		source->is_other = judge(cache, source, resolver, module);
	source->judged_for = module;
	if (source->is_other && !source->noted)
		VEC_PUSH(cache->others, cache->other_count, cache->other_room, source);
	source->noted |= source->is_other;
	return source->is_other;
}

/* "is newer than the program", "are not what the program was built from" */
static void add_what_they_are(const struct source_cache *cache, struct strbuf *s)
{
	strbuf_add(s, cache->other_count == 1 ? " is" : " are");
	if (cache->any_newer)
		strbuf_add(s, " newer than the program");
	if (cache->any_newer && cache->any_changed)
		strbuf_add(s, ", or");
	if (cache->any_changed)
		strbuf_addf(
			s, " not what %s was built from", cache->any_newer ? "it" : "the program");
	strbuf_addf(s, ": %s lines may have moved", cache->other_count == 1 ? "its" : "their");
}

const char *source_complaint(struct source_cache *cache)
{
	struct strbuf *s = &cache->complaint;
	size_t count = cache->other_count, named = count <= OTHERS_NAMED + 1 ? count : OTHERS_NAMED;

	if (count == 0)
		return NULL;
	strbuf_clear(s);
	for (size_t i = 0; i < named; i++)
		strbuf_addf(s, "%s%s",
			i == 0				 ? ""
			: i + 1 < named || named < count ? ", "
							 : " and ",
			cache->others[i]->found);
	if (named < count)
		strbuf_addf(s, " and %zu more files", count - named);
	add_what_they_are(cache, s);
	return strbuf_text(s);
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
