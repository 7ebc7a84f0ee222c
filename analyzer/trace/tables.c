/* SPDX-License-Identifier: MIT */
/* tables.c - name and record of each table. */
#include "analyzer/trace/tables.h"

static const struct {
	const char *name;
	uint32_t record_size; /* bytes of this version's record */
	uint32_t unused;      /* records at its start */
} tables[MT_TABLES_USED] = {
#define TABLE(id, record, name, member, count, columns, most, ahead, unused, changes) \
	[id] = { name, sizeof(record), unused },
	MT_EACH_TABLE(TABLE)
#undef TABLE
};

const char *trace_table_name(enum mt_table_id table)
{
	return table < MT_TABLES_USED ? tables[table].name : "?";
}

uint32_t trace_record_size(enum mt_table_id table)
{
	return tables[table].record_size;
}

uint32_t trace_unused_records(enum mt_table_id table)
{
	return tables[table].unused;
}
