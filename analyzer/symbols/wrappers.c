/* SPDX-License-Identifier: MIT */
/*
 * wrappers.c - the list of functions that allocate on behalf of their caller, and its look-up.
 *
 * To add one, add its name to a table:
 *   c_libraries, modules   whole libraries, by the start of their file's name
 *   names     functions, as plain_name() writes them
 *   families  functions by the start of their name; for a C++ class or namespace "ns::Class::"
 *   prefixes  what projects put before the name of a C function that they wrap: x + malloc
 * Only functions that do nothing but allocate, and containers whose memory is their user's, belong
 * here.
 */
#include "analyzer/symbols/wrappers.h"

#include "analyzer/base/mem.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/hashtab.h>

#define PLAIN_NAME_MAX \
	512 /* bytes; longer names are cut off, which is enough to tell their family */

/* clang-format off */

/* A user wants the line that called strdup, fopen or qsort, or the constructor of a std::string, wherever these
 * allocate. */
static const char *const c_libraries[] = {
	/* with their dynamic linkers: glibc, musl */
	"libc.so.", "libc-2.", "libc.musl-", "ld-linux", "ld-2.", "ld-musl-", "ld.so.", "libpthread",
	"libdl.so.", "libdl-2.", "librt.so.", "librt-2.", "libresolv", "libnss_", "libanl",
	NULL,
};

static const char *const modules[] = {
	/* C++ and Rust */
	"libstdc++.so.", "libc++.so.", "libc++abi.so.", "libgcc_s.so.", "libsupc++", "libstd-",
	/* allocators */
	"libjemalloc", "libtcmalloc", "libmimalloc", "libhoard", "libsnmalloc", "librpmalloc",
	"libscudo", "libc_malloc_debug.so.",
	NULL,
};

