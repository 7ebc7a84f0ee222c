/*
 * demangle.c - libiberty's demanglers, with a bound on what a hostile name can make of them: a name
 * of a few hundred bytes may spell out to more than any memory.
 */
#include "demangle.h"

#include "mem.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#define OUTPUT_MAX 65536 /* bytes of a demangled name; longer ones stay mangled */
#define RECURSION_MAX \
	4096 /* bytes of a mangled C++ name; libiberty recurses once a byte at worst */

struct sink {
	char text[OUTPUT_MAX];
	size_t used;
	jmp_buf full;
};

static void sink_add(const char *piece, size_t size, void *opaque)
{
	struct sink *sink = opaque;

	/* The demanglers can't be told to stop; they own no memory while they call back. */
	if (size >= sizeof(sink->text) - sink->used)
		longjmp(sink->full, 1);
	if (size)
		memcpy(sink->text + sink->used, piece, size);
	sink->used += size;
}

static bool demangle_into(struct sink *sink, const char *name)
{
	/* libiberty's own limit refuses C++ names over 1024 bytes, which templates exceed easily.
	 * Rust's names can refer back to themselves, so there it must stay. */
	int options = strlen(name) <= RECURSION_MAX ? DMGL_NO_RECURSE_LIMIT : 0;

	sink->used = 0;
	if (setjmp(sink->full))
		return false;
	if (rust_demangle_callback(name, 0, sink_add, sink))
		return true;
	sink->used = 0;
	return cplus_demangle_v3_callback(name, options, sink_add, sink);
}

static char *demangle_mangled(const char *name)
{
	struct sink *sink;
	char *result = NULL;

	if (strncmp(name, "_D", 2) == 0 && strlen(name) <= RECURSION_MAX)
		return dlang_demangle(name, 0);
	if (strncmp(name, "_Z", 2) != 0 && strncmp(name, "_R", 2) != 0 &&
		strncmp(name, "_GLOBAL_", 8) != 0)
		return NULL;
	sink = mem_alloc(sizeof(*sink));
	if (demangle_into(sink, name) && sink->used) {
		sink->text[sink->used] = 0;
		result = mem_strdup(sink->text);
	}
	free(sink);
	return result;
}

/* The length of a name without version and without the marks of clones. */
static size_t plain_length(const char *name)
{
	static const char *const marks[] = { ".cold", ".part.", ".isra.", ".constprop.",
		".lto_priv.", ".llvm.", ".localalias", ".resolver", "@" };
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *mark = strstr(name, marks[i]);

		if (mark && mark > name && (size_t)(mark - name) < length)
			length = mark - name;
	}
	return length;
}

char *demangle(const char *linkage)
{
	char *plain = mem_strdup(linkage);
	char *result;

	plain[plain_length(linkage)] = 0;
	result = demangle_mangled(plain);
	if (!result)
		return plain;
	free(plain);
	return result;
}
