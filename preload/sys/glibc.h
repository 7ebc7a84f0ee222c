/* SPDX-License-Identifier: MIT */
/*
 * glibc.h - what only the GNU C library has. Below a traced script or make there may be a program of
 * another one (musl): its loader loads us too, and ends the program where a symbol is missing. So
 * these may be; in such a program the library stays out, and its hooks call the next definition.
 */
#ifndef MTRACE_GLIBC_H
#define MTRACE_GLIBC_H

/* For the linker alone: clang knows no weak symbols that a file doesn't declare. */
__asm__(".weak __libc_single_threaded\n"
	".weak __libc_stack_end\n"
	".weak __register_atfork\n"
	".weak __sbrk\n"
	".weak __x86_get_cpuid_feature_leaf\n"
	".weak _dl_find_object\n"
	".weak _r_debug\n"
	".weak dladdr1\n"
	".weak strerrordesc_np\n");

__attribute__((weak)) const char *gnu_get_libc_version(void);

static inline int is_glibc(void)
{
	return gnu_get_libc_version != 0;
}

#endif
