/* SPDX-License-Identifier: MIT */
/* sums.c - walks the file tables of .debug_line (DWARF 5, section 6.2.4). */
#include "analyzer/symbols/sums.h"
#include "analyzer/base/md5.h"
#include "analyzer/base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dwarf.h>
#include <gelf.h>

#define FORMATS_MOST 16 /* fields of an entry; there are five kinds */

struct sections {
	Elf_Data *line, *line_str, *str;
};

/* Bytes still to be read; `bad` once there were too few. */
struct cursor {
	const uint8_t *at, *end;
	bool bad;
};

struct format {
	uint64_t content, form;
};

struct entry {
	const char *name; /* NULL = none that can be read */
	uint64_t directory;
	const uint8_t *sum; /* NULL = none */
};

struct unit {
	const struct sections *sections;
	unsigned offset_size; /* 4 or 8 */
	const char **directories;
	size_t directory_count;
};

struct search {
	const char *name;
	void (*visit)(void *context, const char *path, const uint8_t *sum);
	void *context;
};

/* ---- reading */

static uint64_t take(struct cursor *c, unsigned size)
{
	uint64_t value = 0;

	if (c->bad || (size_t)(c->end - c->at) < size) {
		c->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)c->at[i] << (8 * i);
	c->at += size;
	return value;
}

static const uint8_t *take_bytes(struct cursor *c, uint64_t size)
{
	const uint8_t *bytes = c->at;

	if (c->bad || (uint64_t)(c->end - c->at) < size) {
		c->bad = true;
		return NULL;
	}
	c->at += size;
	return bytes;
}

static uint64_t take_leb128(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint64_t byte = take(c, 1);

		value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	c->bad = true;
	return 0;
}

static const char *take_string(struct cursor *c)
{
	const uint8_t *end = c->bad ? NULL : memchr(c->at, 0, (size_t)(c->end - c->at));
	const char *text = (const char *)c->at;

	c->bad |= !end;
	if (!end)
		return NULL;
	c->at = end + 1;
	return text;
}

static const char *string_at(const Elf_Data *data, uint64_t offset)
{
	if (!data || offset >= data->d_size ||
		!memchr((const char *)data->d_buf + offset, 0, data->d_size - offset))
		return NULL;
	return (const char *)data->d_buf + offset;
}

/* A text or a number, of which `entry` takes what it wants. An unknown form has an unknown size. */
static void take_field(
	struct cursor *c, const struct unit *u, const struct format *f, struct entry *entry)
{
	const uint8_t *bytes = NULL;
	const char *text = NULL;
	uint64_t number = 0;

	switch (f->form) {
	case DW_FORM_string:
		text = take_string(c);
		break;
	case DW_FORM_line_strp:
		text = string_at(u->sections->line_str, take(c, u->offset_size));
		break;
	case DW_FORM_strp:
		text = string_at(u->sections->str, take(c, u->offset_size));
		break;
	case DW_FORM_udata:
		number = take_leb128(c);
		break;
	case DW_FORM_data1:
		number = take(c, 1);
		break;
	case DW_FORM_data2:
		number = take(c, 2);
		break;
	case DW_FORM_data4:
		number = take(c, 4);
		break;
	case DW_FORM_data8:
		number = take(c, 8);
		break;
	case DW_FORM_data16:
		bytes = take_bytes(c, MD5_SIZE);
		break;
	case DW_FORM_block:
		take_bytes(c, take_leb128(c));
		break;
	default:
		c->bad = true;
	}
	if (f->content == DW_LNCT_path)
		entry->name = text;
	else if (f->content == DW_LNCT_directory_index)
		entry->directory = number;
	else if (f->content == DW_LNCT_MD5)
		entry->sum = bytes;
}

static size_t take_formats(struct cursor *c, struct format formats[FORMATS_MOST])
{
	size_t count = take(c, 1);

	c->bad |= count > FORMATS_MOST;
	for (size_t i = 0; i < count && !c->bad; i++) {
		formats[i].content = take_leb128(c);
		formats[i].form = take_leb128(c);
	}
	return c->bad ? 0 : count;
}

static struct entry take_entry(
	struct cursor *c, const struct unit *u, const struct format *formats, size_t count)
{
	struct entry entry = { NULL, 0, NULL };

	for (size_t i = 0; i < count && !c->bad; i++)
		take_field(c, u, &formats[i], &entry);
	return entry;
}

/* ---- a unit */

