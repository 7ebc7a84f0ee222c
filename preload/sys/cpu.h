/* SPDX-License-Identifier: MIT */
/* cpu.h - chooses the CPU-specific header. */
#if defined(__x86_64__)
#include "preload/sys/cpu_x86_64.h"
#else
#error "no preload/sys/cpu_<arch>.h for this CPU yet"
#endif
