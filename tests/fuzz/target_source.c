/* SPDX-License-Identifier: MIT */
/* target_source.c - source files: their lines, and where functions begin and end in them. */
#include "target.h"

#include <unistd.h>

#include "analyzer/symbols/source.h"
#include "analyzer/symbols/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[TARGET_PATH];
	int fd = target_file(data, size, path);
	struct source_cache *sources = source_cache_new();
	const struct source_file *file = source_find(sources, path);

	for (uint32_t line = 0; line <= file->lines + 1 && line < 1000; line++) {
		struct extent known = { line, line + 2 }, span;

		source_line(sources, path, line);
		span = function_span(sources, path, known, line + 40);
		target_expect(span.first <= known.first && span.last >= known.last,
			"a function that became smaller");
	}
	source_cache_free(sources);
	close(fd);
	return 0;
}
