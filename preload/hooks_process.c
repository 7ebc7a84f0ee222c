/*
 * hooks_process.c - what changes the process around the allocations: dlclose, and the ways to exit
 * that run no destructors. Each only notes something; the real call is the last thing that it does.
 */
#include "preload/internal.h"
#include "preload/phase.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#define HOOK __attribute__((visibility("default")))

HOOK int dlclose(void *handle)
{
	static int (*next)(void *);
	int result;

	if (!next)
		next = dlsym(RTLD_NEXT, "dlclose");
	result = next(handle);
	if (phase_page.phase == PHASE_ON)
		modules_sweep();
	return result;
}

HOOK void _exit(int status)
{
	static void (*next)(int) __attribute__((noreturn));

	control_exit();
	next = dlsym(RTLD_NEXT, "_exit");
	next(status);
}

HOOK void _Exit(int status)
{
	_exit(status);
}

HOOK void quick_exit(int status)
{
	static void (*next)(int) __attribute__((noreturn));

	control_exit();
	next = dlsym(RTLD_NEXT, "quick_exit");
	next(status);
}
