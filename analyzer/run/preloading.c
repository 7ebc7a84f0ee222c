/* SPDX-License-Identifier: MIT */
/* preloading.c - finds our libraries, and puts together what the dynamic linker is to preload. */
#include "analyzer/run/preloading.h"

#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/run/libraries.h"
#include "analyzer/run/pools.h"
#include "analyzer/run/program.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libmtrace.so"

/* Beside the command in the build tree or an installation, wherever that was moved; then where it
 * was configured. */
char *preloading_library(void)
{
	static const char *const beside[] = { "../preload", "../" MTRACER_LIBDIR, "../lib64",
		"../lib", NULL };
	char self[4096];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *path;

	self[size > 0 ? size : 0] = 0;
	if (strrchr(self, '/'))
		*strrchr(self, '/') = 0;
	for (const char *const *dir = beside; *dir; dir++) {
		char *real;

		if (asprintf(&path, "%s/%s/" LIBRARY, self, *dir) < 0)
			return NULL;
		real = access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;
		free(path);
		if (real)
			return real;
	}
	path = mem_strdup(MTRACER_PREFIX "/" MTRACER_LIBDIR "/" LIBRARY);
	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static bool is_our_library(const char *entry, size_t size)
{
	const char *name = entry + size;

	while (name > entry && name[-1] != '/')
		name--;
	return (size_t)(entry + size - name) >= strlen(LIBRARY) &&
	       memcmp(name, LIBRARY, strlen(LIBRARY)) == 0;
}

static bool has_entry(const char *list, const char *entry, size_t size)
{
	for (; *list; list += strcspn(list, ":"), list += *list == ':')
		if (strncmp(list, entry, size) == 0 && (!list[size] || list[size] == ':'))
			return true;
	return false;
}

static void add_entry(struct strbuf *list, const char *entry, size_t size)
{
	if (list->size)
		strbuf_add(list, ":");
	strbuf_add_bytes(list, entry, size);
}

/* Each entry of a list like LD_PRELOAD's, but for another libmtrace.so, and what is there
 * already. */
static void add_entries(struct strbuf *to, const char *list)
{
	while (list && *list) {
		size_t size = strcspn(list, ": ");

		if (size && !is_our_library(list, size) && !has_entry(strbuf_text(to), list, size))
			add_entry(to, list, size);
		list += size + (list[size] != 0);
	}
}

/* Beside the library; nothing where it wasn't installed. */
static void add_companion(struct strbuf *list, const char *library, const char *name)
{
	char *path;

	if (asprintf(&path, "%.*s/libmtrace_%s.so", (int)(path_base(library) - library - 1),
		    library, name) < 0)
		return;
	if (access(path, R_OK) == 0)
		add_entry(list, path, strlen(path));
	free(path);
}

struct preloading preloading_choose(const char *library, const char *allocator, const char *program,
	const struct loader *loader)
{
	struct preloading p = { NULL, NULL, 0 };
	struct strbuf list = { 0 }, others = { 0 };
	struct libraries libraries;
	bool uses[INTERFACES];

	if (allocator)
		add_entry(&others, allocator, strlen(allocator));
	add_entries(&others, getenv("LD_PRELOAD"));
	libraries = library && program ? libraries_of(program, loader, strbuf_text(&others))
				       : (struct libraries){ NULL, 0 };
	for (size_t i = 0; i < libraries.count && !p.sanitizer; i++)
		p.sanitizer = program_sanitizer(path_base(libraries.paths[i]));
	if (library && !p.sanitizer) {
		add_entry(&list, library, strlen(library));
		p.pools = pools_of_program(program, &libraries);
		libraries_interfaces(program, &libraries, uses);
		for (int i = 0; i < INTERFACES; i++)
			if (uses[i])
				add_companion(&list, library, interface_names[i]);
	}
	add_entries(&list, strbuf_text(&others));
	p.list = mem_strdup(strbuf_text(&list));
	libraries_release(&libraries);
	strbuf_release(&others);
	strbuf_release(&list);
	return p;
}
