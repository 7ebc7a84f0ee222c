// SPDX-License-Identifier: MIT
/*
 * thread_locals.cc - C++ objects of threads, whose constructors and destructors allocate, also when others are gone.
 */
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "program.h"

struct holder {
	char *block;
	int size;

	explicit holder(int size) : block((char *)malloc(size)), size(size) {}  //= count 400, total 6000
	~holder()
	{
		free(malloc(size + 1));  //= count 400, total 6400
		free(block);
	}
};

static thread_local holder first(10);  //= any

struct late {
	~late()
	{
		static thread_local holder made_by_a_destructor(20);  //= any

		CHECK(made_by_a_destructor.size == 20);
	}
};

static thread_local late makes_another;  //= any

static void work(int)
{
	CHECK(first.size == 10);  //= any
	late *volatile made = &makes_another;
	CHECK(made != nullptr);
	free(malloc(30));  //= count 200, total 6000
}

int main()
{
	for (int turn = 0; turn < 25; turn++) {
		std::vector<std::thread> threads;  //= any

		for (int i = 0; i < 8; i++)
			threads.emplace_back(work, i);  //= any
		for (auto &thread : threads)
			thread.join();
	}
	puts("done");
	return 0;
}
