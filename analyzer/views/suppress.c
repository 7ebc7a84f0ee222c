/* SPDX-License-Identifier: MIT */
/*
 * suppress.c - reads suppressions of two formats and matches them with stacks.
 *
 * A text is taken line by line; '{' begins a block of Valgrind's, anything else must be
 * leak:PATTERN.
 */
#include "analyzer/views/suppress.h"
#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/symbols/demangle.h"
#include "analyzer/views/suppress_names.h"
#include "preload/trace_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST (16u << 20) /* bytes of a suppression file */
#define FRAMES_WRITTEN 24     /* as many as Valgrind takes */

/* ---- matching a text */

/*
 * LeakSanitizer's patterns find a part of the text. `^` binds the first piece to the beginning,
 * `$` the last to the end; pieces between `*` follow one another, each as early as possible.
 */
static bool template_matches(const char *pattern, const char *text)
{
	bool bound = *pattern == '^';
	size_t left = strlen(text);

	if (left == 0)
		return false;
	pattern += bound;
	while (*pattern) {
		size_t size = strcspn(pattern, "*$");
		bool last = pattern[size] == '$';
		const char *at;

		if (bound)
			at = left >= size && memcmp(text, pattern, size) == 0 ? text : NULL;
		else if (last)
			at = left >= size ? text + left - size : NULL;
		else
			at = memmem(text, left, pattern, size);
		if (!at || (last && (size_t)(text + left - at) != size))
			return false;
		if (last)
			return memcmp(at, pattern, size) == 0;
		left -= (size_t)(at + size - text);
		text = at + size;
		pattern += size + strspn(pattern + size, "*");
		bound = false;
	}
	return true;
}

/* ---- matching a stack */

static bool text_matches(bool (*matches)(const char *pattern, const char *text),
	const char *pattern, const char *text)
{
	return text && matches(pattern, text);
}

/* LeakSanitizer's names of functions have parameters. */
static bool signature_matches(const char *pattern, const struct suppress_frame *f)
{
	char *signature;
	bool found;

	if (!f->linkage || !strchr(pattern, '('))
		return false;
	signature = demangle_whole(f->linkage);
	found = template_matches(pattern, signature);
	free(signature);
	return found;
}

static bool pattern_matches(const char *pattern, const struct suppress_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct suppress_frame *f = &frames[i];

		if (text_matches(template_matches, pattern, f->function) ||
			text_matches(template_matches, pattern, f->linkage) ||
			text_matches(template_matches, pattern, f->file) ||
			text_matches(template_matches, pattern, f->module) ||
			signature_matches(pattern, f))
			return true;
	}
	return false;
}

static bool source_matches(const char *pattern, const struct suppress_frame *f)
{
	const char *base = f->file ? strrchr(f->file, '/') : NULL;
	char text[4096 + 16];

	if (!f->file)
		return false;
	base = base ? base + 1 : f->file;
	if (glob_matches(pattern, f->file) || glob_matches(pattern, base))
		return true;
	snprintf(text, sizeof(text), "%s:%u", f->file, f->line);
	if (glob_matches(pattern, text))
		return true;
	snprintf(text, sizeof(text), "%s:%u", base, f->line);
	return glob_matches(pattern, text);
}

static bool frame_matches(const char *pattern, const struct suppress_frame *f)
{
	const char *what = pattern + 4;

	if (pattern[0] == 's')
		return source_matches(what, f);
	return pattern[0] == 'o' ? object_matches(what, f) : function_matches(what, f);
}

/* The patterns are for the innermost frames: what is further out doesn't matter. */
static bool frames_match(char *const *patterns, size_t pattern_count,
	const struct suppress_frame *frames, size_t count)
{
	size_t p = 0, f = 0, dots = SIZE_MAX, retry = 0;

	while (p < pattern_count) {
		if (strcmp(patterns[p], "...") == 0) {
			dots = ++p;
			retry = f;
		} else if (f < count && frame_matches(patterns[p], &frames[f])) {
			p++;
			f++;
		} else if (dots != SIZE_MAX && retry < count) {
			p = dots;
			f = ++retry;
		} else {
			return false;
		}
	}
	return true;
}

/* ---- matching a stack with the allocation function in front */

#define VALGRINDS_OWN "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so"

/* A stack as Valgrind has it. */
struct stack {
	struct suppress_frame *frames; /* behind two places */
	size_t count;
	uint32_t calls; /* which functions may have allocated */
	const struct suppress_frame *as_traced;
	size_t as_traced_count;
};

static struct stack stack_new(
	const struct suppress_frame *frames, size_t count, bool without_inlined)
{
	struct stack stack = { .as_traced = frames, .as_traced_count = count };
	size_t i;

	stack.calls = allocation_calls(frames, count, &i);
	stack.frames = mem_zalloc(count + 2, sizeof(*frames));
	for (; i < count; i++)
		if (!without_inlined || !inlined_in_program(&frames[i]))
			stack.frames[2 + stack.count++] = frames[i];
	return stack;
}

