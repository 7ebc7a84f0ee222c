/* SPDX-License-Identifier: MIT */
/* request.c - one thread does what is asked for, and says so when it is done. */
#include "preload/store/request.h"
#include "preload/store/ledger.h"
#include "preload/store/snapshots.h"
#include "preload/store/timeline.h"
#include "preload/store/tracefile.h"
#include "preload/sys/atomic.h"

#include <string.h>

/* Whoever may write the file may change it meanwhile: it is read once. */
static void take_with_label(const struct mt_request *r, uint32_t kind)
{
	char label[MT_LABEL_SIZE];

	memcpy(label, r->label, sizeof(label));
	label[sizeof(label) - 1] = '\0';
	if (kind == MT_REQUEST_MARK)
		timeline_mark(label);
	else
		(void)snapshots_take(label);
}

void request_take(void)
{
	struct mt_request *r = &trace.header->request;
	uint64_t number = load_acquire(&r->number), claimed = load_relaxed(&r->claimed);
	uint32_t kind = load_relaxed(&r->kind);

	if (number == load_relaxed(&r->answer) || number == claimed ||
		!compare_exchange_acq_rel(&r->claimed, &claimed, number))
		return;
	switch (kind) {
	case MT_REQUEST_RESET_PEAK:
		ledger_reset_peaks();
		timeline_peaks_reset();
		break;
	case MT_REQUEST_MARK:
	case MT_REQUEST_SNAPSHOT:
		take_with_label(r, kind);
		break;
	}
	store_release(&r->answer, number);
}
