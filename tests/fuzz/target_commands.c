/* SPDX-License-Identifier: MIT */
/* target_commands.c - whole commands on a trace: the first byte says which. */
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAIL 10 /* bytes of the input that say what is different in the other trace */

/* The other trace of a comparison: eight bytes of the input replaced. */
static int other_file(const uint8_t *data, size_t size, char path[TARGET_PATH])
{
	uint8_t *copy = (uint8_t *)target_text(data, size);
	size_t at;
	int fd;

	if (size > TAIL) {
		at = (data[size - TAIL] | (size_t)data[size - TAIL + 1] << 8) % (size - TAIL);
		memcpy(copy + at, data + size - TAIL + 2, TAIL - 2);
	}
	fd = target_sparse_file(copy, size, path);
	free(copy);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[TARGET_PATH], other[TARGET_PATH];
	int fd, other_fd;

	if (size == 0)
		return 0;
	fd = target_sparse_file(data + 1, size - 1, path);
	other_fd = other_file(data + 1, size - 1, other);
	target_expect(
		target_command(data[0], path, other), "a command that doesn't end as it should");
	close(fd);
	close(other_fd);
	return 0;
}
