/* SPDX-License-Identifier: MIT */
/*
 * test_preload_ledger.c - random allocations in the ledger and in a twin that copies all counters
 * at every new peak.
 */
#include "fixture.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define SITES 30
#define CALLS 6
#define LIVE 400
#define EVENTS 30000
#define LARGE (20 << 10) /* bytes: more than a lane may ever keep back here */

struct counters {
	int64_t current, blocks, peak, total, count, temporary;
};

static struct {
	struct counters sites[SITES], calls[CALLS], all;
	int64_t at_peak[SITES], at_peak_blocks[SITES];
} twin;

static struct block live[LIVE];
static uint32_t site_numbers[SITES]; /* in the trace */
static int large_percent;	     /* of the blocks */

static int twin_of(uint32_t site)
{
	for (int i = 0; i < SITES; i++)
		if (site_numbers[i] == site)
			return i;
	ck_abort_msg("unknown site");
}

/* Site i is a stack of two frames, whose inner one is that of call instruction i % CALLS. */
static void make_sites(void)
{
	for (uint32_t i = 0; i < SITES; i++) {
		uint32_t node = node_get(MT_NODE_ROOT, fixture_frame(100 + i));

		node = node_get(node, fixture_frame(1 + i % CALLS));
		site_numbers[i] = site_for(node, MT_KIND_HEAP);
	}
}

static void count(struct counters *c, int64_t bytes, int blocks, bool temporary)
{
	c->current += bytes;
	c->blocks += blocks;
	if (blocks > 0) {
		c->total += bytes;
		c->count++;
	}
	c->temporary += temporary;
	if (c->current > c->peak)
		c->peak = c->current;
}

static void twin_count(uint32_t site, int64_t bytes, int blocks, bool temporary)
{
	int i = twin_of(site);
	int64_t peak = twin.all.peak;

	count(&twin.sites[i], bytes, blocks, temporary);
	count(&twin.calls[i % CALLS], bytes, blocks, temporary);
	count(&twin.all, bytes, blocks, temporary);
	if (twin.all.peak == peak)
		return;
	for (i = 0; i < SITES; i++) {
		twin.at_peak[i] = twin.sites[i].current;
		twin.at_peak_blocks[i] = twin.sites[i].blocks;
	}
}

/* One random event: a block comes or goes. Sizes vary over time, so that new peaks come in runs. */
static void event(struct thread *t, int step)
{
	struct block *b = &live[rand() % LIVE];
	bool temporary = rand() % 5 == 0;

	if (b->site) {
		twin_count(b->site, -(int64_t)b->size, -1, temporary);
		ledger_subtract(t, *b, temporary);
		b->site = 0;
		return;
	}
	b->site = site_numbers[rand() % SITES];
	b->count = 1;
	b->size = (uint64_t)(rand() % (1 + step / 100 % 50 * 40));
	if (rand() % 100 < large_percent)
		b->size = (uint64_t)(LARGE + rand() % (200 << 10));
	twin_count(b->site, (int64_t)b->size, 1, false);
	ledger_add(t, *b);
}

static uint64_t live_of(uint32_t site)
{
	return trace.sites[site].current_bytes + (phase_multi ? trace.published[site].bytes : 0);
}

static uint64_t at_peak(uint32_t site)
{
	const struct mt_site *s = &trace.sites[site];

	return s->epoch == (uint32_t)trace.header->epoch ? s->at_peak_bytes : live_of(site);
}

static void check_single(void)
{
	ck_assert(ledger_is_valid());
	for (int i = 0; i < SITES; i++) {
		const struct mt_site *s = &trace.sites[site_numbers[i]];

		ck_assert_uint_eq(s->current_bytes, twin.sites[i].current);
		ck_assert_uint_eq(s->current_blocks, twin.sites[i].blocks);
		ck_assert_uint_eq(s->allocated_bytes, twin.sites[i].total);
		ck_assert_uint_eq(s->allocations, twin.sites[i].count);
		ck_assert_uint_eq(s->temporary, twin.sites[i].temporary);
		ck_assert_uint_eq(s->peak_bytes, twin.sites[i].peak);
		ck_assert_uint_eq(at_peak(site_numbers[i]), twin.at_peak[i]);
		if (s->epoch == (uint32_t)trace.header->epoch)
			ck_assert_uint_eq(s->at_peak_blocks, twin.at_peak_blocks[i]);
	}
	for (int i = 0; i < CALLS; i++) {
		const struct mt_call *l = &trace.calls[trace.site_info[site_numbers[i]].call];

		ck_assert_uint_eq(l->live_bytes, twin.calls[i].current);
		ck_assert_uint_eq(l->peak_bytes, twin.calls[i].peak);
	}
	ck_assert_uint_eq(trace.header->live_bytes, twin.all.current);
	ck_assert_uint_eq(trace.header->peak_bytes, twin.all.peak);
}

