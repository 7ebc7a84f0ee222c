/* SPDX-License-Identifier: MIT */
/* suppress_names.c - frames and allocation functions under the names that Valgrind has for them. */
#include "analyzer/views/suppress_names.h"
#include "analyzer/base/array.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/symbols/wrappers.h"
#include "preload/trace_format.h"

#include <stdlib.h>
#include <string.h>

bool glob_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern && (*pattern == *text || *pattern == '?')) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

/* ---- allocation functions */

/* realloc(NULL) and the aligned ones end in a jump or a call to another one. */
const struct allocation_name allocation_names[] = {
	{ MT_MALLOC, "malloc", NULL },
	{ MT_CALLOC, "calloc", NULL },
	{ MT_REALLOC, "realloc", NULL },
	{ MT_REALLOC, "malloc", NULL },
	{ MT_REALLOC, "malloc", "realloc" },
	{ MT_REALLOC, "reallocarray", NULL },
	{ MT_MEMALIGN, "memalign", NULL },
	{ MT_POSIX_MEMALIGN, "posix_memalign", NULL },
	{ MT_POSIX_MEMALIGN, "memalign", "posix_memalign" },
	{ MT_ALIGNED_ALLOC, "aligned_alloc", NULL },
	{ MT_ALIGNED_ALLOC, "memalign", NULL },
	{ MT_ALIGNED_ALLOC, "memalign", "aligned_alloc" },
	{ MT_VALLOC, "valloc", NULL },
	{ MT_VALLOC, "memalign", NULL },
	{ MT_VALLOC, "memalign", "valloc" },
	{ MT_PVALLOC, "pvalloc", NULL },
	{ MT_NEW, "_Znwm", NULL },
	{ MT_NEW, "__builtin_new", NULL },
	{ MT_NEW, "operator new(unsigned long)", NULL },
	{ MT_NEW_ARRAY, "_Znam", NULL },
	{ MT_NEW_ARRAY, "__builtin_vec_new", NULL },
	{ MT_NEW_ARRAY, "operator new[](unsigned long)", NULL },
	{ MT_NEW_NOTHROW, "_ZnwmRKSt9nothrow_t", NULL },
	{ MT_NEW_ARRAY_NOTHROW, "_ZnamRKSt9nothrow_t", NULL },
	{ MT_NEW_ALIGNED, "_ZnwmSt11align_val_t", NULL },
	{ MT_NEW_ARRAY_ALIGNED, "_ZnamSt11align_val_t", NULL },
	{ MT_NEW_ALIGNED_NOTHROW, "_ZnwmSt11align_val_tRKSt9nothrow_t", NULL },
	{ MT_NEW_ARRAY_ALIGNED_NOTHROW, "_ZnamSt11align_val_tRKSt9nothrow_t", NULL },
	{ 0, NULL, NULL },
};

#define ALL ((1u << MT_FUNCTIONS) - 1)
#define OPERATORS (ALL & ~((1u << MT_NEW) - 1))
#define ARRAYS                                                                          \
	(1u << MT_NEW_ARRAY | 1u << MT_NEW_ARRAY_NOTHROW | 1u << MT_NEW_ARRAY_ALIGNED | \
		1u << MT_NEW_ARRAY_ALIGNED_NOTHROW)

static bool is_operator(const struct suppress_frame *f)
{
	static const char name[] = "operator new";

	return f->function && strncmp(f->function, name, sizeof(name) - 1) == 0;
}

static uint32_t calls_by_name(const char *linkage)
{
	for (const struct allocation_name *n = allocation_names; linkage && n->name; n++)
		if (strcmp(n->name, linkage) == 0)
			return 1u << n->function & OPERATORS;
	return 0;
}

/* The C++ library's operators call one another, and malloc: the outermost is the one that the
 * program called, but for those for arrays, which jump. */
uint32_t allocation_calls(const struct suppress_frame *frames, size_t count, size_t *operators)
{
	uint32_t calls = 0;
	size_t n = 0;

	while (n < count && is_operator(&frames[n]))
		n++;
	*operators = n;
	if (n == 0)
		calls = count ? frames[0].calls : 0;
	else if (frames[0].calls) /* else it is a trace without such notes */
		calls = n < count && frames[n].calls & ARRAYS
				? frames[n].calls & ARRAYS
				: calls_by_name(frames[n - 1].linkage);
	return calls ? calls : n ? OPERATORS : ALL;
}

/* ---- names of functions */

/* How long a name is without the suffix of a compiler's copy of a function (f.isra.0, f.part.1) or
 * a version (f@@V1), which DWARF's have not. */
static size_t plain_size(const char *name)
{
	static const char *const suffixes[] = { ".isra.", ".part.", ".constprop.", ".cold",
		".lto_priv.", ".localalias", ".llvm." };
	size_t size = strcspn(name, "@");

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		const char *at = strstr(name, suffixes[i]);

		if (at && at > name && (size_t)(at - name) < size)
			size = (size_t)(at - name);
	}
	return size ? size : strlen(name);
}

static bool has_wildcard(const char *pattern)
{
	return strpbrk(pattern, "*?");
}

/* Constructors and destructors have two names or three, of which DWARF has one: _ZN1aC1Ev, _ZN1aC2Ev. */
static bool is_same_constructor(const char *a, size_t size, const char *b)
{
	size_t i = 0;

	if (strncmp(a, "_Z", 2) != 0 || plain_size(b) != size)
		return false;
	while (i < size && a[i] == b[i])
		i++;
	return i > 0 && i < size && strchr("CD", a[i - 1]) && strchr("012345", a[i]) &&
	       strchr("012345", b[i]) && strncmp(a + i + 1, b + i + 1, size - i - 1) == 0;
}

