/* SPDX-License-Identifier: MIT */
/*
 * json.c - a trace as one JSON document for scripts: every stack with all measures. mtracer(1) tells
 * its members; under the same version some may be added, and none changes or goes.
 */
#include "analyzer/export/stacks.h"
#include "analyzer/base/json.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/trace/trace.h"

#define JSON_EXPORT_VERSION 1

static void write_module(const struct trace *t, const struct mt_module *m, struct json *j)
{
	char build_id[2 * sizeof(m->build_id) + 1] = "";

	for (size_t i = 0; i < m->build_id_size && i < sizeof(m->build_id); i++)
		snprintf(build_id + 2 * i, 3, "%02x", m->build_id[i]);
	json_object(j, NULL, true);
	json_text(j, "path", trace_string(t, m->path));
	json_text(j, "build_id", build_id[0] ? build_id : NULL);
	json_close(j);
}

/* The first is null: frames of generated code are in no module. */
static void write_modules(const struct trace *t, struct json *j)
{
	json_array(j, "modules", false);
	json_null(j, NULL);
	for (uint32_t i = 1; i < t->module_count; i++)
		write_module(t, &t->modules[i], j);
	json_close(j);
}

static void write_frames(const struct stacks *s, struct json *j)
{
	json_array(j, "frames", false);
	for (size_t i = 0; i < s->frame_count; i++) {
		const struct stack_frame *f = &s->frames[i];

		json_object(j, NULL, true);
		json_text(j, "function", f->function);
		json_text(j, "file", f->line ? f->file : NULL);
		json_known(j, "line", f->file ? f->line : 0);
		json_unsigned(j, "module", f->module_index);
		json_known(j, "address", f->address);
		json_bool(j, "inlined", f->level > 0);
		json_close(j);
	}
	json_close(j);
}

static void write_stack(const struct stacks *s, const struct stack_group *group, struct json *j)
{
	json_object(j, NULL, true);
	json_array(j, "frames", true);
	for (uint32_t node = group->node; node; node = s->nodes[node].parent)
		json_unsigned(j, NULL, s->nodes[node].frame);
	json_close(j);
	exact_peak_json(&group->sum.m, j);
	added_json(&group->sum.m, j);
	json_close(j);
}

static void write_json(const struct exporter *e)
{
	struct stacks *stacks = stacks_new(e, STACKS_ADDRESSES);
	struct json j;

	json_start(&j, e->out);
	json_object(&j, NULL, false);
	json_text(&j, "schema", "mtracer stacks");
	json_unsigned(&j, "version", JSON_EXPORT_VERSION);
	summary_json(e->trace, &e->tally->totals, &j);
	write_modules(e->trace, &j);
	write_frames(stacks, &j);
	json_array(&j, "stacks", false);
	for (size_t i = 0; i < stacks->group_count; i++)
		write_stack(stacks, &stacks->groups[i], &j);
	json_close(&j);
	json_close(&j);
	json_finish(&j);
	stacks_free(stacks);
}

const struct export_format export_json = { "json", false, false, write_json };
