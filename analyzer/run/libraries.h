/* SPDX-License-Identifier: MIT */
/*
 * libraries.h - what the dynamic linker will load for a program, and which functions that only one
 * allocator has are called there.
 */
#ifndef MTRACER_LIBRARIES_H
#define MTRACER_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>

struct libraries {
	char **paths;
	size_t count;
};

/*
 * The linker is asked, as ldd does, so that all its rules hold; the program isn't run. `preload` is
 * as LD_PRELOAD, NULL for none. None where it can't be told (not linked dynamically, a library is
 * missing). `loader` (program.h) is the linker that the program is started by, with the options that
 * it gets; NULL: the program's own.
 */
struct loader;
struct libraries libraries_of(
	const char *program, const struct loader *loader, const char *preload);
void libraries_release(struct libraries *libraries);

/* The path of the library of that file name; NULL: isn't among them. */
const char *libraries_find(const struct libraries *libraries, const char *name);

/* Allocators with functions of their own beside the malloc family, each with a library of ours
 * (libmtrace_NAME.so) that traces them. */
enum interface {
	INTERFACE_JEMALLOC,
	INTERFACE_MIMALLOC,
	INTERFACE_TCMALLOC,
	INTERFACES,
};
extern const char *const interface_names[INTERFACES]; /* "jemalloc", ... */

/* Which of them the program or a library asks for while a library has them. */
void libraries_interfaces(
	const char *program, const struct libraries *libraries, bool uses[INTERFACES]);

/* Calls visit() for each name that the ELF file has for other files, or asks them for. */
void library_symbols(const char *path, void (*visit)(void *context, const char *name, bool defined),
	void *context);

/* Does the ELF file define a malloc for others? */
bool library_has_malloc(const char *path);

#endif
