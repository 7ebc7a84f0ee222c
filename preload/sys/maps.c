/* SPDX-License-Identifier: MIT */
/* maps.c - the text that the kernel lists mappings in. */
#include "preload/sys/maps.h"
#include "preload/sys/text.h"

#include <string.h>

/* "start-end rwxp offset device inode   name"; the name's end becomes a zero. */
char *mapping_next(char *line, struct mapping *m)
{
	char *end = strchr(line, '\n');
	const char *p;

	if (!end)
		return NULL;
	*end = '\0';
	p = text_hex(line, &m->start);
	p = text_hex(p + 1, &m->end);
	m->readable = p[1] == 'r';
	m->writable = p[2] == 'w';
	m->shared = p[4] == 's';
	m->name = p;
	for (int field = 0; field < 5 && *m->name; m->name++)
		field += *m->name == ' ';
	while (*m->name == ' ')
		m->name++;
	return end + 1;
}
