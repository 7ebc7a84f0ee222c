/* SPDX-License-Identifier: MIT */
/* reading.c - opens a trace and its symbols for a command. */
#include "analyzer/views/reading.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/pager.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/progress.h"
#include "analyzer/base/width.h"
#include "analyzer/symbols/wrappers.h"
#include "analyzer/trace/moment.h"
#include "analyzer/trace/ongoing_scan.h"
#include "analyzer/trace/successor.h"
#include "analyzer/views/gather.h"
#include "analyzer/views/livetrace.h"
#include "analyzer/views/newest.h"
#include "analyzer/views/operand.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARNINGS_SHOWN 5
#define DEBUGINFOD_SECONDS 90

static int add_wrappers(struct wrappers *wrappers, const struct option_list *list)
{
	char why[256];

	for (size_t i = 0; i < list->count; i++) {
		if (wrappers_add(wrappers, list->items[i], why, sizeof(why)) != 0)
			return error("--wrapper '%s': %s", list->items[i], why);
	}
	return EXIT_OK;
}

static const char **terminated(const struct option_list *list)
{
	const char **items = mem_zalloc(list->count + 1, sizeof(*items));

	for (size_t i = 0; i < list->count; i++)
		items[i] = list->items[i];
	return items;
}

static int add_sources(struct source_cache *sources, const struct reading_options *options)
{
	for (size_t i = 0; i < options->source_dirs.count; i++)
		source_add_directory(sources, options->source_dirs.items[i]);
	if (options->sysroot)
		source_set_root(sources, options->sysroot);
	for (size_t i = 0; i < options->path_maps.count; i++) {
		if (!source_add_map(sources, options->path_maps.items[i]))
			return error("--path-map '%s': must have the form FROM=TO",
				options->path_maps.items[i]);
	}
	return EXIT_OK;
}

static struct trace *open_file(const char *path)
{
	struct trace *trace;
	char why[512];

	ongoing_scan_await(path);
	trace = trace_open(path, why, sizeof(why));
	if (!trace)
		error("%s: %s", path, why);
	else
		successor_look(trace);
	return trace;
}

static struct trace *open_newest(void)
{
	char *path = newest_trace();
	struct trace *trace = NULL;

	if (path)
		trace = open_file(path);
	else
		error("no TRACE given, and no trace (*.mtrace) in the working directory");
	free(path);
	return trace;
}

static struct trace *open_process(uint32_t pid)
{
	struct livetrace live;
	struct trace *trace;

	trace = livetrace_open_pid(&live, pid) == EXIT_OK ? open_file(live.path) : NULL;
	livetrace_close(&live);
	return trace;
}

static struct trace *open_named(const char *name)
{
	uint32_t pid;

	if (livetrace_is_pid(name, &pid))
		return open_process(pid);
	return is_directory(name) ? gather_directory(name) : open_file(name);
}

struct trace *reading_trace(const char *operand)
{
	const char *moment = NULL;
	char *name = operand ? operand_trace(operand, &moment) : NULL;
	struct trace *trace = name && *name ? open_named(name) : open_newest();
	char why[512];

	free(name);
	if (trace && moment && !trace_go_to(trace, moment, why, sizeof(why))) {
		error("%s: %s", trace->path, why);
		trace_free(trace);
		return NULL;
	}
	return trace;
}

static void start_resolver(struct reading *r, const struct reading_options *options)
{
	struct symbolizer_options symbols = { options->sysroot, NULL, options->debuginfod,
		DEBUGINFOD_SECONDS };

	if (options->debuginfod_seconds)
		symbols.debuginfod_seconds = options->debuginfod_seconds > UINT_MAX
						     ? UINT_MAX
						     : (unsigned)options->debuginfod_seconds;
	r->debug_dirs = terminated(&options->debug_dirs);
	if (options->debug_dirs.count)
		symbols.debug_dirs = r->debug_dirs;
	r->resolver = resolver_new(r->trace, &symbols, options->no_wrappers ? NULL : r->wrappers);
}

int reading_prepare(struct reading *r, const struct reading_options *options)
{
	int status;

	*r = (struct reading){ 0 };
	r->wrappers = wrappers_new();
	r->sources = source_cache_new();
	status = add_wrappers(r->wrappers, &options->wrappers);
	return status == EXIT_OK ? add_sources(r->sources, options) : status;
}

static int open_prepared(struct reading *r, const struct reading_options *options, int status)
{
	if (status == EXIT_OK && !r->trace)
		status = EXIT_ERROR;
	if (status == EXIT_OK)
		start_resolver(r, options);
	else
		reading_close(r);
	return status;
}

int reading_open(struct reading *r, const struct reading_options *options, const char *operand)
{
	int status = reading_prepare(r, options);

	if (status == EXIT_OK)
		r->trace = reading_trace(operand);
	return open_prepared(r, options, status);
}

int reading_open_trace(
	struct reading *r, const struct reading_options *options, struct trace *trace)
{
	int status = reading_prepare(r, options);

	r->trace = trace;
	return open_prepared(r, options, status);
}

void reading_take(struct reading *r, const struct reading_options *options, struct trace *trace)
{
	r->trace = trace;
	if (trace && r->resolver)
		resolver_renew(r->resolver, trace);
	else if (trace)
		start_resolver(r, options);
}

void reading_close(struct reading *r)
{
	resolver_free(r->resolver);
	wrappers_free(r->wrappers);
	source_cache_free(r->sources);
	trace_free(r->trace);
	free(r->debug_dirs);
	*r = (struct reading){ 0 };
}

static void start(const struct reading_options *options, uint64_t width, bool pager)
{
	size_t columns = width ? (size_t)width : terminal_width(STDOUT_FILENO);

	progress_end();
	if (pager)
		pager_start(); /* no terminal is there to measure from now on */
	fold_start(&stdout, STDOUT_FILENO, options->wide ? SIZE_MAX : columns);
}

void output_start(const struct reading_options *options, uint64_t width)
{
	start(options, width, false);
}

void output_start_long(const struct reading_options *options, uint64_t width)
{
	start(options, width, !options->no_pager);
}

static const char *program_of(const struct trace *t)
{
	return *trace_program(t) ? path_base(trace_program(t)) : "an unknown program";
}

bool reading_warn_of_difference(const struct trace *first, const struct trace *other)
{
	const char *a = program_of(first), *b = program_of(other);

	if (strcmp(a, b) != 0) {
		warning("different programs are compared: %s in %s, %s in %s", a, first->path, b,
			other->path);
		return true;
	}
	if (first->header.sample_bytes != other->header.sample_bytes)
		warning("%s was sampled otherwise than %s", other->path, first->path);
	return false;
}

void reading_json(const struct reading *r, struct json *j)
{
	const char *complaint;
	uint32_t next = 0;

	json_array(j, "warnings", true);
	if ((complaint = source_complaint(r->sources)))
		json_text(j, NULL, complaint);
	while ((complaint = resolver_complaint(r->resolver, &next)))
		json_text(j, NULL, complaint);
	json_close(j);
}

void reading_warn(const struct reading *r)
{
	unsigned count = 0;
	uint32_t next = 0;
	const char *complaint;

	if ((complaint = source_complaint(r->sources)))
		warning("%s", complaint);
	while ((complaint = resolver_complaint(r->resolver, &next))) {
		if (++count <= WARNINGS_SHOWN)
			warning("%s", complaint);
	}
	if (count > WARNINGS_SHOWN)
		warning("%u more modules have such problems", count - WARNINGS_SHOWN);
}
