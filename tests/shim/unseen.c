/* SPDX-License-Identifier: MIT */
/*
 * unseen.c - frees a part of its blocks by the C library's own functions, as plug-ins with RTLD_DEEPBIND do.
 *
 * usage: unseen THREADS SEED PERCENT [realloc | PLUGIN]
 *
 * Prints "live N unseen N peak N": blocks that are there in the end, blocks that were freed or resized unseen, and the
 * most bytes that were there, of one thread. With PLUGIN, a path, that library frees, loaded with RTLD_DEEPBIND. With `realloc` some blocks are resized unseen; what they become counts as unknown.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "program.h"

#define BLOCKS 400
#define EVENTS 40000
#define THREADS 16

struct worker {
	pthread_t thread;
	uint64_t state;
	long live, unseen, bytes, peak;
	struct {
		char *p;
		size_t size;
		int known;
	} blocks[BLOCKS];
};

static void (*libc_free)(void *);
static void *(*libc_realloc)(void *, size_t);
static int percent, resizes;
static struct worker workers[THREADS];

static unsigned random_number(struct worker *w)
{
	w->state = w->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w->state >> 33);
}

/* Mostly small or near the size from which slots hold pieces of it. */
static size_t random_size(struct worker *w)
{
	static const size_t most[] = { 40, 200, 1100, 1100, 3000, 70000 };

	return random_number(w) % most[random_number(w) % 6];
}

static void make(struct worker *w, int i)
{
	size_t size = random_size(w);

	switch (random_number(w) % 4) {
	case 0:
		w->blocks[i].p = memalign(16u << random_number(w) % 5, size);
		break;
	case 1:
		w->blocks[i].p = realloc(malloc(random_size(w) + 1), size + 1);
		size++;
		break;
	default:
		w->blocks[i].p = malloc(size);
	}
	CHECK(w->blocks[i].p);
	w->blocks[i].size = size;
	w->blocks[i].known = 1;
	w->live++;
	w->bytes += (long)size;
	w->peak = w->bytes > w->peak ? w->bytes : w->peak;
}

static void forget(struct worker *w, int i)
{
	w->bytes -= w->blocks[i].known ? (long)w->blocks[i].size : 0;
	w->live -= w->blocks[i].known;
	w->blocks[i].known = 0;
}

static void drop(struct worker *w, int i)
{
	int hidden = random_number(w) % 100 < (unsigned)percent;

	w->unseen += hidden && w->blocks[i].known;
	forget(w, i);
	if (hidden && resizes && random_number(w) % 2) {
		w->blocks[i].p = libc_realloc(w->blocks[i].p, 1 + random_size(w));
		return;
	}
	(hidden ? libc_free : free)(w->blocks[i].p);
	w->blocks[i].p = NULL;
}

static void *work(void *worker)
{
	struct worker *w = worker;

	for (int i = 0; i < EVENTS; i++) {
		int block = (int)(random_number(w) % BLOCKS);

		if (w->blocks[block].p)
			drop(w, block);
		else
			make(w, block);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	int threads = argc > 3 ? atoi(argv[1]) : 0;
	long live = 0, unseen = 0;

	CHECK(libc && threads >= 1 && threads <= THREADS);
	libc_free = (void (*)(void *))dlsym(libc, "free");
	libc_realloc = (void *(*)(void *, size_t))dlsym(libc, "realloc");
	percent = atoi(argv[3]);
	resizes = argc > 4 && !strcmp(argv[4], "realloc");
	if (argc > 4 && !resizes) {
		void *plugin = dlopen(argv[4], RTLD_NOW | RTLD_DEEPBIND);

		CHECK(plugin);
		libc_free = (void (*)(void *))dlsym(plugin, "plugin_free");
	}
	for (int i = 0; i < threads; i++)
		workers[i].state = (uint64_t)atoi(argv[2]) * THREADS + (uint64_t)i;
	if (threads == 1)
		work(workers);
	for (int i = 0; i < threads && threads > 1; i++)
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	for (int i = 0; i < threads; i++) {
		CHECK(threads == 1 || pthread_join(workers[i].thread, NULL) == 0);
		live += workers[i].live;
		unseen += workers[i].unseen;
	}
	printf("live %ld unseen %ld peak %ld\n", live, unseen, threads == 1 ? workers[0].peak : 0);
	return 0;
}