static bool allocation_matches(
	const struct suppression *s, const struct stack *stack, const struct allocation_name *name)
{
	size_t places = name->outer ? 2 : 1;
	struct suppress_frame *first = stack->frames + 2 - places;

	first[places - 1] =
		(struct suppress_frame){ .function = name->outer, .module = VALGRINDS_OWN };
	first[0] = (struct suppress_frame){ .function = name->name, .module = VALGRINDS_OWN };
	return frames_match(s->frames, s->frame_count, first, stack->count + places);
}

/* Whether a suppression begins with what may be an allocation function. */
static bool names_allocation(const struct suppression *s)
{
	const struct suppress_frame own = { .module = VALGRINDS_OWN };
	const struct allocation_name *n = allocation_names;

	if (strncmp(s->frames[0], "obj:", 4) == 0)
		return object_matches(s->frames[0] + 4, &own);
	while (n->name && strncmp(s->frames[0], "fun:", 4) == 0)
		if (glob_matches(s->frames[0] + 4, n++->name))
			return true;
	return false;
}

static bool matches(const struct suppression *s, const struct stack *stack)
{
	if (s->pattern)
		return pattern_matches(s->pattern, stack->as_traced, stack->as_traced_count);
	for (const struct allocation_name *n = allocation_names; n->name; n++)
		if (stack->calls & 1u << n->function && allocation_matches(s, stack, n))
			return true;
	return !names_allocation(s) &&
	       frames_match(s->frames, s->frame_count, stack->as_traced, stack->as_traced_count);
}

static struct suppression *find(const struct suppressions *s, enum leak_kind kind,
	const struct suppress_frame *frames, size_t count, bool without_inlined)
{
	struct stack stack = stack_new(frames, count, without_inlined);
	struct suppression *found = NULL;

	for (size_t i = 0; !found && i < s->count; i++) {
		struct suppression *item = &s->items[i];
		bool asked = !without_inlined || (item->file && !item->names_inlined);

		if (asked && (item->kinds & 1u << kind) && matches(item, &stack))
			found = item;
	}
	free(stack.frames);
	return found;
}

static bool any_inlined(const struct suppress_frame *frames, size_t count)
{
	size_t i = 0;

	while (i < count && !inlined_in_program(&frames[i]))
		i++;
	return i < count;
}

struct suppression *suppressions_match(const struct suppressions *s, enum leak_kind kind,
	const struct suppress_frame *frames, size_t count)
{
	struct suppression *found = find(s, kind, frames, count, false);

	if (!found && any_inlined(frames, count))
		found = find(s, kind, frames, count, true);
	if (found)
		found->used++;
	return found;
}

static bool names_any(const struct suppression *s, const char *function)
{
	for (size_t i = 0; i < s->frame_count; i++)
		if (strncmp(s->frames[i], "fun:", 4) == 0 &&
			strcmp(s->frames[i] + 4, function) == 0)
			return true;
	return false;
}

static void note_inlined(struct suppressions *s, const char *function)
{
	for (size_t i = 0; i < s->count; i++) {
		const char *file = s->items[i].file;

		if (!file || s->items[i].names_inlined || !names_any(&s->items[i], function))
			continue;
		for (size_t k = 0; k < s->count; k++)
			s->items[k].names_inlined |= s->items[k].file == file;
	}
}

void suppressions_see(struct suppressions *s, const struct suppress_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (inlined_in_program(&frames[i]))
			note_inlined(s, unscoped(frames[i].function));
}

/* ---- reading */

struct parser {
	struct suppressions *set;
	const char *file;
	char *next; /* the text not read yet */
	unsigned line;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct parser *p, const char *format, ...)
{
	int size = snprintf(p->error, p->error_size, "line %u: ", p->line);
	va_list args;

	va_start(args, format);
	vsnprintf(p->error + size, p->error_size - (size_t)size, format, args);
	va_end(args);
	return false;
}

/* The next line that says something, without blanks around it; NULL = the end. */
static char *next_line(struct parser *p)
{
	while (*p->next) {
		char *line = p->next;
		size_t size = strcspn(line, "\n");

		p->next = line + size + (line[size] == '\n');
		p->line++;
		line[size] = '\0';
		line += strspn(line, " \t\r");
		size = strlen(line);
		while (size && strchr(" \t\r", line[size - 1]))
			line[--size] = '\0';
		if (*line && *line != '#')
			return line;
	}
	return NULL;
}

static void release(struct suppression *s)
{
	for (size_t i = 0; i < s->frame_count; i++)
		free(s->frames[i]);
	free(s->frames);
	free(s->pattern);
	free(s->name);
}

