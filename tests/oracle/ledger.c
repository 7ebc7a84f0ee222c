/* SPDX-License-Identifier: MIT */
/*
 * ledger.c - see oracle.h.
 */
#include <inttypes.h>
#include <stdio.h>

#include "oracle.h"

static void new_peak(struct ledger *ledger)
{
	ledger->peak_bytes = ledger->live_bytes;
	for (int i = 0; i < MAX_POINTS; i++)
		ledger->points[i].at_peak_bytes = ledger->points[i].current_bytes;
}

void ledger_allocated(struct ledger *ledger, int point, const void *block, size_t size)
{
	struct point *at = &ledger->points[point];

	at->allocations++;
	at->allocated_bytes += size;
	at->current_blocks++;
	at->current_bytes += size;
	if (at->current_bytes > at->peak_bytes)
		at->peak_bytes = at->current_bytes;
	ledger->live_bytes += size;
	if (ledger->live_bytes > ledger->peak_bytes)
		new_peak(ledger);
	ledger->last = block;
}

void ledger_freed(struct ledger *ledger, int point, const void *block, size_t size)
{
	struct point *at = &ledger->points[point];

	at->current_blocks--;
	at->current_bytes -= size;
	ledger->live_bytes -= size;
	if (block == ledger->last) {
		at->temporary++;
		ledger->last = NULL;
	}
}

void ledger_add(struct ledger *ledger, const struct ledger *other)
{
	for (int i = 0; i < MAX_POINTS; i++) {
		struct point *to = &ledger->points[i];
		const struct point *from = &other->points[i];

		to->line = from->line;
		to->current_bytes += from->current_bytes;
		to->current_blocks += from->current_blocks;
		to->allocated_bytes += from->allocated_bytes;
		to->allocations += from->allocations;
		to->temporary += from->temporary;
	}
	ledger->live_bytes += other->live_bytes;
}

static void print_point(const struct point *point)
{
	printf("  \"%d\": {\"current_bytes\": %" PRIu64 ", \"current_blocks\": %" PRIu64
	       ", \"peak_bytes\": %" PRIu64 ", \"at_peak_bytes\": %" PRIu64
	       ", \"allocated_bytes\": %" PRIu64 ", \"allocations\": %" PRIu64
	       ", \"temporary\": %" PRIu64 "}",
		point->line, point->current_bytes, point->current_blocks, point->peak_bytes,
		point->at_peak_bytes, point->allocated_bytes, point->allocations, point->temporary);
}

void ledger_print(const struct ledger *ledger)
{
	static char buffer[1 << 14];
	const char *separator = "";

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	printf("{\"peak_bytes\": %" PRIu64 ", \"current_bytes\": %" PRIu64 ", \"lines\": {\n",
		ledger->peak_bytes, ledger->live_bytes);
	for (int i = 0; i < MAX_POINTS; i++) {
		if (!ledger->points[i].allocations)
			continue;
		fputs(separator, stdout);
		print_point(&ledger->points[i]);
		separator = ",\n";
	}
	printf("\n}}\n");
	fflush(stdout);
}
