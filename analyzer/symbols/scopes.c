/* SPDX-License-Identifier: MIT */
/*
 * scopes.c - an index of the DWARF's functions and inlined calls by address, built as far as it is
 * asked for.
 *
 * Units are found by their own ranges and not by .debug_aranges, which clang doesn't write. The DIE
 * trees may come from a damaged file: a walk only ever goes forward in the file, so it ends, and
 * its depth is bounded.
 */
#include "analyzer/symbols/scopes.h"

#include "analyzer/base/mem.h"
#include "analyzer/base/ranges.h"

#include <dwarf.h>
#include <stdlib.h>

#define DEPTH_MAX 1024 /* nesting of DIEs that is followed */

#define NO_CALL UINT32_MAX

struct call {
	Dwarf_Die die;
	uint32_t parent; /* the call it is inlined into; NO_CALL = the function itself */
	uint32_t depth;
};

struct function {
	Dwarf_Die die;
	bool expanded;
	struct call *calls;
	size_t call_count, call_room;
	struct ranges ranges; /* of the calls */
};

enum unit_state {
	UNIT_UNREAD,
	UNIT_SHALLOW, /* functions at the top and in namespaces */
	UNIT_DEEP,    /* also those inside of functions and types */
};

struct unit {
	Dwarf_Die die;	    /* has the ranges and the lines */
	Dwarf_Die code;	    /* has the functions: with split DWARF the .dwo's */
	Dwarf_Files *files; /* of `code` */
	enum unit_state state;
	struct function *functions;
	size_t function_count, function_room;
	struct ranges ranges; /* of the functions */
};

struct scopes {
	Dwarf *dwarf;
	uint64_t text_start;
	struct unit *units;
	size_t unit_count, unit_room;
	struct ranges ranges; /* of the units */
	struct scope *found;  /* the last answer */
	size_t found_count, found_room;
	const char *missing_dwo;
};

static void add_ranges(struct ranges *set, Dwarf_Die *die, uint32_t owner, uint64_t text_start)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0)
		if (low >= text_start)
			ranges_add(set, low, high, owner);
}

/* ---- walking DIEs */

struct walk {
	struct scopes *scopes;
	struct unit *unit;
	struct function *function;
	const void *last; /* the DIE visited last */
	unsigned int depth;
};

/* Siblings are given by offsets in the file, which could lead back. */
static bool is_forward(struct walk *w, const Dwarf_Die *die)
{
	if ((uintptr_t)die->addr <= (uintptr_t)w->last)
		return false;
	w->last = die->addr;
	return true;
}

/* The loop over the children of a DIE. */
#define FOR_CHILDREN(w, parent, child)                                                 \
	for (int end_ = dwarf_child(parent, child); end_ == 0 && is_forward(w, child); \
		end_ = dwarf_siblingof(child, child))

/* ---- the inlined calls of a function */

static void walk_calls(struct walk *w, Dwarf_Die *parent, uint32_t parent_call);

static void add_call(struct walk *w, Dwarf_Die *die, uint32_t parent)
{
	struct function *f = w->function;
	uint32_t depth = parent == NO_CALL ? 1 : f->calls[parent].depth + 1;
	struct call call = { *die, parent, depth };
	uint32_t index = f->call_count;

	VEC_PUSH(f->calls, f->call_count, f->call_room, call);
	add_ranges(&f->ranges, die, index, w->scopes->text_start);
	walk_calls(w, die, index);
}

static void walk_calls(struct walk *w, Dwarf_Die *parent, uint32_t parent_call)
{
	Dwarf_Die child;

	if (!dwarf_haschildren(parent) || w->depth >= DEPTH_MAX)
		return;
	w->depth++;
	FOR_CHILDREN(w, parent, &child)
	{
		switch (dwarf_tag(&child)) {
		case DW_TAG_inlined_subroutine:
			add_call(w, &child, parent_call);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
		case DW_TAG_with_stmt:
			walk_calls(w, &child, parent_call);
			break;
		}
	}
	w->depth--;
}

static void expand_function(struct scopes *s, struct unit *unit, struct function *f)
{
	struct walk w = { .scopes = s, .unit = unit, .function = f };

	if (f->expanded)
		return;
	f->expanded = true;
	walk_calls(&w, &f->die, NO_CALL);
	ranges_sort(&f->ranges);
}

/* ---- the functions of a unit */

static void add_function(struct walk *w, Dwarf_Die *die)
{
	struct unit *u = w->unit;
	size_t before = u->ranges.count;
	struct function function = { .die = *die };

	add_ranges(&u->ranges, die, u->function_count, w->scopes->text_start);
	if (u->ranges.count > before)
		VEC_PUSH(u->functions, u->function_count, u->function_room, function);
}

