/* SPDX-License-Identifier: MIT */
/*
 * symbolize.c - from an address in a module to functions and lines: the DWARF first (scopes.c),
 * then the symbol table (symtab.c), then the bare offset. Everything found is kept, as many sites
 * share their outer frames.
 */
#include "analyzer/symbols/symbolize.h"

#include "analyzer/base/intern.h"
#include "analyzer/base/md5.h"
#include "analyzer/base/mem.h"
#include "analyzer/symbols/binary.h"
#include "analyzer/symbols/demangle.h"
#include "analyzer/symbols/scopes.h"
#include "analyzer/symbols/sums.h"
#include "analyzer/symbols/symtab.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libiberty/hashtab.h>

/* One file; modules with the same path and build-id share it. */
struct image {
	struct binary *binary;
	struct symtab *symtab; /* NULL until it is needed */
	struct scopes *scopes; /* NULL = no DWARF */
	Dwarf_Addr bias;       /* an address in the file minus that in the DWARF */
	char *complaint;
};

struct module {
	const char *path; /* interned */
	uint64_t bias, start, end;
	uint8_t *build_id;
	size_t build_id_size;
	struct image *image; /* NULL until the first look-up */
};

struct names {
	const char *function;
	const char *linkage;
	const char *decl_file; /* as libdw has it */
	uint32_t decl_line;
};

/* Cached answers. The key comes first in each. */
struct answer {
	size_t module;
	uint64_t address;
	struct symbols symbols;
	struct symbol items[];
};

struct name_entry {
	const void *die; /* address of the DIE */
	struct names names;
};

struct file_entry {
	const char *raw; /* as libdw has it; one pointer per file and unit */
	const char *path;
};

struct symbolizer {
	struct symbolizer_options options; /* its texts are copies */
	char **debug_dirs;
	struct interner *texts;
	struct module *modules;
	size_t module_count, module_room;
	struct image **images;
	size_t image_count, image_room;
	htab_t answers; /* struct answer */
	htab_t names;	/* struct name_entry: functions of the DWARF */
	htab_t linkage; /* struct linkage_entry: demangled names */
	htab_t files;	/* struct file_entry */
};

struct linkage_entry {
	const char *linkage; /* interned */
	const char *function;
};

/* ---- tables */

static hashval_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (b * 0x9e3779b97f4a7c15)) * 0xff51afd7ed558ccd;

	return h >> 32;
}

static hashval_t hash_answer(const void *entry)
{
	const struct answer *a = entry;

	return mix(a->address, a->module);
}

static int same_answer(const void *left, const void *right)
{
	const struct answer *a = left, *b = right;

	return a->module == b->module && a->address == b->address;
}

static hashval_t hash_first_pointer(const void *entry)
{
	const void *const *key = entry;

	return mix((uintptr_t)*key, 0);
}

static int same_first_pointer(const void *left, const void *right)
{
	return *(const void *const *)left == *(const void *const *)right;
}

static htab_t pointer_table(void)
{
	return htab_create_alloc(
		1021, hash_first_pointer, same_first_pointer, free, mem_zalloc, free);
}

/* The entry that starts with `key`; a new one of `size` bytes, zeros after the key, where *fresh
 * becomes true. */
static void *pointer_entry(htab_t table, const void *key, size_t size, bool *fresh)
{
	void **slot = htab_find_slot(table, &key, INSERT);

	*fresh = !*slot;
	if (!*slot) {
		*slot = mem_zalloc(1, size);
		*(const void **)*slot = key;
	}
	return *slot;
}

/* ---- life */

static char **copy_list(const char *const *list)
{
	size_t count = 0;
	char **copy;

	while (list && list[count])
		count++;
	copy = mem_zalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = mem_strdup(list[i]);
	return copy;
}

struct symbolizer *symbolizer_new(const struct symbolizer_options *options)
{
	struct symbolizer *s = mem_zalloc(1, sizeof(*s));

	s->texts = interner_new();
	s->debug_dirs = copy_list(options ? options->debug_dirs : NULL);
	s->options.debug_dirs = (const char *const *)s->debug_dirs;
	if (options && options->sysroot)
		s->options.sysroot = intern(s->texts, options->sysroot);
	if (options) {
		s->options.debuginfod = options->debuginfod;
		s->options.debuginfod_seconds = options->debuginfod_seconds;
	}
	s->answers = htab_create_alloc(4093, hash_answer, same_answer, free, mem_zalloc, free);
	s->names = pointer_table();
	s->linkage = pointer_table();
	s->files = pointer_table();
	return s;
}

