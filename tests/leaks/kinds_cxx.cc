// SPDX-License-Identifier: MIT
/* kinds_cxx.cc - blocks of every kind, in C++: containers, new[] with its count, several bases. */
#include "cases.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

template <typename T> NOINLINE void drop(T *volatile *p)
{
	STORED(*p);
	*p = nullptr;
}

/* ---- lost */

CASE lost_object() // lost 4/1
{
	int *volatile p = new int(7);

	drop(&p);
}

CASE lost_array() // lost 400/1
{
	int *volatile p = new int[100];

	drop(&p);
}

/* The vector's object is lost, and with it its elements. */
CASE lost_vector() // lost 24/1, indirect 4000/1
{
	std::vector<int> *volatile p = new std::vector<int>(1000);

	drop(&p);
}

CASE lost_string() // lost 32/1, indirect 101/1
{
	std::string *volatile p = new std::string(100, 'x');

	drop(&p);
}

struct owner {
	std::shared_ptr<owner> other;
	char payload[100];
};

/* Each keeps the other alive; both count their references for ever. */
CASE lost_shared_cycle() // lost 136/1, indirect 136/1
{
	std::shared_ptr<owner> a = std::make_shared<owner>();

	a->other = std::make_shared<owner>();
	a->other->other = a;
}

/* ---- possibly lost */

int *volatile third;

CASE possible_element() // possible 40/1
{
	int *volatile p = new int[10];

	third = p + 2;
	drop(&p);
}

/* ---- reachable */

/* Nothing here is destroyed at exit. */
std::vector<std::string> *volatile kept_strings;

CASE reachable_strings() // reachable 190/4
{
	kept_strings = new std::vector<std::string>();
	kept_strings->reserve(2);
	kept_strings->emplace_back(50, 'a');
	kept_strings->emplace_back(50, 'b');
}

std::map<int, int> *volatile kept_map;

CASE reachable_map() // reachable 448/11
{
	kept_map = new std::map<int, int>();
	for (int i = 0; i < 10; i++)
		(*kept_map)[i] = i;
}

struct counted {
	~counted()
	{
	}
	long value = 1;
};

counted *volatile elements;

/* new[] puts a count in front: the pointer is to the inside of the block. */
CASE reachable_behind_count() // reachable 88/1
{
	elements = new counted[10];
}

counted *volatile no_elements;

/* Of no elements: the pointer is to the end of the block, which is the count alone. */
CASE reachable_behind_no_count() // reachable 8/1
{
	volatile size_t none = 0;

	no_elements = new counted[none];
}

struct left {
	virtual ~left()
	{
	}
	long l = 1;
};

struct right {
	virtual ~right()
	{
	}
	long r = 2;
};

struct both : left, right {
	long b = 3;
};

right *volatile base;

/* A pointer to the second base is to the inside of the object. */
CASE reachable_by_second_base() // reachable 40/1
{
	base = new both;
}

}

int main()
{
	RUN(lost_object);
	RUN(lost_array);
	RUN(lost_vector);
	RUN(lost_string);
	RUN(lost_shared_cycle);
	RUN(possible_element);
	RUN(reachable_strings);
	RUN(reachable_map);
	RUN(reachable_behind_count);
	RUN(reachable_behind_no_count);
	RUN(reachable_by_second_base);
	return 0;
}
