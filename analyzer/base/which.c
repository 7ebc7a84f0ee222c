/* SPDX-License-Identifier: MIT */
/* which.c - looks for a program along PATH. */
#include "analyzer/base/which.h"
#include "analyzer/base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *which_program(const char *name)
{
	const char *path = getenv("PATH");
	char *found;

	if (strchr(name, '/'))
		return mem_strdup(name);
	if (!path)
		path = "/bin:/usr/bin";
	for (;;) {
		int size = strcspn(path, ":");

		if (asprintf(&found, "%.*s%s%s", size, path, size ? "/" : "", name) < 0)
			return NULL;
		if (*name && is_program(found))
			return found;
		free(found);
		if (!path[size])
			return NULL;
		path += size + 1;
	}
}