static bool parse_leak_kinds(struct parser *p, char *text, unsigned *kinds)
{
	static const struct {
		const char *name;
		unsigned kinds;
	} known[] = {
		{ "definite", 1u << LEAK_LOST },
		{ "indirect", 1u << LEAK_INDIRECT },
		{ "possible", 1u << LEAK_POSSIBLE },
		{ "reachable", 1u << LEAK_REACHABLE },
		{ "all", (1u << LEAK_KINDS) - 1 },
		{ "none", 0 },
	};

	*kinds = 0;
	for (char *word = strtok(text, ", \t"); word; word = strtok(NULL, ", \t")) {
		size_t i = 0, count = ARRAY_SIZE(known);

		while (i < count && strcmp(known[i].name, word) != 0)
			i++;
		if (i == count)
			return wrong(p, "unknown leak kind: '%s'", word);
		*kinds |= known[i].kinds;
	}
	return true;
}

/* "Memcheck:Leak", "Memcheck,Drd:Leak"; *ours: the block is about leaks. */
static bool parse_tool(struct parser *p, const char *line, bool *ours)
{
	const char *colon = strchr(line, ':');
	size_t tools = colon ? (size_t)(colon - line) : 0;

	if (!tools || !colon[1])
		return wrong(p, "expected a line such as 'Memcheck:Leak', not '%s'", line);
	*ours = memmem(line, tools, "Memcheck", 8) && strcmp(colon + 1, "Leak") == 0;
	return true;
}

static bool is_frame(const char *line)
{
	return strcmp(line, "...") == 0 ||
	       ((strncmp(line, "fun:", 4) == 0 || strncmp(line, "obj:", 4) == 0 ||
			strncmp(line, "src:", 4) == 0) &&
		       line[4]);
}

static bool parse_frames(struct parser *p, struct suppression *s, bool ours)
{
	static const char kinds[] = "match-leak-kinds:";
	size_t room = 0;
	char *line;

	while ((line = next_line(p)) && strcmp(line, "}") != 0) {
		if (!ours)
			continue; /* other errors have lines of their own */
		if (s->frame_count == 0 && strncmp(line, kinds, sizeof(kinds) - 1) == 0) {
			if (!parse_leak_kinds(p, line + sizeof(kinds) - 1, &s->kinds))
				return false;
			continue;
		}
		if (!is_frame(line))
			return wrong(p, "expected fun:, obj:, src: or ..., not '%s'", line);
		VEC_PUSH(s->frames, s->frame_count, room, mem_strdup(line));
	}
	if (!line)
		return wrong(p, "the block starting at line %u has no '}'", s->line);
	if (ours && s->frame_count == 0)
		return wrong(p, "the block starting at line %u names no frame", s->line);
	return true;
}

static bool parse_block(struct parser *p)
{
	struct suppression s = {
		.file = p->file, .line = p->line, .kinds = (1u << LEAK_KINDS) - 1
	};
	char *line = next_line(p);
	bool ours = false, ok = false;

	if (line && strcmp(line, "}") != 0) {
		s.name = mem_strdup(line);
		line = next_line(p);
	}
	if (!line || strcmp(line, "}") == 0)
		wrong(p, "the block starting at line %u needs a name and 'Memcheck:Leak'", s.line);
	else
		ok = parse_tool(p, line, &ours) && parse_frames(p, &s, ours);
	if (!ok || !ours) {
		release(&s);
		return ok;
	}
	VEC_PUSH(p->set->items, p->set->count, p->set->room, s);
	return true;
}

static bool parse_pattern(struct parser *p, const char *line)
{
	struct suppression s = {
		.file = p->file, .line = p->line, .kinds = (1u << LEAK_KINDS) - 1
	};

	if (strncmp(line, "leak:", 5) != 0)
		return wrong(p,
			"expected leak:PATTERN or the '{' of a Valgrind suppression, not "
			"'%s'",
			line);
	if (!line[5])
		return wrong(p, "leak: without a pattern");
	s.name = mem_strdup(line);
	s.pattern = mem_strdup(line + 5);
	VEC_PUSH(p->set->items, p->set->count, p->set->room, s);
	return true;
}

bool suppressions_add_text(
	struct suppressions *s, const char *text, const char *file, char *error, size_t error_size)
{
	char *copy = mem_strdup(text);
	struct parser p = { s, file, copy, 0, error, error_size };
	bool ok = true;
	char *line;

	while (ok && (line = next_line(&p)))
		ok = strcmp(line, "{") == 0 ? parse_block(&p) : parse_pattern(&p, line);
	free(copy);
	return ok;
}

void suppressions_add_builtin(struct suppressions *s)
{
	char error[256];

	if (!suppressions_add_text(s, suppressions_builtin, NULL, error, sizeof(error)))
		abort(); /* they are tested */
}

