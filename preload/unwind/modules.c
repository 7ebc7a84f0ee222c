/* SPDX-License-Identifier: MIT */
/*
 * modules.c - the loaded objects, met one by one as return addresses inside them turn up.
 *
 * The loader is asked by _dl_find_object, which takes no lock: dl_iterate_phdr may wait for a lock
 * whose holder waits for one that our caller holds. Nothing is asked at dlopen. After a dlclose
 * (whose caller has just waited for that lock) the known modules are looked up again, and those
 * that are gone get an unload time; what is later loaded at their addresses is another module.
 * While a dlclose is under way every frame's module is looked up again.
 *
 * The loader also unloads without a dlclose that comes by our hook: for the C library's own
 * modules, or for who asks it otherwise. What then takes its addresses is seen before it is there:
 * to load something, the loader allocates, and generated code is mapped. So a call of an allocation
 * function that comes from the loader has no cached stack (capture.c) and takes the slow path, on
 * which the modules are looked at.
 */
#include "preload/unwind/modules.h"
#include "preload/store/thread.h"
#include "preload/store/tracefile.h"
#include "preload/sys/cpu.h"
#include "preload/sys/glibc.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/sys/text.h"
#include "preload/unwind/stacks.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

int modules_closing;
struct modules_loader modules_loader, modules_self;

static __thread int closing __attribute__((tls_model("initial-exec"))); /* this thread's part */

static char program_path[4096];

/* The mapping begins with the ELF header, where the first segment covers the file's start (all
 * linkers do that). */
static const ElfW(Ehdr) * elf_header(const struct object *o)
{
	const ElfW(Ehdr) *header = (const void *)(cpu_page_down(o->start));

	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 ? header : NULL;
}

static void copy_build_id(struct mt_module *m, const unsigned char *notes, size_t size)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)notes;
		size_t name = (note->n_namesz + 3u) & ~3u, body = (note->n_descsz + 3u) & ~3u;
		size_t all = sizeof(*note) + name + body;

		if (all > size)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
			memcmp(note + 1, "GNU", 4) == 0 && note->n_descsz <= sizeof(m->build_id)) {
			m->build_id_size = (uint16_t)note->n_descsz;
			memcpy(m->build_id, notes + sizeof(*note) + name, note->n_descsz);
			return;
		}
		notes += all;
		size -= all;
	}
}

static void read_build_id(struct mt_module *m, const struct object *o)
{
	const ElfW(Ehdr) *header = elf_header(o);
	const ElfW(Phdr) * p;

	if (!header || header->e_phentsize != sizeof(*p))
		return;
	p = (const void *)((const char *)header + header->e_phoff);
	for (int i = 0; i < header->e_phnum && m->build_id_size == 0; i++)
		if (p[i].p_type == PT_NOTE && o->bias + p[i].p_vaddr + p[i].p_memsz <= o->end)
			copy_build_id(m, (const void *)(o->bias + p[i].p_vaddr), p[i].p_memsz);
}

static uint32_t add_path(const char *name)
{
	static char buffer[4096]; /* under tables_lock, and stacks may be small */
	struct text t;

	if (!*name)
		name = program_path;
	text_init(&t, buffer, sizeof(buffer));
	if (*name != '/' && strchr(name, '/')) {
		text_add(&t, trace.strings + trace.header->directory.offset);
		text_add(&t, "/");
	}
	text_add(&t, name);
	return tracefile_string(buffer, t.used);
}

static bool same_object(const struct mt_module *m, const struct object *o)
{
	const char *known = trace.strings + m->path;
	const char *name = *o->name ? o->name : program_path;
	size_t known_size = strlen(known), size = strlen(name);

	return m->start == o->start && m->end == o->end && m->bias == o->bias &&
	       known_size >= size && strcmp(known + known_size - size, name) == 0;
}

uint32_t module_for(const struct object *o)
{
	uint64_t count = trace.header->tables[MT_MODULES].count;
	struct mt_module *m;

	for (uint64_t i = count; i-- > 1;)
		if (trace.modules[i].unload_ns == 0 && same_object(&trace.modules[i], o))
			return (uint32_t)i;
	if (!tracefile_room(MT_MODULES, count + 1))
		return 0;
	m = &trace.modules[count];
	memset(m, 0, sizeof(*m));
	m->bias = o->bias;
	m->start = o->start;
	m->end = o->end;
	m->load_ns = os_time() - trace.header->start_ns;
	m->path = add_path(o->name);
	if (!*o->name)
		m->flags |= MT_MODULE_EXE;
	if ((uintptr_t)&trace >= o->start && (uintptr_t)&trace < o->end)
		m->flags |= MT_MODULE_SELF;
	if (strncmp(o->name, "linux-vdso", 10) == 0)
		m->flags |= MT_MODULE_VDSO;
	read_build_id(m, o);
	store_release(&trace.header->tables[MT_MODULES].count, count + 1);
	return (uint32_t)count;
}

