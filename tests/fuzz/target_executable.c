/* SPDX-License-Identifier: MIT */
/* target_executable.c - what `mtracer run` looks at of a program: ELF files and scripts. */
#include "target.h"

#include <stdlib.h>
#include <unistd.h>

#include "analyzer/run/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[TARGET_PATH];
	int fd = target_file(data, size, path);
	struct obstacle obstacle = program_obstacle(path);

	free(obstacle.text);
	close(fd);
	return 0;
}
