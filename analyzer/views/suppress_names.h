/* SPDX-License-Identifier: MIT */
/*
 * suppress_names.h - what Valgrind calls the functions of a stack.
 *
 * It names allocation functions, which are frames of its own; functions as the symbol table has them, one of
 * several names of an address; and inlined ones without their scope. A trace has no frame of the
 * allocation function but a note at its caller, and names as DWARF has them.
 */
#ifndef MTRACER_SUPPRESS_NAMES_H
#define MTRACER_SUPPRESS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One function on a stack; NULL and 0 = unknown. */
struct suppress_frame {
	const char *function; /* demangled */
	const char *linkage;  /* mangled */
	const char *file;
	uint32_t line;
	const char *module;
	uint64_t offset; /* of the call in the module */
	uint32_t calls;	 /* allocation functions that it called, as bits 1 << MT_*; 0 = not known */
	bool inlined;	 /* into the next one */
};

/* What Valgrind has as a block's innermost frames, by version and by how it is built. */
struct allocation_name {
	uint32_t function; /* enum mt_function */
	const char *name;
	const char *outer; /* one more frame; NULL = none */
};
extern const struct allocation_name allocation_names[]; /* the usual one of each function first;
							   ends with a NULL name */

/* Which functions may have allocated a block of this stack, as bits 1 << MT_*, and how many of its
 * innermost frames are operator new's, which Valgrind doesn't have. */
uint32_t allocation_calls(const struct suppress_frame *frames, size_t count, size_t *operators);

/* `*` and `?` are wildcards. */
bool glob_matches(const char *pattern, const char *text);

bool function_matches(const char *pattern, const struct suppress_frame *f); /* fun:PATTERN */
bool object_matches(const char *pattern, const struct suppress_frame *f);   /* obj:PATTERN */

/* Inlined elsewhere than in the C library, of which Valgrind knows it. */
bool inlined_in_program(const struct suppress_frame *f);

/* The name without its scope: "operator()" of "f()::{lambda()#1}::operator()". Valgrind has it so for
 * inlined functions. */
const char *unscoped(const char *function);

/* What to write for a function that has a name; `cut`: Valgrind may have something before it. */
const char *written_name(const struct suppress_frame *f, bool *cut);

/* What calls main, or a thread's first function. Valgrind has others there. */
bool is_outermost(const struct suppress_frame *f);

#endif
