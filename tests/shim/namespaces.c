/* SPDX-License-Identifier: MIT */
/*
 * namespaces.c - libraries in namespaces of their own (dlmopen), each with a second C library.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "program.h"

static void *allocate(size_t size)
{
	return malloc(size);  //= count 70, total 2100
}

static void *use(void *unused)
{
	void *library = dlmopen(LM_ID_NEWLM, "$ORIGIN/libplugin_namespace.so", RTLD_NOW);  //= any
	int (*own)(int);
	void *(*call)(void *(*)(size_t), size_t);

	CHECK(library);
	own = (int (*)(int))dlsym(library, "plugin_own");  //= any
	call = (void *(*)(void *(*)(size_t), size_t))dlsym(library, "plugin_call");  //= any
	CHECK(own && call);
	CHECK(own(1000) == 1000);
	for (int i = 0; i < 10; i++)
		free(call(allocate, 30));
	CHECK(dlclose(library) == 0);  //= any
	return unused;
}

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < 6; i++)
		use(NULL);
	CHECK(pthread_create(&thread, NULL, use, NULL) == 0);  //= any
	CHECK(pthread_join(thread, NULL) == 0);
	puts("done");
	return 0;
}
