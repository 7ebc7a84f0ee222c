/* SPDX-License-Identifier: MIT */
/* columns.c - tables of records to columns of numbers, and back, by one description of both. */
#include "analyzer/trace/columns.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/layout.h"
#include "analyzer/trace/tables.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "\x89MTCOL1\n"
#define MAGIC_SIZE 8
/* What came later to the header isn't in columns: those before it would have other offsets. */
#define HEADER_SIZE offsetof(struct mt_header, freed_by)
/* But this part, behind all tables; a reader takes as much of it as there is. */
#define TAIL offsetof(struct mt_header, peak_site)
#define TAIL_SIZE (sizeof(struct mt_header) - TAIL)

/* ---- what is known of each column */

enum coding {
	PLAIN,	/* the number */
	SIGNED, /* the number, two's complement, as 2n or -2n - 1 */
	DELTA,	/* the difference to the record before, as SIGNED */
	INDEX,	/* the record's own index less the number, as SIGNED */
	RATIO,	/* two columns, quotient and remainder: by another field, or by the ratio of two */
};

struct column {
	uint16_t offset;
	uint8_t width; /* bytes: 4 or 8; 0 ends a list */
	uint8_t coding;
	const struct column *by, *by_per; /* of RATIO: listed before */
};

#define COLUMN(record, member, coding)                                                         \
	{                                                                                      \
		offsetof(struct record, member), sizeof(((struct record *)0)->member), coding, \
			NULL, NULL                                                             \
	}
#define RATIO_COLUMN(record, member, by, by_per)                                                  \
	{                                                                                         \
		offsetof(struct record, member), sizeof(((struct record *)0)->member), RATIO, by, \
			by_per                                                                    \
	}

static const struct column frames[] = {
	COLUMN(mt_frame, address, DELTA),
	COLUMN(mt_frame, module, PLAIN),
	COLUMN(mt_frame, flags, PLAIN),
	{ 0 },
};

static const struct column nodes[] = {
	COLUMN(mt_node, parent, INDEX),
	COLUMN(mt_node, frame, PLAIN),
	{ 0 },
};

/* Most sites allocate blocks of one size. */
static const struct column sites[] = {
	COLUMN(mt_site, allocations, PLAIN),
	RATIO_COLUMN(mt_site, allocated_bytes, &sites[0], NULL),
	COLUMN(mt_site, current_blocks, SIGNED),
	RATIO_COLUMN(mt_site, current_bytes, &sites[2], NULL),
	COLUMN(mt_site, at_peak_blocks, PLAIN),
	RATIO_COLUMN(mt_site, at_peak_bytes, &sites[4], NULL),
	RATIO_COLUMN(mt_site, peak_bytes, &sites[1], &sites[0]),
	COLUMN(mt_site, temporary, PLAIN),
	COLUMN(mt_site, epoch, DELTA),
	{ 0 },
};

static const struct column site_info[] = {
	COLUMN(mt_site_info, node, DELTA),
	COLUMN(mt_site_info, call, PLAIN),
	{ 0 },
};

static const struct column calls[] = {
	COLUMN(mt_call, frame, DELTA),
	COLUMN(mt_call, kind, PLAIN),
	COLUMN(mt_call, live_bytes, SIGNED),
	COLUMN(mt_call, peak_bytes, PLAIN),
	{ 0 },
};

static const struct column published[] = {
	COLUMN(mt_published, bytes, SIGNED),
	COLUMN(mt_published, blocks, SIGNED),
	{ 0 },
};

static const struct column slack[] = {
	COLUMN(mt_slack, current_bytes, SIGNED),
	COLUMN(mt_slack, allocated_bytes, PLAIN),
	{ 0 },
};

static const struct column entries[] = {
	COLUMN(mt_entry, site, DELTA),
	COLUMN(mt_entry, lane, PLAIN),
	COLUMN(mt_entry, allocations, PLAIN),
	RATIO_COLUMN(mt_entry, allocated_bytes, &entries[2], NULL),
	COLUMN(mt_entry, frees, PLAIN),
	RATIO_COLUMN(mt_entry, freed_bytes, &entries[4], NULL),
	COLUMN(mt_entry, temporary, PLAIN),
	{ 0 },
};

static const struct column foreign[] = {
	COLUMN(mt_foreign, node, DELTA),
	COLUMN(mt_foreign, reserved, PLAIN),
	COLUMN(mt_foreign, frees, PLAIN),
	{ 0 },
};

