/* SPDX-License-Identifier: MIT */
/* cxx.c - finds operator new and delete. */
#include "preload/life/cxx.h"
#include "preload/sys/array.h"
#include "preload/sys/glibc.h"
#include "preload/sys/next.h"
#include "preload/unwind/stacks.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

static const char *const names[CXX_FUNCTIONS] = {
	[NEW] = "_Znwm",
	[NEW_ARRAY] = "_Znam",
	[NEW_NOTHROW] = "_ZnwmRKSt9nothrow_t",
	[NEW_ARRAY_NOTHROW] = "_ZnamRKSt9nothrow_t",
	[NEW_ALIGNED] = "_ZnwmSt11align_val_t",
	[NEW_ARRAY_ALIGNED] = "_ZnamSt11align_val_t",
	[NEW_ALIGNED_NOTHROW] = "_ZnwmSt11align_val_tRKSt9nothrow_t",
	[NEW_ARRAY_ALIGNED_NOTHROW] = "_ZnamSt11align_val_tRKSt9nothrow_t",
	[DELETE] = "_ZdlPv",
	[DELETE_ARRAY] = "_ZdaPv",
	[DELETE_NOTHROW] = "_ZdlPvRKSt9nothrow_t",
	[DELETE_ARRAY_NOTHROW] = "_ZdaPvRKSt9nothrow_t",
	[DELETE_SIZED] = "_ZdlPvm",
	[DELETE_ARRAY_SIZED] = "_ZdaPvm",
	[DELETE_ALIGNED] = "_ZdlPvSt11align_val_t",
	[DELETE_ARRAY_ALIGNED] = "_ZdaPvSt11align_val_t",
	[DELETE_ALIGNED_NOTHROW] = "_ZdlPvSt11align_val_tRKSt9nothrow_t",
	[DELETE_ARRAY_ALIGNED_NOTHROW] = "_ZdaPvSt11align_val_tRKSt9nothrow_t",
	[DELETE_SIZED_ALIGNED] = "_ZdlPvmSt11align_val_t",
	[DELETE_ARRAY_SIZED_ALIGNED] = "_ZdaPvmSt11align_val_t",
};

void *next_cxx[CXX_FUNCTIONS];
bool cxx_beside_malloc;

/* A C++ library may be in the scope of its user alone (a plug-in of a C program), where RTLD_NEXT
 * doesn't look. */
static void *find_in_libraries(const char *name)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libc++.so.1",
		"libc++abi.so.1" };
	void *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(libraries) && !found; i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);

		if (library) {
			found = dlsym(library, name);
			dlclose(library);
		}
	}
	return found;
}

/* The code of operator new is looked through when a call instruction is chosen. */
static void note_wrapper(void *function)
{
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	if (dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
		symbol->st_size > 0)
		stacks_add_wrapper((uintptr_t)function, (uintptr_t)function + symbol->st_size);
}

static bool beside_malloc(void *function)
{
	struct object a, b;

	return !next.glibc && object_find((uintptr_t)function, &a) &&
	       object_find((uintptr_t)next.malloc, &b) && a.start == b.start;
}

cold_path void *cxx_resolve(enum cxx_function f)
{
	void *found = dlsym(RTLD_NEXT, names[f]);

	if (!found)
		found = find_in_libraries(names[f]);
	if (!found)
		return NULL;
	if (f < DELETE) {
		cxx_beside_malloc = beside_malloc(found);
		if (!cxx_beside_malloc)
			note_wrapper(found);
	}
	store_release(&next_cxx[f], found);
	return found;
}

/* At the start, while nobody else runs. A library has all of them or none: twenty questions for what a
 * C program hasn't got would take as long as all others of the start. */
void cxx_init(void)
{
	if (!dlsym(RTLD_NEXT, names[NEW]) && !dlsym(RTLD_NEXT, names[DELETE]))
		return;
	for (int f = 0; f < CXX_FUNCTIONS; f++) {
		if (!dlsym(RTLD_NEXT, names[f]))
			continue;
		cxx_resolve((enum cxx_function)f);
	}
}
