/* SPDX-License-Identifier: MIT */
/* layout.c - one extent for each table, one behind the other. */
#include "analyzer/trace/layout.h"
#include "analyzer/trace/tables.h"

#include <string.h>

static size_t pages(size_t bytes)
{
	return (bytes + TRACE_PAGE - 1) / TRACE_PAGE;
}

size_t trace_lay_out(struct mt_header *h)
{
	size_t next = MT_HEADER_SIZE / TRACE_PAGE;

	memcpy(h->magic, MT_MAGIC, sizeof(h->magic));
	h->version = MT_VERSION;
	h->oldest_reader = MT_OLDEST_READER;
	h->byte_order = MT_BYTE_ORDER;
	h->header_size = MT_HEADER_SIZE;
	h->page_size = TRACE_PAGE;
	h->extent_count = 0;
	memset(h->extents, 0, sizeof(h->extents));
	for (uint32_t i = 0; i < MT_TABLES_USED; i++) {
		size_t size = h->tables[i].count * trace_record_size(i);

		h->tables[i].record_size = trace_record_size(i);
		if (size == 0)
			continue;
		h->extents[h->extent_count++] =
			(struct mt_extent){ i, 0, (uint32_t)next, (uint32_t)pages(size) };
		next += pages(size);
	}
	return next * TRACE_PAGE;
}
