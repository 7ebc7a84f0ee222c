// SPDX-License-Identifier: MIT
/*
 * exceptions.cc - exceptions that unwind through allocating frames and through destructors that allocate.
 */
#include <stdexcept>

#include "program.h"

namespace
{

struct guard {
	char *block;

	guard()
	{
		block = new char[64];  //= count 220, total 14080
	}

	~guard()
	{
		delete[] block;
		delete[] new char[32];  //= count 220, total 7040
	}
};

extern "C" __attribute__((noinline)) void descend(int depth)
{
	guard here;

	if (depth == 0)
		throw std::out_of_range("bottom");  //= any
	descend(depth - 1);
}

/* Catches, allocates while the exception is alive, and throws on. */
extern "C" __attribute__((noinline)) void between(int depth)
{
	try {
		descend(depth);
	} catch (const std::exception &) {
		delete[] new char[16];  //= count 20, total 320
		throw;
	}
}

} // namespace

int main()
{
	int caught = 0;

	for (int i = 0; i < 20; i++) {
		try {
			between(10);
		} catch (const std::out_of_range &error) {
			caught++;
			delete[] new char[8];  //= count 20, total 160
		}
	}
	printf("caught %d\n", caught);
	return 0;
}
