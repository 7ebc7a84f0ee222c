/* SPDX-License-Identifier: MIT */
/* csv.c - a line of comma-separated values for each stack, for spreadsheets and scripts. */
#include "analyzer/export/folded.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/mem.h"

#include <stdlib.h>

static void write_group(const struct exporter *e, const struct stacks *stacks,
	const struct stack_group *group, const char *stack)
{
	const struct stack_frame *f = stacks_frame(stacks, group->node);
	const struct measures *m = &group->sum.m;

	fprintf(e->out, "%llu,%llu,%llu,%lld,%lld,%llu,%llu,%llu,",
		(unsigned long long)m->at_peak_bytes, (unsigned long long)m->at_peak_blocks,
		(unsigned long long)m->peak_bytes, (long long)m->current_bytes,
		(long long)m->current_blocks, (unsigned long long)m->allocated_bytes,
		(unsigned long long)m->allocations, (unsigned long long)m->temporary);
	csv_field(f->function, e->out);
	putc(',', e->out);
	csv_field(f->file, e->out);
	putc(',', e->out);
	if (f->line)
		fprintf(e->out, "%u", f->line);
	putc(',', e->out);
	csv_field(f->module, e->out);
	putc(',', e->out);
	csv_field(stack, e->out);
	fputs("\n", e->out);
}

static void write_csv(const struct exporter *e)
{
	struct stacks *stacks = stacks_new(e, STACKS_LINES);
	uint32_t *path = mem_zalloc(stacks->deepest + 1, sizeof(*path));
	struct strbuf stack = { 0 };

	fputs("at_peak_bytes,at_peak_blocks,peak_bytes,current_bytes,current_blocks,"
	      "allocated_bytes,allocations,temporary,function,file,line,module,stack\n",
		e->out);
	for (size_t i = 0; i < stacks->group_count; i++) {
		const struct stack_group *group = &stacks->groups[i];

		strbuf_clear(&stack);
		add_folded(&stack, stacks, path, stacks_path(stacks, group, path));
		write_group(e, stacks, group, strbuf_text(&stack));
	}
	strbuf_release(&stack);
	free(path);
	stacks_free(stacks);
}

const struct export_format export_csv = { "csv", false, false, write_csv };