static const struct column leaks[] = {
	COLUMN(mt_leak, site, DELTA),
	COLUMN(mt_leak, kind, PLAIN),
	COLUMN(mt_leak, blocks, PLAIN),
	RATIO_COLUMN(mt_leak, bytes, &leaks[2], NULL),
	{ 0 },
};

static const struct column held[] = {
	COLUMN(mt_held, owner, DELTA),
	COLUMN(mt_held, site, DELTA),
	COLUMN(mt_held, blocks, PLAIN),
	RATIO_COLUMN(mt_held, bytes, &held[2], NULL),
	{ 0 },
};

static const struct column shares[] = {
	COLUMN(mt_share, site, DELTA),
	COLUMN(mt_share, point, DELTA),
	COLUMN(mt_share, bytes, PLAIN),
	{ 0 },
};

static const struct column snapshot_rows[] = {
	COLUMN(mt_snapshot_row, site, DELTA),
	COLUMN(mt_snapshot_row, allocations, PLAIN),
	RATIO_COLUMN(mt_snapshot_row, allocated_bytes, &snapshot_rows[1], NULL),
	COLUMN(mt_snapshot_row, current_blocks, PLAIN),
	RATIO_COLUMN(mt_snapshot_row, current_bytes, &snapshot_rows[3], NULL),
	COLUMN(mt_snapshot_row, at_peak_blocks, PLAIN),
	RATIO_COLUMN(mt_snapshot_row, at_peak_bytes, &snapshot_rows[5], NULL),
	RATIO_COLUMN(mt_snapshot_row, peak_bytes, &snapshot_rows[2], &snapshot_rows[1]),
	COLUMN(mt_snapshot_row, temporary, PLAIN),
	COLUMN(mt_snapshot_row, call_peak_bytes, PLAIN),
	{ 0 },
};

static const struct column symbols[] = {
	COLUMN(mt_symbol, frame, DELTA),
	COLUMN(mt_symbol, function, PLAIN),
	COLUMN(mt_symbol, linkage, PLAIN),
	COLUMN(mt_symbol, file, PLAIN),
	COLUMN(mt_symbol, line, PLAIN),
	COLUMN(mt_symbol, flags, PLAIN),
	COLUMN(mt_symbol, decl_file, PLAIN),
	COLUMN(mt_symbol, decl_line, PLAIN),
	{ 0 },
};

/* The words of records of which there are few: whatever they hold, up to the longest. */
#define WORD(n)                               \
	{                                     \
		8 * (n), 8, PLAIN, NULL, NULL \
	}
static const struct column words[] = { WORD(0), WORD(1), WORD(2), WORD(3), WORD(4), WORD(5),
	WORD(6), WORD(7), WORD(8), WORD(9), WORD(10), WORD(11), WORD(12), WORD(13), WORD(14),
	WORD(15), { 0 } };
_Static_assert(sizeof(struct mt_process) <= 16 * 8 && sizeof(struct mt_process) % 8 == 0 &&
		       sizeof(struct mt_point) <= 16 * 8 && sizeof(struct mt_point) % 8 == 0 &&
		       sizeof(struct mt_snapshot) <= 16 * 8 &&
		       sizeof(struct mt_snapshot) % 8 == 0 && sizeof(struct mt_module) <= 16 * 8 &&
		       sizeof(struct mt_module) % 8 == 0 && sizeof(struct mt_lane) <= 16 * 8 &&
		       sizeof(struct mt_lane) % 8 == 0,
	"records are whole words");

static const struct column *const columns[MT_TABLES_USED] = {
#define COLUMNS(id, record, name, member, count, columns, most, ahead, unused, changes) \
	[id] = (columns),
	MT_EACH_TABLE(COLUMNS)
#undef COLUMNS
};

/* ---- fields and numbers */

static uint64_t get(const unsigned char *record, const struct column *c)
{
	uint64_t value = 0;

	memcpy(&value, record + c->offset, c->width); /* little-endian, as the format */
	return value;
}

static void set(unsigned char *record, const struct column *c, uint64_t value)
{
	memcpy(record + c->offset, &value, c->width);
}

static uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t) - (int64_t)(difference >> 63);
}

static uint64_t unzigzag(uint64_t number)
{
	return number >> 1 ^ (uint64_t) - (int64_t)(number & 1);
}

/* What a RATIO is divided by; never 0. */
static uint64_t divisor(const unsigned char *record, const struct column *c)
{
	uint64_t by = get(record, c->by), per = c->by_per ? get(record, c->by_per) : 1;

	by = per ? by / per : by;
	return by ? by : 1;
}

