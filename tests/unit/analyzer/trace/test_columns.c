/* SPDX-License-Identifier: MIT */
/* test_columns.c - tables of any content to columns and back, to the byte; and columns that are
 * damaged. */
#include "analyzer/base/array.h"
#include "unit.h"

#include <string.h>

#include "analyzer/trace/columns.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/trace_write.h"

#define EPOCH 77
#define MOST_RECORDS 50

static uint64_t random_word(void)
{
	uint64_t word = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();

	return word >> rand() % 64; /* of any magnitude */
}

static void add_random(struct trace_writer *w, enum mt_table_id table, uint32_t count)
{
	uint64_t words[16];

	for (uint32_t i = 0; i < count; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			words[k] = random_word();
		if (table == MT_SITES && rand() % 2)
			((struct mt_site *)words)->epoch = EPOCH;
		trace_writer_add(w, table, words, 1);
	}
}

static unsigned char *random_trace(size_t *size)
{
	struct trace_writer w = { .header = { .epoch = EPOCH } };
	uint32_t sites = (uint32_t)rand() % MOST_RECORDS;
	unsigned char *plain;

	for (int i = 0; i < MT_TABLES_USED; i++)
		add_random(&w, i,
			i == MT_SITES || i == MT_PUBLISHED ? sites
							   : (uint32_t)rand() % MOST_RECORDS);
	plain = trace_writer_bytes(&w, size);
	trace_writer_release(&w);
	return plain;
}

static void *records(unsigned char *plain, enum mt_table_id table)
{
	struct mt_header *h = (void *)plain;

	for (uint32_t i = 0; i < h->extent_count; i++)
		if (h->extents[i].table == table)
			return plain + (size_t)h->extents[i].file_page * h->page_size;
	return NULL;
}

static uint64_t at_least_zero(uint64_t n)
{
	return (int64_t)n > 0 ? n : 0;
}

/* FORMAT.md: at peak = s.epoch == header.epoch ? s.at_peak_bytes : s.current_bytes +
 * published[s].bytes */
static void settle(unsigned char *plain)
{
	const struct mt_header *h = (void *)plain;
	const struct mt_published *p = records(plain, MT_PUBLISHED);
	struct mt_site *s = records(plain, MT_SITES);
	struct mt_estimate *e = records(plain, MT_ESTIMATES);

	for (uint64_t i = 0; i < h->tables[MT_SITES].count; i++) {
		uint64_t blocks = at_least_zero(s[i].current_blocks + p[i].blocks);

		if (s[i].epoch == EPOCH)
			continue;
		if (i < h->tables[MT_ESTIMATES].count)
			e[i].at_peak_bytes = e[i].current_bytes;
		s[i].epoch = EPOCH;
		s[i].at_peak_bytes = at_least_zero(s[i].current_bytes + p[i].bytes);
		s[i].at_peak_blocks = blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
	}
}

START_TEST(all_tables_come_back_to_the_byte)
{
	srand(1);
	for (int turn = 0; turn < 200; turn++) {
		size_t size, columns_size, again_size;
		unsigned char *plain = random_trace(&size);
		unsigned char *columns = columns_write(plain, &columns_size);
		unsigned char *again;

		ck_assert(is_columns(columns, columns_size));
		ck_assert(!is_columns(plain, size));
		again = columns_read(columns, columns_size, &again_size);
		ck_assert_ptr_nonnull(again);
		settle(plain);
		ck_assert_uint_eq(again_size, size);
		ck_assert_mem_eq(again, plain, size);
		free(plain);
		free(columns);
		free(again);
	}
}
END_TEST

START_TEST(columns_that_end_early_are_refused)
{
	size_t size, columns_size, plain_size;
	unsigned char *plain, *columns;

	srand(2);
	plain = random_trace(&size);
	columns = columns_write(plain, &columns_size);
	for (size_t cut = 0; cut < columns_size; cut += 1 + cut / 16) {
		unsigned char *part = malloc(cut ? cut : 1); /* so that sanitizers see its end */

		memcpy(part, columns, cut);
		ck_assert_ptr_null(columns_read(part, cut, &plain_size));
		free(part);
	}
	free(plain);
	free(columns);
}
END_TEST

/* The header grows at its end, and what it had by then is kept. */
START_TEST(an_older_writers_shorter_tail_is_read)
{
	const size_t newer = sizeof(struct mt_header) - offsetof(struct mt_header, request);
	size_t size, columns_size, plain_size;
	unsigned char *plain, *columns, *again;
	struct mt_header *h;

	srand(4);
	plain = random_trace(&size);
	h = (struct mt_header *)plain;
	h->peak_site = 17;
	h->lost_marks = 4711;
	h->request.number = 1;
	columns = columns_write(plain, &columns_size);
	again = columns_read(columns, columns_size - newer, &plain_size);
	ck_assert_ptr_nonnull(again);
	h = (struct mt_header *)again;
	ck_assert_uint_eq(h->peak_site, 17);
	ck_assert_uint_eq(h->lost_marks, 4711);
	ck_assert_uint_eq(h->request.number, 0);
	free(plain);
	free(columns);
	free(again);
}
END_TEST

START_TEST(counts_that_no_file_holds_are_refused)
{
	size_t size, columns_size, plain_size;
	unsigned char *plain, *columns;
	struct mt_header h;

	srand(3);
	plain = random_trace(&size);
	columns = columns_write(plain, &columns_size);
	for (int i = 0; i < MT_TABLES; i++) {
		for (uint64_t count = columns_size; count; count = count << 7) {
			memcpy(&h, columns + 8, sizeof(h));
			h.tables[i].count = count;
			memcpy(columns + 8, &h, sizeof(h));
			ck_assert_ptr_null(columns_read(columns, columns_size, &plain_size));
		}
		memcpy(columns + 8, plain, sizeof(h));
	}
	free(plain);
	free(columns);
}
END_TEST

UNIT_SUITE("columns", all_tables_come_back_to_the_byte, columns_that_end_early_are_refused,
	an_older_writers_shorter_tail_is_read, counts_that_no_file_holds_are_refused)
