/* SPDX-License-Identifier: MIT */
/* pools.c - which pools there are, how they are told, and what turns them off. */
#include "analyzer/run/pools.h"

#include "analyzer/base/array.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/run/libraries.h"
#include "analyzer/run/program.h"
#include "analyzer/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool {
	const char *what;
	const char *variable, *value; /* turn it off; any value does where that is NULL */
	const char *remedy;	      /* where no variable does */
	const char *defines;	      /* a symbol of the library that has it, or */
	const char *asks[2];	      /* how symbols begin that its users ask for */
};

static const struct pool pools[] = {
	{ "CPython's pymalloc", "PYTHONMALLOC", "malloc", NULL, "PyObject_Malloc", { NULL } },
	{ "GLib's slices", "G_SLICE", "always-malloc", NULL, "g_slice_alloc", { NULL } },
	{ "PHP's memory manager", "USE_ZEND_ALLOC", "0", NULL, "_emalloc", { NULL } },
	{ "libstdc++'s pool allocators", "GLIBCXX_FORCE_NEW", NULL, NULL, NULL,
		{ "_ZN9__gnu_cxx17__pool_alloc_base", "_ZN9__gnu_cxx6__pool" } },
	{ "APR's pools", NULL, NULL, "a build of APR with --enable-pool-debug", "apr_palloc",
		{ NULL } },
};

#define POOLS (ARRAY_SIZE(pools))

/* ---- telling them */

static bool begins_with_one(const char *name, const char *const begins[2])
{
	for (int i = 0; i < 2 && begins[i]; i++)
		if (strncmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static void look_at_symbol(void *context, const char *name, bool defined)
{
	unsigned *found = context;

	for (size_t i = 0; i < POOLS; i++)
		if (defined ? pools[i].defines && strcmp(name, pools[i].defines) == 0
			    : begins_with_one(name, pools[i].asks))
			*found |= 1u << i;
}

/* Since 2.76 slices are malloc's: libglib-2.0.so.0.7600.0. */
static bool is_glib_without_slices(const char *path)
{
	char *real = realpath(path, NULL);
	unsigned version = 0;
	bool without;

	without = real && sscanf(path_base(real), "libglib-2.0.so.0.%u", &version) == 1 &&
		  version >= 7600;
	free(real);
	return without;
}

static unsigned pools_of_file(const char *path)
{
	unsigned found = 0;

	if (!is_glib_without_slices(path))
		library_symbols(path, look_at_symbol, &found);
	return found;
}

unsigned pools_of_program(const char *program, const struct libraries *libraries)
{
	char *image = program ? program_image(program) : NULL;
	unsigned found = image ? pools_of_file(image) : 0;

	for (size_t i = 0; i < libraries->count; i++)
		found |= pools_of_file(libraries->paths[i]);
	free(image);
	return found;
}

/* A process that never called an allocation function, as all of its memory is in pools, has noted no
 * modules: those that its program is linked with are asked. */
static unsigned pools_as_linked(const char *program)
{
	struct libraries libraries = libraries_of(program, NULL, NULL);
	unsigned found = pools_of_program(program, &libraries);

	libraries_release(&libraries);
	return found;
}

unsigned pools_of_trace(const struct trace *trace)
{
	const char *program = trace_program(trace);
	unsigned found = 0;

	if (trace->module_count < 2 && *program)
		return pools_as_linked(program);
	for (uint32_t i = 1; i < trace->module_count; i++)
		if (!(trace->modules[i].flags & (MT_MODULE_SELF | MT_MODULE_VDSO)))
			found |= pools_of_file(trace_string(trace, trace->modules[i].path));
	return found;
}

/* ---- turning them off */

/* G_SLICE holds several words. */
static bool is_off(const struct pool *pool)
{
	const char *set = pool->variable ? getenv(pool->variable) : NULL;

	return set && (!pool->value || strstr(set, pool->value) == set ||
			      (strcmp(pool->variable, "G_SLICE") == 0 && strstr(set, pool->value)));
}

unsigned pools_left(unsigned set, bool unpool)
{
	for (size_t i = 0; i < POOLS; i++)
		if (is_off(&pools[i]) || (unpool && pools[i].variable))
			set &= ~(1u << i);
	return set;
}

void pools_turn_off(void)
{
	for (size_t i = 0; i < POOLS; i++)
		if (pools[i].variable && !is_off(&pools[i]))
			setenv(pools[i].variable, pools[i].value ? pools[i].value : "1", 1);
}

void pools_text(unsigned set, struct strbuf *text)
{
	const char *between = "";
	bool any = false;

	strbuf_add(text, "uses memory pools that hide their blocks from tracers (");
	for (size_t i = 0; i < POOLS; i++) {
		if (!(set & 1u << i))
			continue;
		strbuf_addf(text, "%s%s", between, pools[i].what);
		any |= pools[i].variable != NULL;
		between = ", ";
	}
	strbuf_add(text, any ? "); turn them off with --unpool or" : "); use");
	for (size_t i = 0; i < POOLS; i++) {
		if (!(set & 1u << i))
			continue;
		if (pools[i].variable)
			strbuf_addf(text, " %s=%s", pools[i].variable,
				pools[i].value ? pools[i].value : "1");
		else
			strbuf_addf(
				text, "%s %s", any ? "; for the last, use" : "", pools[i].remedy);
	}
}
