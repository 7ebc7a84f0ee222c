/* SPDX-License-Identifier: MIT */
/*
 * snapshots.c - a program that keeps snapshots, and a ledger of its own lines.
 *
 *     snapshots ledger            random allocations, six snapshots
 *     snapshots killed            likewise, up to a SIGKILL
 *     snapshots fork              two snapshots, then one in a child and one more in the parent
 *     snapshots cleared           one, then all is forgotten, and one more
 *     snapshots many COUNT        that many; says which were kept
 *     snapshots labels            one label twice, none, an empty one, a long one
 *     snapshots threads           thirty while four threads allocate, one when they have ended
 *     snapshots busy              likewise without an end, to be killed
 *     snapshots signals           by a handler on a small stack that interrupts anything
 *     snapshots twin              what twin() in test_snapshots.py does with tracemalloc
 *
 * `ledger`, `killed`, `fork` and `cleared` print what each line had at each snapshot:
 * LABEL LINE CURRENT BLOCKS ALL ALLOCATIONS TEMPORARY PEAK AT-PEAK
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/libmtrace.h"
#include "program.h"

enum { LINES = 4, BLOCKS = 300, SNAPSHOTS = 20 };

struct line {
	uint64_t current, blocks, all, count, temporary, peak, at_peak;
};

static struct line ledger[LINES];
static uint64_t live, peak;
static struct {
	void *p;
	size_t size;
	int line;
} blocks[BLOCKS];
static void *last; /* allocated, and not freed since */
static struct {
	const char *label;
	struct line lines[LINES];
} kept[SNAPSHOTS];
static int used;

static unsigned state = 1;

static unsigned draw(unsigned below)
{
	state = state * 1103515245 + 12345;
	return (state >> 8) % below;
}

static void *make(int line, size_t size)
{
	switch (line) {
	case 0:
		return malloc(size); /* line: 0 */
	case 1:
		return calloc(1, size); /* line: 1 */
	case 2:
		return aligned_alloc(16, size); /* line: 2 */
	default:
		return realloc(NULL, size); /* line: 3 */
	}
}

static void enter(int line, size_t size)
{
	struct line *l = &ledger[line];

	l->current += size;
	l->blocks++;
	l->all += size;
	l->count++;
	live += size;
	if (l->current > l->peak)
		l->peak = l->current;
	if (live <= peak)
		return;
	peak = live;
	for (int i = 0; i < LINES; i++)
		ledger[i].at_peak = ledger[i].current;
}

static void release(int i)
{
	struct line *l = &ledger[blocks[i].line];

	l->current -= blocks[i].size;
	l->blocks--;
	l->temporary += blocks[i].p == last;
	live -= blocks[i].size;
	if (blocks[i].p == last)
		last = NULL;
	free(blocks[i].p);
	blocks[i].p = NULL;
}

static void work(int events, int lines)
{
	while (events--) {
		int i = (int)draw(BLOCKS);

		if (blocks[i].p) {
			release(i);
			continue;
		}
		blocks[i].line = (int)draw((unsigned)lines);
		blocks[i].size = 16 * (1 + draw(100));
		blocks[i].p = last = make(blocks[i].line, blocks[i].size);
		CHECK(last);
		enter(blocks[i].line, blocks[i].size);
		if (draw(4) == 0)
			release(i);
	}
}

static void snapshot(const char *label)
{
	CHECK(used < SNAPSHOTS);
	kept[used].label = label;
	memcpy(kept[used++].lines, ledger, sizeof(ledger));
	if (mtrace_snapshot)
		CHECK(mtrace_snapshot(label) == 1);
}

static void print_ledger(void)
{
	for (int i = 0; i < used; i++)
		for (int k = 0; k < LINES; k++) {
			const struct line *l = &kept[i].lines[k];

			printf("%s %d %ju %ju %ju %ju %ju %ju %ju\n", kept[i].label, k, l->current,
				l->blocks, l->all, l->count, l->temporary, l->peak, l->at_peak);
		}
	fflush(stdout);
}

/* The last line appears late, one stretch is quiet, one frees most. */
static void run_ledger(void)
{
	work(400, 2);
	snapshot("first");
	work(1000, 3);
	snapshot("second");
	snapshot("quiet");
	work(2000, 4);
	snapshot("more");
	for (int i = 0; i < BLOCKS; i += 2)
		if (blocks[i].p)
			release(i);
	snapshot("less");
	work(500, 4);
	snapshot("last");
	work(100, 4);
	print_ledger();
}

