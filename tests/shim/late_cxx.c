/* SPDX-License-Identifier: MIT */
/*
 * late_cxx.c - a C program that loads a C++ library when it has run for a while.
 */
#include <dlfcn.h>
#include <stdint.h>

#include "program.h"

int main(void)
{
	void *library = dlopen("$ORIGIN/libplugin_late.so", RTLD_NOW | RTLD_LOCAL);  //= any
	void (*work)(void);
	int (*catches)(size_t);

	CHECK(library);
	work = (void (*)(void))dlsym(library, "plugin_work");
	catches = (int (*)(size_t))dlsym(library, "plugin_catches");
	CHECK(work && catches);
	work();
	CHECK(catches(PTRDIFF_MAX / 2) == 2);
	CHECK(dlclose(library) == 0);  //= any
	puts("done");
	return 0;
}
