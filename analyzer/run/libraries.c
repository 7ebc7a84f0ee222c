/* SPDX-License-Identifier: MIT */
/* libraries.c - asks the dynamic linker for a program's libraries, and looks into them. */
#include "analyzer/run/libraries.h"

#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/run/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gelf.h>

/* ---- asking the linker */

/* LINKER --list PROGRAM; returns the reading end of its output, or -1. */
static int start_linker(char *const *command, const char *preload, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	const char *old = getenv("LD_PRELOAD");
	char *kept = old ? mem_strdup(old) : NULL;
	int ends[2], failed;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		free(kept);
		return -1;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (preload)
		setenv("LD_PRELOAD", preload, 1);
	failed = posix_spawn(pid, command[0], &actions, NULL, command, environ);
	if (preload && kept)
		setenv("LD_PRELOAD", kept, 1);
	else if (preload)
		unsetenv("LD_PRELOAD");
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	free(kept);
	if (!failed)
		return ends[0];
	close(ends[0]);
	return -1;
}

/* "\tNAME => PATH (0xADDRESS)" or "\tPATH (0xADDRESS)"; a path may be relative. */
static void add_line(struct libraries *libraries, char *line)
{
	char *arrow = strstr(line, " => ");
	char *path = arrow ? arrow + 4 : line + strspn(line, "\t ");
	char *end = strstr(path, " (0x");

	if (!end)
		return;
	*end = 0;
	if (!strchr(path, '/')) /* the vdso */
		return;
	libraries->paths =
		mem_resize(libraries->paths, libraries->count + 1, sizeof(*libraries->paths));
	libraries->paths[libraries->count++] = mem_strdup(path);
}

/* LINKER --list [OPTION]... PROGRAM; the caller frees it, but not the words. NULL where there is no
 * linker. */
static char **list_command(const struct loader *loader, char *linker, char *image)
{
	size_t count = loader ? loader->option_count : 0, used = 0;
	char **command;

	if (loader)
		linker = loader->file;
	if (!linker || !image)
		return NULL;
	command = mem_zalloc(count + 4, sizeof(*command));
	command[used++] = linker;
	command[used++] = (char *)"--list";
	for (size_t i = 0; i < count; i++)
		command[used++] = loader->options[i];
	command[used] = image;
	return command;
}

struct libraries libraries_of(const char *program, const struct loader *loader, const char *preload)
{
	struct libraries libraries = { NULL, 0 };
	char *image = program_image(program), *linker = image ? program_linker(image) : NULL;
	char **command = list_command(loader, linker, image);
	char *line = NULL;
	size_t room = 0;
	FILE *output;
	pid_t pid;
	int fd = command ? start_linker(command, preload, &pid) : -1;

	if (fd >= 0) {
		output = fdopen(fd, "r");
		while (output && getline(&line, &room, output) > 0)
			add_line(&libraries, line);
		if (output)
			fclose(output);
		waitpid(pid, NULL, 0);
	}
	free(command);
	free(line);
	free(linker);
	free(image);
	return libraries;
}

void libraries_release(struct libraries *libraries)
{
	for (size_t i = 0; i < libraries->count; i++)
		free(libraries->paths[i]);
	free(libraries->paths);
	*libraries = (struct libraries){ NULL, 0 };
}

const char *libraries_find(const struct libraries *libraries, const char *name)
{
	for (size_t i = 0; i < libraries->count; i++)
		if (strcmp(path_base(libraries->paths[i]), name) == 0)
			return libraries->paths[i];
	return NULL;
}

/* ---- looking into them */

struct visitor {
	void (*visit)(void *context, const char *name, bool defined);
	void *context;
};

static void look_at_section(
	const struct visitor *v, Elf *elf, Elf_Scn *section, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	GElf_Sym symbol;

	for (size_t i = 1; i < count && gelf_getsym(data, (int)i, &symbol); i++) {
		const char *name = elf_strptr(elf, sh->sh_link, symbol.st_name);

		if (name && GELF_ST_BIND(symbol.st_info) != STB_LOCAL)
			v->visit(v->context, name, symbol.st_shndx != SHN_UNDEF);
	}
}

void library_symbols(const char *path, void (*visit)(void *context, const char *name, bool defined),
	void *context)
{
	const struct visitor v = { visit, context };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	Elf_Scn *section = NULL;
	GElf_Shdr sh;
	Elf *elf;

	if (fd < 0)
		return;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	while (elf && (section = elf_nextscn(elf, section)) && gelf_getshdr(section, &sh))
		if (sh.sh_type == SHT_DYNSYM)
			look_at_section(&v, elf, section, &sh);
	elf_end(elf);
	close(fd);
}

const char *const interface_names[INTERFACES] = { "jemalloc", "mimalloc", "tcmalloc" };

/* A function that a library with the interface has, and how the names begin that are its. */
static const struct {
	const char *mark;
	const char *begins[6];
} interfaces[INTERFACES] = {
	{ "mallocx", { "mallocx", "rallocx", "xallocx", "dallocx", "sdallocx" } },
	{ "mi_malloc", { "mi_" } },
	{ "tc_malloc", { "tc_" } },
};

struct symbols {
	bool asks[INTERFACES], has[INTERFACES];
	bool has_malloc;
};

static void look_at_symbol(void *context, const char *name, bool defined)
{
	struct symbols *s = context;

	s->has_malloc |= defined && strcmp(name, "malloc") == 0;
	for (int i = 0; i < INTERFACES; i++) {
		s->has[i] |= defined && strcmp(name, interfaces[i].mark) == 0;
		for (const char *const *b = interfaces[i].begins; !defined && *b; b++)
			s->asks[i] |= strncmp(name, *b, strlen(*b)) == 0;
	}
}

static struct symbols look_into(const char *path)
{
	struct symbols s = { 0 };

	library_symbols(path, look_at_symbol, &s);
	return s;
}

void libraries_interfaces(
	const char *program, const struct libraries *libraries, bool uses[INTERFACES])
{
	char *image = program_image(program);
	struct symbols all = image ? look_into(image) : (struct symbols){ 0 };

	memset(all.has, 0, sizeof(all.has)); /* its own are called directly */
	for (size_t i = 0; i < libraries->count; i++) {
		struct symbols s = look_into(libraries->paths[i]);

		for (int k = 0; k < INTERFACES; k++) {
			all.asks[k] |= s.asks[k];
			all.has[k] |= s.has[k];
		}
	}
	for (int k = 0; k < INTERFACES; k++)
		uses[k] = all.asks[k] && all.has[k];
	free(image);
}

bool library_has_malloc(const char *path)
{
	return look_into(path).has_malloc;
}
