/* SPDX-License-Identifier: MIT */
/*
 * agree.c - asks the symbolizer and another tool about random addresses in a program's functions,
 * and compares.
 *
 * usage: agree eu-addr2line|llvm-symbolizer LIST|/PROGRAM|libc COUNT [DIFFERENCES PER 1000]
 *
 * The number of functions inlined, their names, files and lines must be the same. A tool that knows
 * less (a mere name where we know the class, no line where we have one) doesn't disagree. Prints
 * the times, too.
 */
#include "fixtures.h"

#include "analyzer/symbols/demangle.h"
#include "analyzer/base/mem.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gelf.h>

#define SKIP 77 /* exit status of a test that can't run here */
#define SHOW 10 /* differences printed */

struct functions {
	GElf_Sym *items;
	size_t count, room;
	uint64_t bytes; /* all together */
};

struct tool {
	const char *name;
	const char *options;
	const char *package; /* Debian's */
};

static const struct tool tools[] = {
	{ "eu-addr2line", "-a -A -f -i -e", "elfutils" },
	{ "llvm-symbolizer", "--addresses --output-style=GNU --no-demangle -f -i -e", "llvm" },
	{ NULL, NULL, NULL },
};

/* ---- addresses */

static void read_section(struct functions *all, Elf_Scn *section)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym sym;

	for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF ||
			!sym.st_size)
			continue;
		VEC_PUSH(all->items, all->count, all->room, sym);
		all->bytes += sym.st_size;
	}
}

static struct functions read_functions(const char *path)
{
	struct functions all = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	GElf_Shdr sh;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) &&
			(sh.sh_type == SHT_SYMTAB || (sh.sh_type == SHT_DYNSYM && !all.count)))
			read_section(&all, section);
	elf_end(elf);
	close(fd);
	return all;
}

static uint64_t random_address(const struct functions *all)
{
	uint64_t at = (((uint64_t)rand() << 31) | rand()) % all->bytes;

	for (size_t i = 0; i < all->count; i++) {
		if (at < all->items[i].st_size)
			return all->items[i].st_value + at;
		at -= all->items[i].st_size;
	}
	abort();
}

/* ---- one frame */

/* "find" of "shapes::(anonymous namespace)::cache<int>::find<char>": what any tool knows of a
 * name. */
static void bare_name(const char *name, char *bare, size_t size)
{
	char *readable = demangle(name);
	char *last = readable;
	int depth = 0;

	for (char *p = readable; *p; p++) {
		if (strncmp(p, "operator", 8) == 0 && depth == 0) {
			last = p;
			break;
		}
		depth += *p == '<';
		depth -= *p == '>' && depth > 0 && p[-1] != '-';
		if (depth == 0 && p[0] == ':' && p[1] == ':')
			last = p + 2;
	}
	snprintf(bare, size, "%s", last);
	if (strncmp(bare, "operator", 8) != 0)
		bare[strcspn(bare, "<[")] = 0;
	free(readable);
}

