/* SPDX-License-Identifier: MIT */
/* tables.c - name and record of each table. */
#include "analyzer/trace/tables.h"

static const struct {
	const char *name;
	uint32_t record_size; /* bytes of this version's record */
} tables[MT_TABLES_USED] = {
	[MT_FRAMES] = { "frames", sizeof(struct mt_frame) },
	[MT_NODES] = { "nodes", sizeof(struct mt_node) },
	[MT_SITES] = { "sites", sizeof(struct mt_site) },
	[MT_SITE_INFO] = { "site info", sizeof(struct mt_site_info) },
	[MT_CALLS] = { "lines", sizeof(struct mt_call) },
	[MT_PUBLISHED] = { "published", sizeof(struct mt_published) },
	[MT_LANES] = { "lanes", sizeof(struct mt_lane) },
	[MT_ENTRIES] = { "entries", sizeof(struct mt_entry) },
	[MT_MODULES] = { "modules", sizeof(struct mt_module) },
	[MT_STRINGS] = { "strings", 1 },
	[MT_FOREIGN] = { "foreign", sizeof(struct mt_foreign) },
	[MT_LEAKS] = { "leaks", sizeof(struct mt_leak) },
	[MT_SYMBOLS] = { "symbols", sizeof(struct mt_symbol) },
	[MT_PROCESSES] = { "processes", sizeof(struct mt_process) },
	[MT_SLACK] = { "slack", sizeof(struct mt_slack) },
	[MT_ESTIMATES] = { "estimates", sizeof(struct mt_estimate) },
	[MT_HELD] = { "held", sizeof(struct mt_held) },
};

const char *trace_table_name(enum mt_table_id table)
{
	return table < MT_TABLES_USED ? tables[table].name : "?";
}

uint32_t trace_record_size(enum mt_table_id table)
{
	return tables[table].record_size;
}