static const char *const names[] = {
	/* C library, where it is linked statically */
	"malloc", "calloc", "realloc", "reallocarray", "memalign", "posix_memalign",
	"aligned_alloc", "valloc", "pvalloc", "strdup", "strndup", "wcsdup", "asprintf",
	"vasprintf", "getline", "getdelim", "open_memstream", "fopen", "fopen64", "fdopen",
	"freopen", "opendir", "fdopendir", "scandir", "realpath", "getcwd",
	"get_current_dir_name", "canonicalize_file_name", "tempnam", "setlocale", "newlocale",
	"getaddrinfo", "qsort", "qsort_r", "tsearch", "hcreate", "hcreate_r", "setenv", "putenv",
	"regcomp", "glob", "glob64", "popen", "pthread_create", "dlopen", "argz_add",
	"_obstack_begin", "_obstack_newchunk",
	"_obstack_begin_1", "_objalloc_alloc", "objalloc_create",
	/* C++ */
	"operator new", "operator new[]", "__cxa_allocate_exception", "__cxa_vec_new",
	"__cxa_vec_new2", "__cxa_vec_new3", "__cxa_get_globals", "__cxa_demangle",
	"__cxa_thread_atexit", "__cxa_atexit", "boost::make_shared", "boost::allocate_shared",
	/* Rust */
	"__rust_alloc", "__rust_alloc_zeroed", "__rust_realloc", "__rdl_alloc",
	"__rdl_alloc_zeroed", "__rdl_realloc", "__rg_alloc", "__rg_alloc_zeroed", "__rg_realloc",
	/* D, Ada, Swift, Objective-C, OpenMP */
	"gc_malloc", "gc_calloc", "gc_realloc", "gc_qalloc", "__gnat_malloc", "__gnat_realloc",
	"system__memory__alloc", "system__memory__realloc", "swift_allocObject",
	"swift_slowAlloc", "swift_bufferAllocate", "objc_alloc", "class_createInstance",
	"gomp_malloc", "gomp_malloc_cleared", "gomp_realloc", "gomp_aligned_alloc",
	/* GLib */
	"g_strconcat", "g_strjoin", "g_strjoinv", "g_strsplit", "g_strsplit_set", "g_strescape",
	"g_aligned_alloc", "g_aligned_alloc0", "g_object_new", "g_object_new_internal",
	"g_object_new_valist", "g_object_new_with_properties", "g_object_newv",
	"g_type_create_instance",
	/* CPython and its modules */
	"PyType_GenericAlloc", "_PyType_AllocNoTrack", "_PyObject_New", "_PyObject_NewVar",
	"_PyObject_GC_New", "_PyObject_GC_NewVar", "_PyObject_GC_Resize", "_PyObject_GC_Alloc",
	"_PyObject_GC_Malloc", "_PyObject_GC_Calloc", "gc_alloc", "PyUnstable_Object_GC_NewWithExtraData",
	"_PyObject_Malloc", "_PyObject_Calloc", "_PyObject_Realloc", "pymalloc_alloc",
	"pymalloc_realloc", "allocate_from_new_pool", "new_arena", "_PyBytes_FromSize",
	"PyDataMem_NEW", "PyDataMem_NEW_ZEROED", "PyDataMem_RENEW", "PyDataMem_UserNEW",
	"PyDataMem_UserNEW_ZEROED", "PyDataMem_UserRENEW", "default_malloc", "default_calloc",
	"default_realloc", "npy_alloc_cache", "npy_alloc_cache_zero",
	/* Perl */
	"Perl_safesysmalloc", "Perl_safesyscalloc", "Perl_safesysrealloc", "Perl_savepv",
	"Perl_savepvn", "Perl_savesvpv", "Perl_savesharedpv", "Perl_savesharedpvn",
	"Perl_more_bodies", "Perl_more_sv", "S_more_sv", "Perl_sv_grow", "Perl_sv_grow_fresh",
	"Perl_malloc", "Perl_calloc", "Perl_realloc",
	/* Ruby, Lua, PHP, Tcl */
	"objspace_xmalloc0", "objspace_xcalloc", "objspace_xrealloc", "rb_gc_impl_malloc",
	"rb_gc_impl_calloc", "rb_gc_impl_realloc", "rb_alloc_tmp_buffer", "l_alloc",
	"luaM_realloc_", "luaM_saferealloc_", "luaM_malloc_", "luaM_growaux_",
	"_emalloc", "_ecalloc", "_erealloc", "_erealloc2", "_estrdup", "_estrndup",
	"_safe_emalloc", "_safe_malloc", "_safe_erealloc", "_safe_realloc", "__zend_malloc",
	"__zend_calloc", "__zend_realloc", "zend_strndup", "Tcl_Alloc", "Tcl_AttemptAlloc",
	"Tcl_Realloc", "Tcl_AttemptRealloc", "Tcl_DbCkalloc", "Tcl_DbCkrealloc", "TclpAlloc",
	"TclpRealloc",
	/* SQLite, PostgreSQL, MySQL */
	"sqlite3_malloc", "sqlite3_malloc64", "sqlite3_realloc", "sqlite3_realloc64",
	"sqlite3Malloc", "sqlite3MallocZero", "sqlite3Realloc", "sqlite3MemMalloc",
	"sqlite3MemRealloc", "sqlite3DbMallocRaw", "sqlite3DbMallocRawNN", "sqlite3DbMallocZero",
	"sqlite3DbRealloc", "sqlite3DbReallocOrFree", "sqlite3DbStrDup", "sqlite3DbStrNDup",
	"sqlite3DbSpanDup", "sqlite3PageMalloc", "sqlite3StrAccumEnlarge", "dbMallocRawFinish",
	"dbReallocFinish", "mallocWithAlarm", "pcache1Alloc", "pcache1AllocPage",
	"pcache1InitBulk", "palloc", "palloc0", "palloc_extended", "palloc_aligned", "repalloc",
	"repalloc0", "repalloc_huge", "pstrdup", "pnstrdup", "psprintf", "pg_malloc",
	"pg_malloc0", "pg_malloc_extended", "pg_malloc_internal", "pg_realloc", "pg_strdup",
	"guc_malloc", "guc_realloc", "guc_strdup", "MemoryContextAlloc", "MemoryContextAllocZero",
	"MemoryContextAllocHuge", "MemoryContextAllocExtended", "MemoryContextStrdup",
	"AllocSetAlloc", "AllocSetAllocFromNewBlock", "AllocSetAllocLarge", "AllocSetRealloc",
	"my_multi_malloc", "alloc_root", "multi_alloc_root", "strdup_root", "memdup_root",
	/* OpenSSL, libxml2, zlib, FFmpeg, talloc */
	"CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_calloc", "CRYPTO_realloc",
	"CRYPTO_clear_realloc", "CRYPTO_strdup", "CRYPTO_strndup", "CRYPTO_memdup",
	"CRYPTO_secure_malloc", "CRYPTO_secure_zalloc", "CRYPTO_malloc_array",
	"CRYPTO_calloc_array", "CRYPTO_realloc_array", "OPENSSL_malloc", "OPENSSL_realloc",
	"OPENSSL_strdup", "OPENSSL_memdup", "OPENSSL_zalloc", "OPENSSL_calloc", "BUF_strdup",
	"BUF_memdup", "xmlStrdup", "xmlStrndup", "xmlCharStrdup", "xmlCharStrndup", "xmlMemMalloc",
	"xmlMemRealloc", "xmlMallocLoc", "xmlMallocAtomicLoc", "xmlReallocLoc", "xmlMemStrdupLoc",
	"xmlMemoryStrdup", "zcalloc", "av_malloc", "av_mallocz", "av_malloc_array",
	"av_mallocz_array", "av_calloc", "av_realloc", "av_realloc_f", "av_reallocp",
	"av_realloc_array", "av_reallocp_array", "av_strdup", "av_strndup", "av_memdup",
	"av_fast_malloc", "av_fast_mallocz", "av_fast_realloc", "_talloc", "__talloc",
	"__talloc_with_prefix", "_talloc_zero", "_talloc_array", "_talloc_zero_array",
	"_talloc_realloc", "_talloc_realloc_array", "_talloc_memdup", "talloc_strdup",
	"talloc_strndup", "talloc_asprintf", "talloc_vasprintf", "talloc_named_const",
	/* git, gnulib, GCC, LLVM, Qt */
	"do_xmalloc", "do_xmallocz", "xstrfmt", "xstrvfmt", "xstrdup_or_null", "mem_pool_alloc_block",
	"rpl_malloc", "rpl_calloc", "rpl_realloc", "imalloc", "icalloc", "irealloc",
	"ireallocarray", "ggc_internal_alloc", "ggc_internal_cleared_alloc", "ggc_realloc",
	"ggc_alloc_string", "llvm::safe_malloc", "llvm::safe_calloc", "llvm::safe_realloc",
	"llvm::allocate_buffer", "llvm::SmallVectorTemplateBase::grow",
	"llvm::SmallVectorTemplateBase::mallocForGrow", "qMallocAligned", "qReallocAligned",
	NULL,
};

