/* SPDX-License-Identifier: MIT */
/* debuginfod.c - the time that debuginfod servers may take. */
#include "analyzer/symbols/debuginfod.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/progress.h"
#include "analyzer/symbols/module.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t spent_ms;   /* by questions that are over */
static int64_t started_ms; /* of the one that may be asked now; 0 = none */
static int64_t limit_ms;   /* for all; 0 = none */
static bool gave_up;
static char *hidden; /* DEBUGINFOD_URLS */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_over(int64_t ms)
{
	gave_up |= limit_ms && ms >= limit_ms;
	return limit_ms && ms >= limit_ms;
}

/* libdebuginfod ends a question by itself, too: newer ones go on whatever the progress function says. */
static void limit_question(const struct symbolizer_options *options)
{
	char seconds[16];

	limit_ms = (int64_t)options->debuginfod_seconds * 1000;
	snprintf(seconds, sizeof(seconds), "%u", (unsigned)options->debuginfod_seconds);
	if (limit_ms)
		setenv("DEBUGINFOD_TIMEOUT", seconds, 0);
}

#ifdef HAVE_DEBUGINFOD_CLIENT

/* Of libdebuginfod, which libdw loads by itself: its headers need not be there to build. */
typedef int progress_function(debuginfod_client *client, long a, long b);
typedef void set_progress(debuginfod_client *client, progress_function *function);

/* Called by libdebuginfod every so often, at least each second; not 0 ends the question. */
static int tick(debuginfod_client *client, long done, long all)
{
	if (all > 0 && done > 0 && done <= all)
		progress_say("debuginfod: %ld of %ld KiB", done / 1024, all / 1024);
	else
		progress_say("asking debuginfod");
	return is_over(spent_ms + now_ms() - started_ms);
}

void debuginfod_watch(Dwfl *dwfl, const struct symbolizer_options *options)
{
	debuginfod_client *client;
	void *library;
	set_progress *set;

	if (!options->debuginfod)
		return;
	client = dwfl_get_debuginfod_client(dwfl);
	library = client ? dlopen("libdebuginfod.so.1", RTLD_LAZY) : NULL;
	set = library ? (set_progress *)dlsym(library, "debuginfod_set_progressfn") : NULL;
	limit_question(options);
	if (set)
		set(client, tick);
}

#else

/* elfutils < 0.186 can't be watched. */
void debuginfod_watch(Dwfl *dwfl, const struct symbolizer_options *options)
{
	(void)dwfl;
	if (options->debuginfod)
		limit_question(options);
}

#endif

void debuginfod_begin(bool wanted)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	started_ms = now_ms();
	if (!urls)
		return;
	if (wanted && !is_over(spent_ms)) {
		progress_say("asking debuginfod");
		return;
	}
	hidden = mem_strdup(urls);
	unsetenv("DEBUGINFOD_URLS");
}

void debuginfod_end(void)
{
	if (hidden) {
		setenv("DEBUGINFOD_URLS", hidden, 1);
		free(hidden);
		hidden = NULL;
	} else {
		spent_ms += now_ms() - started_ms;
		is_over(spent_ms);
	}
}

bool debuginfod_gave_up(void)
{
	return gave_up;
}