/* Whether functions can be inside. */
static bool has_functions(int tag, bool deep)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
	case DW_TAG_enumeration_type:
		return deep;
	default:
		return false;
	}
}

static void walk_functions(struct walk *w, Dwarf_Die *parent, bool deep)
{
	Dwarf_Die child;

	if (!dwarf_haschildren(parent) || w->depth >= DEPTH_MAX)
		return;
	w->depth++;
	FOR_CHILDREN(w, parent, &child)
	{
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_subprogram)
			add_function(w, &child);
		if (has_functions(tag, deep))
			walk_functions(w, &child, deep);
	}
	w->depth--;
}

static void clear_functions(struct unit *u)
{
	for (size_t i = 0; i < u->function_count; i++) {
		ranges_release(&u->functions[i].ranges);
		free(u->functions[i].calls);
	}
	free(u->functions);
	u->functions = NULL;
	u->function_count = u->function_room = 0;
	ranges_release(&u->ranges);
}

/* With split DWARF the functions are in a .dwo file; where that is missing, the little that the
 * skeleton has is used. */
static void find_code(struct scopes *s, struct unit *u)
{
	Dwarf_Attribute name;
	Dwarf_Die cu, sub = { 0 };
	uint8_t type = DW_UT_compile;

	u->code = u->die;
	dwarf_cu_info(u->die.cu, NULL, &type, &cu, &sub, NULL, NULL, NULL);
	if (type == DW_UT_skeleton && sub.addr)
		u->code = sub;
	else if (type == DW_UT_skeleton && (dwarf_attr(&cu, DW_AT_dwo_name, &name) ||
						   dwarf_attr(&cu, DW_AT_GNU_dwo_name, &name)))
		s->missing_dwo = dwarf_formstring(&name);
	if (dwarf_getsrcfiles(&u->code, &u->files, NULL) != 0)
		u->files = NULL;
}

static void read_unit(struct scopes *s, struct unit *u, enum unit_state state)
{
	struct walk w = { .scopes = s, .unit = u };

	if (u->state == UNIT_UNREAD)
		find_code(s, u);
	clear_functions(u);
	walk_functions(&w, &u->code, state == UNIT_DEEP);
	ranges_sort(&u->ranges);
	u->state = state;
}

static struct function *lookup_function(struct unit *u, uint64_t address)
{
	size_t i = ranges_last(&u->ranges, address);

	return i ? &u->functions[u->ranges.items[i - 1].owner] : NULL;
}

/* Few functions lie inside others or in types, and looking for these means to read the whole
 * unit. */
static struct function *find_function(struct scopes *s, struct unit *u, uint64_t address)
{
	struct function *f;

	if (u->state == UNIT_UNREAD)
		read_unit(s, u, UNIT_SHALLOW);
	f = lookup_function(u, address);
	if (f || u->state == UNIT_DEEP)
		return f;
	read_unit(s, u, UNIT_DEEP);
	return lookup_function(u, address);
}

/* ---- units */

static void add_unit(struct scopes *s, Dwarf_Die *die)
{
	struct unit unit = { .die = *die };
	uint32_t owner = s->unit_count;

	VEC_PUSH(s->units, s->unit_count, s->unit_room, unit);
	add_ranges(&s->ranges, die, owner, s->text_start);
}

struct scopes *scopes_new(Dwarf *dwarf, uint64_t text_start)
{
	struct scopes *s = mem_zalloc(1, sizeof(*s));
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	s->dwarf = dwarf;
	s->text_start = text_start;
	while (dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, NULL) == 0)
		if (type == DW_UT_compile || type == DW_UT_skeleton)
			add_unit(s, &die);
	ranges_sort(&s->ranges);
	return s;
}

void scopes_free(struct scopes *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->unit_count; i++)
		clear_functions(&s->units[i]);
	free(s->units);
	ranges_release(&s->ranges);
	free(s->found);
	free(s);
}

const char *scopes_missing_dwo(const struct scopes *s)
{
	return s->missing_dwo;
}

/* ---- one address */

static void find_line(struct unit *u, uint64_t address, struct scope_list *list)
{
	Dwarf_Line *line = dwarf_getsrc_die(&u->die, address);
	int number = 0;

	list->unit = u->die;
	if (!line)
		return;
	list->file = dwarf_linesrc(line, NULL, NULL);
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		list->line = number;
}

static uint32_t find_innermost(struct function *f, uint64_t address)
{
	uint32_t best = NO_CALL;

	for (size_t i = ranges_last(&f->ranges, address); i;
		i = ranges_previous(&f->ranges, address, i)) {
		uint32_t call = f->ranges.items[i - 1].owner;

		if (best == NO_CALL || f->calls[call].depth > f->calls[best].depth)
			best = call;
	}
	return best;
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0)
		return 0;
	return value;
}

