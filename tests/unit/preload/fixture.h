/* SPDX-License-Identifier: MIT */
/*
 * fixture.h - a trace in a scratch directory, and the modules set up on it, as the library's start
 * does.
 */
#ifndef TESTS_PRELOAD_FIXTURE_H
#define TESTS_PRELOAD_FIXTURE_H

#include "unit.h"

#include "preload/life/thread_life.h"
#include "preload/store/ledger.h"
#include "preload/store/slots.h"
#include "preload/store/tracefile.h"
#include "preload/sys/env.h"
#include "preload/sys/heap.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/unwind/modules.h"
#include "preload/unwind/rules.h"
#include "preload/unwind/stacks.h"

#include <stdio.h>
#include <unistd.h>

static inline void fixture_start(void)
{
	static char path[] = "/tmp/libmtrace-unit-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	unlink(path); /* the library makes it */
	config.out = path;
	ck_assert(heap_init());
	ck_assert(rules_init());
	ck_assert(tracefile_create("/unit/test"));
	unlink(path);
	modules_init("/unit/test");
	ck_assert(stacks_init());
	slots_init(true);
	ck_assert(threads_init());
	phase_set(PHASE_ON);
}

static inline rule_t fixture_derive(uintptr_t return_address)
{
	struct object o;

	return rule_derive(return_address, object_find(return_address - 1, &o) ? &o : NULL);
}

/* A frame that no code stands behind, number 1 and up. */
static inline uint32_t fixture_frame(uint32_t number)
{
	return pc_get(0x1000 + number * 16).frame;
}

#endif