static void image_free(struct image *image)
{
	scopes_free(image->scopes);
	symtab_free(image->symtab);
	binary_free(image->binary);
	free(image->complaint);
	free(image);
}

void symbolizer_free(struct symbolizer *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->image_count; i++)
		image_free(s->images[i]);
	for (size_t i = 0; i < s->module_count; i++)
		free(s->modules[i].build_id);
	for (char **dir = s->debug_dirs; *dir; dir++)
		free(*dir);
	htab_delete(s->answers);
	htab_delete(s->names);
	htab_delete(s->linkage);
	htab_delete(s->files);
	interner_free(s->texts);
	free(s->debug_dirs);
	free(s->images);
	free(s->modules);
	free(s);
}

size_t symbolizer_add_module(struct symbolizer *s, const struct symbolizer_module *module)
{
	struct module m = {
		.path = intern(s->texts, module->path ? module->path : ""),
		.bias = module->bias,
		.start = module->start,
		.end = module->end,
		.build_id_size = module->build_id_size,
		.build_id = mem_alloc(module->build_id_size),
	};

	if (m.build_id_size)
		memcpy(m.build_id, module->build_id, m.build_id_size);
	VEC_PUSH(s->modules, s->module_count, s->module_room, m);
	return s->module_count - 1;
}

/* ---- images */

static struct image *open_image(struct symbolizer *s, const struct module *m)
{
	struct symbolizer_module wanted = { m->path, m->bias, m->start, m->end, m->build_id,
		m->build_id_size };
	struct image *image = mem_zalloc(1, sizeof(*image));
	Dwarf *dwarf;

	image->binary = binary_open(&s->options, &wanted);
	dwarf = binary_dwarf(image->binary, &image->bias);
	if (dwarf)
		image->scopes = scopes_new(dwarf, image->binary->text_start - image->bias);
	VEC_PUSH(s->images, s->image_count, s->image_room, image);
	return image;
}

static bool same_file(const struct module *a, const struct module *b)
{
	return a->path == b->path && a->build_id_size == b->build_id_size &&
	       memcmp(a->build_id, b->build_id, a->build_id_size) == 0;
}

static struct image *module_image(struct symbolizer *s, struct module *m)
{
	for (size_t i = 0; !m->image && i < s->module_count; i++)
		if (s->modules[i].image && same_file(&s->modules[i], m))
			m->image = s->modules[i].image;
	if (!m->image)
		m->image = open_image(s, m);
	return m->image;
}

const char *symbolizer_complaint(const struct symbolizer *s, size_t module)
{
	const struct image *image;

	if (module >= s->module_count || !s->modules[module].image)
		return NULL;
	image = s->modules[module].image;
	return image->binary->complaint ? image->binary->complaint : image->complaint;
}

bool symbolizer_has_lines(const struct symbolizer *s, size_t module)
{
	return module < s->module_count && s->modules[module].image &&
	       s->modules[module].image->scopes;
}

/* ---- names of functions */

static const char *demangled(struct symbolizer *s, const char *linkage)
{
	bool fresh;
	struct linkage_entry *e = pointer_entry(s->linkage, linkage, sizeof(*e), &fresh);

	if (fresh) {
		char *name = demangle(linkage);

		e->function = intern(s->texts, name);
		free(name);
	}
	return e->function;
}

static struct names names_of_linkage(struct symbolizer *s, const char *text)
{
	const char *linkage = intern(s->texts, text);

	return (struct names){ .function = demangled(s, linkage), .linkage = linkage };
}

static struct names names_of_die(struct symbolizer *s, Dwarf_Die *die);

static int language_of(Dwarf_Die *die)
{
	Dwarf_Die cu;

	return dwarf_srclang(dwarf_diecu(die, &cu, NULL, NULL));
}

static bool has_qualified_names(int language)
{
	switch (language) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_Rust:
	case DW_LANG_D:
		return true;
	default:
		return false;
	}
}

