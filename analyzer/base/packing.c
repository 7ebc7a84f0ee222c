/* SPDX-License-Identifier: MIT */
/* packing.c - packs and unpacks by libzstd, with a bound on what comes out. */
#include "analyzer/base/packing.h"
#include "analyzer/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#define MAGIC "\x28\xb5\x2f\xfd"
#define SMALL_LIMIT (64u << 20) /* bytes that any packed file may come to */
#define RATIO_LIMIT 64		/* ... and beyond that, so many times its own size */
/* Traces are small and kept for long; a large one would take seconds. */
#define LEVEL 19
#define LEVEL_OF_LARGE 12
#define LARGE (8u << 20)

bool is_packed(const void *start, size_t size)
{
	return size >= 4 && memcmp(start, MAGIC, 4) == 0;
}

#ifdef HAVE_ZSTD

struct unpacking {
	ZSTD_DStream *stream;
	unsigned char *input;
	ZSTD_outBuffer out;
	size_t limit;
	bool ended; /* at the end of a frame */
	char *error;
	size_t error_size;
};

static bool grow(struct unpacking *u)
{
	size_t size = u->out.size * 2;

	if (u->out.pos < u->out.size)
		return true;
	if (u->out.size >= u->limit) {
		snprintf(u->error, u->error_size, "corrupt: decompresses to more than %zu bytes",
			u->limit);
		return false;
	}
	u->out.size = size < u->limit ? size : u->limit;
	u->out.dst = mem_resize(u->out.dst, u->out.size, 1);
	return true;
}

static bool unpack_part(struct unpacking *u, size_t size)
{
	ZSTD_inBuffer in = { u->input, size, 0 };

	do {
		size_t code;

		if (!grow(u))
			return false;
		code = ZSTD_decompressStream(u->stream, &u->out, &in);
		if (ZSTD_isError(code)) {
			snprintf(u->error, u->error_size, "corrupt: cannot be decompressed: %s",
				ZSTD_getErrorName(code));
			return false;
		}
		u->ended = code == 0;
	} while (in.pos < in.size || (u->out.pos == u->out.size && !u->ended));
	return true;
}

static bool unpack_all(struct unpacking *u, int fd)
{
	uint64_t at = 0;
	ssize_t got;

	while ((got = pread(fd, u->input, ZSTD_DStreamInSize(), (off_t)at)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			snprintf(u->error, u->error_size, "cannot be read: %s", strerror(errno));
			return false;
		}
		if (!unpack_part(u, (size_t)got))
			return false;
		at += (uint64_t)got;
	}
	if (!u->ended)
		snprintf(u->error, u->error_size, "truncated: the compressed data ends too early");
	return u->ended;
}

unsigned char *unpack_bytes(
	int fd, uint64_t packed_size, size_t *size, char *error, size_t error_size)
{
	struct unpacking u = { .error = error, .error_size = error_size };
	bool ok;

	u.limit = packed_size > SMALL_LIMIT / RATIO_LIMIT ? packed_size * RATIO_LIMIT : SMALL_LIMIT;
	u.stream = ZSTD_createDStream();
	u.input = mem_alloc(ZSTD_DStreamInSize());
	u.out.size = 1 << 16;
	u.out.dst = mem_alloc(u.out.size);
	ok = unpack_all(&u, fd);
	*size = u.out.pos;
	ZSTD_freeDStream(u.stream);
	free(u.input);
	if (ok)
		return u.out.dst;
	free(u.out.dst);
	return NULL;
}

unsigned char *pack_bytes(
	const void *bytes, size_t size, size_t *packed_size, char *error, size_t error_size)
{
	size_t room = ZSTD_compressBound(size);
	unsigned char *packed = mem_alloc(room);
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t code;

	ZSTD_CCtx_setParameter(
		context, ZSTD_c_compressionLevel, size > LARGE ? LEVEL_OF_LARGE : LEVEL);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	code = ZSTD_compress2(context, packed, room, bytes, size);
	ZSTD_freeCCtx(context);
	*packed_size = code;
	if (!ZSTD_isError(code))
		return packed;
	snprintf(error, error_size, "cannot be compressed: %s", ZSTD_getErrorName(code));
	free(packed);
	return NULL;
}

#else

unsigned char *unpack_bytes(
	int fd, uint64_t packed_size, size_t *size, char *error, size_t error_size)
{
	*size = 0;
	snprintf(error, error_size, "compressed, but this mtracer was built without libzstd");
	return NULL;
}

unsigned char *pack_bytes(
	const void *bytes, size_t size, size_t *packed_size, char *error, size_t error_size)
{
	*packed_size = 0;
	snprintf(error, error_size, "cannot be compressed: this mtracer was built without libzstd");
	return NULL;
}

#endif
