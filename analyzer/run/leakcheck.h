/* SPDX-License-Identifier: MIT */
/*
 * leakcheck.h - the verdict on leaks at the end of `mtracer run --leaks-exit-code`.
 */
#ifndef MTRACER_LEAKCHECK_H
#define MTRACER_LEAKCHECK_H

#include <stdbool.h>

struct run_traces;
struct suppressions;

struct leakcheck {
	bool lost;	 /* something is, that no suppression leaves out */
	bool no_verdict; /* on some process that counts */
};

/*
 * Looks at every trace of a run, also those of the processes that the program started, and prints
 * on stderr what each lost, and where there is no verdict and why. Those of programs count, and of
 * forked children that were killed or still run: what one leaves by _exit() is its parent's.
 */
struct leakcheck leakcheck(const struct run_traces *traces, struct suppressions *suppressions);

#endif