/* The number from which DELTA and INDEX count. */
static uint64_t origin(
	const unsigned char *record, const struct column *c, size_t record_size, uint64_t index)
{
	if (c->coding == INDEX)
		return index;
	return c->coding == DELTA && index ? get(record - record_size, c) : 0;
}

/* ---- writing */

struct output {
	unsigned char *bytes;
	size_t used, room;
};

static unsigned char *make_room(struct output *o, size_t size)
{
	if (o->room - o->used < size) {
		o->room = 2 * (o->used + size);
		o->bytes = mem_resize(o->bytes, o->room, 1);
	}
	return o->bytes + o->used;
}

static void put_bytes(struct output *o, const void *bytes, size_t size)
{
	memcpy(make_room(o, size), bytes, size);
	o->used += size;
}

static void put_number(struct output *o, uint64_t n)
{
	unsigned char *p = make_room(o, 10);

	for (; n > 127; n >>= 7, o->used++)
		*p++ = (unsigned char)(n | 128);
	*p = (unsigned char)n;
	o->used++;
}

static void put_column(struct output *o, const unsigned char *records, size_t record_size,
	uint64_t count, const struct column *c)
{
	const unsigned char *r = records;

	for (uint64_t i = 0; i < count; i++, r += record_size) {
		uint64_t value = get(r, c);

		if (c->coding == RATIO)
			value /= divisor(r, c);
		else if (c->coding == INDEX)
			value = zigzag(i - value);
		else if (c->coding != PLAIN)
			value = zigzag(value - origin(r, c, record_size, i));
		put_number(o, value);
	}
	r = records;
	for (uint64_t i = 0; c->coding == RATIO && i < count; i++, r += record_size)
		put_number(o, get(r, c) % divisor(r, c));
}

static bool ends(const struct column *c, size_t record_size)
{
	return c->width == 0 || c->offset >= record_size;
}

/* Sites that last changed before the peak get as at peak what they have now: the same thing, but
 * the old numbers in its place would take room. */
static void settle_peaks(
	struct mt_site *s, uint64_t count, const struct mt_published *p, uint32_t epoch)
{
	for (uint64_t i = 0; i < count; i++) {
		int64_t bytes = (int64_t)(s[i].current_bytes + (p ? p[i].bytes : 0));
		int64_t blocks = (int64_t)(s[i].current_blocks + (p ? p[i].blocks : 0));

		if (s[i].epoch == epoch)
			continue;
		s[i].at_peak_bytes = bytes > 0 ? (uint64_t)bytes : 0;
		s[i].at_peak_blocks = blocks <= 0	    ? 0
				      : blocks < UINT32_MAX ? (uint32_t)blocks
							    : UINT32_MAX;
		s[i].epoch = epoch;
	}
}

static const unsigned char *table_of(
	const struct mt_header *h, const unsigned char *plain, uint32_t table)
{
	for (uint32_t i = 0; i < h->extent_count; i++)
		if (h->extents[i].table == table)
			return plain + (size_t)h->extents[i].file_page * h->page_size;
	return NULL;
}

/* The same of how sure that is. */
static void settle_estimates(struct mt_estimate *e, uint64_t count, const struct mt_site *s,
	uint64_t site_count, uint32_t epoch)
{
	for (uint64_t i = 0; i < count && i < site_count; i++) {
		if (s[i].epoch != epoch)
			e[i].at_peak_bytes = e[i].current_bytes;
	}
}

/* A copy of the table's records as they are to be written; the caller frees it. */
static void *settled(const struct mt_header *h, const unsigned char *plain, uint32_t table,
	const unsigned char *records)
{
	uint64_t count = h->tables[table].count;
	size_t bytes = h->tables[table].record_size * count;
	void *copy = memcpy(mem_alloc(bytes), records, bytes);
	const void *its_sites = table_of(h, plain, MT_SITES);

	if (table == MT_SITES)
		settle_peaks(copy, count, (const void *)table_of(h, plain, MT_PUBLISHED),
			(uint32_t)h->epoch);
	else if (table == MT_ESTIMATES && its_sites)
		settle_estimates(
			copy, count, its_sites, h->tables[MT_SITES].count, (uint32_t)h->epoch);
	return copy;
}

static void put_table(
	struct output *o, const struct mt_header *h, const unsigned char *plain, uint32_t table)
{
	size_t size = h->tables[table].record_size;
	uint64_t count = h->tables[table].count;
	const unsigned char *records = table_of(h, plain, table);
	void *copy;

