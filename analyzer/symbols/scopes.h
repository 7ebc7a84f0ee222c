/* SPDX-License-Identifier: MIT */
/*
 * scopes.h - which functions, inlined ones included, hold an address, by the DWARF.
 *
 * libdw's dwarf_getscopes() reads a whole compile unit for each address. Here a unit's functions
 * are indexed at the first look-up in it, and a function's inlined calls at the first look-up in
 * that; units without look-ups are never read.
 *
 *	unit  -> functions -> inlined calls, a tree
 */
#ifndef MTRACER_SCOPES_H
#define MTRACER_SCOPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

struct scopes;

/* One level of inlining. */
struct scope {
	Dwarf_Die die;	  /* DW_TAG_subprogram, or DW_TAG_inlined_subroutine: inlined into the next
			     scope */
	const char *file; /* where the address is, or the call that was inlined; NULL = unknown */
	uint32_t line;	  /* 0 = unknown */
};

struct scope_list {
	size_t count;		   /* 0 = no function known, but `file` and `line` may be */
	const struct scope *items; /* innermost first; until the next scopes_find() */
	const char *file;	   /* of the address itself */
	uint32_t line;
	Dwarf_Die unit; /* of all of them; its addr is NULL where no unit holds the address */
};

/* Addresses are the DWARF's own; functions below text_start are what linkers left of discarded
 * ones. */
struct scopes *scopes_new(Dwarf *dwarf, uint64_t text_start);
void scopes_free(struct scopes *s); /* NULL is ok */

/* File names are as in the DWARF, perhaps relative to the unit's DW_AT_comp_dir; each is one
 * pointer as long as the Dwarf is open. */
struct scope_list scopes_find(struct scopes *s, uint64_t address);

/* The line table alone: false where it says nothing of an address. */
bool scopes_line(struct scopes *s, uint64_t address, const char **file, uint32_t *line);

/*
 * Calls visit() for each row of the line table that belongs to the function or inlined call at
 * `index` of scopes_find()'s answer, and not to one inlined into it.
 */
void scopes_lines(struct scopes *s, uint64_t address, size_t index,
	void (*visit)(void *context, const char *file, uint32_t line), void *context);

/* The name of a .dwo file that was needed so far and isn't there, or NULL. */
const char *scopes_missing_dwo(const struct scopes *s);

#endif
