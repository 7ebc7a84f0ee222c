/* SPDX-License-Identifier: MIT */
/*
 * imports.c - finds the word by the library's dynamic section, as the loader does.
 */
#include "preload/unwind/imports.h"
#include "preload/sys/atomic.h"
#include "preload/sys/cpu.h"
#include "preload/sys/glibc.h"
#include "preload/sys/next.h"
#include "preload/sys/os.h"
#include "preload/sys/text.h"
#include "preload/trace_format.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE CPU_PAGE

/* The value of an entry; the loader has made addresses of the offsets. */
static uintptr_t dynamic(const struct link_map *map, ElfW(Sxword) tag)
{
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return d->d_un.d_ptr;
	return 0;
}

/* NULL: there is none. */
static void **find_word(const struct link_map *map, const char *function)
{
	const ElfW(Rela) *calls = (const void *)dynamic(map, DT_JMPREL);
	const ElfW(Sym) *symbols = (const void *)dynamic(map, DT_SYMTAB);
	const char *names = (const char *)dynamic(map, DT_STRTAB);
	size_t count = dynamic(map, DT_PLTRELSZ) / sizeof(*calls);

	if (!calls || !symbols || !names || (uintptr_t)calls < map->l_addr)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (strcmp(names + symbols[ELF64_R_SYM(calls[i].r_info)].st_name, function) == 0)
			return (void **)(map->l_addr + calls[i].r_offset);
	return NULL;
}

/* Does the loader close the word's page for writing once it is done? */
static bool closes(const struct link_map *map, uintptr_t word)
{
	const ElfW(Ehdr) *file = (const void *)map->l_addr;
	const ElfW(Phdr) *p = (const void *)(map->l_addr + file->e_phoff);

	for (unsigned i = 0; i < file->e_phnum; i++)
		if (p[i].p_type == PT_GNU_RELRO)
			return word - map->l_addr - p[i].p_vaddr < p[i].p_memsz;
	return false;
}

void *imports_replace(void *library, const char *function, void *by)
{
	struct link_map *map;
	void **word, *before;
	uintptr_t page;
	bool closed;

	if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0)
		return NULL;
	word = find_word(map, function);
	if (!word)
		return NULL;
	page = (uintptr_t)word & ~(PAGE - 1);
	closed = closes(map, (uintptr_t)word);
	if (closed && !os_make_writable((void *)page, PAGE))
		return NULL;
	before = *word;
	store_release(word, by);
	if (closed)
		os_call(SYS_mprotect, page, PAGE, PROT_READ);
	return before;
}

/* ---- who calls past us */

static bool is_past_us(const void *function)
{
	return function && (function == (void *)next.free || function == (void *)next.realloc);
}

/* A word that hasn't been used yet leads into the library itself. */
static bool any_past_us(const struct link_map *map, ElfW(Sxword) table, ElfW(Sxword) bytes)
{
	const ElfW(Rela) *words = (const void *)dynamic(map, table);
	size_t count = dynamic(map, bytes) / sizeof(*words);

	if (!words || (uintptr_t)words < map->l_addr) /* the vdso's is an offset */
		return false;
	for (size_t i = 0; i < count; i++) {
		uint32_t type = ELF64_R_TYPE(words[i].r_info);

		if ((type == CPU_RELOCATION_ADDRESS || type == CPU_RELOCATION_CALL) &&
			is_past_us(*(void **)(map->l_addr + words[i].r_offset)))
			return true;
	}
	return false;
}

void imports_name_others(char *names, size_t size)
{
	char whole[MT_FREED_BY_SIZE];
	struct text t;

	text_init(&t, whole, sizeof(whole));
	for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next) {
		const char *slash = strrchr(map->l_name, '/');

		if (!any_past_us(map, DT_JMPREL, DT_PLTRELSZ) &&
			!any_past_us(map, DT_RELA, DT_RELASZ))
			continue;
		text_add(&t, t.used ? ", " : "");
		text_add(&t, slash ? slash + 1 : map->l_name);
	}
	memcpy(names, whole, size < sizeof(whole) ? size : sizeof(whole));
}
