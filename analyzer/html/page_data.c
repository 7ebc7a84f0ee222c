/* SPDX-License-Identifier: MIT */
/* page_data.c - texts and frames by number, values, and which of many are the largest. */
#include "analyzer/html/page_data.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- texts and frames */

static bool same_text(const void *context, uint32_t index, const void *key)
{
	const char *text = ((const struct page_data *)context)->texts[index];

	return text && strcmp(text, key) == 0;
}

uint32_t page_text(struct page_data *d, const char *text)
{
	uint32_t index;

	if (!d->text_count)
		VEC_PUSH(d->texts, d->text_count, d->text_room, NULL);
	if (!text)
		return 0;
	index = hashmap_find(
		&d->text_index, hash_text(0, text), same_text, d, text, (uint32_t)d->text_count);
	if (index == d->text_count)
		VEC_PUSH(d->texts, d->text_count, d->text_room, text);
	return index;
}

static bool same_frame(const void *context, uint32_t index, const void *key)
{
	return memcmp(&((const struct page_data *)context)->frames[index], key,
		       sizeof(struct page_frame)) == 0;
}

uint32_t page_frame(struct page_data *d, const char *function, const char *file, uint32_t line,
	const char *module)
{
	struct page_frame frame = { page_text(d, function), page_text(d, line ? file : NULL),
		file ? line : 0, page_text(d, module) };
	uint64_t hash = hash_number((uint64_t)frame.function << 32 | frame.file,
		(uint64_t)frame.line << 32 | frame.module);
	uint32_t index = hashmap_find(
		&d->frame_index, hash, same_frame, d, &frame, (uint32_t)d->frame_count);

	if (index == d->frame_count)
		VEC_PUSH(d->frames, d->frame_count, d->frame_room, frame);
	return index;
}

uint32_t page_function(struct page_data *d, const struct frame_function *fn)
{
	if (!fn->symbol)
		return page_frame(d, NO_STACK, NULL, 0, NULL);
	return page_frame(
		d, fn->symbol->function, fn->symbol->file, fn->symbol->line, fn->frame->module);
}

static void write_frame(void *context, const struct frame_function *fn)
{
	struct page_data *d = context;

	json_unsigned(&d->json, NULL, page_function(d, fn));
}

void page_stack(struct page_data *d, uint32_t site)
{
	stack_walk(d->trace, d->resolver, site, write_frame, d);
}

/* ---- values */

void page_values_add(struct page_values *to, const struct measures *m, uint64_t lost)
{
	to->v[PAGE_AT_PEAK] += (int64_t)m->at_peak_bytes;
	to->v[PAGE_CURRENT] += m->current_bytes;
	to->v[PAGE_LOST] += (int64_t)lost;
	to->v[PAGE_OWN_PEAK] += (int64_t)m->peak_bytes;
	to->v[PAGE_ALLOCATED] += (int64_t)m->allocated_bytes;
	to->v[PAGE_ALLOCATIONS] += (int64_t)m->allocations;
	to->v[PAGE_TEMPORARY] += (int64_t)m->temporary;
	to->v[PAGE_BLOCKS] += m->current_blocks;
}

void page_values_sum(struct page_values *to, const struct page_values *from)
{
	for (int i = 0; i < PAGE_MEASURES; i++)
		to->v[i] += from->v[i];
}

void page_values_write(const struct page_values *values, struct json *j)
{
	for (int i = 0; i < PAGE_MEASURES; i++)
		json_signed(j, NULL, values->v[i]);
}

double page_share(const struct page_data *d, const struct page_values *values)
{
	double most = 0;

	for (int i = 0; i < PAGE_MEASURES; i++) {
		double share = d->whole.v[i] > 0 ? (double)values->v[i] / (double)d->whole.v[i] : 0;

		most = share > most ? share : most;
	}
	return most;
}

/* ---- the largest */

static int compare_shares(const void *left, const void *right, void *context)
{
	const double *shares = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	if (shares[a] != shares[b])
		return shares[a] < shares[b] ? 1 : -1;
	return compare_numbers(a, b);
}

static int compare_indexes(const void *left, const void *right)
{
	return compare_numbers(*(const uint32_t *)left, *(const uint32_t *)right);
}

uint32_t *page_largest(const double *shares, size_t count, size_t most, size_t *kept)
{
	uint32_t *all = mem_alloc((count + 1) * sizeof(*all));

	for (size_t i = 0; i < count; i++)
		all[i] = (uint32_t)i;
	qsort_r(all, count, sizeof(*all), compare_shares, (void *)(uintptr_t)shares);
	*kept = count < most ? count : most;
	qsort(all, *kept, sizeof(*all), compare_indexes);
	return all;
}