static void push(struct scopes *s, const Dwarf_Die *die, const char *file, uint32_t line)
{
	struct scope scope = { *die, file, line };

	VEC_PUSH(s->found, s->found_count, s->found_room, scope);
}

/* From the innermost call outwards; each scope's location is where the next inner one was
 * called. */
static void collect(struct scopes *s, struct unit *u, struct function *f, uint64_t address,
	struct scope_list *list)
{
	const char *file = list->file;
	uint32_t line = list->line;

	for (uint32_t i = find_innermost(f, address); i != NO_CALL; i = f->calls[i].parent) {
		Dwarf_Die *die = &f->calls[i].die;
		Dwarf_Word index = number_of(die, DW_AT_call_file);

		push(s, die, file, line);
		file = u->files ? dwarf_filesrc(u->files, index, NULL, NULL) : NULL;
		line = number_of(die, DW_AT_call_line);
	}
	push(s, &f->die, file, line);
}

static bool find_in_unit(
	struct scopes *s, struct unit *u, uint64_t address, struct scope_list *list)
{
	struct function *f = find_function(s, u, address);

	if (!f)
		return false;
	expand_function(s, u, f);
	find_line(u, address, list);
	collect(s, u, f, address, list);
	list->count = s->found_count;
	list->items = s->found;
	return true;
}

struct scope_list scopes_find(struct scopes *s, uint64_t address)
{
	struct scope_list list = { 0 };
	struct unit *lines = NULL;

	s->found_count = 0;
	for (size_t i = ranges_last(&s->ranges, address); i;
		i = ranges_previous(&s->ranges, address, i)) {
		struct unit *u = &s->units[s->ranges.items[i - 1].owner];

		if (find_in_unit(s, u, address, &list))
			return list;
		if (!lines)
			lines = u;
	}
	if (lines) /* assembler: lines, but no functions */
		find_line(lines, address, &list);
	return list;
}

/* ---- the lines of one function */

/* The visit of scopes_lines() to one function or call. */
struct line_walk {
	struct function *function;
	uint32_t call; /* NO_CALL: the function itself */
	Dwarf_Lines *lines;
	size_t line_count;
	void (*visit)(void *context, const char *file, uint32_t line);
	void *context;
};

static uint64_t line_address(Dwarf_Lines *lines, size_t index)
{
	Dwarf_Addr address;

	return dwarf_lineaddr(dwarf_onesrcline(lines, index), &address) == 0 ? address : 0;
}

/* The index of the row that holds `address`: the last at or before it. */
static size_t find_row(const struct line_walk *w, uint64_t address)
{
	size_t low = 0, high = w->line_count;

	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		if (line_address(w->lines, middle) <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void visit_rows(const struct line_walk *w, uint64_t low, uint64_t high)
{
	for (size_t i = find_row(w, low); i < w->line_count; i++) {
		Dwarf_Line *row = dwarf_onesrcline(w->lines, i);
		uint64_t address = line_address(w->lines, i);
		int number = 0;

		if (address >= high)
			break;
		if (find_innermost(w->function, address < low ? low : address) == w->call &&
			dwarf_lineno(row, &number) == 0 && number > 0)
			w->visit(w->context, dwarf_linesrc(row, NULL, NULL), (uint32_t)number);
	}
}

static bool lines_in_unit(
	struct scopes *s, struct unit *u, uint64_t address, size_t index, struct line_walk *w)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t offset = 0;
	Dwarf_Die *die;

	w->function = find_function(s, u, address);
	if (!w->function)
		return false;
	expand_function(s, u, w->function);
	w->call = find_innermost(w->function, address);
	for (; index && w->call != NO_CALL; index--)
		w->call = w->function->calls[w->call].parent;
	if (dwarf_getsrclines(&u->die, &w->lines, &w->line_count) != 0)
		return true;
	die = w->call == NO_CALL ? &w->function->die : &w->function->calls[w->call].die;
	while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0)
		visit_rows(w, low, high);
	return true;
}

void scopes_lines(struct scopes *s, uint64_t address, size_t index,
	void (*visit)(void *context, const char *file, uint32_t line), void *context)
{
	struct line_walk w = { .visit = visit, .context = context };

	for (size_t i = ranges_last(&s->ranges, address); i;
		i = ranges_previous(&s->ranges, address, i)) {
		if (lines_in_unit(s, &s->units[s->ranges.items[i - 1].owner], address, index, &w))
			return;
	}
}

bool scopes_line(struct scopes *s, uint64_t address, const char **file, uint32_t *line)
{
	for (size_t i = ranges_last(&s->ranges, address); i;
		i = ranges_previous(&s->ranges, address, i)) {
		struct scope_list list = { 0 };

		find_line(&s->units[s->ranges.items[i - 1].owner], address, &list);
		if (!list.file || !list.line)
			continue;
		*file = list.file;
		*line = list.line;
		return true;
	}
	return false;
}