/* Where it was declared: only that one has the classes and namespaces around it. */
static Dwarf_Die declaration_of(const Dwarf_Die *die)
{
	Dwarf_Die at = *die;

	for (int i = 0; i < 16; i++) {
		Dwarf_Attribute attribute;
		Dwarf_Die next;

		if (!dwarf_attr(&at, DW_AT_abstract_origin, &attribute) &&
			!dwarf_attr(&at, DW_AT_specification, &attribute))
			break;
		if (!dwarf_formref_die(&attribute, &next))
			break;
		at = next;
	}
	return at;
}

static void print_scope(FILE *out, struct symbolizer *s, Dwarf_Die *scope, bool in_lambda)
{
	const char *name = dwarf_diename(scope);

	switch (dwarf_tag(scope)) {
	case DW_TAG_namespace:
		fprintf(out, "%s::", name ? name : "(anonymous namespace)");
		break;
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		if (name || in_lambda)
			fprintf(out, "%s::", name ? name : "{lambda}");
		break;
	case DW_TAG_subprogram:
		name = names_of_die(s, scope).function;
		if (name)
			fprintf(out, "%s::", name);
		break;
	}
}

/* How many of the scopes around scopes[0] are to be printed: up to the function that it is local
 * to, since that knows its own full name, or all. */
static int scopes_to_print(Dwarf_Die *scopes, int count)
{
	for (int i = 1; i < count; i++)
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			return i + 1;
	return count;
}

/* "ns::Class::name" for a function without linkage name. */
static char *qualified_name(struct symbolizer *s, const Dwarf_Die *die, const char *name)
{
	Dwarf_Die declaration = declaration_of(die);
	Dwarf_Die *scopes = NULL;
	char *result = NULL;
	size_t size;
	int count = dwarf_getscopes_die(&declaration, &scopes);
	FILE *out = open_memstream(&result, &size);

	if (!out) {
		free(scopes);
		return mem_strdup(name);
	}
	for (int i = scopes_to_print(scopes, count) - 1; i > 0; i--)
		print_scope(out, s, &scopes[i], i == 1 && strcmp(name, "operator()") == 0);
	fputs(name, out);
	fclose(out);
	free(scopes);
	return result;
}

static struct names read_names(struct symbolizer *s, Dwarf_Die *die)
{
	struct names names = { 0 };
	Dwarf_Attribute attribute;
	const char *text;
	char *qualified;
	int language;

	if (!dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute))
		dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute);
	text = dwarf_formstring(&attribute);
	if (text && text[0])
		return names_of_linkage(s, text);
	text = dwarf_diename(die);
	if (!text || text[0] == 0)
		return names;
	names.function = intern(s->texts, text);
	language = language_of(die);
	if (!has_qualified_names(language)) {
		if (language != DW_LANG_Mips_Assembler) /* any CPU's */
			names.linkage = names.function;
		return names;
	}
	qualified = qualified_name(s, die, text);
	names.function = intern(s->texts, qualified);
	free(qualified);
	return names;
}

/* dwarf_decl_file() knows nothing of file 0, which DWARF 5 has and clang uses. */
static const char *decl_file(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Word index;
	Dwarf_Half version;
	Dwarf_Files *files;
	Dwarf_Die unit;

	if (dwarf_formudata(dwarf_attr_integrate(die, DW_AT_decl_file, &attribute), &index) != 0 ||
		dwarf_cu_info(attribute.cu, &version, NULL, &unit, NULL, NULL, NULL, NULL) != 0 ||
		(version < 5 && index == 0) || dwarf_getsrcfiles(&unit, &files, NULL) != 0)
		return NULL;
	return dwarf_filesrc(files, index, NULL, NULL);
}

static bool read_line(Dwarf_Die *die, struct names *names)
{
	int line;

	if (dwarf_decl_line(die, &line) != 0 || line <= 0)
		return false;
	names->decl_file = decl_file(die);
	names->decl_line = names->decl_file ? (uint32_t)line : 0;
	return names->decl_file;
}

/* Where the function is written; of a method that is defined outside its class, the definition; of
 * a lambda, whose operator() gcc gives no line, the closure. */
