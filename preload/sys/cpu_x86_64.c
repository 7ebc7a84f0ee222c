/* SPDX-License-Identifier: MIT */
/* cpu_x86_64.c - what the CPU was asked at the start. */
#include "preload/sys/cpu_x86_64.h"

bool cpu_reads_base;