START_TEST(one_thread_is_exact_at_every_moment)
{
	fixture_start();
	make_sites();
	srand((unsigned)_i);
	for (int step = 0; step < EVENTS; step++) {
		event(thread_self, step);
		if (step % 97 == 0)
			check_single();
	}
	check_single();
}
END_TEST

/* ---- several lanes, driven in turn by one thread */

static struct thread *another_thread(void)
{
	struct thread *t;

	thread_self = NULL;
	t = thread_new();
	ck_assert_ptr_nonnull(t);
	return t;
}

static int64_t kept_back(void)
{
	return (int64_t)trace.header->max_unpublished;
}

/* What a reader makes of site i: bytes, blocks, total, count, temporary. */
static struct counters read_site(int i)
{
	const struct mt_site *s = &trace.sites[site_numbers[i]];
	struct counters c = { (int64_t)s->current_bytes, (int64_t)s->current_blocks,
		(int64_t)s->peak_bytes, (int64_t)s->allocated_bytes, (int64_t)s->allocations,
		(int64_t)s->temporary };

	for (uint64_t k = 0; k < trace.header->tables[MT_ENTRIES].count; k++) {
		const struct mt_entry *e = &trace.entries[k];

		if (e->site != site_numbers[i])
			continue;
		c.current += (int64_t)(e->allocated_bytes - e->freed_bytes);
		c.blocks += (int64_t)(e->allocations - e->frees);
		c.total += (int64_t)e->allocated_bytes;
		c.count += (int64_t)e->allocations;
		c.temporary += (int64_t)e->temporary;
	}
	return c;
}

static void assert_near(int64_t a, int64_t b, int64_t distance)
{
	ck_assert_int_le(a > b ? a - b : b - a, distance);
}

static void check_lanes(int64_t slack)
{
	uint64_t sum = 0;

	ck_assert(ledger_is_valid());
	for (int i = 0; i < SITES; i++) {
		struct counters c = read_site(i);

		ck_assert_int_eq(c.current, twin.sites[i].current);
		ck_assert_int_eq(c.blocks, twin.sites[i].blocks);
		ck_assert_int_eq(c.total, twin.sites[i].total);
		ck_assert_int_eq(c.count, twin.sites[i].count);
		ck_assert_int_eq(c.temporary, twin.sites[i].temporary);
		assert_near(c.peak, twin.sites[i].peak, slack);
		sum += at_peak(site_numbers[i]);
	}
	for (int i = 0; i < CALLS; i++)
		assert_near((int64_t)trace.calls[trace.site_info[site_numbers[i]].call].peak_bytes,
			twin.calls[i].peak, slack);
	assert_near((int64_t)sum, (int64_t)trace.header->peak_bytes, slack);
	assert_near((int64_t)trace.header->peak_bytes, twin.all.peak, kept_back());
	ck_assert_int_le(kept_back(), slack);
}

/* As if a handler had jumped out of the middle of a look. */
static void leave_look(struct thread *t)
{
	for (uint32_t i = 0; i < t->calls_used; i++)
		t->calls[i].unpublished = rand() % 1000;
	if (t->dirty_used > 1) {
		t->dirty[0] = t->dirty[t->dirty_used - 1];
		t->sites[t->dirty[0]].dirty = false;
	}
	t->in_doubt = true;
}