	if (!records)
		return;
	if (table == MT_STRINGS) {
		put_bytes(o, records, count);
		return;
	}
	copy = settled(h, plain, table, records);
	for (const struct column *c = columns[table]; !ends(c, size); c++)
		put_column(o, copy, size, count, c);
	free(copy);
}

unsigned char *columns_write(const unsigned char *plain, size_t *size)
{
	const struct mt_header *h = (const void *)plain;
	struct output o = { 0 };

	put_bytes(&o, MAGIC, MAGIC_SIZE);
	put_bytes(&o, h, HEADER_SIZE);
	for (uint32_t i = 0; i < MT_TABLES_USED; i++)
		put_table(&o, h, plain, i);
	put_bytes(&o, plain + TAIL, TAIL_SIZE);
	*size = o.used;
	return o.bytes;
}

/* ---- reading */

struct input {
	const unsigned char *at, *end;
	bool failed;
};

static uint64_t take_number(struct input *in)
{
	uint64_t n = 0;
	unsigned shift = 0;

	for (; in->at < in->end && shift < 64; shift += 7) {
		unsigned char byte = *in->at++;

		n |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return n;
	}
	in->failed = true;
	return 0;
}

static void take_column(struct input *in, unsigned char *records, size_t record_size,
	uint64_t count, const struct column *c)
{
	unsigned char *r = records;

	for (uint64_t i = 0; i < count; i++, r += record_size) {
		uint64_t value = take_number(in);

		if (c->coding == INDEX)
			value = i - unzigzag(value);
		else if (c->coding != PLAIN && c->coding != RATIO)
			value = origin(r, c, record_size, i) + unzigzag(value);
		set(r, c, value);
	}
	r = records;
	for (uint64_t i = 0; c->coding == RATIO && i < count; i++, r += record_size)
		set(r, c, get(r, c) * divisor(r, c) + take_number(in));
}

static bool take_table(
	struct input *in, const struct mt_table *t, uint32_t table, unsigned char *records)
{
	if (table == MT_STRINGS) {
		if (t->count > (size_t)(in->end - in->at))
			return false;
		memcpy(records, in->at, t->count);
		in->at += t->count;
		return true;
	}
	for (const struct column *c = columns[table]; !ends(c, t->record_size) && !in->failed; c++)
		take_column(in, records, t->record_size, t->count, c);
	return !in->failed;
}

/* Of a record; strings are bytes of one. */
static uint64_t numbers_of(uint32_t table)
{
	uint64_t numbers = 0;

	if (table == MT_STRINGS)
		return 1;
	for (const struct column *c = columns[table]; !ends(c, trace_record_size(table)); c++)
		numbers += c->coding == RATIO ? 2 : 1;
	return numbers;
}

/* Every number takes a byte at the least. */
static bool counts_fit(const struct mt_header *h, size_t size)
{
	for (uint32_t i = 0; i < MT_TABLES; i++) {
		uint64_t count = h->tables[i].count;

		if (count == 0)
			continue;
		if (i >= MT_TABLES_USED || h->tables[i].record_size != trace_record_size(i) ||
			count > size / numbers_of(i))
			return false;
		size -= count * numbers_of(i);
	}
	return true;
}

bool is_columns(const void *bytes, size_t size)
{
	return size >= MAGIC_SIZE && memcmp(bytes, MAGIC, MAGIC_SIZE) == 0;
}

unsigned char *columns_read(const unsigned char *bytes, size_t size, size_t *plain_size)
{
	struct input in = { bytes + MAGIC_SIZE + HEADER_SIZE, bytes + size, false };
	struct mt_header h = { 0 };
	unsigned char *plain;
	size_t rest; /* of an older writer: a part of the tail */

	if (!is_columns(bytes, size) || size < MAGIC_SIZE + HEADER_SIZE)
		return NULL;
	memcpy(&h, bytes + MAGIC_SIZE, HEADER_SIZE);
	if (!counts_fit(&h, size))
		return NULL;
	*plain_size = trace_lay_out(&h);
	plain = mem_zalloc(*plain_size, 1);
	memcpy(plain, &h, sizeof(h));
	for (uint32_t i = 0; i < h.extent_count; i++) {
		const struct mt_extent *e = &h.extents[i];

		if (!take_table(&in, &h.tables[e->table], e->table,
			    plain + (size_t)e->file_page * h.page_size)) {
			free(plain);
			return NULL;
		}
	}
	rest = (size_t)(in.end - in.at);
	memcpy(plain + TAIL, in.at, rest < TAIL_SIZE ? rest : TAIL_SIZE);
	return plain;
}
