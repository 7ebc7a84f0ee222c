/* SPDX-License-Identifier: MIT */
/*
 * binary.c - finding and opening a module's ELF file and its debug information, by libdwfl.
 *
 * The paths come from a trace, so they may name anything: only regular files are opened, and only
 * such with the build-id that the trace recorded are believed.
 */
#include "analyzer/symbols/binary.h"

#include "analyzer/base/mem.h"
#include "analyzer/symbols/debuginfod.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>

#define SYSTEM_DEBUG_DIR "/usr/lib/debug"

/* What one attempt to open is made with. */
struct attempt {
	struct binary *binary;
	const struct symbolizer_options *options;
	const struct symbolizer_module *module;
};

static void hex(char *text, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

__attribute__((format(printf, 2, 3))) static void complain(
	struct binary *b, const char *format, ...)
{
	va_list args;

	if (b->complaint)
		return; /* the first one is about the path that people know */
	va_start(args, format);
	if (vasprintf(&b->complaint, format, args) < 0)
		b->complaint = NULL;
	va_end(args);
}

/* ---- separate debug files */

static int find_here(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
	const char *file, const char *link, GElf_Word crc, char **found)
{
	int fd;

	debuginfod_begin(false);
	fd = dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, found);
	debuginfod_end();
	return fd;
}

static int find_anywhere(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
	const char *file, const char *link, GElf_Word crc, char **found)
{
	int fd;

	debuginfod_begin(true);
	fd = dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, found);
	debuginfod_end();
	return fd;
}

/* Beside the file, its .debug directory, the user's directories, the sysroot's, the system's. */
static char *search_path(const struct symbolizer_options *options)
{
	char *path = NULL;
	size_t size;
	FILE *out = open_memstream(&path, &size);

	if (!out)
		return mem_strdup(":.debug:" SYSTEM_DEBUG_DIR);
	fputs(":.debug", out);
	for (const char *const *dir = options->debug_dirs; dir && *dir; dir++)
		fprintf(out, ":%s", *dir);
	if (options->sysroot)
		fprintf(out, ":%s" SYSTEM_DEBUG_DIR, options->sysroot);
	fputs(":" SYSTEM_DEBUG_DIR, out);
	fclose(out);
	return path;
}

/* ---- opening one file */

static void close_dwfl(struct binary *b)
{
	if (b->dwfl)
		dwfl_end(b->dwfl);
	b->dwfl = NULL;
	b->module = NULL;
}

static int open_regular(struct binary *b, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		complain(b, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		b->changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
		return fd;
	}
	complain(b, "%s: not a regular file", path);
	close(fd);
	return -1;
}

static bool same_build(struct attempt *a, const char *path, Elf *elf)
{
	const struct symbolizer_module *m = a->module;
	char theirs[2 * 64 + 1] = "none", ours[2 * 64 + 1];
	const void *id = NULL;
	ssize_t size = dwelf_elf_gnu_build_id(elf, &id);

	if (m->build_id_size == 0)
		return true;
	if (size == (ssize_t)m->build_id_size && memcmp(id, m->build_id, size) == 0)
		return true;
	if (size > 0)
		hex(theirs, id, size < 64 ? size : 64);
	hex(ours, m->build_id, m->build_id_size < 64 ? m->build_id_size : 64);
	complain(a->binary, "%s has changed since the trace: its build-id is %s, the trace has %s",
		path, theirs, ours);
	return false;
}

static uint64_t find_text_start(Elf *elf)
{
	uint64_t start = UINT64_MAX;
	size_t count;
	GElf_Phdr ph;

	if (elf_getphdrnum(elf, &count) != 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(elf, i, &ph) && ph.p_type == PT_LOAD && (ph.p_flags & PF_X) &&
			ph.p_vaddr < start)
			start = ph.p_vaddr;
	}
	return start == UINT64_MAX ? 0 : start;
}

/* Keeps the module if its ELF file can be read and is the right one. */
static bool accept_module(struct attempt *a, const char *path)
{
	struct binary *b = a->binary;
	GElf_Addr bias;
	Elf *elf = b->module ? dwfl_module_getelf(b->module, &bias) : NULL;

	if (!elf)
		complain(b, "%s: %s", path, dwfl_errmsg(-1));
	if (elf && same_build(a, path, elf)) {
		b->text_start = find_text_start(elf);
		return true;
	}
	close_dwfl(b);
	return false;
}

static bool begin(struct attempt *a)
{
	a->binary->dwfl = dwfl_begin(&a->binary->callbacks);
	if (!a->binary->dwfl)
		complain(a->binary, "%s: %s", a->module->path, dwfl_errmsg(-1));
	else
		debuginfod_watch(a->binary->dwfl, a->options);
	return a->binary->dwfl;
}

/* The descriptor is used up. */
static bool try_descriptor(struct attempt *a, const char *path, int fd)
{
	struct binary *b = a->binary;

	if (!begin(a)) {
		close(fd);
		return false;
	}
	b->module = dwfl_report_elf(b->dwfl, path, path, fd, 0, true);
	if (!b->module) {
		complain(b, "%s: %s", path, dwfl_errmsg(-1));
		close(fd);
	}
	dwfl_report_end(b->dwfl, NULL, NULL);
	return accept_module(a, path);
}

