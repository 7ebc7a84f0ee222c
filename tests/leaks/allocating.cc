// SPDX-License-Identifier: MIT
/* allocating.cc - a lost block by each function that allocates, and by each kind of frame between it and main. */
#include "cases.h"

#include <malloc.h>
#include <new>
#include <pthread.h>
#include <stdio.h>
#include <string>
#include <thread>

NOINLINE static void forget(void *p)
{
	STORED(p);
}

/* ---- functions */

CASE by_malloc() // lost 11/1
{
	forget(zeroed(11));
}

CASE by_malloc_itself() // lost 10/1
{
	forget(malloc(10));
}

CASE by_calloc() // lost 12/1
{
	forget(calloc(1, 12));
}

CASE by_realloc_of_none() // lost 13/1
{
	forget(realloc(NULL, 13));
}

CASE by_realloc() // lost 3000/1
{
	forget(realloc(malloc(5), 3000));
}

CASE by_growing() // lost 4096/1
{
	void *p = NULL;

	for (size_t size = 16; size <= 4096; size *= 2)
		p = realloc(p, size);
	forget(p);
}

CASE by_reallocarray() // lost 15/1
{
	forget(reallocarray(NULL, 1, 15));
}

CASE by_memalign() // lost 16/1
{
	forget(memalign(64, 16));
}

CASE by_posix_memalign() // lost 17/1
{
	void *p;

	if (posix_memalign(&p, 64, 17) != 0)
		abort();
	forget(p);
}

CASE by_aligned_alloc() // lost 64/1
{
	forget(aligned_alloc(64, 64));
}

CASE by_valloc() // lost 18/1
{
	forget(valloc(18));
}

CASE by_strdup() // lost 4/1
{
	forget(strdup("abc"));
}

CASE by_strndup() // lost 3/1
{
	forget(strndup("abcdef", 2));
}

CASE by_asprintf() // lost 5/1
{
	char *p;

	if (asprintf(&p, "%d", 4242) < 0)
		abort();
	forget(p);
}

CASE by_new() // lost 20/1
{
	forget(::operator new(20));
}

CASE by_new_array() // lost 21/1
{
	forget(new char[21]);
}

CASE by_new_nothrow() // lost 22/1
{
	forget(::operator new(22, std::nothrow));
}

CASE by_new_array_nothrow() // lost 23/1
{
	forget(new (std::nothrow) char[23]);
}

struct alignas(64) wide {
	char data[64];
};

CASE by_new_aligned() // lost 64/1
{
	forget(new wide);
}

CASE by_new_array_aligned() // lost 128/1
{
	forget(new wide[2]);
}

CASE by_new_aligned_nothrow() // lost 64/1
{
	forget(new (std::nothrow) wide);
}

CASE by_new_array_aligned_nothrow() // lost 192/1
{
	forget(new (std::nothrow) wide[3]);
}

CASE by_string() // lost 32/1
{
	forget(new std::string("short"));
}

/* ---- frames */

static inline __attribute__((always_inline)) void *inlined()
{
	return malloc(31);
}

CASE by_inlined() // lost 31/1
{
	forget(inlined());
}

namespace space
{

struct maker {
	template <class T> static inline __attribute__((always_inline)) T *inlined(size_t size)
	{
		return static_cast<T *>(malloc(size));
	}
	template <class T, unsigned N> NOINLINE static T *apart(size_t size)
	{
		void *p = malloc(size + N);

		STORED(p);
		return static_cast<T *>(p);
	}
	NOINLINE explicit maker(size_t size) : made(malloc(size))
	{
		STORED(made);
	}
	NOINLINE ~maker()
	{
		forget(malloc(34));
	}
	void *made;
};

}

CASE by_inlined_template() // lost 32/1
{
	forget(space::maker::inlined<int>(32));
}

CASE by_template() // lost 33/1
{
	forget(space::maker::apart<long, 3u>(30));
}

CASE by_constructor_and_destructor() // lost 69/2
{
	space::maker m(35);

	forget(m.made);
	m.made = NULL;
}

CASE by_lambda() // lost 36/1
{
	auto make = [](size_t size) NOINLINE {
		void *p = malloc(size);

		STORED(p);
		return p;
	};

	forget(make(36));
}

NOINLINE static void *recursive(int depth)
{
	void *p = depth ? recursive(depth - 1) : malloc(37);

	STORED(p);
	return p;
}

CASE by_recursion() // lost 37/1
{
	forget(recursive(30));
}

static void *(*volatile allocate)(size_t) = malloc;

CASE by_pointer() // lost 38/1
{
	forget(allocate(38));
}

static int compare(const void *a, const void *b) // lost 39/1
{
	static bool called;

	if (!called)
		forget(malloc(39));
	called = true;
	return *static_cast<const int *>(a) - *static_cast<const int *>(b);
}

NOINLINE static void by_qsort()
{
	int numbers[] = {3, 1, 2};

	qsort(numbers, 3, sizeof(numbers[0]), compare);
}

static void *thread(void *given) // lost 40/1
{
	forget(malloc(40));
	return given;
}

NOINLINE static void by_thread()
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL) != 0 || pthread_join(t, NULL) != 0)
		abort();
}

CASE in_thread() // lost 41/1
{
	forget(malloc(41));
}

NOINLINE static void by_std_thread()
{
	std::thread([] { in_thread(); }).join();
}

__attribute__((constructor)) static void before_main() // lost 42/1
{
	forget(malloc(42));
}

struct early {
	early()
	{
		make();
	}
	NOINLINE static void make() // lost 43/1
	{
		forget(malloc(43));
	}
} static object;

static void at_exit() // lost 44/1
{
	forget(malloc(44));
	scrub();
	FORGET_REGISTERS();
}

int main()
{
	RUN(by_malloc);
	RUN(by_malloc_itself);
	RUN(by_calloc);
	RUN(by_realloc_of_none);
	RUN(by_realloc);
	RUN(by_growing);
	RUN(by_reallocarray);
	RUN(by_memalign);
	RUN(by_posix_memalign);
	RUN(by_aligned_alloc);
	RUN(by_valloc);
	RUN(by_strdup);
	RUN(by_strndup);
	RUN(by_asprintf);
	RUN(by_new);
	RUN(by_new_array);
	RUN(by_new_nothrow);
	RUN(by_new_array_nothrow);
	RUN(by_new_aligned);
	RUN(by_new_array_aligned);
	RUN(by_new_aligned_nothrow);
	RUN(by_new_array_aligned_nothrow);
	RUN(by_string);
	RUN(by_inlined);
	RUN(by_inlined_template);
	RUN(by_template);
	RUN(by_constructor_and_destructor);
	RUN(by_lambda);
	RUN(by_recursion);
	RUN(by_pointer);
	RUN(by_qsort);
	RUN(by_thread);
	RUN(by_std_thread);
	return atexit(at_exit);
}
