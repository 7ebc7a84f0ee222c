/* SPDX-License-Identifier: MIT */
/* target_module.c - a module that a trace names: an ELF file with symbols and debug information. */
#include "target.h"

#include <unistd.h>

#include "analyzer/symbols/symbolize.h"

#define BIAS 0x10000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[TARGET_PATH];
	int fd = target_file(data, size, path);
	struct symbolizer_options options = { 0 };
	struct symbolizer *s = symbolizer_new(&options);
	struct symbolizer_module module = {
		.path = path, .bias = BIAS, .start = BIAS, .end = BIAS + 0x100000
	};
	size_t number = symbolizer_add_module(s, &module);

	for (uint64_t at = 0; at < 0x600; at += 0x21) {
		uint64_t address = BIAS + 0x10000 + at;
		const struct symbols *found = symbolize(s, number, address);

		target_expect(
			found->count && found->symbols[0].function, "an address without name");
		for (size_t i = 0; i < found->count; i++)
			symbolizer_extent(s, number, address, i);
	}
	symbolizer_complaint(s, number);
	symbolizer_free(s);
	close(fd);
	return 0;
}
