/* SPDX-License-Identifier: MIT */
/* hash.h - a multiplier whose product has its randomness in the high bits. */
#ifndef MTRACE_HASH_H
#define MTRACE_HASH_H

#define HASH_FACTOR 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio */

#endif
