/* SPDX-License-Identifier: MIT */
/*
 * suppress.h - which leaks not to report: suppressions in LeakSanitizer's and in Valgrind's format,
 * and the built-in ones.
 *
 *	leak:PATTERN            a part of the function, with or without parameters, the source file or the
 *	                        module of any frame; `*` stands for anything, `^` and `$` for the beginning
 *	                        and the end
 *
 *	{
 *	   a name
 *	   Memcheck:Leak
 *	   match-leak-kinds: definite,indirect,possible,reachable     (this line may be left out)
 *	   fun:malloc           frames from the innermost on; `*` and `?` are wildcards
 *	   obj:/usr/lib/libfoo.so.1
 *	   src:table.c:42       with or without the line
 *	   ...                  any number of frames
 *	}
 *
 * Both may stand in one file, with comments (`#`) between. Blocks for other tools than Memcheck,
 * and for other errors than leaks, are skipped. Valgrind has the allocation function itself as the
 * innermost frame: where the first line may name one, it has to be the one that was called. It may be
 * left out, too. Early traces don't tell which it was, and then any fits. What calls main is `(below
 * main)`, or its own name; suppress_names.h has what else Valgrind calls otherwise.
 */
#ifndef MTRACER_SUPPRESS_H
#define MTRACER_SUPPRESS_H

#include "analyzer/views/suppress_names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum leak_kind {
	LEAK_LOST,
	LEAK_INDIRECT,
	LEAK_POSSIBLE,
	LEAK_REACHABLE,
	LEAK_UNCLASSIFIED, /* no scan told which */
	LEAK_KINDS,
};

struct suppression {
	char *name;	  /* Valgrind's, or the whole text of LeakSanitizer's */
	const char *file; /* as given; NULL = built in */
	unsigned line;	  /* where it begins */
	unsigned kinds;	  /* bit 1 << LEAK_*: what it is for */
	char *pattern;	  /* leak:PATTERN; NULL = frames */
	char **frames;	  /* "fun:malloc", "..." */
	size_t frame_count;
	bool names_inlined;	/* its file does: whoever wrote it knew of them */
	uint64_t bytes, blocks; /* that it suppressed */
	uint64_t used;		/* how often it matched */
};

struct suppressions {
	struct suppression *items;
	size_t count, room;
};

/* The built-in ones; `{ 0 }` is a set without them. */
void suppressions_add_builtin(struct suppressions *s);

/* Adds a file's. False when it can't be read or isn't well-formed, and then `error` says what is
 * wrong, without the file's name but with the line. The name must outlive the set. */
bool suppressions_add_file(
	struct suppressions *s, const char *path, char *error, size_t error_size);

/* The same from a text; `file` is NULL for the built-in ones. */
bool suppressions_add_text(
	struct suppressions *s, const char *text, const char *file, char *error, size_t error_size);

/*
 * Valgrind can't read of all compilers what was inlined. Where a file names no inlined function of
 * any stack, inlined frames needn't be in it. So each stack is shown first.
 */
void suppressions_see(struct suppressions *s, const struct suppress_frame *frames, size_t count);

/* The first that matches the stack, innermost frame first, and notes that it was used; NULL =
 * none. */
struct suppression *suppressions_match(const struct suppressions *s, enum leak_kind kind,
	const struct suppress_frame *frames, size_t count);

void suppressions_release(struct suppressions *s);

/* The text that suppresses a stack up to main(), in Valgrind's format. */
struct strbuf;
void suppression_write(struct strbuf *text, const char *name, enum leak_kind kind,
	const struct suppress_frame *frames, size_t count);

/* In suppress_builtin.c: what the C library, the loader and common libraries keep on purpose. */
extern const char suppressions_builtin[];

#endif