static const char *skip(const char *name, const char *prefix)
{
	size_t size = strlen(prefix);

	return strncmp(name, prefix, size) == 0 && name[size] ? name + size : name;
}

/*
 * The C library has several names for a function, of which Valgrind and DWARF choose others:
 * strdup, __strdup, __GI___strdup; fopen64, _IO_new_fopen. This is what they share.
 */
static const char *shared_name(const char *name, size_t *size)
{
	const char *end = name + plain_size(name);
	static const char *const suffixes[] = { "_impl", "64" };

	name = skip(name, "__GI_");
	name += strspn(name, "_");
	name = skip(skip(name, "IO_"), "new_");
	if (end <= name)
		name = "", end = name;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t length = strlen(suffixes[i]);

		if ((size_t)(end - name) > length && memcmp(end - length, suffixes[i], length) == 0)
			end -= length;
	}
	*size = (size_t)(end - name);
	/* Below Valgrind there is no clone3. */
	if (*size == 6 && memcmp(name, "clone3", 6) == 0)
		*size = 5;
	return name;
}

static bool is_in_c_library(const struct suppress_frame *f)
{
	return f->module && library_kind(f->module) == LIBRARY_C;
}

static bool c_library_matches(const char *pattern, const char *name)
{
	size_t wanted_size, size;
	const char *wanted = shared_name(pattern, &wanted_size);

	name = shared_name(name, &size);
	return size && size == wanted_size && memcmp(name, wanted, size) == 0;
}

bool inlined_in_program(const struct suppress_frame *f)
{
	return f->inlined && f->function && !is_in_c_library(f);
}

const char *unscoped(const char *name)
{
	const char *last = name;
	int depth = 0;

	for (const char *at = name; *at; at++) {
		if (at == last && strncmp(at, "operator", 8) == 0)
			break;
		depth += strchr("<({", *at) != NULL;
		depth -= strchr(">)}", *at) != NULL;
		if (depth == 0 && at[0] == ':' && at[1] == ':')
			last = at + 2;
	}
	return last;
}

/* Inlined functions have their names in the source; those of their templates' arguments may be spelt
 * otherwise. */
static bool inlined_matches(const char *pattern, const char *function)
{
	const char *name = unscoped(function);
	size_t arguments = strcspn(pattern, "<");
	char plain[512], wanted[512];

	if (glob_matches(pattern, name))
		return true;
	/* Behind the '<' a '*' is a pointer. */
	if (pattern[arguments] != '<' || strcspn(pattern, "*?") < arguments ||
		strncmp(pattern, "operator", 8) == 0)
		return false;
	plain_name(name, plain, sizeof(plain));
	plain_name(pattern, wanted, sizeof(wanted));
	return strcmp(plain, wanted) == 0;
}

/* Valgrind has one name for what calls main. */
static bool is_below_main(const struct suppress_frame *f)
{
	static const char *const names[] = { "_start", "__libc_start_", "generic_start_main" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (f->function && strncmp(f->function, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* By the names that the symbol table has beside DWARF's. */
static bool symbol_matches(const char *pattern, const struct suppress_frame *f)
{
	const char *name = f->linkage ? f->linkage : f->function;
	size_t size = plain_size(pattern);

	if (!name || has_wildcard(pattern))
		return false;
	if (pattern[size] && strlen(name) == size && memcmp(pattern, name, size) == 0)
		return true;
	return is_same_constructor(pattern, size, name) ||
	       (is_in_c_library(f) && c_library_matches(pattern, name));
}

bool function_matches(const char *pattern, const struct suppress_frame *f)
{
	return glob_matches(pattern, f->function ? f->function : "???") ||
	       (f->linkage && glob_matches(pattern, f->linkage)) ||
	       (f->inlined && f->function && inlined_matches(pattern, f->function)) ||
	       (is_below_main(f) && glob_matches(pattern, "(below main)")) ||
	       symbol_matches(pattern, f);
}

#define PATHS_KEPT 64

/* Of a module's path, NULL where there is none. It takes a system call for each directory, and is asked
 * for with every frame. */
static const char *real_path(const char *module)
{
	static struct {
		char *module, *path;
	} kept[PATHS_KEPT];
	size_t at = hash_text(0, module) % PATHS_KEPT;

	if (kept[at].module && strcmp(kept[at].module, module) == 0)
		return kept[at].path;
	free(kept[at].module);
	free(kept[at].path);
	kept[at].module = mem_strdup(module);
	kept[at].path = realpath(module, NULL);
	return kept[at].path;
}

/* Valgrind has the file's own path, a trace the one by which the loader found it. */
bool object_matches(const char *pattern, const struct suppress_frame *f)
{
	const char *module = f->module && *f->module ? f->module : "???";
	const char *path;

	if (glob_matches(pattern, module))
		return true;
	path = *module == '/' ? real_path(module) : NULL;
	return path && glob_matches(pattern, path);
}

/* ---- writing */

const char *written_name(const struct suppress_frame *f, bool *cut)
{
	const char *name = f->linkage && *f->linkage ? f->linkage : f->function, *shared;
	size_t size;

	*cut = false;
	if (f->inlined)
		return unscoped(f->function);
	if (!is_in_c_library(f))
		return name;
	shared = shared_name(name, &size);
	*cut = size && shared != name;
	return *cut ? shared : name;
}

bool is_outermost(const struct suppress_frame *f)
{
	const char *name = f->linkage && *f->linkage ? f->linkage : f->function;

	return is_below_main(f) || (name && is_in_c_library(f) && c_library_matches("clone", name));
}
