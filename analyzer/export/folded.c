/* SPDX-License-Identifier: MIT */
/*
 * folded.c - folded stacks: a line for each, "main;parse;read_line 4096". Of flamegraph.pl and its
 * like.
 */
#include "analyzer/export/folded.h"
#include "analyzer/base/mem.h"

#include <stdlib.h>

void add_folded(
	struct strbuf *line, const struct stacks *stacks, const uint32_t *path, size_t depth)
{
	for (size_t i = 0; i < depth; i++) {
		const struct stack_frame *frame = stacks_frame(stacks, path[i]);

		if (i)
			strbuf_add(line, ";");
		strbuf_add_folded(line, frame->function);
	}
}

static void write_folded(const struct exporter *e)
{
	struct stacks *stacks = stacks_new(e, STACKS_FUNCTIONS);
	uint32_t *path = mem_zalloc(stacks->deepest + 1, sizeof(*path));
	struct strbuf line = { 0 };

	for (size_t i = 0; i < stacks->group_count; i++) {
		const struct stack_group *group = &stacks->groups[i];
		uint64_t weight = stacks_weight(e, group);

		if (!weight)
			continue;
		strbuf_clear(&line);
		add_folded(&line, stacks, path, stacks_path(stacks, group, path));
		fprintf(e->out, "%s %llu\n", strbuf_text(&line), (unsigned long long)weight);
	}
	strbuf_release(&line);
	free(path);
	stacks_free(stacks);
}

const struct export_format export_folded = { "folded", false, false, write_folded };
