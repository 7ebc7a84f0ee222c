// SPDX-License-Identifier: MIT
/*
 * odd_frames.cc - allocations below frames that are hard to unwind: exceptions in flight, alloca, realigned stacks,
 * deep recursion, longjmp out of the middle, and a signal handler.
 */
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

static jmp_buf back;

struct Name {
	std::string text;
	explicit Name(const char *s) : text(s)
	{
		if (text.size() > 30)
			throw std::runtime_error(text + ": too long, and so is this message");
	}
};

static size_t constructed(int i)
{
	try {
		return Name(
			i % 2 ? "short" : "a rather long string that makes the constructor throw")
			.text.size();
	} catch (std::exception &e) {
		return std::string(e.what()).size();
	}
}

__attribute__((noinline)) static size_t recurse(int depth)
{
	std::string s(static_cast<size_t>(40 + depth % 7), 'x');
	volatile char *p =
		static_cast<volatile char *>(alloca(static_cast<size_t>(depth % 100 + 1)));
	std::vector<int> v(static_cast<size_t>(depth % 13 + 1));

	p[0] = 1;
	return depth == 0 ? s.size() : recurse(depth - 1) + v.size() + s.size();
}

__attribute__((noinline)) static void jump_from(int depth)
{
	free(malloc(static_cast<size_t>(depth + 1)));
	if (depth == 0)
		longjmp(back, 1);
	jump_from(depth - 1);
}

static void jump(int depth)
{
	if (!setjmp(back))
		jump_from(depth);
}

__attribute__((noinline)) static double realigned(int n)
{
	alignas(64) volatile double x[16];
	double sum = 0;
	void *p;

	for (int i = 0; i < 16; i++)
		x[i] = i * n;
	p = malloc(static_cast<size_t>(n + 1));
	for (int i = 0; i < 16; i++)
		sum += x[i];
	free(p);
	return n > 0 ? sum + realigned(n - 1) : sum;
}

static void on_signal(int)
{
	free(malloc(33));
}

int main()
{
	std::map<std::string, int> names;
	size_t n = 0;

	signal(SIGUSR1, on_signal);
	for (int i = 0; i < 200; i++) {
		n += constructed(i) + recurse(i % 150) + static_cast<size_t>(realigned(i % 30));
		jump(i % 20);
		raise(SIGUSR1);
		names[std::to_string(i * 7919)] = i;
	}
	printf("%zu %zu\n", n, names.size());
}
