/* SPDX-License-Identifier: MIT */
/* text.c - formatting without stdio: the program's streams and locks are not ours to use. */
#include "preload/sys/text.h"

#include <string.h>

void text_init(struct text *t, char *buffer, size_t size)
{
	t->buffer = buffer;
	t->size = size;
	t->used = 0;
	buffer[0] = '\0';
}

void text_add_bytes(struct text *t, const char *s, size_t n)
{
	size_t room = t->size - 1 - t->used;

	if (n > room)
		n = room;
	memcpy(t->buffer + t->used, s, n);
	t->used += n;
	t->buffer[t->used] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_bytes(t, s, strlen(s));
}

void text_add_number(struct text *t, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	text_add_bytes(t, digits + i, sizeof(digits) - i);
}

bool text_to_number(const char *s, uint64_t *n)
{
	uint64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*s - '0');
	}
	*n = value;
	return true;
}

const char *text_hex(const char *p, uintptr_t *n)
{
	*n = 0;
	for (;; p++) {
		if (*p >= '0' && *p <= '9')
			*n = *n << 4 | (uintptr_t)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			*n = *n << 4 | (uintptr_t)(*p - 'a' + 10);
		else
			return p;
	}
}
