/* SPDX-License-Identifier: MIT */
/* outfile.c - a file that is written whole, or not at all. */
#include "analyzer/commands/outfile.h"
#include "analyzer/base/gzip.h"
#include "analyzer/base/log.h"
#include "analyzer/trace/recognize.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int outfile_open(struct outfile *o, const char *path, bool packed)
{
	*o = (struct outfile){ .path = path, .file = stdout };
	if (path && is_trace_file(path))
		return error("%s: exists and is a trace; not overwritten", path);
	if (path)
		o->file = fopen(path, "we");
	if (!o->file)
		return error("%s: cannot be written: %s", path, strerror(errno));
	if (packed) {
		o->plain = o->file;
		o->file = gzip_open(o->plain);
	}
	return EXIT_OK;
}

static void remove_part(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(path);
}

static bool finish(FILE *file)
{
	bool ok = !ferror(file) && fflush(file) == 0;

	return fclose(file) == 0 && ok;
}

int outfile_close(struct outfile *o)
{
	bool ok = true;

	errno = 0;
	if (o->plain) {
		ok = finish(o->file);
		o->file = o->plain;
	}
	/* Others look whether stdout was written (cmd.c). */
	if (!o->path)
		return EXIT_OK;
	if (finish(o->file) && ok)
		return EXIT_OK;
	error("%s: cannot be written: %s", o->path, errno ? strerror(errno) : "no room");
	remove_part(o->path);
	return EXIT_ERROR;
}
