/* SPDX-License-Identifier: MIT */
/* target_packed.c - packed traces, as they are on disk. */
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	target_trace(data, size);
	return 0;
}
