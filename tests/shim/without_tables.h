/* SPDX-License-Identifier: MIT */
/* without_tables.h - functions of which the program has no unwind information. */
#ifndef TEST_WITHOUT_TABLES_H
#define TEST_WITHOUT_TABLES_H

int no_table_allocates(int n);
int no_table_calls(int a, int b, int c, int d, int e);
int no_table_loops(int n);

#endif