static const char *const families[] = {
	/* the C library's inside, where it is linked statically */
	"__libc_", "_IO_", "__GI_", "_dl_", "__gconv_", "_nl_", "__nss_", "_int_malloc",
	"_int_realloc", "_int_memalign", "sysmalloc", "__malloc_", "__nptl_",
	/* C++: all of the standard library, which allocates for its user alone */
	"std::", "__gnu_cxx::", "__cxxabiv1::", "__gnu_debug::", "boost::container::",
	"boost::unordered::", "boost::detail::sp_", "boost::multi_index::detail::",
	/* D */
	"_d_new", "_d_array", "_d_allocmemory",
	/* GLib */
	"g_malloc", "g_realloc", "g_try_malloc", "g_try_realloc", "g_slice_", "g_strdup",
	"g_strndup", "g_memdup", "g_string_", "g_array_", "g_byte_array_", "g_ptr_array_",
	"g_hash_table_", "g_list_", "g_slist_", "g_queue_", "g_tree_",
	/* CPython, Ruby */
	"PyMem_", "_PyMem_", "PyObject_Malloc", "PyObject_Calloc", "PyObject_Realloc",
	"ruby_x", "rb_xmalloc", "rb_xcalloc", "rb_xrealloc", "zend_mm_alloc", "zend_mm_realloc",
	/* allocators that are linked in */
	"je_", "_rjem_", "mi_malloc", "mi_calloc", "mi_zalloc", "mi_realloc", "mi_heap_", "mi_new",
	"_mi_malloc", "_mi_heap_", "tc_malloc", "tc_calloc", "tc_realloc", "tc_new", "tcmalloc::",
	"tcmalloc_", "rpmalloc", "rpcalloc", "rprealloc", "snmalloc::", "scudo::",
	/* LLVM and Qt containers */
	"llvm::SmallVectorBase::", "llvm::BumpPtrAllocatorImpl::", "llvm::MallocAllocator::",
	"llvm::StringMapImpl::", "llvm::DenseMap::", "llvm::SmallDenseMap::", "QArrayData::",
	"QTypedArrayData::", "QArrayDataPointer::", "QListData::", "QHashData::", "QMapDataBase::",
	"QVector::reallocData", "QString::reallocData", "QByteArray::reallocData",
	NULL,
};

