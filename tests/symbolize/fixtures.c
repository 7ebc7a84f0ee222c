/* SPDX-License-Identifier: MIT */
/* fixtures.c - finds and runs what variants.sh made. */
#include "fixtures.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>

const char *fixture(const char *name)
{
	static char paths[4][4096];
	static unsigned int turn;
	char *path = paths[turn++ % 4];
	const char *directory = getenv("FIXTURES");

	snprintf(path, sizeof(paths[0]), "%s/%s", directory ? directory : ".", name);
	return path;
}

FILE *fixture_list(const char *name)
{
	FILE *list = fopen(fixture(name), "r");

	if (list)
		return list;
	perror(fixture(name));
	exit(EXIT_FAILURE);
}

char *fixture_next(FILE *list, char line[4096])
{
	if (!fgets(line, 4096, list))
		return NULL;
	line[strcspn(line, "\n")] = 0;
	return line;
}

struct symbolizer_module fixture_module(const char *path)
{
	static uint8_t id[64];
	struct symbolizer_module module = { .path = path, .end = UINT64_MAX, .build_id = id };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const void *bits;
	ssize_t size;
	Elf *elf;

	if (fd < 0)
		return module;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	size = elf ? dwelf_elf_gnu_build_id(elf, &bits) : 0;
	if (size > 0 && (size_t)size <= sizeof(id)) {
		memcpy(id, bits, size);
		module.build_id_size = size;
	}
	elf_end(elf);
	close(fd);
	return module;
}

FILE *fixture_run(const char *program)
{
	char command[4200];

	snprintf(command, sizeof(command), "exec '%s'", program);
	return popen(command, "r");
}

bool fixture_expectation(FILE *output, struct expectation *e)
{
	char line[4096], *word, *rest = NULL;

	if (!fixture_next(output, line))
		return false;
	memset(e, 0, sizeof(*e));
	word = strtok_r(line, " ", &rest);
	e->address = strtoull(word ? word : "", NULL, 16);
	while (e->count < 8 && (word = strtok_r(NULL, " ", &rest))) {
		if (sscanf(word, "%31[^:]:%u", e->function[e->count], &e->line[e->count]) != 2)
			return false;
		e->count++;
	}
	return e->count > 0;
}