static char *read_file(const char *path, char *error, size_t error_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct strbuf text = { 0 };
	char part[8192];
	ssize_t got = 0;

	while (fd >= 0 && text.size <= FILE_MOST && (got = read(fd, part, sizeof(part))) > 0)
		strbuf_add_bytes(&text, part, (size_t)got);
	if (fd < 0 || got < 0)
		snprintf(error, error_size, "%s", strerror(errno));
	else if (text.size > FILE_MOST)
		snprintf(error, error_size, "too long for a suppression file");
	else if (memchr(strbuf_text(&text), '\0', text.size))
		snprintf(error, error_size, "not a text");
	else
		got = -2;
	if (fd >= 0)
		close(fd);
	if (got != -2) {
		strbuf_release(&text);
		return NULL;
	}
	return text.text ? text.text : mem_strdup("");
}

bool suppressions_add_file(struct suppressions *s, const char *path, char *error, size_t error_size)
{
	char *text = read_file(path, error, error_size);
	bool ok = text && suppressions_add_text(s, text, path, error, error_size);

	free(text);
	return ok;
}

void suppressions_release(struct suppressions *s)
{
	for (size_t i = 0; i < s->count; i++)
		release(&s->items[i]);
	free(s->items);
	*s = (struct suppressions){ 0 };
}

/* ---- writing */

/* What no symbol names is named by its module. */
static bool is_named(const struct suppress_frame *f)
{
	return f->function && *f->function && !strstr(f->function, "+0x") &&
	       strncmp(f->function, "0x", 2) != 0;
}

/* A frame's line. The name comes from a program or a trace: it stays in its line, and stands for
 * nothing but itself. What can't be said in the format is a `?` for each byte. */
static void add_frame_line(struct strbuf *text, const char *kind, const char *name)
{
	struct strbuf clean = { 0 };

	for (const char *at = name; *at;) {
		size_t size = utf8_character(at);
		bool blank = *at == ' ' && (at == name || !at[1]);

		if (*at == '*' || blank || (unsigned char)*at < ' ' || *at == 0x7f || size == 0 ||
			((unsigned char)*at == 0xc2 &&
				(unsigned char)at[1] < 0xa0)) /* C1 controls */
			for (size_t i = 0; i < (size ? size : 1); i++)
				strbuf_add(&clean, "?");
		else
			strbuf_add_bytes(&clean, at, size);
		at += size ? size : 1;
	}
	strbuf_addf(text, "   %s%s\n", kind, strbuf_text(&clean));
	strbuf_release(&clean);
}

static void add_frame(struct strbuf *text, const struct suppress_frame *f)
{
	bool cut = false;

	if (is_named(f)) {
		const char *name = written_name(f, &cut);

		add_frame_line(text, cut ? "fun:*" : "fun:", name);
	} else {
		add_frame_line(text, "obj:", f->module && *f->module ? f->module : "???");
	}
}

/* What allocated. Valgrind has malloc for realloc(NULL), and, by its version, a frame of reallocarray,
 * and memalign for or in front of what gives aligned blocks. */
static void add_allocation(struct strbuf *text, uint32_t calls)
{
	const struct allocation_name *n = allocation_names;

	while (n->name && !(calls & 1u << n->function))
		n++;
	if (!n->name || calls != 1u << n->function)
		strbuf_add(text, "   fun:*\n"); /* it isn't known */
	else if (n->function == MT_REALLOC)
		strbuf_add(text, "   fun:*alloc*\n");
	else if (n->function == MT_POSIX_MEMALIGN)
		strbuf_add(text, "   ...\n   fun:posix_memalign\n");
	else if (n->function == MT_ALIGNED_ALLOC || n->function == MT_VALLOC)
		strbuf_add(text, "   fun:*al*\n");
	else
		strbuf_addf(text, "   fun:%s\n", n->name);
}

void suppression_write(struct strbuf *text, const char *name, enum leak_kind kind,
	const struct suppress_frame *frames, size_t count)
{
	static const char *const kinds[] = { "definite", "indirect", "possible", "reachable",
		"all" };
	size_t i;
	uint32_t calls = allocation_calls(frames, count, &i);

	strbuf_addf(
		text, "{\n   %s\n   Memcheck:Leak\n   match-leak-kinds: %s\n", name, kinds[kind]);
	if (count == 0)
		strbuf_add(text, "   ...\n");
	else
		add_allocation(text, calls);
	for (; i < count && i < FRAMES_WRITTEN && !is_outermost(&frames[i]); i++) {
		add_frame(text, &frames[i]);
		if (frames[i].function && strcmp(frames[i].function, "main") == 0)
			break;
	}
	strbuf_add(text, "}\n");
}
