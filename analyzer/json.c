/* json.c - writes JSON to a stream. */
#include "json.h"
#include "strbuf.h"

#include <math.h>

static void write_text(FILE *out, const char *text)
{
	putc('"', out);
	while (*text) {
		unsigned char c = (unsigned char)*text;
		size_t size = utf8_character(text);

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else if (size == 0)
			fputs("\\ufffd", out);
		else
			fwrite(text, 1, size, out);
		text += size ? size : 1;
	}
	putc('"', out);
}

/* What comes before a value: the comma, the line, the key. */
static void begin(struct json *j, const char *key)
{
	if (j->depth > 0) {
		bool inline_ = j->open[j->depth - 1].inline_;

		if (j->open[j->depth - 1].any)
			fputs(inline_ ? ", " : ",", j->out);
		if (!inline_)
			fprintf(j->out, "\n%*s", 2 * j->depth, "");
		j->open[j->depth - 1].any = true;
	}
	if (key) {
		write_text(j->out, key);
		fputs(": ", j->out);
	}
}

static void open_container(struct json *j, const char *key, bool inline_, char open, char close)
{
	begin(j, key);
	putc(open, j->out);
	if (j->depth > 0 && j->open[j->depth - 1].inline_)
		inline_ = true;
	j->open[j->depth].close = close;
	j->open[j->depth].inline_ = inline_;
	j->open[j->depth].any = false;
	j->depth++;
}

void json_start(struct json *j, FILE *out)
{
	*j = (struct json){ .out = out };
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

void json_close(struct json *j)
{
	j->depth--;
	if (j->open[j->depth].any && !j->open[j->depth].inline_)
		fprintf(j->out, "\n%*s", 2 * j->depth, "");
	putc(j->open[j->depth].close, j->out);
}

void json_text(struct json *j, const char *key, const char *text)
{
	begin(j, key);
	if (text)
		write_text(j->out, text);
	else
		fputs("null", j->out);
}

void json_unsigned(struct json *j, const char *key, uint64_t number)
{
	begin(j, key);
	fprintf(j->out, "%llu", (unsigned long long)number);
}

void json_signed(struct json *j, const char *key, int64_t number)
{
	begin(j, key);
	fprintf(j->out, "%lld", (long long)number);
}

void json_real(struct json *j, const char *key, double number)
{
	begin(j, key);
	if (isfinite(number))
		fprintf(j->out, "%.2f", number);
	else
		fputs("null", j->out);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	begin(j, key);
	fputs("null", j->out);
}