static void run_fork(void)
{
	int status;
	pid_t child;

	work(500, 3);
	snapshot("before");
	work(500, 3);
	snapshot("forking");
	child = fork();
	work(child ? 300 : 600, 4);
	snapshot(child ? "parent" : "child");
	if (!child) {
		print_ledger();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	print_ledger();
}

static void run_cleared(void)
{
	work(800, 3);
	snapshot("before");
	CHECK(!mtrace_clear_traces || mtrace_clear_traces() == 0);
	memset(ledger, 0, sizeof(ledger));
	memset(blocks, 0, sizeof(blocks));
	live = peak = 0;
	last = NULL;
	snapshot("nothing");
	work(300, 2);
	snapshot("after");
	print_ledger();
}

static void run_many(int count)
{
	char label[32];

	for (int i = 0; i < count; i++) {
		snprintf(label, sizeof(label), "n%d", i);
		CHECK(malloc(16)); /* line: many */
		printf("%d\n", mtrace_snapshot ? mtrace_snapshot(label) : 1);
	}
}

static void run_labels(void)
{
	char label[1000];

	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	for (int i = 0; i < 2; i++) {
		CHECK(malloc(100)); /* line: labels */
		printf("%d\n", mtrace_snapshot("twice"));
	}
	printf("%d\n", mtrace_snapshot(NULL));
	printf("%d\n", mtrace_snapshot(""));
	printf("%d\n", mtrace_snapshot(label));
	printf("%d\n", mtrace_snapshot("a@b \n \x1b[31m"));
}

/* ---- threads */

static volatile int stop;

static void *allocate(void *of)
{
	unsigned seed = (unsigned)(uintptr_t)of;
	void *mine[64] = { NULL };

	while (!stop) {
		unsigned i;

		seed = seed * 1103515245 + 12345;
		i = (seed >> 8) % 64;
		free(mine[i]);
		mine[i] = seed >> 31 ? malloc(16 + (seed >> 14) % 5000)	   /* line: threads */
				     : calloc(1, 16 + (seed >> 14) % 500); /* line: threads too */
		CHECK(mine[i]);
	}
	return NULL;
}

static void run_threads(int endless)
{
	pthread_t threads[4];
	char label[32];

	for (uintptr_t i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, allocate, (void *)(i + 1)) == 0);
	for (int i = 0; i < 30 || endless; i++) {
		usleep(3000);
		snprintf(label, sizeof(label), "t%d", i);
		if (mtrace_snapshot)
			mtrace_snapshot(label);
		if (i == 29 && endless)
			puts("ready"), fflush(stdout);
	}
	stop = 1;
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	MTRACE_SNAPSHOT("joined");
}

/* ---- signals */

static volatile int ticks;

static void tick(int signal)
{
	(void)signal;
	if (mtrace_snapshot)
		mtrace_snapshot("tick");
	ticks++;
}

static void run_signals(void)
{
	static char stack[8192]; /* the frame that the kernel puts there has 3 KiB and more */
	stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_ONSTACK | SA_RESTART };
	struct itimerval every = { { 0, 500 }, { 0, 500 } };

	CHECK(sigaltstack(&s, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	while (ticks < 200)
		work(100, 4);
	memset(&every, 0, sizeof(every));
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	used = 0;
	snapshot("calm");
	print_ledger();
}

/* ---- a twin */

static void *twins[100];

static void twin_a(int from, int to, size_t size)
{
	for (int i = from; i < to; i++)
		twins[i] = malloc(size); /* line: twin a */
}

static void twin_b(int from, int to, size_t size)
{
	for (int i = from; i < to; i++)
		twins[i] = malloc(size); /* line: twin b */
}

static void twin_c(int from, int to, size_t size)
{
	for (int i = from; i < to; i++)
		twins[i] = malloc(size); /* line: twin c */
}

static void run_twin(void)
{
	twin_a(0, 10, 1000);
	twin_b(10, 40, 333);
	MTRACE_SNAPSHOT("old");
	for (int i = 5; i < 30; i++)
		free(twins[i]);
	twin_a(5, 8, 64);
	twin_c(50, 90, 177);
	twin_b(40, 43, 4096);
	MTRACE_SNAPSHOT("new");
	twin_c(90, 100, 5000);
}

int main(int argc, char **argv)
{
	const char *mode = argv[1];

	CHECK(argc > 1);
	if (strcmp(mode, "ledger") == 0 || strcmp(mode, "killed") == 0)
		run_ledger();
	else if (strcmp(mode, "fork") == 0)
		run_fork();
	else if (strcmp(mode, "cleared") == 0)
		run_cleared();
	else if (strcmp(mode, "many") == 0 && argc > 2)
		run_many(atoi(argv[2]));
	else if (strcmp(mode, "labels") == 0)
		run_labels();
	else if (strcmp(mode, "threads") == 0 || strcmp(mode, "busy") == 0)
		run_threads(*mode == 'b');
	else if (strcmp(mode, "signals") == 0)
		run_signals();
	else if (strcmp(mode, "twin") == 0)
		run_twin();
	if (strcmp(mode, "killed") == 0)
		kill(getpid(), SIGKILL);
	return 0;
}
