/* SPDX-License-Identifier: MIT */
/*
 * symtab.c - a sorted copy of the functions in libdwfl's symbol table. dwfl_module_addrinfo() would
 * do the same by a look at every symbol for each address.
 */
#include "analyzer/symbols/symtab.h"

#include "analyzer/base/mem.h"
#include "analyzer/base/ranges.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t address;
	uint64_t size;	/* 0 = unknown */
	uint64_t limit; /* end of its section */
	const char *name;
	int rank; /* 2 global, 1 weak, 0 local */
};

struct symtab {
	struct entry *entries; /* by address, then from the least to the most fitting name */
	size_t count, room;
	struct ranges ranges; /* owner: index in entries */
};

static int underscores(const char *name)
{
	return strspn(name, "_");
}

static int compare_names(const struct entry *a, const struct entry *b)
{
	int by_underscores = underscores(b->name) - underscores(a->name);

	if (a->rank != b->rank)
		return a->rank - b->rank;
	return by_underscores ? by_underscores : strcmp(b->name, a->name);
}

static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return compare_names(a, b);
}

static bool is_function(const GElf_Sym *sym, const GElf_Shdr *section)
{
	int type = GELF_ST_TYPE(sym->st_info);

	if (!(section->sh_flags & SHF_EXECINSTR))
		return false;
	return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
}

static int rank_of(const GElf_Sym *sym)
{
	switch (GELF_ST_BIND(sym->st_info)) {
	case STB_LOCAL:
		return 0;
	case STB_WEAK:
		return 1;
	default:
		return 2;
	}
}

static void add_symbol(struct symtab *t, Dwfl_Module *module, int index)
{
	struct entry entry;
	GElf_Word section;
	GElf_Addr address, bias;
	GElf_Shdr sh;
	GElf_Sym sym;
	Elf *elf;
	const char *name =
		dwfl_module_getsym_info(module, index, &sym, &address, &section, &elf, &bias);

	if (!name || name[0] == 0 || section == SHN_UNDEF || !elf)
		return;
	if (!gelf_getshdr(elf_getscn(elf, section), &sh) || !is_function(&sym, &sh))
		return;
	entry = (struct entry){ address, sym.st_size, sh.sh_addr + bias + sh.sh_size, name,
		rank_of(&sym) };
	VEC_PUSH(t->entries, t->count, t->room, entry);
}

/* Where a function without size ends: at the next symbol, or with its section. */
static void add_ranges(struct symtab *t)
{
	uint64_t next = UINT64_MAX; /* the next greater address */

	for (size_t i = t->count; i-- > 0;) {
		struct entry *e = &t->entries[i];
		uint64_t end;

		if (i + 1 < t->count && t->entries[i + 1].address > e->address)
			next = t->entries[i + 1].address;
		end = e->limit < next ? e->limit : next;
		if (e->size && __builtin_add_overflow(e->address, e->size, &end))
			continue;
		ranges_add(&t->ranges, e->address, end, i);
	}
	ranges_sort(&t->ranges);
}

struct symtab *symtab_new(struct binary *b)
{
	struct symtab *t = mem_zalloc(1, sizeof(*t));
	int count = b->dwfl ? dwfl_module_getsymtab(b->module) : 0;

	for (int i = 1; i < count; i++)
		add_symbol(t, b->module, i);
	if (t->count)
		qsort(t->entries, t->count, sizeof(*t->entries), compare);
	add_ranges(t);
	return t;
}

void symtab_free(struct symtab *t)
{
	if (!t)
		return;
	ranges_release(&t->ranges);
	free(t->entries);
	free(t);
}

static const struct entry *find_entry(const struct symtab *t, uint64_t address)
{
	const struct entry *sizeless = NULL;

	for (size_t i = ranges_last(&t->ranges, address); i;
		i = ranges_previous(&t->ranges, address, i)) {
		const struct entry *e = &t->entries[t->ranges.items[i - 1].owner];

		/* A label inside a function has no size. */
		if (e->size)
			return e;
		if (!sizeless)
			sizeless = e;
	}
	return sizeless;
}

const char *symtab_find(const struct symtab *t, uint64_t address)
{
	const struct entry *e = find_entry(t, address);

	return e ? e->name : NULL;
}

uint64_t symtab_start(const struct symtab *t, uint64_t address)
{
	const struct entry *e = find_entry(t, address);

	return e ? e->address : address;
}
