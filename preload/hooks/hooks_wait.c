/* SPDX-License-Identifier: MIT */
/*
 * hooks_wait.c - who waits for children of all kinds (__WALL, __WCLONE) must not find the one that
 * scans for leaks, dead or alive. Other calls of wait() and its like never do, and pass.
 */
#include "preload/leakscan/snapshot.h"
#include "preload/sys/atomic.h"
#include "preload/sys/next.h"
#include "preload/sys/os.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALL_KINDS (__WALL | __WCLONE)

/* Was it ours that the program has waited for? Then the call has to be made again. */
static inline bool again(int options, int pid, unsigned gone)
{
	if (likely(!(options & ALL_KINDS)) || !snapshot_is_child(pid, gone))
		return false;
	snapshot_child_gone(pid);
	return true;
}

static inline unsigned children_gone(void)
{
	return load_acquire(&snapshot_gone);
}

HOOK pid_t waitpid(pid_t pid, int *status, int options)
{
	unsigned gone = children_gone();
	pid_t found;

	do
		found = next.waitpid ? next.waitpid(pid, status, options)
				     : (pid_t)syscall(SYS_wait4, pid, status, options, NULL);
	while (again(options, found, gone));
	return found;
}

HOOK pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	unsigned gone = children_gone();
	pid_t found;

	do
		found = next.wait4 ? next.wait4(pid, status, options, usage)
				   : (pid_t)syscall(SYS_wait4, pid, status, options, usage);
	while (again(options, found, gone));
	return found;
}

HOOK pid_t wait3(int *status, int options, struct rusage *usage)
{
	return wait4(-1, status, options, usage);
}

static int wait_for_id(idtype_t which, id_t id, siginfo_t *info, int options)
{
	return next.waitid ? next.waitid(which, id, info, options)
			   : (int)syscall(SYS_waitid, which, id, info, options, NULL);
}

HOOK int waitid(idtype_t which, id_t id, siginfo_t *info, int options)
{
	unsigned gone = children_gone();
	siginfo_t found;
	int result;

	if (likely(!(options & ALL_KINDS)))
		return wait_for_id(which, id, info, options);
	do {
		memset(&found, 0, sizeof(found));
		result = wait_for_id(which, id, &found, options);
		if (result == 0 && (options & WNOWAIT) && snapshot_is_child(found.si_pid, gone))
			os_call(SYS_wait4, found.si_pid, NULL, __WCLONE | WNOHANG, NULL);
	} while (result == 0 && again(options, found.si_pid, gone));
	if (info && result == 0)
		*info = found;
	return result;
}
