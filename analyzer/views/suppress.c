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

static bool glob_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern && (*pattern == *text || *pattern == '?')) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

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

/* Valgrind has one name for what calls main. */
static bool is_below_main(const struct suppress_frame *f)
{
	static const char *const names[] = { "_start", "__libc_start_", "generic_start_main" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (f->function && strncmp(f->function, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool frame_matches(const char *pattern, const struct suppress_frame *f)
{
	const char *what = pattern + 4;

	if (pattern[0] == 's')
		return source_matches(what, f);
	if (pattern[0] == 'o')
		return text_matches(
			glob_matches, what, f->module && *f->module ? f->module : "???");
	return text_matches(glob_matches, what, f->function ? f->function : "???") ||
	       text_matches(glob_matches, what, f->linkage) ||
	       (is_below_main(f) && glob_matches(what, "(below main)"));
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

/* What Valgrind has as the innermost frame. Of a block that C++ asked for it is the operator, however
 * that calls malloc. */
static const char *const c_functions[] = { "malloc", "calloc", "realloc", "reallocarray",
	"memalign", "posix_memalign", "aligned_alloc", "valloc", "pvalloc", NULL };
static const char *const operators[] = { "_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t",
	"_ZnamRKSt9nothrow_t", "_ZnwmSt11align_val_t", "_ZnamSt11align_val_t",
	"_ZnwmSt11align_val_tRKSt9nothrow_t", "_ZnamSt11align_val_tRKSt9nothrow_t", "__builtin_new",
	"__builtin_vec_new", "operator new(unsigned long)", "operator new[](unsigned long)", NULL };

static bool matches_any(const char *pattern, const char *const *names)
{
	while (*names && !glob_matches(pattern, *names))
		names++;
	return *names;
}

/* How many of the innermost frames are operator new's: it may call another one. Which of them the
 * program called can't be told where that ends in a jump. */
static size_t count_operators(const struct suppress_frame *frames, size_t count)
{
	size_t n = 0;

	while (n < count && frames[n].function &&
		strncmp(frames[n].function, "operator new", strlen("operator new")) == 0)
		n++;
	return n;
}

/* An allocator's own operator new leaves no frame. */
static bool is_allocation_function(const char *pattern, bool has_operator)
{
	if (strncmp(pattern, "obj:", 4) == 0)
		return glob_matches(
			pattern + 4, "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so");
	return strncmp(pattern, "fun:", 4) == 0 &&
	       (matches_any(pattern + 4, operators) ||
		       (!has_operator && matches_any(pattern + 4, c_functions)));
}

static bool matches(const struct suppression *s, const struct suppress_frame *frames, size_t count)
{
	size_t skipped;

	if (s->pattern)
		return pattern_matches(s->pattern, frames, count);
	if (frames_match(s->frames, s->frame_count, frames, count))
		return true;
	skipped = count_operators(frames, count);
	if (!s->frame_count || !is_allocation_function(s->frames[0], skipped > 0))
		return false;
	if (skipped) /* else there may be no frames at all */
		frames += skipped;
	return frames_match(s->frames + 1, s->frame_count - 1, frames, count - skipped);
}

struct suppression *suppressions_match(const struct suppressions *s, enum leak_kind kind,
	const struct suppress_frame *frames, size_t count)
{
	for (size_t i = 0; i < s->count; i++) {
		struct suppression *item = &s->items[i];

		if ((item->kinds & 1u << kind) && matches(item, frames, count)) {
			item->used++;
			return item;
		}
	}
	return NULL;
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
	strbuf_addf(text, "   %s:%s\n", kind, strbuf_text(&clean));
	strbuf_release(&clean);
}

void suppression_write(struct strbuf *text, const char *name, enum leak_kind kind,
	const struct suppress_frame *frames, size_t count)
{
	static const char *const kinds[] = { "definite", "indirect", "possible", "reachable",
		"all" };

	strbuf_addf(
		text, "{\n   %s\n   Memcheck:Leak\n   match-leak-kinds: %s\n", name, kinds[kind]);
	for (size_t i = 0; i < count && i < FRAMES_WRITTEN; i++) {
		const struct suppress_frame *f = &frames[i];

		if (is_named(f))
			add_frame_line(
				text, "fun", f->linkage && *f->linkage ? f->linkage : f->function);
		else
			add_frame_line(text, "obj", f->module && *f->module ? f->module : "???");
		if (f->function && strcmp(f->function, "main") == 0)
			break;
	}
	if (count == 0)
		strbuf_add(text, "   ...\n");
	strbuf_add(text, "}\n");
}
