// SPDX-License-Identifier: MIT
/*
 * situations_cxx.cc - what C++ does with blocks: containers, several bases, iterators, smart pointers, exceptions, and the operators in
 * all their forms.
 */
#define _GLIBCXX_USE_CXX11_ABI 0 /* strings that are one block, with their header in front */
#include "../driver/threads.h"
#include "cases.h"

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <pthread.h>
#include <unistd.h>

namespace {

NOINLINE void forget(const volatile void *p)
{
	STORED(p);
}

/* ---- operators */

CASE lost_nothrow() // lost 21/1
{
	forget(::operator new(21, std::nothrow));
}

CASE lost_array_nothrow() // lost 22/1
{
	forget(::operator new[](22, std::nothrow));
}

struct alignas(128) wide {
	char data[128];
};

CASE lost_aligned() // lost 128/1
{
	forget(new wide);
}

struct own {
	static void *operator new(size_t size)
	{
		return malloc(size + 16);
	}
	char data[8];
};

CASE lost_by_own_operator() // lost 24/1
{
	forget(new own);
}

CASE lost_released() // lost 23/1
{
	std::unique_ptr<char[]> p(new char[23]);

	forget(p.release());
}

/* ---- containers that are lost, with all that they hold */

CASE lost_list() // lost 16/1, indirect 72/3
{
	forget(new std::list<long>{1, 2, 3});
}

CASE lost_set() // lost 48/1, indirect 120/3
{
	forget(new std::set<long>{1, 2, 3});
}

/* Its one bucket is in itself. */
CASE lost_empty_map() // lost 56/1
{
	forget(new std::unordered_map<long, long>());
}

CASE lost_deque() // lost 80/1, indirect 576/2
{
	forget(new std::deque<long>{1, 2, 3});
}

CASE lost_bits() // lost 40/1, indirect 128/1
{
	forget(new std::vector<bool>(1024));
}

struct large {
	long numbers[8];
	void operator()() const
	{
	}
};

CASE lost_function() // lost 32/1, indirect 64/1
{
	forget(new std::function<void()>(large{}));
}

struct linked {
	std::shared_ptr<linked> next;
	std::weak_ptr<linked> back;
	long more[2];
};

/* Of the one there is a way to the other. */
CASE lost_chain() // lost 16/1, indirect 128/2
{
	auto *p = new std::shared_ptr<linked>(std::make_shared<linked>());

	(*p)->next = std::make_shared<linked>();
	(*p)->next->back = *p;
	forget(p);
}

/* ---- iterators */

std::vector<long>::iterator *volatile first, *volatile second, *volatile last;

/* The heap has the iterator alone. */
NOINLINE std::vector<long>::iterator *iterator_to(std::ptrdiff_t index)
{
	auto *v = new std::vector<long>(10);
	auto *i = new std::vector<long>::iterator(v->begin() + index);

	forget(v);
	return i;
}

CASE elements_by_first() // reachable 88/2, lost 24/1
{
	first = iterator_to(0);
}

CASE elements_by_second() // reachable 8/1, possible 80/1, lost 24/1
{
	second = iterator_to(1);
}

CASE elements_by_end() // reachable 8/1, lost 24/1, indirect 80/1
{
	last = iterator_to(10);
}

/* ---- insides */

std::string *volatile old_string;
char *volatile text;

CASE reachable_old_string() // reachable 53/2
{
	old_string = new std::string("twenty characters...");
}

/* A pointer to the text of an old string is to the inside of its block. */
CASE reachable_text() // reachable 65/1, lost 8/1
{
	std::string *s = new std::string(40, 'x');

	text = const_cast<char *>(s->data());
	forget(s);
}

struct plain {
	~plain()
	{
	}
	char a;
	int b;
};

plain *volatile plains, *volatile no_plains;

CASE reachable_array() // reachable 32/1
{
	plains = new plain[3];
}

CASE reachable_empty_array() // reachable 8/1
{
	volatile size_t none = 0;

	no_plains = new plain[none];
}

struct left {
	virtual ~left()
	{
	}
};

struct right {
	virtual ~right()
	{
	}
};

struct nothing_else : left, right {
};

left *volatile first_base;
right *volatile second_base;

CASE reachable_by_first_base() // reachable 16/1
{
	first_base = new nothing_else;
}

CASE reachable_by_empty_base() // reachable 16/1
{
	second_base = new nothing_else;
}

struct top {
	virtual ~top()
	{
	}
	long t = 0;
};

struct bottom : virtual top {
	long b = 0;
};

top *volatile virtual_base;

CASE reachable_by_virtual_base() // reachable 32/1
{
	virtual_base = new bottom;
}

struct member {
	long a, b, c;
};

long *volatile member_b;

CASE possible_member() // possible 24/1
{
	member_b = &(new member())->b;
}

uint64_t *volatile behind_length;

CASE reachable_behind_length() // reachable 31/1
{
	uint64_t *p = static_cast<uint64_t *>(malloc(31));

	*p = 23;
	behind_length = p + 1;
}

/* ---- smart pointers, exceptions */

std::shared_ptr<member> *volatile shared;

CASE reachable_shared() // reachable 56/2
{
	shared = new std::shared_ptr<member>(std::make_shared<member>());
}

std::weak_ptr<member> *volatile weak;

/* What is left of it when only those are left who don't own it. */
CASE reachable_weak() // reachable 56/2
{
	weak = new std::weak_ptr<member>(std::make_shared<member>());
}

std::exception_ptr *volatile caught;

struct thrown {
	char data[100];
};

/* An exception stands behind its header, which nobody points to. */
CASE possible_exception() // reachable 8/1, possible 228/1
{
	try {
		throw thrown();
	} catch (...) {
		caught = new std::exception_ptr(std::current_exception());
	}
}

CASE freed_exception() // freed
{
	try {
		throw thrown();
	} catch (...) {
	}
}

/* ---- what lives as long as the program */

struct service {
	std::vector<long> numbers = std::vector<long>(5);
};

CASE reachable_service() // reachable 64/2
{
	static service *volatile instance = new service;

	forget(instance);
}

std::vector<long> destroyed;

CASE freed_by_destructor() // freed
{
	destroyed.resize(100);
}

thread_local std::unique_ptr<member> of_thread;

/* Thread-local objects of the main thread are destroyed at exit. */
CASE freed_with_thread() // freed
{
	of_thread.reset(new member());
}

NOINLINE void *captured() // reachable 77/1
{
	return malloc(77);
}

NOINLINE void in_thread()
{
	void *p = captured();

	std::thread([p] {
		for (;;) {
			pause();
			forget(p);
		}
	}).detach();
}

}

int main()
{
	RUN(lost_nothrow);
	RUN(lost_array_nothrow);
	RUN(lost_aligned);
	RUN(lost_by_own_operator);
	RUN(lost_released);
	RUN(lost_list);
	RUN(lost_set);
	RUN(lost_empty_map);
	RUN(lost_deque);
	RUN(lost_bits);
	RUN(lost_function);
	RUN(lost_chain);
	RUN(elements_by_first);
	RUN(elements_by_second);
	RUN(elements_by_end);
	RUN(reachable_old_string);
	RUN(reachable_text);
	RUN(reachable_array);
	RUN(reachable_empty_array);
	RUN(reachable_by_first_base);
	RUN(reachable_by_empty_base);
	RUN(reachable_by_virtual_base);
	RUN(possible_member);
	RUN(reachable_behind_length);
	RUN(reachable_shared);
	RUN(reachable_weak);
	RUN(possible_exception);
	RUN(freed_exception);
	RUN(reachable_service);
	RUN(freed_by_destructor);
	RUN(freed_with_thread);
	RUN(in_thread);
	threads_wait(threads_awake, 1);
	return 0;
}