START_TEST(lanes_are_exact_in_sums_and_near_in_peaks)
{
	struct thread *threads[4];

	fixture_start();
	make_sites();
	srand((unsigned)_i);
	large_percent = _i * 10;
	threads[0] = thread_self;
	for (int step = 0; step < EVENTS / 4; step++)
		event(threads[0], step);
	for (int i = 1; i < 4; i++)
		threads[i] = another_thread();
	ck_assert(ledger_go_multi());
	for (int step = 0; step < EVENTS; step++) {
		if (step % 1000 == 0)
			leave_look(threads[rand() % 4]);
		event(threads[rand() % 4], step);
	}
	check_lanes(64 << 10);
	ledger_forked();
	check_lanes(64 << 10);
	threads_forked(threads[0]);
	for (int step = 0; step < EVENTS / 4; step++)
		event(threads[0], step);
	check_lanes(64 << 10);
	ledger_reset_peaks();
	ck_assert_int_eq(kept_back(), 0); /* nothing of the parent's grants */
}
END_TEST

/* They are published at once, and nobody is granted anything for their sake. */
START_TEST(lanes_with_large_blocks_alone_are_exact)
{
	struct thread *threads[4];

	fixture_start();
	make_sites();
	srand((unsigned)_i);
	large_percent = 100;
	threads[0] = thread_self;
	for (int i = 1; i < 4; i++)
		threads[i] = another_thread();
	ck_assert(ledger_go_multi());
	for (int step = 0; step < EVENTS; step++)
		event(threads[rand() % 4], step);
	ck_assert_int_eq(kept_back(), 0);
	check_lanes(0);
	for (int i = 0; i < SITES; i++)
		ck_assert_uint_eq(at_peak(site_numbers[i]), twin.at_peak[i]);
}
END_TEST

/* ---- several lanes, each with a thread of its own, some of them idle for a while */

#define RACERS 12
#define LAPS 30
#define LAP_EVENTS 4000
#define BOXES 256

static struct racer {
	pthread_t id;
	struct thread *t;
	unsigned random;
	int64_t bytes[SITES], blocks[SITES];
} racers[RACERS];

/* Blocks as 1 + size * SITES + site, exchanged atomically; 0 = none. */
static uint64_t boxes[BOXES];
static pthread_barrier_t lap;
static unsigned size_most;

static void race_count(struct racer *r, uint64_t box, int sign)
{
	int site = (int)((box - 1) % SITES);
	struct block b = { site_numbers[site], (box - 1) / SITES, 1, 0 };
	struct lane_site *ls = ledger_find(r->t, b.site);

	r->bytes[site] += sign * (int64_t)b.size;
	r->blocks[site] += sign;
	if (ls && rand_r(&r->random) % 4 && ledger_count_known(r->t, ls, b.size, sign, false))
		return;
	if (sign > 0)
		ledger_add(r->t, b);
	else
		ledger_subtract(r->t, b, false);
}

/* Mostly of one site, so that some sites and calls hold more than others. */
static uint64_t race_block(struct racer *r)
{
	unsigned site = (unsigned)rand_r(&r->random) % SITES;
	uint64_t size = (unsigned)rand_r(&r->random) % size_most;

	if (rand_r(&r->random) % 2)
		site = 0;
	if (rand_r(&r->random) % 200 == 0)
		size += LARGE;
	return 1 + size * SITES + site;
}

static void race_lap(struct racer *r)
{
	for (int i = 0; i < LAP_EVENTS; i++) {
		unsigned random = (unsigned)rand_r(&r->random);
		uint64_t new = random % 2 ? race_block(r) : 0, old;

		if (new)
			race_count(r, new, 1);
		old = __atomic_exchange_n(&boxes[random / 2 % BOXES], new, __ATOMIC_ACQ_REL);
		if (old)
			race_count(r, old, -1);
		if (random / 1024 % 1000 == 0)
			usleep(random % 2000);
	}
}

static void *race(void *racer)
{
	struct racer *r = racer;

	r->t = another_thread();
	for (int i = 0; i < LAPS; i++) {
		race_lap(r);
		pthread_barrier_wait(&lap);
		pthread_barrier_wait(&lap);
	}
	return NULL;
}

static int64_t magnitude(int64_t n)
{
	return n < 0 ? -n : n;
}

