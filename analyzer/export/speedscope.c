/* SPDX-License-Identifier: MIT */
/* speedscope.c - speedscope's JSON: a sampled profile for each measure, over the same frames. */
#include "analyzer/export/stacks.h"
#include "analyzer/base/array.h"
#include "analyzer/base/json.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>

static const struct {
	enum sort_key key;
	const char *name, *unit;
} profiles[] = {
	{ SORT_AT_PEAK_BYTES, "at peak", "bytes" },
	{ SORT_CURRENT_BYTES, "current", "bytes" },
	{ SORT_CURRENT_BLOCKS, "current blocks", "none" },
	{ SORT_ALLOCATED_BYTES, "allocated", "bytes" },
	{ SORT_ALLOCATIONS, "allocations", "none" },
	{ SORT_TEMPORARY, "temporary", "none" },
	{ SORT_PEAK_BYTES, "own peak of each stack", "bytes" },
};

static void write_samples(const struct stacks *s, const struct exporter *e, struct json *j)
{
	uint32_t *path = mem_zalloc(s->deepest + 1, sizeof(*path));

	json_array(j, "samples", false);
	for (size_t i = 0; i < s->group_count; i++) {
		size_t depth;

		if (!stacks_weight(e, &s->groups[i]))
			continue;
		depth = stacks_path(s, &s->groups[i], path);
		json_array(j, NULL, true);
		for (size_t k = 0; k < depth; k++)
			json_unsigned(j, NULL, s->nodes[path[k]].frame);
		json_close(j);
	}
	json_close(j);
	free(path);
}

static void write_weights(const struct stacks *s, const struct exporter *e, struct json *j)
{
	uint64_t sum = 0;

	json_array(j, "weights", true);
	for (size_t i = 0; i < s->group_count; i++) {
		uint64_t weight = stacks_weight(e, &s->groups[i]);

		if (weight)
			json_unsigned(j, NULL, weight);
		sum += weight;
	}
	json_close(j);
	json_unsigned(j, "startValue", 0);
	json_unsigned(j, "endValue", sum);
}

static void write_profile(
	const struct stacks *s, const struct exporter *e, size_t index, struct json *j)
{
	struct exporter one = *e;

	one.measure = profiles[index].key;
	json_object(j, NULL, false);
	json_text(j, "type", "sampled");
	json_text(j, "name", profiles[index].name);
	json_text(j, "unit", profiles[index].unit);
	write_samples(s, &one, j);
	write_weights(s, &one, j);
	json_close(j);
}

static void write_frames(const struct stacks *s, struct json *j)
{
	json_object(j, "shared", false);
	json_array(j, "frames", false);
	for (size_t i = 0; i < s->frame_count; i++) {
		const struct stack_frame *f = &s->frames[i];

		json_object(j, NULL, true);
		json_text(j, "name", f->function);
		if (f->file || f->module)
			json_text(j, "file", f->file ? f->file : f->module);
		if (f->file && f->line)
			json_unsigned(j, "line", f->line);
		json_close(j);
	}
	json_close(j);
	json_close(j);
}

static void write_speedscope(const struct exporter *e)
{
	struct stacks *stacks = stacks_new(e, STACKS_LINES);
	uint64_t active = 0;
	struct json j;

	json_start(&j, e->out);
	json_object(&j, NULL, false);
	json_text(&j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	json_text(&j, "exporter", "mtracer " MTRACER_VERSION);
	json_text(&j, "name", path_base(trace_program(e->trace)));
	json_array(&j, "profiles", false);
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		write_profile(stacks, e, i, &j);
		if (profiles[i].key == e->measure)
			active = i;
	}
	json_close(&j);
	json_unsigned(&j, "activeProfileIndex", active);
	write_frames(stacks, &j);
	json_close(&j);
	json_finish(&j);
	stacks_free(stacks);
}

const struct export_format export_speedscope = { "speedscope", false, false, write_speedscope };
