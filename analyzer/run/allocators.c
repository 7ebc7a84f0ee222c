/* SPDX-License-Identifier: MIT */
/* allocators.c - finds allocators' libraries by their names, where the dynamic linker would. */
#include "analyzer/run/allocators.h"

#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/run/libraries.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct known {
	const char *name;
	const char *libraries[4]; /* the newest first */
	const char *package;	  /* Debian's and Ubuntu's */
} known[] = {
	{ "glibc", { NULL }, NULL },
	{ "jemalloc", { "libjemalloc.so.2", "libjemalloc.so.1" }, "libjemalloc2" },
	{ "mimalloc", { "libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so.2.0" },
		"libmimalloc3 or libmimalloc2.0" },
	{ "tcmalloc", { "libtcmalloc_minimal.so.4", "libtcmalloc.so.4" }, "libtcmalloc-minimal4" },
};

__attribute__((format(printf, 1, 2))) static char *problem(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = mem_strdup("no memory");
	va_end(args);
	return text;
}

static const struct known *find_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

/* As if it were preloaded into this very program. */
static char *find_library(const struct known *k)
{
	char *path = NULL, *self = realpath("/proc/self/exe", NULL);

	for (size_t i = 0; self && k->libraries[i] && !path; i++) {
		struct libraries libraries = libraries_of(self, NULL, k->libraries[i]);
		const char *found = libraries_find(&libraries, k->libraries[i]);

		path = found ? mem_strdup(found) : NULL;
		libraries_release(&libraries);
	}
	free(self);
	return path;
}

static char *find(struct allocator *a)
{
	const struct known *k = find_known(a->name);

	if (k) {
		a->path = k->package ? find_library(k) : NULL;
		return k->package && !a->path
			       ? problem("%s is not installed: %s not found (the Debian and "
					 "Ubuntu package is %s)",
					 k->name, k->libraries[0], k->package)
			       : NULL;
	}
	if (access(a->name, R_OK) != 0)
		return problem(
			"'%s' is not glibc, jemalloc, mimalloc, tcmalloc or a library", a->name);
	a->path = realpath(a->name, NULL);
	if (!a->path || !library_has_malloc(a->path))
		return problem("%s: does not define malloc", a->name);
	if (a->path[strcspn(a->path, ": ")])
		return problem("%s: a path with a space or colon cannot be preloaded", a->path);
	return NULL;
}

char *allocators_find(const char *list, struct allocators *found)
{
	char *wrong = NULL;

	*found = (struct allocators){ NULL, 0 };
	while (!wrong) {
		size_t size = strcspn(list, ",");
		struct allocator a = { strndup(list, size), NULL };

		wrong = size ? find(&a) : problem("empty allocator name");
		found->items = mem_resize(found->items, found->count + 1, sizeof(*found->items));
		found->items[found->count++] = a;
		if (!list[size])
			break;
		list += size + 1;
	}
	return wrong;
}

void allocators_release(struct allocators *allocators)
{
	for (size_t i = 0; i < allocators->count; i++) {
		free(allocators->items[i].name);
		free(allocators->items[i].path);
	}
	free(allocators->items);
	*allocators = (struct allocators){ NULL, 0 };
}
