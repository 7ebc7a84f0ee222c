/* SPDX-License-Identifier: MIT */
/*
 * program.h - what can be told of a program before it is run: where it is, and whether tracing will
 * see anything of it.
 */
#ifndef MTRACER_PROGRAM_H
#define MTRACER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

struct obstacle {
	char *text;   /* one line on why it can't be traced, to follow the program's name; NULL = no
			 obstacle. Owned. */
	bool harmful; /* preloading a library would break it, or its dynamic linker would complain
		       */
};

/* The ELF file that is executed for it: itself, or a script's interpreter; NULL = neither. And the
 * dynamic linker of an ELF file; NULL = it has none. The caller frees them. */
char *program_image(const char *path);
char *program_linker(const char *image);

/* The sanitizer whose run-time system a library of that file name is; NULL = none. */
const char *program_sanitizer(const char *library);

/* Looks at the file, or at a script's interpreter. */
struct obstacle program_obstacle(const char *path);

/* A dynamic linker that is run as a command: "ld-linux-x86-64.so.2 --library-path lib ./app". */
struct loader {
	char *file;	      /* owned; NULL: there is none, the program is started by its own */
	char *const *options; /* of the command */
	size_t option_count;
};

/* Where in the command the program is, given the file that it starts; 0 where that is no dynamic
 * linker, or where this one starts nothing. */
size_t program_operand(const char *file, char *const *command);

/* As program_obstacle(), of what the dynamic linker is told to start: it reads the file as it would
 * a library, so nothing but the file's contents matters. */
struct obstacle program_obstacle_loaded(const char *path);

#endif
