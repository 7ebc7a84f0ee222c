/* SPDX-License-Identifier: MIT */
/* next.c - finds the next definitions, and serves the allocations that the finding itself makes. */
#include "preload/sys/next.h"
#include "preload/sys/array.h"
#include "preload/sys/atomic.h"
#include "preload/sys/glibc.h"
#include "preload/sys/object.h"
#include "preload/sys/single.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>

struct next next;
long (*next_syscall)(long, ...);
struct earlier earlier;

unsigned char boot_memory[1 << 16] __attribute__((aligned(64)));
size_t boot_used;

/* Each block has its size in front. Only ever one thread is this early. */
void *boot_alloc(size_t size, size_t alignment)
{
	size_t at;

	if (alignment < 16)
		alignment = 16;
	at = (boot_used + sizeof(size_t) + alignment - 1) & ~(alignment - 1);
	if (at > sizeof(boot_memory) || size > sizeof(boot_memory) - at) {
		errno = ENOMEM;
		return NULL;
	}
	memcpy(boot_memory + at - sizeof(size), &size, sizeof(size));
	boot_used = at + size;
	return boot_memory + at;
}

#define BOOT_SPARE (8u << 10) /* bytes, for what nobody else can serve */

static struct next served; /* what is next otherwise */

/* NULL: not from here. */
static void *serve(size_t size)
{
	return boot_used < sizeof(boot_memory) - BOOT_SPARE &&
			       size < sizeof(boot_memory) - BOOT_SPARE - boot_used
		       ? boot_alloc(size, 16)
		       : NULL;
}

static void *serve_malloc(size_t size)
{
	void *p = serve(size);

	return p ? p : served.malloc(size);
}

/* Each block is handed out once, so it has zeros. */
static void *serve_calloc(size_t count, size_t size)
{
	size_t bytes;
	void *p = __builtin_mul_overflow(count, size, &bytes) ? NULL : serve(bytes);

	return p ? p : served.calloc(count, size);
}

void boot_serve(void)
{
	if (!process_is_single || !next.glibc || !next.malloc || !next.calloc)
		return;
	served = next;
	next.malloc = serve_malloc;
	next.calloc = serve_calloc;
}

void boot_serve_no_more(void)
{
	if (!served.malloc)
		return;
	next.malloc = served.malloc;
	next.calloc = served.calloc;
}

size_t boot_size(const void *block)
{
	size_t size;

	memcpy(&size, (const unsigned char *)block - sizeof(size), sizeof(size));
	return size;
}

/* Another library's resolver of an indirect function may allocate while the loader hasn't come to
 * us yet: then nothing of another library may be called. */
static bool is_relocated(void)
{
	static void *volatile self = (void *)&self;

	return self == (void *)&self;
}

static bool is_c_library(const struct object *o)
{
	const char *slash = strrchr(o->name, '/');

	return strncmp(slash ? slash + 1 : o->name, "libc.so.", 8) == 0;
}

static void find_allocator(struct next *found)
{
	struct object o;

	if (!object_find((uintptr_t)found->malloc, &o))
		return;
	/* Blocks that a companion tells of are of another allocator than malloc's, maybe. */
	found->glibc = is_c_library(&o) && !dlsym(RTLD_DEFAULT, COMPANION_MARK);
	if (is_c_library(&o))
		return;
	found->allocator = o.start;
	found->allocator_size = o.end - o.start;
	if (!object_find((uintptr_t)&next, &o))
		return;
	found->self = o.start;
	found->self_size = o.end - o.start;
}

void *next_before(const char *name)
{
	const ElfW(Sym) *symbol = NULL;
	struct object ours, first;
	void *found = dlsym(RTLD_DEFAULT, name);
	Dl_info info;

	if (!found || !object_find((uintptr_t)found, &first) ||
		!object_find((uintptr_t)&next, &ours) || first.start == ours.start)
		return NULL;
	/* A program that is not position-independent and takes a function's address has an entry
	 * for it that leads to ours. */
	if (dladdr1(found, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
		symbol->st_shndx == SHN_UNDEF)
		return NULL;
	return found;
}

static bool same_object(void *function, void *other)
{
	struct object a, b;

	return object_find((uintptr_t)function, &a) && object_find((uintptr_t)other, &b) &&
	       a.start == b.start;
}

static bool is_in(const struct link_map *map, const struct object *o)
{
	return (uintptr_t)map->l_ld >= o->start && (uintptr_t)map->l_ld < o->end;
}

bool next_is_late(void)
{
	struct object ours, c_library;

	if (!is_glibc() || !object_find((uintptr_t)&next, &ours) ||
		!object_find((uintptr_t)dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &c_library))
		return false;
	for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next)
		if (is_in(map, &ours) || is_in(map, &c_library))
			return is_in(map, &c_library);
	return false;
}

