/* SPDX-License-Identifier: MIT */
/* folded.h - a stack in one line of text. */
#ifndef MTRACER_FOLDED_H
#define MTRACER_FOLDED_H

#include "analyzer/base/strbuf.h"
#include "analyzer/export/stacks.h"

/* "main;parse;read_line", of the nodes of a path. */
void add_folded(
	struct strbuf *line, const struct stacks *stacks, const uint32_t *path, size_t depth);

#endif
