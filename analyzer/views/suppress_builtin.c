/* SPDX-License-Identifier: MIT */
/*
 * suppress_builtin.c - what the C library, the loader, the C++ run time and common libraries keep
 * on purpose until the process ends, or lose in ways that only their authors can fix.
 *
 * A program's own leak must never hide behind a library. So these name functions that call nothing of
 * the program's, or want the library's function right at the allocation; where that can't be had, they
 * are for blocks that something still points to.
 */
#include "analyzer/views/suppress.h"

#define SUPPRESS(name, frames) "{\n" name "\nMemcheck:Leak\n" frames "}\n"
#define SUPPRESS_KEPT(name, frames) SUPPRESS(name, "match-leak-kinds: possible,reachable\n" frames)

/* clang-format off */
const char suppressions_builtin[] =
	/* The loader: thread-local storage, lists of libraries, search paths, what dlerror() says. */
	SUPPRESS("the loader", "fun:*alloc*\nobj:*/ld-linux*.so*\n")
	SUPPRESS("the loader, old name", "fun:*alloc*\nobj:*/ld-2.*.so\n")
	SUPPRESS("dlerror: its text", "fun:*alloc*\nfun:*asprintf*\n...\nfun:*dlerror*\n")
	SUPPRESS("dlerror: a thread's state", "fun:*alloc*\nfun:_dlerror_run\n")

	/* The C library: caches and databases. */
	SUPPRESS("name services (nsswitch.conf)", "...\nfun:*nss_*\n...\nfun:*get*\n")
	SUPPRESS("iconv: conversion modules", "...\nfun:__gconv_*\n...\nfun:*iconv_open*\n")
	SUPPRESS("locale data", "...\nfun:_nl_*\n...\nfun:*setlocale*\n")
	SUPPRESS("locale data of newlocale()", "...\nfun:_nl_find_locale\nfun:*newlocale*\n")
	SUPPRESS("time zones", "...\nfun:tzset_internal\n")
	SUPPRESS("the environment", "...\nfun:__add_to_environ\n")
	SUPPRESS_KEPT("exit handlers", "fun:*alloc*\nfun:__new_exitfn\n")
	SUPPRESS_KEPT("buffers of stdio", "fun:*alloc*\nfun:*_IO_file_doallocate\n")

	/* The C++ run time. */
	SUPPRESS_KEPT("libstdc++: memory for exceptions",
		"fun:malloc\n...\nobj:*/libstdc++.so*\nfun:call_init*\n")
	SUPPRESS_KEPT("libstdc++: a thread's exceptions", "...\nfun:__cxa_get_globals\n")

	/* tcmalloc: an object of its own, and one that it replaces by that. */
	SUPPRESS("tcmalloc: its start", "...\nobj:*/libtcmalloc*.so*\nfun:call_init*\n")

	/* GLib: types, quarks and the like are for ever, and pointed to in their middle. */
	SUPPRESS("GLib: type nodes", "...\nfun:type_node_*\n")
	SUPPRESS("GLib: type data", "...\nfun:type_data_make_W\n")
	SUPPRESS("GLib: interfaces of types", "...\nfun:type_add_interface_Wm\n")
	SUPPRESS("GLib: quarks", "...\nfun:g_quark_*\n")
	SUPPRESS("GLib: interned strings", "...\nfun:g_intern_*\n")
	SUPPRESS("GLib: parameter pools", "...\nfun:g_param_spec_pool_*\n")
	SUPPRESS("GLib: a thread's private data", "...\nfun:g_private_set*\n")
	SUPPRESS("GLib: its worker thread", "...\nfun:g_get_worker_context\n")
	SUPPRESS_KEPT("GLib: the type system", "...\nfun:g_type_*\n")
	SUPPRESS_KEPT("GLib: slices for later", "...\nfun:g_slice_alloc*\n")

	/* Libraries with caches for the whole run. */
	SUPPRESS("fontconfig: its configuration", "...\nfun:FcInit*\n")
	SUPPRESS("fontconfig: its configuration, read", "...\nfun:FcConfigParse*\n")
	SUPPRESS("fontconfig: its configuration, later", "...\nfun:FcConfigGetCurrent\n")
	SUPPRESS("X11: locales", "...\nfun:_XlcDefaultLoader*\n")
	SUPPRESS("X11: the resource manager", "...\nfun:XrmInitialize\n")
	SUPPRESS("ncurses: the terminal", "...\nfun:_nc_setupterm*\n")
	SUPPRESS("ncurses: the screen", "...\nfun:newterm*\n")
	SUPPRESS_KEPT("Pango: font maps", "...\nfun:pango_*_font_map_*\n")
	SUPPRESS_KEPT("readline: key maps", "...\nfun:rl_initialize*\n")
	SUPPRESS_KEPT("OpenSSL: its tables", "...\nfun:OPENSSL_init_*\n")
	SUPPRESS_KEPT("p11-kit: modules", "...\nfun:p11_kit_*\n")
	SUPPRESS_KEPT("D-Bus: shared connections", "...\nfun:dbus_bus_get*\n")
	SUPPRESS_KEPT("OpenMP: threads and teams", "fun:*alloc*\nobj:*/libgomp.so*\n")

	/* Drivers have no names, and keep what they made. */
	SUPPRESS("graphics drivers", "...\nobj:*/dri/*_dri.so\n")
	SUPPRESS("graphics drivers: Mesa", "...\nobj:*/libgallium*.so\n")
	SUPPRESS("graphics drivers: NVIDIA", "...\nobj:*/libnvidia-*.so*\n");
/* clang-format on */