/* Of what only such a tool has. To ask dlsym for what there isn't takes as long as all other questions
 * of the start. */
#define OF_SANITIZER(name) extern char name[] __attribute__((weak, visibility("default")))
OF_SANITIZER(__asan_init);
OF_SANITIZER(__hwasan_init);
OF_SANITIZER(__tsan_init);
OF_SANITIZER(__msan_init);
OF_SANITIZER(__lsan_init);
OF_SANITIZER(dfsan_set_label);
OF_SANITIZER(__memprof_init);

const char *next_sanitizer(void)
{
	const struct {
		const void *function;
		const char *name;
	} sanitizers[] = {
		{ __asan_init, "AddressSanitizer" },
		{ __hwasan_init, "HWAddressSanitizer" },
		{ __tsan_init, "ThreadSanitizer" },
		{ __msan_init, "MemorySanitizer" },
		{ __lsan_init, "LeakSanitizer" },
		{ dfsan_set_label, "DataFlowSanitizer" },
		{ __memprof_init, "MemProfiler" },
	};
	void *malloc_of_program;

	for (size_t i = 0; i < ARRAY_SIZE(sanitizers); i++)
		if (sanitizers[i].function)
			return sanitizers[i].name;
	/* gcc's static ones export nothing but the C library's functions that they replace, and from 16 on
	 * no __cxa_atexit. No allocator has either, though its program may take their addresses. */
	malloc_of_program = next_before("malloc");
	if (!malloc_of_program)
		return NULL;
	return same_object(malloc_of_program, next_before("__cxa_atexit")) ||
			       same_object(malloc_of_program, next_before("sigaction"))
		       ? "a sanitizer or similar tool"
		       : NULL;
}

static cold_path void resolve(void)
{
	struct next found = { 0 };

	found.calloc = dlsym(RTLD_NEXT, "calloc");
	found.realloc = dlsym(RTLD_NEXT, "realloc");
	found.free = dlsym(RTLD_NEXT, "free");
	found.free_sized = dlsym(RTLD_NEXT, "free_sized");
	found.free_aligned_sized = dlsym(RTLD_NEXT, "free_aligned_sized");
	found.memalign = dlsym(RTLD_NEXT, "memalign");
	found.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	found.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	found.valloc = dlsym(RTLD_NEXT, "valloc");
	found.pvalloc = dlsym(RTLD_NEXT, "pvalloc");
	found.strdup = dlsym(RTLD_NEXT, "strdup");
	found.strndup = dlsym(RTLD_NEXT, "strndup");
	found.malloc_usable_size = dlsym(RTLD_NEXT, "malloc_usable_size");
	found.dlclose = dlsym(RTLD_NEXT, "dlclose");
	found.quick_exit = dlsym(RTLD_NEXT, "quick_exit");
	found.exit = dlsym(RTLD_NEXT, "exit");
	found.execve = dlsym(RTLD_NEXT, "execve");
	found.execv = dlsym(RTLD_NEXT, "execv");
	found.execvp = dlsym(RTLD_NEXT, "execvp");
	found.execvpe = dlsym(RTLD_NEXT, "execvpe");
	found.fexecve = dlsym(RTLD_NEXT, "fexecve");
	found.execveat = dlsym(RTLD_NEXT, "execveat");
	found.prctl = dlsym(RTLD_NEXT, "prctl");
	found.mlockall = dlsym(RTLD_NEXT, "mlockall");
	found.mmap = dlsym(RTLD_NEXT, "mmap");
	found.munmap = dlsym(RTLD_NEXT, "munmap");
	found.mprotect = dlsym(RTLD_NEXT, "mprotect");
	found.madvise = dlsym(RTLD_NEXT, "madvise");
	found.mremap = dlsym(RTLD_NEXT, "mremap");
	found.sbrk = dlsym(RTLD_NEXT, "sbrk");
	found.brk = dlsym(RTLD_NEXT, "brk");
	found.waitpid = dlsym(RTLD_NEXT, "waitpid");
	found.wait4 = dlsym(RTLD_NEXT, "wait4");
	found.waitid = dlsym(RTLD_NEXT, "waitid");
	found.malloc = dlsym(RTLD_NEXT, "malloc");
	found.glibc = true;
	found.plain = found.malloc && found.calloc && found.free;
	if (is_glibc()) {
		find_allocator(&found);
		earlier.realloc = next_before("realloc");
		earlier.free = next_before("free");
	}
	next = found;
	next_syscall = dlsym(RTLD_NEXT, "syscall");
}

/* Before the relocation this calls nothing: not even memset, which a compiler may see in the other. */
void next_resolve(void)
{
	static bool resolving;

	if (resolving || !is_relocated())
		return;
	resolving = true;
	resolve();
	resolving = false;
}
