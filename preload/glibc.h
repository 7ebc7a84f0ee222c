/*
 * glibc.h - what only the GNU C library has. Below a traced script or make there may be a program of
 * another one (musl): its loader loads us too, and ends the program where a symbol is missing. So
 * these may be; in such a program the library stays out, and its hooks call the next definition.
 */
#ifndef MTRACE_GLIBC_H
#define MTRACE_GLIBC_H

#pragma weak gnu_get_libc_version
#pragma weak __libc_single_threaded
#pragma weak __libc_stack_end
#pragma weak __register_atfork
#pragma weak __sbrk
#pragma weak __x86_get_cpuid_feature_leaf
#pragma weak _dl_find_object
#pragma weak _r_debug
#pragma weak dladdr1
#pragma weak strerrordesc_np

const char *gnu_get_libc_version(void);

static inline int is_glibc(void)
{
	return gnu_get_libc_version != 0;
}

#endif