/* Each takes at least a byte. */
static void take_directories(struct cursor *c, struct unit *u)
{
	struct format formats[FORMATS_MOST];
	size_t formats_count = take_formats(c, formats), room = 0;
	uint64_t count = take_leb128(c);

	for (uint64_t i = 0; i < count && formats_count && !c->bad; i++) {
		const char *name = take_entry(c, u, formats, formats_count).name;

		VEC_PUSH(u->directories, u->directory_count, room, name);
	}
}

/* Directory 0 is where the compiler ran. The caller frees it. */
static char *path_of(const struct unit *u, const struct entry *e)
{
	const char *first = u->directory_count ? u->directories[0] : NULL;
	const char *directory =
		e->directory < u->directory_count ? u->directories[e->directory] : NULL;
	bool below = directory && e->directory && directory[0] != '/' && first;
	char *path;

	if (e->name[0] == '/' || !directory)
		return mem_strdup(e->name);
	if (asprintf(&path, "%s%s%s/%s", below ? first : "", below ? "/" : "", directory, e->name) <
		0)
		return NULL;
	return path;
}

static void visit_entry(const struct unit *u, const struct entry *e, const struct search *s)
{
	const char *slash = e->name ? strrchr(e->name, '/') : NULL;
	char *path;

	if (!e->name || !e->sum || strcmp(slash ? slash + 1 : e->name, s->name) != 0)
		return;
	path = path_of(u, e);
	if (path)
		s->visit(s->context, path, e->sum);
	free(path);
}

static bool has_sums(const struct format *formats, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (formats[i].content == DW_LNCT_MD5 && formats[i].form == DW_FORM_data16)
			return true;
	return false;
}

/* From behind the unit's length. */
static void visit_unit(struct cursor c, struct unit *u, const struct search *s)
{
	struct format formats[FORMATS_MOST];
	size_t formats_count;
	uint64_t opcodes, count;

	if (take(&c, 2) != 5)
		return;
	take(&c, 2);		  /* sizes of an address and of a segment selector */
	take(&c, u->offset_size); /* length of this header */
	take(&c, 5);		  /* of instructions and lines */
	opcodes = take(&c, 1);
	take_bytes(&c, opcodes ? opcodes - 1 : 0);
	take_directories(&c, u);
	formats_count = take_formats(&c, formats);
	count = take_leb128(&c);
	if (!has_sums(formats, formats_count))
		return;
	for (uint64_t i = 0; i < count && !c.bad; i++) {
		struct entry e = take_entry(&c, u, formats, formats_count);

		if (!c.bad)
			visit_entry(u, &e, s);
	}
}

/* ---- all units */

static struct sections find_sections(Elf *elf)
{
	struct sections found = { NULL, NULL, NULL };
	Elf_Scn *section = NULL;
	GElf_Shdr sh;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return found;
	while ((section = elf_nextscn(elf, section)) && gelf_getshdr(section, &sh)) {
		const char *name = elf_strptr(elf, names, sh.sh_name);
		Elf_Data **data = !name					 ? NULL
				  : strcmp(name, ".debug_line") == 0	 ? &found.line
				  : strcmp(name, ".debug_line_str") == 0 ? &found.line_str
				  : strcmp(name, ".debug_str") == 0	 ? &found.str
									 : NULL;

		/* libdw has uncompressed what it could. */
		if (data && sh.sh_type != SHT_NOBITS && !(sh.sh_flags & SHF_COMPRESSED))
			*data = elf_getdata(section, NULL);
	}
	return found;
}

void sums_visit(Dwarf *dwarf, const char *name,
	void (*visit)(void *context, const char *path, const uint8_t *sum), void *context)
{
	const struct search search = { name, visit, context };
	Elf *elf = dwarf_getelf(dwarf);
	struct sections sections;
	struct cursor c = { NULL, NULL, false };
	GElf_Ehdr header;

	if (!elf || !gelf_getehdr(elf, &header) || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return;
	sections = find_sections(elf);
	if (!sections.line || !sections.line->d_buf)
		return;
	c.at = sections.line->d_buf;
	c.end = c.at + sections.line->d_size;
	while (c.at < c.end && !c.bad) {
		struct unit u = { .sections = &sections, .offset_size = 4 };
		uint64_t size = take(&c, 4);
		const uint8_t *start;

		if (size == 0xffffffff) {
			u.offset_size = 8;
			size = take(&c, 8);
		}
		start = take_bytes(&c, size);
		if (start)
			visit_unit((struct cursor){ start, start + size, false }, &u, &search);
		free(u.directories);
	}
}
