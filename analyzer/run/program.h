/*
 * program.h - what can be told of a program before it is run: where it is, and whether tracing will
 * see anything of it.
 */
#ifndef MTRACER_PROGRAM_H
#define MTRACER_PROGRAM_H

#include <stdbool.h>

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

#endif
