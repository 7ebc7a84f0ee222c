/* SPDX-License-Identifier: MIT */
/* plugin_many.c - a library with many calls of malloc. */
#include <stdlib.h>

#define EACH(name) \
	static __attribute__((noinline)) void name(void) { free(malloc(9)); }
#define TEN(name) \
	EACH(name##0) EACH(name##1) EACH(name##2) EACH(name##3) EACH(name##4) EACH(name##5) EACH(name##6) EACH(name##7) EACH(name##8) EACH(name##9)
#define CALL_TEN(name) \
	name##0(), name##1(), name##2(), name##3(), name##4(), name##5(), name##6(), name##7(), name##8(), name##9()
#define ALL(do) \
	do(a0) do(a1) do(a2) do(a3) do(a4) do(a5) do(a6) do(a7) do(b0) do(b1) do(b2) do(b3) do(b4) do(b5) do(b6) do(b7) \
	do(c0) do(c1) do(c2) do(c3) do(c4) do(c5) do(c6) do(c7) do(d0) do(d1) do(d2) do(d3) do(d4) do(d5) do(d6) do(d7)
#define STATEMENT(name) CALL_TEN(name);

ALL(TEN)

void plugin_all(void);

void plugin_all(void)
{
	ALL(STATEMENT)
}
