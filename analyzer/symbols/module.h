/* SPDX-License-Identifier: MIT */
/* module.h - a module whose symbols are wanted, and where to look for them. */
#ifndef MTRACER_MODULE_H
#define MTRACER_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbolizer_options {
	const char *sysroot; /* looked in first for modules, or NULL */
	const char *const
		*debug_dirs; /* NULL-terminated list searched for separate debug files, or NULL */
	bool debuginfod;     /* ask debuginfod servers for missing debug files */
	unsigned debuginfod_seconds; /* that all questions may take together; 0 = any */
};

/* What the trace says of a module. */
struct symbolizer_module {
	const char *path;
	uint64_t bias;	     /* address in the process minus address in the ELF file */
	uint64_t start, end; /* in the process */
	const uint8_t *build_id;
	size_t build_id_size; /* 0 = unknown */
};

#endif
