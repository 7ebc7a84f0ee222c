/* SPDX-License-Identifier: MIT */
/* plain.h - texts in formats that have a record in each line. */
#ifndef MTRACER_PLAIN_H
#define MTRACER_PLAIN_H

#include <stdio.h>

#include "analyzer/base/strbuf.h"

struct stack_frame;
struct trace;

/* Bytes as they are, since viewers open files by their names; but for what would end the line. */
void write_plain(const char *text, FILE *out);

/* "prog arg arg"; "?" where it isn't known. */
void write_command(const struct trace *trace, FILE *out);

/* The same with any bytes, and nothing where it isn't known. */
void add_command(struct strbuf *text, const struct trace *trace);

/* Valgrind's way: "0x401136: parse (/src/parse.c:12)", with the file's whole path, or the module's. */
void add_frame(struct strbuf *text, const struct stack_frame *frame);

#endif
