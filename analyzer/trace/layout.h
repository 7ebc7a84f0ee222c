/* SPDX-License-Identifier: MIT */
/* layout.h - where the tables of a plain trace lie in its file, when mtracer writes it. */
#ifndef MTRACER_LAYOUT_H
#define MTRACER_LAYOUT_H

#include <stddef.h>

#define TRACE_PAGE 4096u /* bytes; the unit of extents */

struct mt_header;

/* Places the tables, as many records as the header counts, behind the header. Returns the file's
 * size. */
size_t trace_lay_out(struct mt_header *header);

#endif
