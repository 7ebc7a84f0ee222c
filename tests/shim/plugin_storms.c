/* SPDX-License-Identifier: MIT */
/*
 * plugin_storms.c - threads that load and unload libraries all the time, so that the code at an address
 * changes while others walk their stacks. What a library allocates must never be said of another.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "program.h"

#define THREADS 4
#define ROUNDS 400

static int enough;

static void use(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);  //= any
	void (*work)(void);

	CHECK(library);
	work = (void (*)(void))dlsym(library, "plugin_work");  //= any
	CHECK(work);
	work();
	CHECK(dlclose(library) == 0);  //= any
}

static void *loads(void *number)
{
	for (size_t i = 0; i < ROUNDS; i++)
		use((i + (size_t)number) % 2 ? "$ORIGIN/libplugin_storm_a.so"
					     : "$ORIGIN/libplugin_storm_b.so");
	for (size_t i = 0; i < ROUNDS; i++)
		use((i + (size_t)number) % 2 ? "$ORIGIN/libplugin_storm_b.so"
					     : "$ORIGIN/libplugin_storm_a.so");
	return NULL;
}

static void *allocates(void *unused)
{
	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED))
		free(malloc(33));  //= any
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS], other;

	CHECK(pthread_create(&other, NULL, allocates, NULL) == 0);  //= any
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, loads, (void *)i) == 0);  //= any
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	__atomic_store_n(&enough, 1, __ATOMIC_RELAXED);
	CHECK(pthread_join(other, NULL) == 0);
	puts("done");
	return 0;
}
