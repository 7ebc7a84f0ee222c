/* boxes.h - an inline function of a header: one piece of source, wherever it was inlined. */
#pragma once

#include <cstdlib>

static inline void *
slab(size_t size)
{
	return std::malloc(size);
}
