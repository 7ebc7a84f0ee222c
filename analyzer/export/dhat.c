/* SPDX-License-Identifier: MIT */
/*
 * dhat.c - DHAT's JSON, version 2, of valgrind's dh_view.html and the Firefox Profiler; what it
 * means is told in valgrind's dhat/dh_main.c.
 *
 * DHAT's t-gmax is the peak. A stack's own peak (mb) is known in bytes alone; its blocks are as many
 * as have the stack's mean size. Lifetimes are unknown and 0, the threshold of what is short-lived
 * lies below, so no stack is called that.
 */
#include "analyzer/export/plain.h"
#include "analyzer/export/stacks.h"
#include "analyzer/trace/measures.h"
#include "analyzer/base/json.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>

#define NS_PER_US 1000

static uint64_t blocks_at_own_peak(const struct measures *m)
{
	double blocks;

	if (m->peak_bytes == m->at_peak_bytes)
		return m->at_peak_blocks;
	if ((int64_t)m->peak_bytes == m->current_bytes)
		return (uint64_t)m->current_blocks;
	if (!m->allocated_bytes)
		return 0;
	blocks = (double)m->peak_bytes * (double)m->allocations / (double)m->allocated_bytes;
	return (uint64_t)(blocks + 0.5);
}

static void write_group(const struct stacks *s, const struct stack_group *group, struct json *j)
{
	const struct measures *m = &group->sum.m;

	json_object(j, NULL, true);
	json_unsigned(j, "tb", m->allocated_bytes);
	json_unsigned(j, "tbk", m->allocations);
	json_unsigned(j, "tl", 0);
	json_unsigned(j, "mb", m->peak_bytes);
	json_unsigned(j, "mbk", blocks_at_own_peak(m));
	json_unsigned(j, "gb", m->at_peak_bytes);
	json_unsigned(j, "gbk", m->at_peak_blocks);
	json_unsigned(j, "eb", not_negative(m->current_bytes));
	json_unsigned(j, "ebk", not_negative(m->current_blocks));
	json_array(j, "fs", true);
	for (uint32_t node = group->node; node; node = s->nodes[node].parent)
		json_unsigned(j, NULL, s->nodes[node].frame + 1);
	json_close(j);
	json_close(j);
}

static void write_frame(const struct stack_frame *f, struct strbuf *text, struct json *j)
{
	strbuf_clear(text);
	add_frame(text, f);
	json_text(j, NULL, text->text);
}

static void write_times(const struct trace *t, struct json *j)
{
	uint64_t ns;

	if (!trace_run_time(t, &ns))
		ns = t->header.last_ns;
	json_text(j, "tu", "\xc2\xb5s");
	json_text(j, "Mtu", "s");
	json_signed(j, "tuth", -1);
	json_unsigned(j, "te", ns / NS_PER_US ? ns / NS_PER_US : 1);
	json_unsigned(j, "tg", t->header.peak_ns / NS_PER_US);
}

static void write_run(const struct trace *t, struct strbuf *text, struct json *j)
{
	strbuf_clear(text);
	add_command(text, t);
	json_text(j, "cmd", strbuf_text(text));
	json_unsigned(j, "pid", t->header.pid);
}

static void write_dhat(const struct exporter *e)
{
	struct stacks *stacks = stacks_new(e, STACKS_ADDRESSES);
	struct strbuf text = { 0 };
	struct json j;

	json_start(&j, e->out);
	json_object(&j, NULL, false);
	json_unsigned(&j, "dhatFileVersion", 2);
	json_text(&j, "mode", "heap");
	json_text(&j, "verb", "Allocated");
	json_bool(&j, "bklt", true);
	json_bool(&j, "bkacc", false);
	write_times(e->trace, &j);
	write_run(e->trace, &text, &j);
	json_array(&j, "pps", false);
	for (size_t i = 0; i < stacks->group_count; i++)
		write_group(stacks, &stacks->groups[i], &j);
	json_close(&j);
	json_array(&j, "ftbl", false);
	json_text(&j, NULL, "[root]");
	for (size_t i = 0; i < stacks->frame_count; i++)
		write_frame(&stacks->frames[i], &text, &j);
	json_close(&j);
	json_close(&j);
	json_finish(&j);
	strbuf_release(&text);
	stacks_free(stacks);
}

const struct export_format export_dhat = { "dhat", false, false, write_dhat };
