// SPDX-License-Identifier: MIT
/*
 * cxx_operators.cc - operator new and delete in all their forms.
 */
#include <cstddef>
#include <cstdint>
#include <new>

#include "program.h"

namespace
{

struct alignas(128) wide {
	char bytes[128];
};

struct fussy {
	char bytes[48];
	explicit fussy(bool fails)
	{
		if (fails)
			throw 7;  //= any
	}
};

volatile std::size_t huge = PTRDIFF_MAX;
int handler_calls;

void give_up_the_second_time()
{
	if (++handler_calls == 2)
		std::set_new_handler(nullptr);
}

void expressions()
{
	int *one = new int(3);  //= count 1, total 4, peak 4
	char *many = new char[33];  //= count 1, total 33, peak 33
	int *kept = new int[8];  //= count 1, total 32, current 32, blocks 1, peak 32
	wide *aligned = new wide;  //= count 1, total 128, peak 128
	wide *several = new wide[3];  //= count 1, total 384, peak 384

	CHECK((uintptr_t)aligned % 128 == 0 && kept);
	delete one;
	delete[] many;
	delete aligned;
	delete[] several;
}

/* The C++ library rounds the size of an aligned block up; what was asked for is what counts. */
void functions()
{
	const std::align_val_t a64{64};
	void *a = operator new(11);  //= count 1, total 11, peak 11
	void *b = operator new[](12);  //= count 1, total 12, peak 12
	void *c = operator new(13, std::nothrow);  //= count 1, total 13, peak 13
	void *d = operator new[](14, std::nothrow);  //= count 1, total 14, peak 14
	void *e = operator new(15, a64);  //= count 1, total 15, peak 15
	void *f = operator new[](100, a64);  //= count 1, total 100, peak 100
	void *g = operator new(192, a64, std::nothrow);  //= count 1, total 192, peak 192
	void *h = operator new[](256, a64, std::nothrow);  //= count 1, total 256, peak 256

	operator delete(a, std::size_t(11));
	operator delete[](b, std::size_t(12));
	operator delete(c, std::nothrow);
	operator delete[](d, std::nothrow);
	operator delete(e, std::size_t(15), a64);
	operator delete[](f, std::size_t(100), a64);
	operator delete(g, a64, std::nothrow);
	operator delete[](h, a64, std::nothrow);
	operator delete(operator new(19));  //= count 1, total 19, peak 19
	operator delete[](operator new[](20));  //= count 1, total 20, peak 20
	operator delete(operator new(320, a64), a64);  //= count 1, total 320, peak 320
	operator delete[](operator new[](384, a64), a64);  //= count 1, total 384, peak 384
}

/* The constructor throws: the memory goes back. */
void throwing_constructor()
{
	for (int i = 0; i < 10; i++) {
		try {
			new fussy(true);  //= count 10, total 480, peak 48
		} catch (int value) {
			CHECK(value == 7);
		}
	}
	delete new fussy(false);  //= count 1, total 48, peak 48
}

void out_of_memory()
{
	bool caught = false;

	std::set_new_handler(give_up_the_second_time);
	try {
		CHECK(operator new(huge));  //= any
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	CHECK(caught && handler_calls == 2);
	CHECK(operator new(huge, std::nothrow) == nullptr);  //= any
	CHECK(operator new[](huge, std::align_val_t{64}, std::nothrow) == nullptr);  //= any
}

/* After a throw through the hooks, everything is still recorded. */
void afterwards()
{
	for (int i = 0; i < 5; i++)
		delete[] new char[100];  //= count 5, total 500, peak 100
}

} // namespace

/* Nothing was asked for, whatever the C++ library asks for then. */
void nothing()
{
	void *a = operator new(0);  //= count 1, total 0, peak 0
	void *b = new char[0];  //= count 1, total 0, peak 0
	void *c = operator new(0, std::nothrow);  //= count 1, total 0, peak 0
	void *d = operator new(0, std::align_val_t{64});  //= count 1, total 0, peak 0
	void *e = operator new(1);  //= count 1, total 1, peak 1

	operator delete(a);
	operator delete[](b);
	operator delete(c);
	operator delete(d, std::align_val_t{64});
	operator delete(e);
}

int main()
{
	expressions();
	functions();
	nothing();
	throwing_constructor();
	out_of_memory();
	afterwards();
	puts("done");
	return 0;
}