/* Only for Rust: other languages' programs have namespaces of these names. */
static const char *const rust_families[] = {
	"alloc::", "core::", "std::", "hashbrown::", "__rustc::", "smallvec::", "indexmap::", NULL,
};

/* The wrapped functions, after one of the prefixes, before one of the suffixes. */
static const char *const prefixes[] = {
	"x", "xx", "e", "ck", "z", "ztry", "s", "my_", "my", "safe_", "safe", "checked_", "check_",
	"must_", "secure_", "sec_", "nofail_", "fatal_", "ruby_x", "sh_x", "git_", "util_", "mem_", "p_",
	"xn", "x2n", "x2", "xi", "xp", "xn2", "n", "u", NULL,
};

static const char *const wrapped[] = {
	"malloc", "calloc", "realloc", "reallocarray", "realloc_array", "malloc_array", "zalloc",
	"alloc", "memalign", "aligned_alloc", "alignedalloc", "posix_memalign", "strdup", "strndup",
	"memdup", "memdupz", "memdup0", "asprintf", "vasprintf", "charalloc", "nmalloc",
	"nrealloc", NULL,
};

static const char *const suffixes[] = {
	"", "0", "z", "_n", "_usable", "_usable_internal", "_internal", "_flags", "_array", "_gently",
	"_impl", "_or_die", NULL,
};

/* Where the headers of C++ and the sources of Rust are: names from scant debug information are not qualified. */
static const char *const directories[] = {
	"/include/c++/", "/rustc/", "/rustlib/src/rust/library/", NULL,
};

/* clang-format on */

struct wrappers {
	htab_t names;
	htab_t wrapped;
	regex_t *regexes;
	size_t regex_count, regex_room;
};

static int same_text(const void *a, const void *b)
{
	return strcmp(a, b) == 0;
}

static htab_t table_of(const char *const *list)
{
	htab_t table = htab_create_alloc(1021, htab_hash_string, same_text, NULL, mem_zalloc, free);

	for (; *list; list++)
		*htab_find_slot(table, *list, INSERT) = (void *)*list;
	return table;
}

static void add_wrapped(htab_t table)
{
	for (const char *const *name = wrapped; *name; name++)
		for (const char *const *suffix = suffixes; *suffix; suffix++) {
			char *text = mem_alloc(strlen(*name) + strlen(*suffix) + 1);
			void **slot;

			strcat(strcpy(text, *name), *suffix);
			slot = htab_find_slot(table, text, INSERT);
			if (*slot)
				free(text);
			else
				*slot = text;
		}
}

struct wrappers *wrappers_new(void)
{
	struct wrappers *w = mem_zalloc(1, sizeof(*w));

	w->names = table_of(names);
	w->wrapped = htab_create_alloc(1021, htab_hash_string, same_text, free, mem_zalloc, free);
	add_wrapped(w->wrapped);
	return w;
}

void wrappers_free(struct wrappers *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->regex_count; i++)
		regfree(&w->regexes[i]);
	free(w->regexes);
	htab_delete(w->names);
	htab_delete(w->wrapped);
	free(w);
}

int wrappers_add(struct wrappers *w, const char *regex, char *error, size_t error_size)
{
	regex_t compiled;
	int code = regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB);

	if (code) {
		regerror(code, &compiled, error, error_size);
		return -1;
	}
	VEC_PUSH(w->regexes, w->regex_count, w->regex_room, compiled);
	return 0;
}

/* ---- names */

static bool starts(const char *text, const char *start)
{
	return *text == *start && strncmp(text, start, strlen(start)) == 0;
}

