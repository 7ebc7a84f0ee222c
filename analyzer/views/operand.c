/* SPDX-License-Identifier: MIT */
/* operand.c - splits TRACE@MOMENT. */
#include "analyzer/views/operand.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/recognize.h"
#include "analyzer/views/livetrace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_there(const char *trace)
{
	uint32_t pid;

	return !*trace || access(trace, F_OK) == 0 || livetrace_is_pid(trace, &pid);
}

/* The longest beginning in front of an '@' of which that is so; NULL: none. */
static char *find_trace(const char *operand, const char **moment, bool (*is)(const char *trace))
{
	char *trace = mem_strdup(operand), *at;

	while ((at = strrchr(trace, '@'))) {
		*at = '\0';
		if (!is(trace))
			continue;
		*moment = operand + (at - trace) + 1;
		return trace;
	}
	free(trace);
	return NULL;
}

char *operand_trace(const char *operand, const char **moment)
{
	char *trace = NULL;

	*moment = NULL;
	if (access(operand, F_OK) != 0 && !names_trace_file(operand)) {
		trace = find_trace(operand, moment, is_there);
		if (!trace)
			trace = find_trace(operand, moment, names_trace_file);
	}
	return trace ? trace : mem_strdup(operand);
}
