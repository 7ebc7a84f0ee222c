/* SPDX-License-Identifier: MIT */
/*
 * symbolize.h - from an address in a module to the functions and source lines it stands for.
 *
 * Opaque; libdw (elfutils) behind it. Every text returned lives until symbolizer_free(), and equal
 * texts are the same pointer, so callers may compare pointers.
 */
#ifndef MTRACE_SYMBOLIZE_H
#define MTRACE_SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/module.h"

struct symbolizer;

/* One function that the address is in. With inlining there are several, innermost first. */
struct symbol {
	const char *function;  /* demangled, without parameters; "module+0xoffset" where nothing is
				  known; never NULL */
	const char *linkage;   /* mangled name as in the symbol table or DWARF; NULL where none is
				  known */
	const char *file;      /* absolute where the debug information says so; NULL = unknown */
	uint32_t line;	       /* 0 = unknown */
	bool inlined;	       /* into the next one */
	const char *decl_file; /* where the function itself is written; NULL and 0 = unknown */
	uint32_t decl_line;
};

struct symbols {
	size_t count; /* at least 1 */
	const struct symbol *symbols;
};

struct symbolizer *symbolizer_new(const struct symbolizer_options *options);
void symbolizer_free(struct symbolizer *s);

/* Registers a module; the returned number is passed to symbolize(). The strings are copied. Cheap:
 * files are opened at the first look-up. */
size_t symbolizer_add_module(struct symbolizer *s, const struct symbolizer_module *module);

/* The functions at `address` (in the process; pass the call's address, not the return address),
 * innermost first. The result is cached and lives until symbolizer_free(). module may be SIZE_MAX
 * for code outside any module. */
const struct symbols *symbolize(struct symbolizer *s, size_t module, uint64_t address);

/* Lines of a source file, both inclusive; first is 0 where nothing is known. */
struct extent {
	uint32_t first, last;
};

/*
 * The lines of its decl_file that the function at `index` of symbolize()'s answer is known to have
 * code for, by this copy of it: the declaration's own line and whatever its instructions came from,
 * those of functions inlined into it left out. Its closing brace need not be among them.
 */
struct extent symbolizer_extent(
	struct symbolizer *s, size_t module, uint64_t address, size_t index);

/* When the file that the module's symbols come from was last changed, in ns since the epoch; 0 =
 * unknown. Valid after the first look-up in that module. */
int64_t symbolizer_file_time(const struct symbolizer *s, size_t module);

/* What debug information says of a source file's contents: by their MD5 sum (DWARF 5), in whatever
 * unit. Valid after the first look-up in that module. */
enum source_match {
	SOURCE_UNKNOWN, /* it has no sum of it */
	SOURCE_SAME,
	SOURCE_OTHER,
};
enum source_match symbolizer_source(
	const struct symbolizer *s, size_t module, const char *file, const uint8_t *md5);

/* One line about what is wrong with a module's symbols ("/bin/app has changed since the trace: its
 * build-id is X, the trace has Y"), or NULL. Valid after the first look-up in that module. */
const char *symbolizer_complaint(const struct symbolizer *s, size_t module);

/* Whether the module has debug information, so that lines can be told. Valid after the first
 * look-up in that module. */
bool symbolizer_has_lines(const struct symbolizer *s, size_t module);

#endif
