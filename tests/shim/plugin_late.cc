// SPDX-License-Identifier: MIT
/*
 * plugin_late.cc - a C++ library for a program that has none (see late_cxx.c): a constructor waits for a thread that
 * is the first to call operator new, while the loader's lock is held.
 */
#include <cstddef>
#include <cstdio>
#include <new>
#include <pthread.h>
#include <vector>

extern "C" int plugin_catches(size_t size);
extern "C" void plugin_work();

static long *first;

static void *first_to_allocate(void *unused)
{
	first = new long[10];  //= count 1, total 80
	return unused;
}

struct starter {
	starter()
	{
		pthread_t thread;

		if (pthread_create(&thread, nullptr, first_to_allocate, nullptr) == 0)  //= any
			pthread_join(thread, nullptr);
	}
	~starter()
	{
		delete[] first;
	}
};

static starter global;

struct alignas(64) aligned {
	char bytes[64];
};

void plugin_work()
{
	for (int i = 0; i < 100; i++) {
		delete new int(i);  //= count 100, total 400
		delete new aligned;  //= count 100, total 6400
		delete[] new (std::nothrow) char[30];  //= count 100, total 3000
		std::vector<int>(i + 1).swap(*new std::vector<int>);  //= any
	}
}

/* Is a failure told as ever? */
int plugin_catches(size_t size)
{
	int caught = 0;

	if (!new (std::nothrow) char[size])  //= any
		caught++;
	try {
		delete[] new char[size];  //= any
	} catch (const std::bad_alloc &) {
		caught++;
	}
	return caught;
}
