/* leakcheck.c - looks for leaks in all traces of a run. */
#include "leakcheck.h"
#include "leaks.h"
#include "livetrace.h"
#include "log.h"
#include "reading.h"
#include "runtrace.h"
#include "strbuf.h"
#include "summary.h"

#include <stdio.h>
#include <string.h>

#define COMMAND_SHOWN 100 /* bytes */

static void print_heading(const struct reading *r)
{
	struct strbuf text = { 0 };

	summary_command(r->trace, COMMAND_SHOWN, &text);
	fprintf(stderr, "\n%s (pid %u):\n", strbuf_text(&text), r->trace->header.pid);
	strbuf_release(&text);
}

/* That a shell's child went on as another program, or left by _exit(), is no news. */
static bool is_worth_a_warning(const struct run_traces *traces, const struct trace *t)
{
	return t->state != TRACE_EXITED || strcmp(t->path, traces->path) == 0;
}

static bool check(
	const struct run_traces *traces, const char *path, const struct suppressions *suppressions)
{
	static const struct reading_options options;
	static const struct leaks_view view = { 1u << LEAK_LOST, 20, 24, 3, false };
	static const struct leaks_options rows = { LEAKS_BY_LINE, 0 };
	struct reading r;
	struct leaks *leaks;
	bool found;

	livetrace_await_scan(path);
	if (reading_open(&r, &options, path) != EXIT_FINE)
		return false;
	leaks = leaks_new(r.trace, r.resolver, suppressions, &rows);
	found = leaks_found(leaks);
	if (!leaks->classified && is_worth_a_warning(traces, r.trace)) {
		warning("%s: no verdict on leaks: %s", path, leaks->why);
	} else if (leaks->classified && found) {
		print_heading(&r);
		leaks_print(leaks, r.trace, r.resolver, r.sources, &view, stderr);
		fprintf(stderr, "\nnext: mtracer leaks --all %s\n", path);
		reading_warn(&r);
	}
	leaks_free(leaks);
	reading_close(&r);
	return found;
}

bool leakcheck(const struct run_traces *traces, const struct suppressions *suppressions)
{
	bool found = false;

	for (size_t i = 0; i < traces->count; i++)
		found |= check(traces, traces->all[i], suppressions);
	return found;
}
