/* SPDX-License-Identifier: MIT */
/*
 * init.c - the start of the library's life.
 *
 * It starts at the first event after the C library's own initialization, which may be in another
 * library's constructor, or in ours, which runs after those. (Running first of all by -z initfirst
 * is no way: the dlopen of libunwind would initialize the C library as its dependency, without
 * arguments and environment.) Each step that fails has said why in one line; the process is never
 * traced then, and every hook just calls the next definition.
 */
#include "preload/life/init.h"
#include "preload/leakscan/roots.h"
#include "preload/life/cxx.h"
#include "preload/life/fork.h"
#include "preload/life/thread_life.h"
#include "preload/store/trace_path.h"
#include "preload/store/sample.h"
#include "preload/store/slack.h"
#include "preload/store/timeline.h"
#include "preload/store/tracefile.h"
#include "preload/sys/cpu.h"
#include "preload/sys/env.h"
#include "preload/sys/glibc.h"
#include "preload/sys/lock.h"
#include "preload/sys/maps.h"
#include "preload/sys/message.h"
#include "preload/sys/next.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/unwind/modules.h"
#include "preload/unwind/rules.h"
#include "preload/unwind/stacks.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define MAPS_MOST (256u << 10) /* bytes of /proc/self/maps: there is little yet */

/* The file that is mapped at an address; its length, 0 = none is known. */
static size_t file_mapped_at(uintptr_t address, char *path, size_t size)
{
	char *maps = os_map(MAPS_MOST);
	struct mapping m = { 0 };
	struct text t;

	text_init(&t, path, size);
	if (maps && os_read_file("/proc/self/maps", maps, MAPS_MOST) > 0)
		for (char *line = maps; (line = mapping_next(line, &m));)
			if (m.start <= address && address < m.end && *m.name == '/')
				text_add(&t, m.name);
	if (maps)
		os_unmap(maps, MAPS_MOST);
	return t.used;
}

/* "ld-linux-x86-64.so.2 ./app": what was executed is the dynamic linker, which has no other one;
 * the program is what it says are the program's headers. */
static size_t loaded_by_command(char *path, size_t size)
{
	uintptr_t headers = getauxval(AT_PHDR);

	return getauxval(AT_BASE) || !headers ? 0 : file_mapped_at(headers, path, size);
}

static void find_program(char *path, size_t size)
{
	ssize_t n = (ssize_t)loaded_by_command(path, size);

	if (n == 0)
		n = readlink("/proc/self/exe", path, size - 1);
	path[n > 0 ? n : 0] = '\0';
	if (n <= 0) { /* no /proc */
		const char *name = (const char *)getauxval(AT_EXECFN);
		struct text t;

		text_init(&t, path, size);
		if (name && *name != '/' && getcwd(path, size)) {
			t.used = strlen(path);
			text_add(&t, "/");
		}
		text_add(&t, name ? name : "unknown");
	}
}

/* A malloc that is searched before ours takes all calls: the program's own, or that of an allocator
 * which is preloaded first. */
static void look_for_own_malloc(const char *program)
{
	void *found = next_before("malloc");
	struct object o;
	const char *name;

	if (!found || !object_find((uintptr_t)found, &o))
		return;
	name = *o.name ? o.name : program;
	trace.header->flags |= MT_NOTE_OWN_MALLOC;
	trace.header->own_malloc = tracefile_string(name, strlen(name));
	if (config.verbose)
		message(name, " defines malloc before libmtrace.so does",
			*o.name ? " (put libmtrace.so first in LD_PRELOAD)" : "",
			": its allocations are not recorded", NULL);
}

#define LEAST_ADDRESSES (64u << 20) /* bytes; the tables take up to half of that */
#define LEAST_DATA (32u << 20)

/* Of too little memory the program gets all. */
static bool has_memory(void)
{
	bool addresses = os_address_limit() >= LEAST_ADDRESSES,
	     data = os_data_limit() >= LEAST_DATA;

	if (!addresses)
		message("the address space limit (ulimit -v) is below 64 MiB; running untraced",
			NULL);
	else if (!data)
		message("the data size limit (ulimit -d) is below 32 MiB; running untraced", NULL);
	return addresses && data;
}

static bool set_up_tables(const char *program)
{
	modules_init(program);
	if (config.sample.mean)
		sample_init(config.sample.mean);
	slack_init();
	slots_init(next.glibc);
	return stacks_init() && fork_init() && threads_init();
}

/* All that takes memory or room. False has been explained. */
static bool set_up(const char *program)
{
	struct signals before;
	bool ok;

	if (!has_memory() || !rules_init() || !tracefile_create(program))
		return false;
	before = signals_block_for_all(); /* not while the file is made, which may take long */
	ok = set_up_tables(program);
	signals_restore_for_all(before);
	if (!ok)
		message("no memory or disk space for the tracer's tables; running untraced", NULL);
	return ok;
}

#define DEPTH_TO_TELL 32 /* frames: more than an allocator has between a hook and its own call */

/* All but the beginning. False: it is not to be; why, has been said. */
static bool prepare(void)
{
	char program[4096];

	message_start();
	if (next_is_late()) {
		message("libmtrace.so was loaded after the C library, whose malloc is in use; "
			"running untraced (put libmtrace.so in LD_PRELOAD)",
			NULL);
		return false;
	}
	if (next_sanitizer()) {
		message(next_sanitizer(),
			" is in this program and brings its own malloc; running untraced (remove "
			"libmtrace.so from LD_PRELOAD)",
			NULL);
		return false;
	}
	if (!env_read(environ))
		return false;
	roots_init();		 /* it looks where the next malloc is */
	if (!config.sample.mean) /* whose filter has little room for such blocks */
		boot_serve();
	trace_path_init(environ);
	if (!config.follow)
		env_stop_following(environ);
	find_program(program, sizeof(program));
	if (!set_up(program)) {
		tracefile_discard();
		return false;
	}
	if (config.sample.mean) {
		next.plain = false;
		for (size_t at = 0; at < boot_used; at += 16)
			sample_filter_add(boot_memory + at); /* who frees one must look */
	}
	/* The fast path knows an allocator's calls of itself by the whole stack. */
	if (!next.glibc && config.depth < DEPTH_TO_TELL)
		next.plain = false;
	cxx_init();
	look_for_own_malloc(program);
	timeline_begin();
	return true;
}

static void start(void)
{
	bool ready;

	cpu_reads_base = getauxval(AT_HWCAP2) & CPU_READS_BASE;
	next_resolve();
	ready = prepare();
	boot_serve_no_more();
	if (!ready)
		return;
	phase_stop(!config.start);
	phase_set(PHASE_ON);
}

static bool started, finished;

void init_start(void)
{
	int saved = errno;

	if (!is_glibc())
		return;
	if (finished && phase_page.phase == PHASE_OFF) /* a raw clone */
		phase_set(PHASE_NEVER);
	if (started || !environ) /* set by the C library's initialization */
		return;
	started = true;
	start();
	finished = true;
	if (phase_page.phase == PHASE_OFF)
		phase_set(PHASE_NEVER);
	errno = saved;
}

__attribute__((constructor)) static void init(void)
{
	init_start();
}
