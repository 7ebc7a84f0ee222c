/* SPDX-License-Identifier: MIT */
/* fake_symbolize.c - the symbolizer of unit tests. */
#include "fake_symbolize.h"

#include <stdlib.h>

const struct fake_symbols *fake_table;
unsigned fake_lookups;

struct symbolizer {
	size_t modules;
	struct symbols *given; /* by place in the table */
};

struct symbolizer *symbolizer_new(const struct symbolizer_options *options)
{
	struct symbolizer *s = calloc(1, sizeof(*s));
	size_t count = 0;

	while (fake_table[count].address)
		count++;
	s->given = calloc(count + 1, sizeof(*s->given));
	return s;
}

void symbolizer_free(struct symbolizer *s)
{
	free(s->given);
	free(s);
}

size_t symbolizer_add_module(struct symbolizer *s, const struct symbolizer_module *module)
{
	return s->modules++;
}

const struct symbols *symbolize(struct symbolizer *s, size_t module, uint64_t address)
{
	struct symbols *given;
	size_t i = 0;

	fake_lookups++;
	while (fake_table[i].address && fake_table[i].address != address + 1)
		i++;
	if (!fake_table[i].address)
		abort(); /* the test has a frame that its table doesn't know */
	given = &s->given[i];
	given->symbols = fake_table[i].symbols;
	for (given->count = 0; fake_table[i].symbols[given->count].function;)
		given->count++;
	return given;
}

struct extent symbolizer_extent(struct symbolizer *s, size_t module, uint64_t address, size_t index)
{
	const struct symbol *symbol = &symbolize(s, module, address)->symbols[index];

	return (struct extent){ symbol->decl_line, symbol->decl_line };
}

int64_t symbolizer_file_time(const struct symbolizer *s, size_t module)
{
	return 0;
}

enum source_match symbolizer_source(
	const struct symbolizer *s, size_t module, const char *file, const uint8_t *md5)
{
	(void)s;
	(void)module;
	(void)file;
	(void)md5;
	return SOURCE_UNKNOWN;
}

const char *symbolizer_complaint(const struct symbolizer *s, size_t module)
{
	return NULL;
}

bool symbolizer_has_lines(const struct symbolizer *s, size_t module)
{
	return true;
}
