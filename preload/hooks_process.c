/*
 * hooks_process.c - what changes the process around the allocations: dlclose, and the ways to exit
 * that run no destructors. Each only notes something; the real call is the last thing that it does.
 */
#include "preload/internal.h"
#include "preload/next.h"
#include "preload/phase.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOOK __attribute__((visibility("default")))

HOOK int dlclose(void *handle)
{
	int result;

	if (phase_page.phase != PHASE_ON)
		return next.dlclose(handle);
	modules_close(1);
	result = next.dlclose(handle);
	modules_sweep();
	modules_close(-1);
	return result;
}

/* May be called in a signal handler, by a vfork child, and while the loader's lock is held: asks
 * nobody. */
HOOK void _exit(int status)
{
	control_exit();
	for (;;)
		syscall(SYS_exit_group, status);
}

HOOK void _Exit(int status)
{
	_exit(status);
}

HOOK void quick_exit(int status)
{
	control_exit();
	next.quick_exit(status);
}