static void read_declaration(Dwarf_Die *die, struct names *names)
{
	Dwarf_Die declaration, *scopes = NULL;
	int count;

	if (read_line(die, names))
		return;
	declaration = declaration_of(die);
	count = dwarf_getscopes_die(&declaration, &scopes);
	if (count > 1 && (dwarf_tag(&scopes[1]) == DW_TAG_structure_type ||
				 dwarf_tag(&scopes[1]) == DW_TAG_class_type))
		read_line(&scopes[1], names);
	if (count > 0)
		free(scopes);
}

/* All inlined copies of a function share its name. */
static struct name_entry *entry_of_die(struct symbolizer *s, Dwarf_Die *die)
{
	struct name_entry *entry;
	Dwarf_Attribute attribute;
	Dwarf_Die origin, *source = die;
	bool fresh;

	if (dwarf_tag(die) == DW_TAG_inlined_subroutine &&
		dwarf_formref_die(dwarf_attr(die, DW_AT_abstract_origin, &attribute), &origin))
		source = &origin;
	entry = pointer_entry(s->names, source->addr, sizeof(*entry), &fresh);
	if (fresh) {
		entry->names = read_names(s, source);
		read_declaration(source, &entry->names);
	}
	return entry;
}

static struct names names_of_die(struct symbolizer *s, Dwarf_Die *die)
{
	return entry_of_die(s, die)->names;
}

static struct names names_of_offset(struct symbolizer *s, const struct module *m, uint64_t address)
{
	struct names names = { 0 };
	const char *base = m ? strrchr(m->path, '/') : NULL;
	char *text;
	int size;

	if (m)
		size = asprintf(&text, "%s+0x%llx", base ? base + 1 : m->path,
			(unsigned long long)(address - m->bias));
	else
		size = asprintf(&text, "0x%llx", (unsigned long long)address);
	if (size < 0)
		text = mem_strdup("?");
	names.function = intern(s->texts, text);
	free(text);
	return names;
}

static struct names names_of_symbol(struct symbolizer *s, const struct module *m, uint64_t address)
{
	struct image *image = m->image;
	const char *name;

	if (!image->symtab)
		image->symtab = symtab_new(image->binary);
	name = symtab_find(image->symtab, address - m->bias);
	return name ? names_of_linkage(s, name) : names_of_offset(s, m, address);
}

/* Scant debug information (clang -g1) leaves linkage names and namespaces out, and an assembler's
 * names the wrong alias. The symbol table does better, though it knows no inlined functions. */
static struct names better_names(
	struct symbolizer *s, const struct module *m, uint64_t address, struct names names)
{
	struct names symbol = names_of_symbol(s, m, address);

	return symbol.linkage || !names.function ? symbol : names;
}

/* ---- names of files */

/* Cuts the last name off [start, end), and the slash before it. Returns the new end; NULL where
 * there is nothing to cut. */
static char *parent_of(char *start, char *end)
{
	char *name = end;

	while (name > start && name[-1] != '/')
		name--;
	if (name == end || (end - name == 2 && name[0] == '.' && name[1] == '.'))
		return NULL;
	return name > start ? name - 1 : name;
}

/* Takes "//", "/./" and "x/.." out, in place. */
static void normalize(char *path)
{
	bool absolute = path[0] == '/';
	char *start = path + absolute;
	char *out = start;

	for (const char *in = path; *in; in += *in == '/') {
		size_t size = strcspn(in, "/");
		bool up = size == 2 && in[0] == '.' && in[1] == '.';
		char *parent = up ? parent_of(start, out) : NULL;

		if (parent) {
			out = parent;
		} else if (size && !(size == 1 && in[0] == '.') && !(up && absolute)) {
			if (out > start)
				*out++ = '/';
			memmove(out, in, size);
			out += size;
		}
		in += size;
	}
	*out = 0;
}

/* One path for one file, so that its lines meet. Where a directory on the way is a symbolic link,
 * "x/.." means something else, which shows by the file not being there. */
static const char *absolute_path(struct symbolizer *s, const char *raw, const char *directory)
{
	const char *result;
	char *joined, *plain;

	if (raw[0] == '/' || !directory)
		joined = mem_strdup(raw);
	else if (asprintf(&joined, "%s/%s", directory, raw) < 0)
		return intern(s->texts, raw);
	plain = mem_strdup(joined);
	normalize(plain);
	if (strstr(joined, "/../") && access(plain, F_OK) != 0 && access(joined, F_OK) == 0)
		result = intern(s->texts, joined);
	else
		result = intern(s->texts, plain);
	free(joined);
	free(plain);
	return result;
}