static bool try_path(struct attempt *a, const char *path)
{
	int fd = open_regular(a->binary, path);

	return fd >= 0 && try_descriptor(a, path, fd);
}

/* ---- where the file may be */

/* DIR/.build-id/xx/yyy, the file itself, or yyy.debug: its debug file, which has all but the
 * code. */
static bool try_build_id(struct attempt *a, const char *prefix, const char *dir)
{
	const struct symbolizer_module *m = a->module;
	char id[2 * 64 + 1];
	char *path;
	bool found;

	if (m->build_id_size < 2 || m->build_id_size > 64)
		return false;
	hex(id, m->build_id, m->build_id_size);
	if (asprintf(&path, "%s%s/.build-id/%.2s/%s.debug", prefix, dir, id, id + 2) < 0)
		return false;
	path[strlen(path) - strlen(".debug")] = 0;
	found = try_path(a, path);
	if (!found) {
		path[strlen(path)] = '.';
		found = try_path(a, path);
	}
	free(path);
	return found;
}

static bool try_sysroot(struct attempt *a)
{
	const char *root = a->options->sysroot;
	char *path;
	bool found;

	if (!root || asprintf(&path, "%s/%s", root, a->module->path) < 0)
		return false;
	found = try_path(a, path);
	free(path);
	return found;
}

static bool try_debug_dirs(struct attempt *a)
{
	for (const char *const *dir = a->options->debug_dirs; dir && *dir; dir++)
		if (try_build_id(a, "", *dir))
			return true;
	if (a->options->sysroot && try_build_id(a, a->options->sysroot, SYSTEM_DEBUG_DIR))
		return true;
	return try_build_id(a, "", SYSTEM_DEBUG_DIR);
}

/* By its build-id alone: libdwfl's own call-back asks the servers. */
static bool try_debuginfod(struct attempt *a)
{
	const struct symbolizer_module *m = a->module;
	struct binary *b = a->binary;
	bool found;

	if (!a->options->debuginfod || m->build_id_size == 0 || m->start < m->bias || !begin(a))
		return false;
	b->module = dwfl_report_module(b->dwfl, m->path, m->start - m->bias, m->end - m->bias);
	if (b->module)
		dwfl_module_report_build_id(b->module, m->build_id, m->build_id_size, 0);
	dwfl_report_end(b->dwfl, NULL, NULL);
	debuginfod_begin(true);
	found = accept_module(a, m->path);
	debuginfod_end();
	return found;
}

/* The kernel's own module has no file, but the one that this process has is often the same. */
static bool try_vdso(struct attempt *a)
{
	const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
	size_t size;
	int fd;

	if (!image)
		return false;
	size = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	if (write(fd, image, size) == (ssize_t)size)
		return try_descriptor(a, a->module->path, fd);
	close(fd);
	return false;
}

static bool is_vdso(const char *path)
{
	return strcmp(path, "[vdso]") == 0 || strcmp(path, "linux-vdso.so.1") == 0;
}

static bool try_all(struct attempt *a)
{
	if (a->module->path[0] == 0) {
		complain(a->binary, "a module without a name has no symbols");
		return try_debug_dirs(a);
	}
	if (is_vdso(a->module->path))
		return try_vdso(a);
	return try_sysroot(a) || try_path(a, a->module->path) || try_debug_dirs(a) ||
	       try_debuginfod(a);
}

struct binary *binary_open(
	const struct symbolizer_options *options, const struct symbolizer_module *module)
{
	struct binary *b = mem_zalloc(1, sizeof(*b));
	struct attempt attempt = { b, options, module };

	b->search_path = search_path(options);
	b->callbacks.find_elf = dwfl_build_id_find_elf;
	b->callbacks.find_debuginfo = options->debuginfod ? find_anywhere : find_here;
	b->callbacks.debuginfo_path = &b->search_path;
	if (try_all(&attempt)) {
		free(b->complaint);
		b->complaint = NULL;
	}
	return b;
}

void binary_free(struct binary *b)
{
	if (!b)
		return;
	close_dwfl(b);
	free(b->search_path);
	free(b->complaint);
	free(b);
}

/* ---- debug information */

static bool has_debug_section(Elf *elf)
{
	Elf_Scn *section = NULL;
	size_t names;
	GElf_Shdr sh;

	if (!elf || elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name =
			gelf_getshdr(section, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (name && sh.sh_type != SHT_NOBITS && strstr(name, "debug_info"))
			return true;
	}
	return false;
}

Dwarf *binary_dwarf(struct binary *b, Dwarf_Addr *bias)
{
	const char *main_file = NULL;
	Dwarf *dwarf;
	int code;

	if (!b->dwfl)
		return NULL;
	dwarf = dwfl_module_getdwarf(b->module, bias);
	if (dwarf)
		return dwarf;
	code = dwfl_errno();
	dwfl_module_info(b->module, NULL, NULL, NULL, NULL, NULL, &main_file, NULL);
	if (has_debug_section(dwfl_module_getelf(b->module, bias)))
		complain(b, "%s: its debug information cannot be read: %s",
			main_file ? main_file : "module", dwfl_errmsg(code));
	else if (debuginfod_gave_up())
		complain(b, "%s: debuginfod sent no debug file within --debuginfod-time",
			main_file ? main_file : "module");
	return NULL;
}
