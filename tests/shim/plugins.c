/* SPDX-License-Identifier: MIT */
/*
 * plugins.c - loads and unloads two libraries in turn, so that each comes to lie where the other was.
 */
#include <dlfcn.h>
#include <string.h>

#include "program.h"

#define ROUNDS 20
#define CALLER_RELATIVE "$ORIGIN/" /* means this program's folder only if dlopen sees this program call it */

static void *symbol(void *library, const char *name)
{
	void *found = dlsym(library, name);

	CHECK(found);
	return found;
}

/* Returns where its code was. */
static void *use(const char *path, const char *name)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);  //= any

	CHECK(library);
	void *(*allocate)(void) = (void *(*)(void))symbol(library, "plugin_allocate");
	const char *(*said)(void) = (const char *(*)(void))symbol(library, "plugin_name");

	CHECK(strcmp(said(), name) == 0);
	CHECK(allocate());
	CHECK(dlclose(library) == 0);
	return (void *)((size_t)allocate & ~(size_t)0xffff);
}

static void alternate(void)
{
	int same = 0;

	for (int i = 0; i < ROUNDS; i++) {
		void *a = use(CALLER_RELATIVE "libplugin_a.so", "a");

		same += use(CALLER_RELATIVE "libplugin_b.so", "b") == a;
	}
	CHECK(same > 0);
}

static void throw_inside(void)
{
	void *library = dlopen(CALLER_RELATIVE "libplugin_throws.so", RTLD_NOW | RTLD_LOCAL);  //= any

	CHECK(library);
	int (*catches)(int) = (int (*)(int))symbol(library, "plugin_catches");

	for (int i = 0; i < 10; i++)
		CHECK(catches(i * 1234567) == i * 1234567);
	CHECK(dlclose(library) == 0);  //= any
}

/* Errors of dlopen are told as without the tracer. */
static void fail_to_load(void)
{
	CHECK(dlopen("libthere_is_no_such.so.9", RTLD_NOW) == NULL);  //= any
	printf("%s\n", dlerror());  //= any
	CHECK(dlerror() == NULL);
}

int main(void)
{
	alternate();
	throw_inside();
	fail_to_load();
	free(malloc(3));  //= count 1, total 3
	puts("done");
	return 0;
}
