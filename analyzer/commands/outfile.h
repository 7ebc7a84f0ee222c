/* SPDX-License-Identifier: MIT */
/*
 * outfile.h - where a command writes what it makes: a file by its name, or stdout. No trace is
 * overwritten, and of what could not be written whole nothing stays.
 */
#ifndef MTRACER_OUTFILE_H
#define MTRACER_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

struct outfile {
	const char *path; /* NULL: stdout */
	FILE *file;	  /* to write to */
	FILE *plain;	  /* where `file` compresses into it */
};

/* packed: in gzip's format. Both give EXIT_OK, or the status of an error that was reported. */
int outfile_open(struct outfile *o, const char *path, bool packed);
int outfile_close(struct outfile *o);

#endif
