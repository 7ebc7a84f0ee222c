/* SPDX-License-Identifier: MIT */
/* json.c - writes JSON to a stream. */
#include "analyzer/base/json.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/progress.h"
#include "analyzer/base/strbuf.h"

#include <math.h>

/* Bytes that stand for themselves, as most do: written in one go. */
static size_t plain_span(const char *text, unsigned char special)
{
	const unsigned char *c = (const unsigned char *)text;

	while (*c >= ' ' && *c < 0x7f && *c != '"' && *c != '\\' && *c != special)
		c++;
	return (size_t)(c - (const unsigned char *)text);
}

static void put(FILE *out, const char *bytes, size_t size)
{
	fwrite_unlocked(bytes, 1, size, out);
}

static void write_odd_byte(FILE *out, unsigned char c)
{
	char text[8];

	switch (c) {
	case '"':
		put(out, "\\\"", 2);
		break;
	case '\\':
		put(out, "\\\\", 2);
		break;
	case '\n':
		put(out, "\\n", 2);
		break;
	case '\t':
		put(out, "\\t", 2);
		break;
	default:
		put(out, text, (size_t)snprintf(text, sizeof(text), "\\u%04x", c));
	}
}

/* By its number, as one or two units of UTF-16. */
static void write_escaped(FILE *out, const char *text, size_t size)
{
	const unsigned char *c = (const unsigned char *)text;
	uint32_t number = c[0] & (0xffu >> (size + 1));

	for (size_t i = 1; i < size; i++)
		number = number << 6 | (c[i] & 0x3f);
	if (number < 0x10000) {
		fprintf(out, "\\u%04x", number);
		return;
	}
	number -= 0x10000;
	fprintf(out, "\\u%04x\\u%04x", 0xd800 + (number >> 10), 0xdc00 + (number & 0x3ff));
}

static void write_text(FILE *out, const char *text, bool script)
{
	putc_unlocked('"', out);
	for (;;) {
		size_t size = plain_span(text, script ? '<' : '"');

		put(out, text, size);
		text += size;
		if (!*text)
			break;
		size = utf8_character(text);
		if (size == 1)
			write_odd_byte(out, (unsigned char)*text);
		else if (size == 0)
			put(out, "\\ufffd", 6);
		else if (script)
			write_escaped(out, text, size);
		else
			put(out, text, size);
		text += size ? size : 1;
	}
	putc_unlocked('"', out);
}

static void write_number(FILE *out, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	put(out, digits + at, sizeof(digits) - at);
}

/* A field of a line. */
static bool begin_field(struct json *j, const char *key)
{
	const char *lead = j->depth > 1 ? j->open[j->depth - 1].key : NULL;

	if (j->open[0].any)
		putc_unlocked(',', j->out);
	j->open[0].any = true;
	if (j->form == JSON_CSV_TITLES)
		fprintf(j->out, "%s%s%s", lead ? lead : "", lead ? "_" : "", key);
	return j->form == JSON_CSV;
}

/* What comes before a value: the comma, the line, the key. False: the value isn't wanted. */
static bool begin(struct json *j, const char *key)
{
	if (j->form != JSON_TEXT)
		return begin_field(j, key);
	if (j->depth > 0) {
		bool inline_ = j->open[j->depth - 1].inline_;

		if (j->open[j->depth - 1].any)
			put(j->out, ", ", inline_ && !j->script ? 2 : 1);
		if (!inline_)
			fprintf(j->out, "\n%*s", 2 * j->depth, "");
		j->open[j->depth - 1].any = true;
	}
	if (key) {
		write_text(j->out, key, j->script);
		put(j->out, ": ", j->script ? 1 : 2);
	}
	return true;
}

static void open_container(struct json *j, const char *key, bool inline_, char open, char close)
{
	if (j->form == JSON_TEXT) {
		begin(j, key);
		putc_unlocked(open, j->out);
	}
	if (j->script || (j->depth > 0 && j->open[j->depth - 1].inline_))
		inline_ = true;
	j->open[j->depth].close = close;
	j->open[j->depth].inline_ = inline_;
	j->open[j->depth].any = false;
	j->open[j->depth].key = key;
	j->depth++;
}

void json_start(struct json *j, FILE *out)
{
	progress_end();
	*j = (struct json){ .out = out };
}

void json_start_csv(struct json *j, FILE *out)
{
	json_start(j, out);
	j->form = JSON_CSV_TITLES;
}

void json_start_script(struct json *j, FILE *out)
{
	json_start(j, out);
	j->script = true;
}

void json_finish(struct json *j)
{
	putc('\n', j->out);
}

void json_object(struct json *j, const char *key, bool inline_)
{
	open_container(j, key, inline_, '{', '}');
}

void json_array(struct json *j, const char *key, bool inline_)
{
	open_container(j, key, inline_, '[', ']');
}

static void close_line(struct json *j)
{
	if (--j->depth > 0)
		return;
	putc_unlocked('\n', j->out);
	j->form = JSON_CSV;
}

void json_close(struct json *j)
{
	if (j->form != JSON_TEXT) {
		close_line(j);
		return;
	}
	j->depth--;
	if (j->open[j->depth].any && !j->open[j->depth].inline_)
		fprintf(j->out, "\n%*s", 2 * j->depth, "");
	putc_unlocked(j->open[j->depth].close, j->out);
}

void json_text(struct json *j, const char *key, const char *text)
{
	if (!begin(j, key))
		return;
	if (j->form == JSON_CSV)
		csv_field(text, j->out);
	else if (text)
		write_text(j->out, text, j->script);
	else
		fputs("null", j->out);
}

void json_unsigned(struct json *j, const char *key, uint64_t number)
{
	if (!begin(j, key))
		return;
	write_number(j->out, number);
}

void json_known(struct json *j, const char *key, uint64_t number)
{
	if (number)
		json_unsigned(j, key, number);
	else
		json_null(j, key);
}

void json_signed(struct json *j, const char *key, int64_t number)
{
	if (!begin(j, key))
		return;
	if (number < 0)
		putc_unlocked('-', j->out);
	write_number(j->out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void json_real(struct json *j, const char *key, double number)
{
	if (!begin(j, key))
		return;
	if (isfinite(number))
		fprintf(j->out, "%.2f", number);
	else if (j->form == JSON_TEXT)
		fputs("null", j->out);
}

void json_bool(struct json *j, const char *key, bool value)
{
	if (!begin(j, key))
		return;
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	if (begin(j, key) && j->form == JSON_TEXT)
		fputs("null", j->out);
}
