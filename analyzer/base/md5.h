/* SPDX-License-Identifier: MIT */
/* md5.h - the sums that line tables have of source files; libiberty's, which Debian ships without this header. */
#ifndef MTRACER_MD5_H
#define MTRACER_MD5_H

#include <stddef.h>

#define MD5_SIZE 16 /* bytes of a sum */

void *md5_buffer(const char *bytes, size_t size, void *sum); /* returns sum */

#endif