static bool starts_with_any(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (starts(text, *list))
			return true;
	return false;
}

/* Past a template's arguments, or a Rust type in angle brackets: behind the ">" that belongs to the
 * "<" at `text`. */
static const char *skip_angles(const char *text)
{
	int angles = 0, parens = 0;

	for (; *text; text++) {
		if (*text == '(')
			parens++;
		else if (*text == ')')
			parens--;
		else if (parens == 0 && *text == '<')
			angles++;
		else if (parens == 0 && *text == '>' && text[-1] != '-' && --angles == 0)
			return text + 1;
	}
	return text;
}

/* How many bytes of `text`, right behind "operator", belong to the operator's name though they look
 * like brackets. */
static size_t operator_length(const char *text)
{
	static const char *const operators[] = { "<=>", "<<=", ">>=", "->*", "<<", ">>",
		"<=", ">=", "->", "[]", "()", "<", ">", NULL };

	for (const char *const *op = operators; *op; op++)
		if (starts(text, *op))
			return strlen(*op);
	return 0;
}

void plain_name(const char *name, char *out, size_t size)
{
	char *start = out, *end = out + size - 1;
	bool in_type = *name == '<'; /* Rust: the type's own brackets go, not what is inside */

	if (in_type)
		name++;
	while (*name && out < end) {
		if (*name == '<') {
			name = skip_angles(name);
		} else if (starts(name, "[abi:")) {
			name += strcspn(name, "]");
			name += *name == ']';
		} else if (in_type && starts(name, " as ")) {
			in_type = false;
			name += strcspn(name, ">");
			for (const char *next; (next = strstr(name, ">::"));)
				name = next + 1;
		} else if (in_type && *name == '>') {
			in_type = false;
			name++;
		} else if (starts(name, "::") && out - start >= 2 && starts(out - 2, "::")) {
			name += 2;
		} else {
			size_t length;

			*out++ = *name++;
			if (out - start < 8 || memcmp(out - 8, "operator", 8) != 0)
				continue;
			length = operator_length(name);
			if (length > (size_t)(end - out))
				break;
			memcpy(out, name, length);
			out += length;
			name += length;
		}
	}
	*out = 0;
}

static bool is_rust(const struct symbol *symbol)
{
	const char *linkage = symbol->linkage;
	size_t size;

	if (!linkage)
		return false;
	if (starts(linkage, "_R"))
		return true;
	size = strlen(linkage);
	return starts(linkage, "_ZN") && size > 20 && starts(linkage + size - 20, "17h");
}

static bool is_operator_new(const char *name)
{
	const char *found = strstr(name, "operator new");

	return found && (found == name || found[-1] == ':') &&
	       (found[12] == 0 || strcmp(found + 12, "[]") == 0);
}

static bool is_wrapped(const struct wrappers *w, const char *name)
{
	while (*name == '_')
		name++;
	for (const char *const *prefix = prefixes; *prefix; prefix++)
		if (starts(name, *prefix) && htab_find(w->wrapped, name + strlen(*prefix)))
			return true;
	return false;
}

enum library_kind library_kind(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (starts_with_any(name, c_libraries))
		return LIBRARY_C;
	return starts_with_any(name, modules) ? LIBRARY_RUNTIME : LIBRARY_ORDINARY;
}

static bool is_library_file(const char *file)
{
	for (const char *const *directory = directories; *directory; directory++)
		if (strstr(file, *directory))
			return true;
	return false;
}

bool wrappers_match(const struct wrappers *w, const struct symbol *symbol, const char *module_path)
{
	char name[PLAIN_NAME_MAX];

	if (module_path && library_kind(module_path) != LIBRARY_ORDINARY)
		return true;
	if (symbol->file && is_library_file(symbol->file))
		return true;
	plain_name(symbol->function, name, sizeof(name));
	if (htab_find(w->names, name) || starts_with_any(name, families) || is_operator_new(name))
		return true;
	if (is_rust(symbol) && starts_with_any(name, rust_families))
		return true;
	if (is_wrapped(w, name))
		return true;
	for (size_t i = 0; i < w->regex_count; i++)
		if (regexec(&w->regexes[i], symbol->function, 0, NULL, 0) == 0)
			return true;
	return false;
}
