// SPDX-License-Identifier: MIT
/*
 * own_operators.cc - a program with operator new and delete of its own: what they take from malloc is seen, and belongs to
 * the lines that said new.
 */
#include <cstdio>
#include <cstdlib>
#include <new>

#include "program.h"

static std::size_t calls;

void *operator new(std::size_t size)
{
	void *p = std::malloc(size ? size : 1);

	calls++;
	if (!p)
		throw std::bad_alloc();
	return p;
}

void *operator new[](std::size_t size)
{
	return operator new(size);
}

void operator delete(void *p) noexcept
{
	std::free(p);
}

void operator delete(void *p, std::size_t) noexcept
{
	std::free(p);
}

void operator delete[](void *p) noexcept
{
	std::free(p);
}

void operator delete[](void *p, std::size_t) noexcept
{
	std::free(p);
}

struct pair {
	long a, b;
};

int main()
{
	volatile std::size_t huge = (std::size_t)-1 / 4;
	pair *kept = new pair{1, 2};  //= count 1, total 16, current 16, blocks 1
	char *text = new char[100];  //= count 1, total 100, peak 100

	delete new pair{3, 4};  //= count 1, total 16, temporary 1
	delete[] text;
	try {
		delete[] new char[huge];  //= any
	} catch (const std::bad_alloc &) {
		std::puts("too much");
	}
	std::printf("%zu calls, %ld\n", calls, kept->a);
	return 0;
}
