/* cpu.h - the one place that chooses the CPU-specific header. */
#if defined(__x86_64__)
#include "preload/cpu_x86_64.h"
#else
#error "no preload/cpu_<arch>.h for this CPU yet"
#endif