/* What the lane keeps back is within its grant: of each site, each call instruction and all. */
static void check_grant(const struct thread *t, int64_t *published)
{
	int64_t calls[CALLS] = { 0 }, all = 0;

	for (int i = 0; i < SITES; i++) {
		const struct lane_site *ls = ledger_find(t, site_numbers[i]);
		int64_t kept;

		if (!ls)
			continue;
		kept = (int64_t)(ls->entry->allocated_bytes - ls->entry->freed_bytes) -
		       ls->published_bytes;
		ck_assert(kept == 0 || ls->dirty);
		ck_assert_int_le(magnitude(kept), t->grant);
		published[i] += ls->published_bytes;
		calls[i % CALLS] += kept;
		all += kept;
	}
	for (int i = 0; i < CALLS; i++)
		ck_assert_int_le(magnitude(calls[i]), t->grant);
	ck_assert_int_le(magnitude(all), t->grant);
}

/* What was published of each site is what all lanes say that they have published. */
static void check_published(const int64_t *published)
{
	int64_t calls[CALLS] = { 0 }, all = 0;

	for (int i = 0; i < SITES; i++) {
		ck_assert_int_eq((int64_t)trace.published[site_numbers[i]].bytes, published[i]);
		calls[i % CALLS] += published[i];
		all += published[i];
	}
	for (int i = 0; i < CALLS; i++)
		ck_assert_int_eq(
			(int64_t)trace.calls[trace.site_info[site_numbers[i]].call].live_bytes,
			calls[i]);
	ck_assert_int_eq((int64_t)trace.header->live_bytes, all);
}

static void check_race(void)
{
	int64_t published[SITES] = { 0 }, grants = 0;

	for (int i = 0; i < RACERS; i++) {
		check_grant(racers[i].t, published);
		grants += racers[i].t->grant;
	}
	ck_assert(ledger_is_valid());
	check_published(published);
	ck_assert_int_le(grants, kept_back());
	ck_assert_int_le(kept_back(), 64 << 10);
	for (int i = 0; i < SITES; i++) {
		struct counters c = read_site(i);

		for (int k = 0; k < RACERS; k++) {
			c.current -= racers[k].bytes[i];
			c.blocks -= racers[k].blocks[i];
		}
		ck_assert_int_eq(c.current, 0);
		ck_assert_int_eq(c.blocks, 0);
	}
}

/* From little ones to some that only a few lanes at a time can have a grant for. */
START_TEST(lanes_keep_back_no_more_than_their_grants)
{
	fixture_start();
	make_sites();
	ck_assert(ledger_go_multi());
	size_most = (unsigned[]){ 100, 500, 4000, 16000 }[_i];
	pthread_barrier_init(&lap, NULL, RACERS + 1);
	for (int i = 0; i < RACERS; i++) {
		racers[i].random = (unsigned)(_i * RACERS + i);
		ck_assert_int_eq(pthread_create(&racers[i].id, NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < LAPS; i++) {
		pthread_barrier_wait(&lap);
		check_race();
		pthread_barrier_wait(&lap);
	}
	for (int i = 0; i < RACERS; i++) {
		pthread_join(racers[i].id, NULL);
		ledger_fold(racers[i].t);
		ck_assert_int_eq(racers[i].t->grant, 0);
	}
	check_race();
}
END_TEST

START_TEST(reset_makes_the_present_the_peak)
{
	fixture_start();
	make_sites();
	for (int step = 0; step < 5000; step++)
		event(thread_self, step);
	ledger_reset_peaks();
	ck_assert(trace.header->flags & MT_NOTE_RESET);
	ck_assert_uint_eq(trace.header->peak_bytes, trace.header->live_bytes);
	for (int i = 0; i < SITES; i++) {
		twin.sites[i].peak = twin.sites[i].current;
		twin.at_peak[i] = twin.sites[i].current;
		twin.at_peak_blocks[i] = twin.sites[i].blocks;
	}
	for (int i = 0; i < CALLS; i++)
		twin.calls[i].peak = twin.calls[i].current;
	twin.all.peak = twin.all.current;
	check_single();
	for (int step = 0; step < 5000; step++)
		event(thread_self, step);
	check_single();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tests = tcase_create("ledger");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, one_thread_is_exact_at_every_moment, 0, 5);
	tcase_add_loop_test(tests, lanes_are_exact_in_sums_and_near_in_peaks, 0, 5);
	tcase_add_loop_test(tests, lanes_with_large_blocks_alone_are_exact, 0, 5);
	tcase_add_loop_test(tests, lanes_keep_back_no_more_than_their_grants, 0, 4);
	tcase_add_test(tests, reset_makes_the_present_the_peak);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
