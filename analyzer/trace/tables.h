/* SPDX-License-Identifier: MIT */
/* tables.h - the tables of a trace, in this version of the format (preload/FORMAT.md). */
#ifndef MTRACER_TABLES_H
#define MTRACER_TABLES_H

#include "preload/trace_format.h"

/* The name of a table, human-readable: "sites". */
const char *trace_table_name(enum mt_table_id table);

uint32_t trace_record_size(enum mt_table_id table); /* bytes, in this version */

/* Records at the start of a table that stand for nothing, or for the roots of all stacks. */
uint32_t trace_unused_records(enum mt_table_id table);

#endif
