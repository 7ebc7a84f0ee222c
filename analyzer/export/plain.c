/* SPDX-License-Identifier: MIT */
/* plain.c - writes names and commands so that they stay in their line. */
#include "analyzer/export/plain.h"
#include "analyzer/export/stacks.h"
#include "analyzer/trace/trace.h"

void write_plain(const char *text, FILE *out)
{
	for (; *text; text++)
		putc((unsigned char)*text >= ' ' ? *text : *text == '\t' ? ' ' : '?', out);
}

void write_command(const struct trace *trace, FILE *out)
{
	struct strbuf text = { 0 };

	add_command(&text, trace);
	write_plain(text.size ? strbuf_text(&text) : "?", out);
	strbuf_release(&text);
}

void add_command(struct strbuf *text, const struct trace *trace)
{
	for (size_t i = 0; i < trace->command_count; i++)
		strbuf_addf(text, "%s%s", i ? " " : "", trace->command[i]);
}

void add_frame(struct strbuf *text, const struct stack_frame *f)
{
	strbuf_addf(text, "0x%llX: %s", (unsigned long long)f->address, f->function);
	if (f->file && f->line)
		strbuf_addf(text, " (%s:%u)", f->file, f->line);
	else if (f->module)
		strbuf_addf(text, " (in %s)", f->module);
}