static bool same_name(const struct symbol *ours, const char *theirs)
{
	char a[256], b[256];

	if (strcmp(theirs, "??") == 0 || strcmp(theirs, ours->function) == 0)
		return true;
	if (ours->linkage && strcmp(theirs, ours->linkage) == 0)
		return true;
	bare_name(ours->function, a, sizeof(a));
	bare_name(theirs, b, sizeof(b));
	return strcmp(a, b) == 0;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

/* "/dir/file.c:12:3 (discriminator 2)" */
static bool same_place(const struct symbol *ours, char *theirs)
{
	char *colon = strchr(theirs + (base_name(theirs) - theirs), ':');
	unsigned int line = colon ? strtoul(colon + 1, NULL, 10) : 0;

	if (colon)
		*colon = 0;
	if (line != ours->line)
		return strcmp(theirs, "??") == 0;
	return line == 0 || strcmp(base_name(theirs), base_name(ours->file)) == 0;
}

/* ---- one address */

struct answers {
	FILE *file;	  /* the tool's output */
	char next[65536]; /* the line behind the last answer */
};

static bool read_line(FILE *file, char *line, size_t size)
{
	if (!fgets(line, size, file))
		return false;
	line[strcspn(line, "\n")] = 0;
	return true;
}

static bool is_address(const char *line)
{
	return strncmp(line, "0x", 2) == 0 && line[2 + strspn(line + 2, "0123456789abcdef")] == 0;
}

/* Reads the tool's frames until the next address, and compares each with ours. */
static bool compare(struct answers *theirs, const struct symbols *ours)
{
	char place[65536];
	bool same = true;
	size_t count = 0;

	while (read_line(theirs->file, theirs->next, sizeof(theirs->next)) &&
		!is_address(theirs->next)) {
		char *inlined = strstr(theirs->next, " inlined at ");

		if (inlined) /* eu-addr2line: of the last frame; the place is the next frame's as
				well */
			*inlined = 0;
		if (!read_line(theirs->file, place, sizeof(place)))
			return false;
		if (count < ours->count)
			same &= same_name(&ours->symbols[count], theirs->next) &&
				same_place(&ours->symbols[count], place);
		count++;
	}
	return same && count == ours->count;
}

static void show(uint64_t address, const struct symbols *ours)
{
	printf("  0x%lx is to us:\n", (unsigned long)address);
	for (size_t i = 0; i < ours->count; i++)
		printf("    %.150s %s:%u\n", ours->symbols[i].function,
			ours->symbols[i].file ? ours->symbols[i].file : "??",
			ours->symbols[i].line);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* ---- one program */

static FILE *ask_tool(
	const struct tool *tool, const char *program, const uint64_t *addresses, size_t count)
{
	char name[] = "/tmp/mtracer-agree-XXXXXX", command[9000];
	int fd = mkstemp(name);
	FILE *list = fdopen(fd, "w"), *output;

	for (size_t i = 0; i < count; i++)
		fprintf(list, "0x%lx\n", (unsigned long)addresses[i]);
	fclose(list);
	snprintf(command, sizeof(command), "%s %s '%s' <%s >%s.out 2>/dev/null", tool->name,
		tool->options, program, name, name);
	if (system(command) != 0)
		fprintf(stderr, "%s failed\n", command);
	unlink(name);
	strcpy(command, name);
	strcat(command, ".out");
	output = fopen(command, "r");
	unlink(command);
	return output;
}

static int compare_all(struct symbolizer *s, FILE *output, const uint64_t *addresses, size_t count)
{
	static struct answers theirs;
	int differences = 0;

	theirs.file = output;
	if (!read_line(output, theirs.next, sizeof(theirs.next)))
		return count;
	for (size_t i = 0; i < count; i++) {
		const struct symbols *ours = symbolize(s, 0, addresses[i]);

		if (strtoull(theirs.next, NULL, 16) != addresses[i])
			return count; /* out of step */
		if (!compare(&theirs, ours) && differences++ < SHOW)
			show(addresses[i], ours);
	}
	return differences;
}

static bool check_program(const struct tool *tool, const char *program, size_t count, int allowed)
{
	static const struct symbolizer_options options;
	struct symbolizer *s = symbolizer_new(&options);
	struct symbolizer_module module = fixture_module(program);
	struct functions functions = read_functions(program);
	uint64_t *addresses = mem_zalloc(count, sizeof(*addresses));
	double start, us, them;
	FILE *output;
	int differences = count;

	symbolizer_add_module(s, &module);
	for (size_t i = 0; i < count && functions.bytes; i++)
		addresses[i] = random_address(&functions);
	start = seconds();
	for (size_t i = 0; i < count; i++)
		symbolize(s, 0, addresses[i]);
	us = seconds() - start;
	start = seconds();
	output = ask_tool(tool, program, addresses, count);
	them = seconds() - start;
	if (output) {
		differences = compare_all(s, output, addresses, count);
		fclose(output);
	}
	printf("%s: %zu addresses, %d differ; %.3f s, %s %.3f s\n", program, count, differences, us,
		tool->name, them);
	symbolizer_free(s);
	free(functions.items);
	free(addresses);
	return (uint64_t)differences * 1000 <= (uint64_t)allowed * count;
}

static const struct tool *find_tool(const char *name)
{
	for (const struct tool *tool = tools; tool->name; tool++)
		if (strcmp(tool->name, name) == 0)
			return tool;
	return NULL;
}

static bool is_installed(const struct tool *tool)
{
	char command[100];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", tool->name);
	return system(command) == 0;
}

/* The C library that this program uses. */
static const char *libc_path(void)
{
	Dl_info info;
	void *inside = dlsym(RTLD_DEFAULT, "qsort");

	return inside && dladdr(inside, &info) ? info.dli_fname : "/libc not found";
}

int main(int argc, char **argv)
{
	const struct tool *tool;
	char program[4096];
	int allowed = argc > 4 ? atoi(argv[4]) : 0;
	bool good = true;
	FILE *list;

	if (argc < 4)
		return EXIT_FAILURE;
	tool = find_tool(argv[1]);
	if (!tool)
		return EXIT_FAILURE;
	if (!is_installed(tool)) {
		printf("skipped: %s is missing: package %s\n", tool->name, tool->package);
		return SKIP;
	}
	srand(1);
	if (strcmp(argv[2], "libc") == 0)
		argv[2] = (char *)libc_path();
	if (argv[2][0] == '/')
		return check_program(tool, argv[2], atoi(argv[3]), allowed) ? EXIT_SUCCESS
									    : EXIT_FAILURE;
	list = fixture_list(argv[2]);
	while (fixture_next(list, program))
		good &= check_program(tool, program, atoi(argv[3]), allowed);
	fclose(list);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
