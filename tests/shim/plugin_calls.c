/* SPDX-License-Identifier: MIT */
/* plugin_calls.c - a library whose one function, NAME_call, calls back; several of them have the same layout. */
#include <stddef.h>

#define PASTE(a, b) a##b
#define CALL(name) PASTE(name, _call)

void *CALL(NAME)(void *(*callee)(size_t));

void *CALL(NAME)(void *(*callee)(size_t))
{
	return callee(100);
}
