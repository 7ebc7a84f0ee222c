/* SPDX-License-Identifier: MIT */
/*
 * symtab.h - the functions in a binary's symbol table, by address.
 *
 * From .symtab (of the file or its separate debug file), .dynsym and the compressed table that some
 * distributions put in stripped files (.gnu_debugdata): whatever there is.
 */
#ifndef MTRACER_SYMTAB_H
#define MTRACER_SYMTAB_H

#include "analyzer/symbols/binary.h"

struct symtab;

struct symtab *symtab_new(struct binary *b); /* the binary must outlive it */
void symtab_free(struct symtab *t);	     /* NULL is ok */

/* The name, as linked, of the function that holds an address in the file; NULL = none known. A
 * function without a known size reaches to the next symbol. Of several names for one function it is
 * the most public, then the plainest. */
const char *symtab_find(const struct symtab *t, uint64_t address);

/* Where that function begins; the address itself where none is known. */
uint64_t symtab_start(const struct symtab *t, uint64_t address);

#endif