void modules_init(const char *program)
{
	struct object o;
	struct text t;

	text_init(&t, program_path, sizeof(program_path));
	text_add(&t, program);
	if (tracefile_room(MT_MODULES, 1))
		trace.header->tables[MT_MODULES].count = 1; /* module 0: none */
	if (object_find((uintptr_t)_r_debug.r_ldbase, &o))
		modules_loader = (struct modules_loader){ o.start, o.end - o.start };
	if (object_find((uintptr_t)modules_init, &o))
		modules_self = (struct modules_loader){ o.start, o.end - o.start };
}

/* The generation goes up before anybody can take the module for gone, and think that all is
 * done. */
static void retire(struct mt_module *m)
{
	lock_take(&tables_lock);
	if (m->unload_ns == 0) {
		stacks_forget_code(m->start, m->end);
		add_fetch_acq_rel(&code_generation, 1);
		store_release(&m->unload_ns, os_time() - trace.header->start_ns);
	}
	lock_drop(&tables_lock);
}

/* Under the loader's lock: what it says of an object that isn't on the caller's stack may be freed
 * otherwise while it is read. */
static int sweep(struct dl_phdr_info *info, size_t size, void *arg)
{
	uint64_t count = load_acquire(&trace.header->tables[MT_MODULES].count);

	(void)info, (void)size, (void)arg;
	for (uint64_t i = 1; i < count; i++) {
		struct mt_module *m = &trace.modules[i];
		struct object o;

		if (load_acquire(&m->unload_ns) == 0 &&
			!(m->flags & (MT_MODULE_EXE | MT_MODULE_SELF)) &&
			!(object_find(m->start, &o) && same_object(m, &o)))
			retire(m);
	}
	return 1;
}

void modules_sweep(void)
{
	dl_iterate_phdr(sweep, NULL);
}

/* Not in a handler that has interrupted us: the tables may be in the middle of a change. */
static bool may_look(void)
{
	return phase_page.phase == PHASE_ON && cpu_has_thread() && !thread_is_busy(thread_mine());
}

void modules_look(void)
{
	uint32_t before = load_acquire(&code_generation);
	uint64_t count;

	if (!may_look())
		return;
	count = load_acquire(&trace.header->tables[MT_MODULES].count);
	for (uint64_t i = 1; i < count; i++) {
		struct mt_module *m = &trace.modules[i];

		if (load_acquire(&m->unload_ns) == 0 &&
			!(m->flags & (MT_MODULE_EXE | MT_MODULE_SELF)) &&
			!object_is_mapped(m->start, m->end))
			retire(m);
	}
	if (load_acquire(&code_generation) != before)
		phase_advance();
}

static bool is_in_module(uintptr_t start, uintptr_t end)
{
	uint64_t count = load_acquire(&trace.header->tables[MT_MODULES].count);

	for (uint64_t i = 1; i < count; i++) {
		const struct mt_module *m = &trace.modules[i];

		if (load_acquire(&m->unload_ns) == 0 && start < m->end && end > m->start)
			return true;
	}
	return false;
}

void modules_change(uintptr_t start, size_t size)
{
	uintptr_t end = start + size;

	if (!may_look())
		return;
	if (stacks_forget_generated(start, end)) {
		add_fetch_acq_rel(&code_generation, 1);
		phase_advance();
	}
	if (is_in_module(start, end))
		modules_look();
}

bool module_is_stale(uint32_t module, uintptr_t address)
{
	struct mt_module *m = &trace.modules[module];
	struct object o;

	if (module == 0 || (m->flags & (MT_MODULE_EXE | MT_MODULE_SELF)) ||
		(object_find(address, &o) && same_object(m, &o)))
		return false;
	retire(m);
	return true;
}

void modules_close(int add)
{
	closing += add;
	add_fetch_acq_rel(&modules_closing, add);
	phase_advance();
}

/* The other threads' calls never return here. */
void modules_forked(void)
{
	modules_closing = closing;
}
