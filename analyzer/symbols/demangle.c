/* SPDX-License-Identifier: MIT */
/*
 * demangle.c - libiberty's demanglers, with a bound on what a hostile name can make of them: a name
 * of a few hundred bytes may spell out to more than any memory.
 */
#include "analyzer/symbols/demangle.h"

#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#define OUTPUT_MAX 65536 /* bytes of a demangled name; longer ones stay mangled */
#define BINDER_DIGITS 2	 /* of the number of a binder's lifetimes */
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

/*
 * A binder of Rust's v0 names (after "F" or "D": "G", a number of base 62, "_") stands for so many
 * lifetimes, which libiberty counts one by one even where it prints none of them: a dozen bytes can
 * take years. No program has thousands, so larger numbers become zeros. Where it was the hash of a
 * crate that only looked so, that isn't shown.
 */
static void tame_binders(char *name)
{
	for (char *at = name; (at = strpbrk(at, "FD"));) {
		size_t digits = 0;

		if (*++at != 'G')
			continue;
		while (isalnum((unsigned char)at[1 + digits]))
			digits++;
		if (digits > BINDER_DIGITS && at[1 + digits] == '_')
			memset(at + 1, '0', digits);
	}
}

static bool shows_tamed(const char *text, const char *name)
{
	static const char *const marks[] = { "FG000", "DG000" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (strstr(text, marks[i]) && !strstr(name, marks[i]))
			return true;
	}
	return false;
}

/* The text, or NULL. */
static const char *demangle_rust(struct sink *sink, const char *name)
{
	char *tamed = mem_strdup(name);
	bool ok = false;

	sink->used = 0;
	tame_binders(tamed);
	if (setjmp(sink->full) == 0)
		ok = rust_demangle_callback(tamed, 0, sink_add, sink) != 0;
	free(tamed);
	if (!ok)
		return NULL;
	sink->text[sink->used] = '\0';
	return shows_tamed(sink->text, name) ? NULL : sink->text;
}

static const char *demangle_cxx(struct sink *sink, const char *name, int style)
{
	/* libiberty's own limit refuses C++ names over 1024 bytes, which templates exceed easily.
	 * Rust's names can refer back to themselves, so there it must stay. */
	const int options = style | (strlen(name) <= RECURSION_MAX ? DMGL_NO_RECURSE_LIMIT : 0);

	sink->used = 0;
	if (setjmp(sink->full) || !cplus_demangle_v3_callback(name, options, sink_add, sink))
		return NULL;
	sink->text[sink->used] = '\0';
	return sink->text;
}

static char *demangle_mangled(const char *name, int style)
{
	struct sink *sink;
	const char *text;
	char *result = NULL;

	if (strncmp(name, "_D", 2) == 0 && strlen(name) <= RECURSION_MAX)
		return dlang_demangle(name, 0);
	if (strncmp(name, "_Z", 2) != 0 && strncmp(name, "_R", 2) != 0 &&
		strncmp(name, "_GLOBAL_", 8) != 0)
		return NULL;
	sink = mem_alloc(sizeof(*sink));
	text = demangle_rust(sink, name);
	if (!text)
		text = demangle_cxx(sink, name, style);
	if (text && *text)
		result = mem_strdup(text);
	free(sink);
	return result;
}

/* The length of a name without version and without the marks of clones. */
static size_t plain_length(const char *name)
{
	static const char *const marks[] = { ".cold", ".part.", ".isra.", ".constprop.",
		".lto_priv.", ".llvm.", ".localalias", ".resolver", "@" };
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *mark = strstr(name, marks[i]);

		if (mark && mark > name && (size_t)(mark - name) < length)
			length = mark - name;
	}
	return length;
}

static char *demangle_by(const char *linkage, int style)
{
	char *plain = mem_strdup(linkage);
	char *result;

	plain[plain_length(linkage)] = 0;
	result = demangle_mangled(plain, style);
	if (!result)
		return plain;
	free(plain);
	return result;
}

char *demangle(const char *linkage)
{
	return demangle_by(linkage, DMGL_NO_OPTS);
}

char *demangle_whole(const char *linkage)
{
	return demangle_by(linkage, DMGL_PARAMS);
}
