/* SPDX-License-Identifier: MIT */
/* target_columns.c - what packed traces hold: columns, and the trace that they make. */
#include "target.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/trace/columns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[TARGET_PATH];
	int fd = target_sparse_file(data, size, path);
	struct stat st;
	unsigned char *bytes, *plain = NULL;
	size_t plain_size;

	target_expect(fstat(fd, &st) == 0, "no file");
	bytes = malloc((size_t)st.st_size + 1);
	if (pread(fd, bytes, (size_t)st.st_size, 0) == st.st_size)
		plain = columns_read(bytes, (size_t)st.st_size, &plain_size);
	close(fd);
	if (plain)
		target_trace(plain, plain_size);
	free(plain);
	free(bytes);
	return 0;
}
