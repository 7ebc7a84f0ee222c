/*
 * leakcheck.h - the verdict on leaks at the end of `mtracer run --leaks-exit-code`.
 */
#ifndef MTRACER_LEAKCHECK_H
#define MTRACER_LEAKCHECK_H

#include <stdbool.h>

struct run_traces;
struct suppressions;

/*
 * Looks at every trace of a run, also those of the processes that the program started, and prints
 * on stderr what each lost. True where any lost something that no suppression leaves out. A trace
 * without verdict gives a warning.
 */
bool leakcheck(const struct run_traces *traces, const struct suppressions *suppressions);

#endif