static const char *unit_directory(Dwarf_Die *unit)
{
	Dwarf_Attribute attribute;

	return unit->addr ? dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute)) : NULL;
}

static const char *file_path(struct symbolizer *s, Dwarf_Die *unit, const char *raw)
{
	struct file_entry *entry;
	bool fresh;

	if (!raw || raw[0] == 0 || strcmp(raw, "???") == 0)
		return NULL;
	entry = pointer_entry(s->files, raw, sizeof(*entry), &fresh);
	if (fresh)
		entry->path = absolute_path(s, raw, unit_directory(unit));
	return entry->path;
}

/* ---- answers */

static struct answer *answer_new(size_t module, uint64_t address, size_t count)
{
	struct answer *a = mem_zalloc(1, sizeof(*a) + count * sizeof(a->items[0]));

	a->module = module;
	a->address = address;
	a->symbols.count = count;
	a->symbols.symbols = a->items;
	return a;
}

static void fill(struct symbol *symbol, struct names names, const char *file, uint32_t line)
{
	symbol->function = names.function;
	symbol->linkage = names.linkage;
	symbol->file = file;
	symbol->line = file ? line : 0;
}

/* The first line that a function has code for in a file. */
struct first_line {
	const char *file; /* as libdw has it; several pointers may mean one file */
	uint32_t line;
};

static void note_first(void *context, const char *file, uint32_t line)
{
	struct first_line *first = context;

	if (file && line < first->line && strcmp(file, first->file) == 0)
		first->line = line;
}

/* Scant debug information (clang -g1) doesn't say where functions are written. The line that they
 * begin with will do, or of an inlined one the lowest; the first copy tells it for all. */
static void guess_declaration(struct symbolizer *s, struct image *image, uint64_t inside,
	struct scope_list *list, size_t i)
{
	Dwarf_Die die = list->items[i].die;
	struct name_entry *entry = entry_of_die(s, &die);
	struct first_line first = { list->items[i].file, list->items[i].line };
	Dwarf_Addr entry_pc;

	if (entry->names.decl_file || !first.file || !first.line)
		return;
	if (i + 1 < list->count || dwarf_entrypc(&die, &entry_pc) != 0 ||
		!scopes_line(image->scopes, entry_pc, &first.file, &first.line))
		scopes_lines(image->scopes, inside, i, note_first, &first);
	entry->names.decl_file = first.file;
	entry->names.decl_line = first.line;
}

static struct answer *answer_scopes(struct symbolizer *s, const struct module *m, size_t module,
	uint64_t address, struct scope_list *list)
{
	struct answer *a = answer_new(module, address, list->count);

	for (size_t i = 0; i < list->count; i++) {
		Dwarf_Die die = list->items[i].die;
		struct names names, declared;

		guess_declaration(s, m->image, address - m->bias - m->image->bias, list, i);
		names = declared = names_of_die(s, &die);
		if (i + 1 == list->count && !names.linkage)
			names = better_names(s, m, address, names);
		if (!names.function)
			names = names_of_offset(s, m, address);
		fill(&a->items[i], names, file_path(s, &list->unit, list->items[i].file),
			list->items[i].line);
		a->items[i].inlined = i + 1 < list->count;
		a->items[i].decl_file = file_path(s, &list->unit, declared.decl_file);
		a->items[i].decl_line = a->items[i].decl_file ? declared.decl_line : 0;
	}
	return a;
}

static void note_missing_dwo(struct image *image, const struct module *m)
{
	const char *dwo = scopes_missing_dwo(image->scopes);

	if (dwo && !image->complaint &&
		asprintf(&image->complaint,
			"%s: its split debug information %s is missing or has changed", m->path,
			dwo) < 0)
		image->complaint = NULL;
}

/* A function that only the symbol table knows, but whose lines are known (assembler, clang -g1). */
static void fill_lines(struct symbolizer *s, const struct module *m, uint64_t address,
	struct scope_list *list, struct symbol *symbol)
{
	struct image *image = m->image;
	uint64_t start = symtab_start(image->symtab, address - m->bias) - image->bias;
	const char *file;
	uint32_t line;

