/* md5.h - the MD5 sum that compilers note of a source file. It proves nothing against malice. */
#ifndef MTRACER_MD5_H
#define MTRACER_MD5_H

#include <stddef.h>
#include <stdint.h>

#define MD5_SIZE 16

void md5(const void *bytes, size_t size, uint8_t sum[MD5_SIZE]);

#endif
