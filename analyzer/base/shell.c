/* SPDX-License-Identifier: MIT */
/* shell.c - what can be pasted into a shell. */
#include "analyzer/base/shell.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/which.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "mtracer"
#define SELF "/proc/self/exe"

static const char *called = NAME;

void shell_called(const char *name)
{
	if (name && *name)
		called = name;
}

static bool is_self(const char *path)
{
	struct stat self, other;

	return path && stat(SELF, &self) == 0 && stat(path, &other) == 0 &&
	       self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

/* Does the shell find this program by that name? */
static bool leads_here(const char *name)
{
	char *path = which_program(name);
	bool here = is_self(path);

	free(path);
	return here;
}

static bool is_plain(const char *word)
{
	for (; *word; word++) {
		bool letter = (*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z');

		if (!letter && (*word < '0' || *word > '9') && (unsigned char)*word < 0x80 &&
			!strchr("%+,-./:@_", *word))
			return false;
	}
	return true;
}

/* Control characters can't be pasted in any case. */
static void add_word(struct strbuf *text, const char *word)
{
	struct strbuf clean = { 0 };

	strbuf_add_clean(&clean, word);
	if (*word && is_plain(word)) {
		strbuf_add(text, strbuf_text(&clean));
	} else {
		strbuf_add(text, "'");
		for (const char *c = strbuf_text(&clean); *c; c++) {
			if (*c == '\'')
				strbuf_add(text, "'\\'");
			strbuf_add_bytes(text, c, 1);
		}
		strbuf_add(text, "'");
	}
	strbuf_release(&clean);
}

void shell_add_self(struct strbuf *text)
{
	char path[4096];
	ssize_t size;

	if (leads_here(NAME)) {
		strbuf_add(text, NAME);
		return;
	}
	if (leads_here(called)) {
		add_word(text, called);
		return;
	}
	size = readlink(SELF, path, sizeof(path) - 1);
	path[size > 0 ? size : 0] = '\0';
	add_word(text, size > 0 ? path : called);
}

void shell_add_operand(struct strbuf *text, const char *word)
{
	strbuf_add(text, *word == '-' ? " ./" : " ");
	add_word(text, word);
}
