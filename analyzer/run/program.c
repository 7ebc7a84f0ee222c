/* SPDX-License-Identifier: MIT */
/*
 * program.c - looks into an executable file for what keeps a preloaded library from tracing it.
 */
#include "analyzer/run/program.h"

#include "analyzer/base/mem.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <gelf.h>

#define INTERPRETERS_MAX 4 /* scripts whose interpreter is a script: as many as Linux follows */

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#else
#error "which machine's programs can the library be loaded into?"
#endif

__attribute__((format(printf, 2, 3))) static struct obstacle obstacle(
	bool harmful, const char *format, ...)
{
	struct obstacle o = { .harmful = harmful };
	va_list args;

	va_start(args, format);
	if (vasprintf(&o.text, format, args) < 0)
		o.text = mem_strdup("cannot be traced");
	va_end(args);
	return o;
}

static const struct obstacle nothing;

/* ---- what the dynamic linker does with it */

/* The path of the dynamic linker; "" = none. */
static void read_interpreter(Elf *elf, char *path, size_t size)
{
	size_t count;
	GElf_Phdr ph;

	path[0] = 0;
	if (elf_getphdrnum(elf, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		Elf_Data *data;

		if (!gelf_getphdr(elf, i, &ph) || ph.p_type != PT_INTERP)
			continue;
		data = elf_getdata_rawchunk(elf, ph.p_offset, ph.p_filesz, ELF_T_BYTE);
		if (data)
			snprintf(path, size, "%.*s", (int)data->d_size, (const char *)data->d_buf);
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A program that gains privileges gets no library that its user chooses. Root gains none. */
static bool gains_privileges(const char *path)
{
	struct stat st;

	if (geteuid() == 0 || stat(path, &st) != 0)
		return false;
	if ((st.st_mode & S_ISUID) && st.st_uid != geteuid())
		return true;
	if ((st.st_mode & S_ISGID) && st.st_gid != getegid())
		return true;
	return getxattr(path, "security.capability", NULL, 0) > 0;
}

/* ---- what is linked into it */

static const char *const sanitizers[] = { "libasan.so", "libtsan.so", "libmsan.so", "libhwasan.so",
	"liblsan.so", "libclang_rt.asan", "libclang_rt.tsan", "libclang_rt.msan",
	"libclang_rt.hwasan", "libclang_rt.memprof", NULL };
static const char *const sanitizer_functions[] = { "__asan_init", "__tsan_init", "__msan_init",
	"__hwasan_init", "__lsan_init", "dfsan_set_label", "__memprof_init", NULL };
static const char *const allocators[] = { "malloc", "_rjem_malloc", "je_malloc", "mi_malloc",
	"tc_malloc", "rpmalloc", NULL };

static const char *find_text(const char *text, const char *const *list, bool whole)
{
	for (; text && *list; list++)
		if (whole ? strcmp(text, *list) == 0 : strncmp(text, *list, strlen(*list)) == 0)
			return *list;
	return NULL;
}

const char *program_sanitizer(const char *library)
{
	return find_text(library, sanitizers, false);
}

/* What the symbol tables define of the functions in the list. */
static const char *find_symbol(
	Elf *elf, Elf_Scn *section, const GElf_Shdr *sh, const char *const *list)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	GElf_Sym sym;

	for (size_t i = 0; i < count && gelf_getsym(data, i, &sym); i++) {
		const char *name;

		if (sym.st_shndx == SHN_UNDEF || GELF_ST_BIND(sym.st_info) == STB_LOCAL ||
			GELF_ST_TYPE(sym.st_info) != STT_FUNC)
			continue;
		name = find_text(elf_strptr(elf, sh->sh_link, sym.st_name), list, true);
		if (name)
			return name;
	}
	return NULL;
}

static const char *find_needed(
	Elf *elf, Elf_Scn *section, const GElf_Shdr *sh, const char *const *list)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	GElf_Dyn dyn;

	for (size_t i = 0; i < count && gelf_getdyn(data, i, &dyn); i++) {
		const char *name = NULL;

		if (dyn.d_tag == DT_NEEDED)
			name = find_text(elf_strptr(elf, sh->sh_link, dyn.d_un.d_val), list, false);
		if (name)
			return name;
	}
	return NULL;
}

struct contents {
	const char *sanitizer;
	const char *allocator;
	bool go;
};

static struct contents look_into(Elf *elf)
{
	struct contents c = { NULL, NULL, false };
	Elf_Scn *section = NULL;
	GElf_Shdr sh;
	size_t names = 0;

	elf_getshdrstrndx(elf, &names);
	while ((section = elf_nextscn(elf, section)) && gelf_getshdr(section, &sh)) {
		const char *name = elf_strptr(elf, names, sh.sh_name);

		if (name && strcmp(name, ".note.go.buildid") == 0)
			c.go = true;
		if (sh.sh_type == SHT_SYMTAB || sh.sh_type == SHT_DYNSYM) {
			if (!c.sanitizer)
				c.sanitizer = find_symbol(elf, section, &sh, sanitizer_functions);
			if (!c.allocator)
				c.allocator = find_symbol(elf, section, &sh, allocators);
		} else if (sh.sh_type == SHT_DYNAMIC && !c.sanitizer) {
			c.sanitizer = find_needed(elf, section, &sh, sanitizers);
		}
	}
	return c;
}

static struct obstacle check_contents(Elf *elf)
{
	struct contents c = look_into(elf);

	if (c.sanitizer)
		return obstacle(true,
			"is built with a sanitizer (%s), which brings its own malloc; it runs "
			"untraced",
			c.sanitizer);
	if (c.allocator)
		return obstacle(false,
			"brings its own malloc%s%s%s, whose allocations will not be recorded",
			strcmp(c.allocator, "malloc") ? " (" : "",
			strcmp(c.allocator, "malloc") ? c.allocator : "",
			strcmp(c.allocator, "malloc") ? ")" : "");
	if (c.go)
		return obstacle(false, "is a Go program; only allocations of its C parts will be "
				       "recorded");
	return nothing;
}

/* ---- kinds of files */

static struct obstacle check_elf(const char *path, Elf *elf, bool loaded)
{
	char interpreter[256];
	GElf_Ehdr header;

	if (!gelf_getehdr(elf, &header))
		return nothing;
	if (header.e_machine != OUR_MACHINE)
		return obstacle(true,
			"is built for another architecture, so the library cannot be preloaded; "
			"it runs untraced");
	if (gelf_getclass(elf) != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return obstacle(true,
			"is a %d-bit program, so the library cannot be preloaded; it runs "
			"untraced",
			gelf_getclass(elf) == ELFCLASS32 ? 32 : 64);
	read_interpreter(elf, interpreter, sizeof(interpreter));
	if (!interpreter[0])
		return strncmp(base_name(path), "ld", 2) == 0
			       ? nothing
			       : obstacle(false, "is statically linked, so no library can be "
						 "preloaded; it runs untraced, and only programs "
						 "that it starts "
						 "will be traced");
	if (strncmp(base_name(interpreter), "ld-musl", 7) == 0)
		return obstacle(
			true, "is linked with musl, but the library with glibc; it runs untraced");
	if (!loaded && gains_privileges(path))
		return obstacle(false,
			"gains privileges when it starts (setuid, setgid or capabilities), so no "
			"library can be preloaded; it runs untraced");
	return check_contents(elf);
}

static struct obstacle check_file(const char *path, int depth, bool loaded);

/* The kernel's rule: the interpreter is the first word, all the rest is one argument. */
static struct obstacle check_script(char *line, int depth)
{
	struct obstacle found;
	char *name = line + 2 + strspn(line + 2, " \t");
	char *text;

	name[strcspn(name, " \t\n")] = 0;
	if (!*name || depth >= INTERPRETERS_MAX)
		return nothing;
	found = check_file(name, depth + 1, false);
	if (found.text &&
		asprintf(&text, "is a script whose interpreter %s %s", name, found.text) >= 0) {
		free(found.text);
		found.text = text;
	}
	return found;
}

static struct obstacle check_file(const char *path, int depth, bool loaded)
{
	struct obstacle found = nothing;
	char start[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t size;
	Elf *elf;

	if (fd < 0)
		return nothing;
	size = pread(fd, start, sizeof(start) - 1, 0);
	start[size > 0 ? size : 0] = 0;
	if (strncmp(start, "#!", 2) == 0 && !loaded) {
		found = check_script(start, depth);
	} else if (size > SELFMAG && memcmp(start, ELFMAG, SELFMAG) == 0) {
		elf_version(EV_CURRENT);
		elf = elf_begin(fd, ELF_C_READ, NULL);
		if (elf)
			found = check_elf(path, elf, loaded);
		elf_end(elf);
	}
	close(fd);
	return found;
}

char *program_image(const char *path)
{
	char name[256] = "", start[256];

	for (int depth = 0; depth <= INTERPRETERS_MAX; depth++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		ssize_t size = fd < 0 ? 0 : pread(fd, start, sizeof(start) - 1, 0);

		if (fd >= 0)
			close(fd);
		start[size > 0 ? size : 0] = 0;
		if (size > SELFMAG && memcmp(start, ELFMAG, SELFMAG) == 0)
			return mem_strdup(path);
		if (strncmp(start, "#!", 2) != 0)
			return NULL;
		path = start + 2 + strspn(start + 2, " \t");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, " \t\n"), path);
		path = name;
	}
	return NULL;
}

char *program_linker(const char *image)
{
	char path[256] = "";
	int fd = open(image, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	Elf *elf;

	if (fd < 0)
		return NULL;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf)
		read_interpreter(elf, path, sizeof(path));
	elf_end(elf);
	close(fd);
	return strncmp(base_name(path), "ld", 2) == 0 ? mem_strdup(path) : NULL;
}

struct obstacle program_obstacle(const char *path)
{
	return check_file(path, 0, false);
}

struct obstacle program_obstacle_loaded(const char *path)
{
	return check_file(path, 0, true);
}

/* ---- started by the dynamic linker */

/* glibc's and musl's options that an argument follows, and those with which nothing is started. */
static const char *const with_argument[] = { "--library-path", "--inhibit-rpath", "--audit",
	"--preload", "--argv0", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask", NULL };
static const char *const starting_nothing[] = { "--list", "--verify", "--list-tunables",
	"--list-diagnostics", "--help", "--version", NULL };

/* An ELF file that needs no other one to start it, and is called as they are. */
static bool is_linker(const char *file)
{
	const char *name = base_name(file);
	char *image, *linker;
	bool is;

	if (strncmp(name, "ld", 2) != 0 || !strstr(name, ".so"))
		return false;
	image = program_image(file);
	linker = image ? program_linker(image) : NULL;
	is = image && strcmp(image, file) == 0 && !linker;
	free(linker);
	free(image);
	return is;
}

size_t program_operand(const char *file, char *const *command)
{
	size_t at = 1;

	if (!is_linker(file))
		return 0;
	while (command[at] && strncmp(command[at], "--", 2) == 0) {
		if (find_text(command[at], starting_nothing, true))
			return 0;
		at++;
		if (strcmp(command[at - 1], "--") == 0)
			break;
		if (find_text(command[at - 1], with_argument, true) && command[at])
			at++;
	}
	return command[at] ? at : 0;
}
