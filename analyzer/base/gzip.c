/* SPDX-License-Identifier: MIT */
/* gzip.c - gzip's format, by zlib. */
#include "analyzer/base/gzip.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"

#include <stdlib.h>
#include <zlib.h>

#define GZIP_FORMAT 16 /* added to the window's bits */

struct gzip {
	FILE *out;
	z_stream z;
	unsigned char buffer[1 << 16];
};

static int compress_all(struct gzip *g, int flush)
{
	do {
		g->z.next_out = g->buffer;
		g->z.avail_out = sizeof(g->buffer);
		deflate(&g->z, flush);
		fwrite(g->buffer, 1, sizeof(g->buffer) - g->z.avail_out, g->out);
	} while (g->z.avail_out == 0 && !ferror(g->out));
	return ferror(g->out) ? -1 : 0;
}

static ssize_t gzip_write(void *cookie, const char *bytes, size_t size)
{
	struct gzip *g = cookie;

	g->z.next_in = (unsigned char *)bytes; /* which zlib doesn't change */
	g->z.avail_in = (unsigned)size;	       /* stdio's buffer, or a text */
	return compress_all(g, Z_NO_FLUSH) == 0 ? (ssize_t)size : 0;
}

static int gzip_close(void *cookie)
{
	struct gzip *g = cookie;
	int result = compress_all(g, Z_FINISH);

	deflateEnd(&g->z);
	free(g);
	return result;
}

FILE *gzip_open(FILE *out)
{
	struct gzip *g = mem_zalloc(1, sizeof(*g));
	cookie_io_functions_t functions = { .write = gzip_write, .close = gzip_close };
	FILE *file;

	g->out = out;
	if (deflateInit2(&g->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_FORMAT,
		    MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		die("out of memory");
	file = fopencookie(g, "w", functions);
	if (!file)
		die("out of memory");
	return file;
}
