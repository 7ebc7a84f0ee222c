/* SPDX-License-Identifier: MIT */
/* gather.c - reads traces one after the other and adds them up. */
#include "analyzer/views/gather.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/progress.h"
#include "analyzer/trace/recognize.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/merge.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WHY_SIZE 256

struct gather {
	struct merge *merge;
	struct trace *only;   /* a directory's first trace, not added yet */
	char *program, *path; /* of the first */
	uint64_t sample_bytes;
	size_t traces;	  /* so far */
	bool any_program; /* are no surprise: it is a directory */
	bool said_program, said_sample;
	uint32_t snapshots;
	size_t forked; /* that began with what another one had */
	char *forked_path;
	uint64_t forked_from;
	char **paths; /* gather_list() */
	size_t path_count, path_room;
	size_t unread; /* in the directory */
	char unread_why[WHY_SIZE];
};

bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- what they should have in common */

static void compare_with_first(struct gather *g, const struct trace *t)
{
	const char *program = path_base(trace_program(t));

	if (!g->path) {
		g->program = mem_strdup(program);
		g->path = mem_strdup(t->path);
		g->sample_bytes = t->header.sample_bytes;
	}
	if (!g->any_program && !g->said_program && strcmp(g->program, program) != 0) {
		warning("combining different programs: %s in %s, %s in %s", g->program, g->path,
			program, t->path);
		g->said_program = true;
	}
	if (g->sample_bytes != t->header.sample_bytes && !g->said_sample) {
		warning("%s was sampled differently from %s", t->path, g->path);
		g->said_sample = true;
	}
	g->snapshots += t->snapshot_count;
	if (t->header.forked_from && !(t->header.flags & MT_NOTE_MERGED) && !g->forked++) {
		g->forked_path = mem_strdup(t->path);
		g->forked_from = t->header.forked_from;
	}
}

static void warn(const struct gather *g, const char *name)
{
	if (g->forked == 1 && g->traces > 1)
		warning("%s inherited the blocks and counts of process %llu, which forked it: "
			"they are counted twice",
			g->forked_path, (unsigned long long)g->forked_from);
	else if (g->forked > 1)
		warning("%zu of %zu traces inherited the blocks and counts of the process that "
			"forked them: they are counted twice",
			g->forked, g->traces);
	if (g->unread)
		warning("%s: %zu trace%s could not be read: %s", name, g->unread,
			g->unread == 1 ? "" : "s", g->unread_why);
}

/* ---- adding */

static void add_trace(struct gather *g, struct trace *t)
{
	compare_with_first(g, t);
	g->traces++;
	merge_add(g->merge, t);
	trace_free(t);
}

/* The first waits: it may stay the only one. */
static void take_trace(struct gather *g, struct trace *t)
{
	if (g->traces == 0 && !g->only) {
		g->only = t;
		return;
	}
	if (g->only)
		add_trace(g, g->only);
	g->only = NULL;
	add_trace(g, t);
}

/* Files that are named like traces count as such, whatever they hold. */
static bool looks_like_trace(const char *path, const char *name)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	return strstr(name, ".mtrace") || is_plain_trace_file(path);
}

static void take_file(struct gather *g, const char *path, const char *name)
{
	char why[WHY_SIZE - 104];
	struct trace *t;

	if (!looks_like_trace(path, name))
		return;
	progress_say("reading traces: %zu", g->traces);
	t = trace_open(path, why, sizeof(why));
	if (t)
		take_trace(g, t);
	else if (!g->unread++)
		snprintf(g->unread_why, sizeof(g->unread_why), "%.99s: %s", name, why);
}

static int each_file(const char *path,
	void (*visit)(struct gather *g, const char *path, const char *name), struct gather *g)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);

	if (count < 0)
		return error("%s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char *inside = NULL;

		if (asprintf(&inside, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
			    name) < 0)
			die("out of memory");
		visit(g, inside, name);
		free(inside);
		free(entries[i]);
	}
	free(entries);
	return EXIT_OK;
}

static void count_file(struct gather *g, const char *path, const char *name)
{
	g->traces += looks_like_trace(path, name);
}

bool holds_traces(const char *path)
{
	struct gather g = { 0 };

	return is_directory(path) && *path && each_file(path, count_file, &g) == EXIT_OK &&
	       g.traces;
}

static void list_file(struct gather *g, const char *path, const char *name)
{
	if (looks_like_trace(path, name))
		VEC_PUSH(g->paths, g->path_count, g->path_room, mem_strdup(path));
}

char **gather_list(const char *path, size_t *count)
{
	struct gather g = { 0 };

	g.paths = mem_zalloc(g.path_room = 1, sizeof(*g.paths));
	if (each_file(path, list_file, &g) != EXIT_OK) {
		free(g.paths);
		return NULL;
	}
	*count = g.path_count;
	return g.paths;
}

/* ---- the sum */

static struct trace *finish(struct gather *g, const char *name)
{
	struct trace *t = g->only;
	char why[512];

	if (!t && g->traces) {
		t = merge_finish(g->merge, name, why, sizeof(why));
		if (!t)
			error("%s: the result is not a valid trace: %s", name, why);
	}
	if (t)
		warn(g, name);
	merge_free(g->merge);
	free(g->program);
	free(g->path);
	free(g->forked_path);
	return t;
}

static int add_directory(struct gather *g, const char *path)
{
	size_t before = g->traces + (g->only != NULL);

	if (each_file(path, take_file, g) != EXIT_OK)
		return EXIT_ERROR;
	if (g->traces + (g->only != NULL) > before)
		return EXIT_OK;
	if (g->unread)
		return error("%s: none of its traces could be read: %s", path, g->unread_why);
	return error("%s: no traces in this directory", path);
}

struct trace *gather_directory(const char *path)
{
	struct gather g = { .merge = merge_new(), .any_program = true };

	add_directory(&g, path);
	return finish(&g, path);
}

static int add_path(struct gather *g, const char *path)
{
	char why[512];
	struct trace *t;

	if (is_directory(path)) {
		g->any_program = true;
		return add_directory(g, path);
	}
	t = trace_open(path, why, sizeof(why));
	if (!t)
		return error("%s: %s", path, why);
	take_trace(g, t);
	return EXIT_OK;
}

struct trace *gather_paths(char **paths, int count, const char *name)
{
	struct gather g = { .merge = merge_new() };
	int status = EXIT_OK;

	for (int i = 0; i < count && status == EXIT_OK; i++)
		status = add_path(&g, paths[i]);
	if (g.only) {
		add_trace(&g, g.only);
		g.only = NULL;
	}
	if (status != EXIT_OK)
		g.traces = 0;
	if (g.traces > 1 && g.snapshots)
		notice("%s: %u snapshot%s left out, since moments of several processes have no sum",
			name, g.snapshots, g.snapshots == 1 ? "" : "s");
	return finish(&g, name);
}
