/* SPDX-License-Identifier: MIT */
/*
 * binary.h - an ELF file and what can be had of its symbols and debug information, wherever these
 * lie.
 *
 * Addresses are those inside the ELF file ("in the file"): what a process has, minus the module's
 * bias.
 */
#ifndef MTRACER_BINARY_H
#define MTRACER_BINARY_H

#include "analyzer/symbols/module.h"

#include <elfutils/libdwfl.h>

struct binary {
	Dwfl_Callbacks callbacks;
	Dwfl *dwfl; /* holds one module; NULL = no usable file */
	Dwfl_Module *module;
	uint64_t text_start; /* the lowest address of executable code; nothing real lies below */
	char *search_path;   /* for separate debug files, as dwfl wants it */
	int64_t changed_ns;  /* when the file was last written, since the epoch; 0 = unknown */
	char *complaint;     /* one line on what is wrong, or NULL */
};

/*
 * Opens the file of a module: below the sysroot, then at its path, then by its build-id below the
 * debug directories. A file with another build-id than the trace's is refused. Never fails: where
 * no file serves, dwfl is NULL and the complaint says why.
 */
struct binary *binary_open(
	const struct symbolizer_options *options, const struct symbolizer_module *module);
void binary_free(struct binary *b);

/* Its DWARF, from the file or its separate debug file; NULL = none. Add *bias to an address in the
 * DWARF for one in the file. Slow at the first call: it may have to search, map and uncompress. */
Dwarf *binary_dwarf(struct binary *b, Dwarf_Addr *bias);

#endif