	symbol->file = file_path(s, &list->unit, list->file);
	symbol->line = symbol->file ? list->line : 0;
	if (!symbol->line || !symbol->linkage || !scopes_line(image->scopes, start, &file, &line))
		return;
	symbol->decl_file = file_path(s, &list->unit, file);
	symbol->decl_line = symbol->decl_file ? line : 0;
}

static struct answer *find_answer(struct symbolizer *s, size_t number, uint64_t address)
{
	struct module *m = number < s->module_count ? &s->modules[number] : NULL;
	struct scope_list list = { 0 };
	struct image *image;
	struct answer *a;

	if (!m) {
		a = answer_new(number, address, 1);
		fill(a->items, names_of_offset(s, NULL, address), NULL, 0);
		return a;
	}
	image = module_image(s, m);
	if (image->scopes) {
		list = scopes_find(image->scopes, address - m->bias - image->bias);
		note_missing_dwo(image, m);
	}
	if (list.count)
		return answer_scopes(s, m, number, address, &list);
	a = answer_new(number, address, 1);
	fill(a->items, names_of_symbol(s, m, address), NULL, 0);
	if (list.file)
		fill_lines(s, m, address, &list, a->items);
	return a;
}

const struct symbols *symbolize(struct symbolizer *s, size_t module, uint64_t address)
{
	struct answer key = { .module = module, .address = address };
	void **slot = htab_find_slot(s->answers, &key, INSERT);
	struct answer *a;

	if (!*slot)
		*slot = find_answer(s, module, address);
	a = *slot;
	return &a->symbols;
}

/* ---- where functions are in their source */

struct extent_search {
	struct symbolizer *s;
	Dwarf_Die *unit;
	const char *file;
	struct extent extent;
};

static void widen(void *context, const char *file, uint32_t line)
{
	struct extent_search *search = context;
	struct extent *extent = &search->extent;

	if (file_path(search->s, search->unit, file) != search->file)
		return; /* a macro's or an included file's */
	extent->first = line < extent->first ? line : extent->first;
	extent->last = line > extent->last ? line : extent->last;
}

struct extent symbolizer_extent(struct symbolizer *s, size_t number, uint64_t address, size_t index)
{
	const struct symbol *symbol = &symbolize(s, number, address)->symbols[index];
	struct extent_search search = { .s = s, .file = symbol->decl_file };
	const struct module *m;
	struct image *image;
	struct scope_list list;
	uint64_t inside;

	if (number >= s->module_count || !symbol->decl_file)
		return (struct extent){ 0 };
	m = &s->modules[number];
	image = m->image;
	inside = address - m->bias - image->bias;
	list = scopes_find(image->scopes, inside);
	search.unit = &list.unit;
	search.extent = (struct extent){ symbol->decl_line, symbol->decl_line };
	scopes_lines(image->scopes, inside, index, widen, &search);
	/* Lines before the declaration are a return type's or a default argument's at the most. */
	search.extent.first = symbol->decl_line;
	return search.extent;
}

int64_t symbolizer_file_time(const struct symbolizer *s, size_t module)
{
	if (module >= s->module_count || !s->modules[module].image)
		return 0;
	return s->modules[module].image->binary->changed_ns;
}

struct sum_search {
	const char *file;
	const uint8_t *md5;
	enum source_match match;
};

static void compare_sum(void *context, const char *path, const uint8_t *sum)
{
	struct sum_search *search = context;
	char *plain;

	if (search->match == SOURCE_SAME)
		return;
	plain = mem_strdup(path);
	normalize(plain);
	if (strcmp(plain, search->file) == 0 || strcmp(path, search->file) == 0)
		search->match =
			memcmp(sum, search->md5, MD5_SIZE) == 0 ? SOURCE_SAME : SOURCE_OTHER;
	free(plain);
}

enum source_match symbolizer_source(
	const struct symbolizer *s, size_t module, const char *file, const uint8_t *md5)
{
	struct sum_search search = { file, md5, SOURCE_UNKNOWN };
	const char *slash = strrchr(file, '/');
	struct image *image = module < s->module_count ? s->modules[module].image : NULL;
	Dwarf_Addr bias;
	Dwarf *dwarf = image && image->scopes ? binary_dwarf(image->binary, &bias) : NULL;

	if (dwarf)
		sums_visit(dwarf, slash ? slash + 1 : file, compare_sum, &search);
	return search.match;
}
