/* SPDX-License-Identifier: MIT */
/*
 * libmtrace.h - control the tracing from inside the traced program.
 *
 * Needs no library to link to: the functions are weak symbols, which libmtrace.so provides when it
 * is preloaded. The macros below do nothing without it, so they may stay in release builds:
 *
 *     #include <libmtrace.h>
 *
 *     MTRACE_START();                       // with MTRACE_START=0 in the environment
 *     load_everything();
 *     MTRACE_STOP();
 *     if (mtrace_is_tracing) { ... }        // is the library there?
 *
 * All may be called by any thread, and in a signal handler. Those named mtrace_get_... only look: they
 * wait for nothing, so a debugger may call them wherever the process stopped. The others do nothing in
 * a handler that interrupted the tracer itself.
 *
 * The names mtrace() and muntrace() belong to the C library and have nothing to do with these.
 */
#ifndef LIBMTRACE_H
#define LIBMTRACE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MTRACE_WEAK __attribute__((weak))

/* Record allocations from here on. Idempotent. Blocks that were allocated before are not
 * counted. */
MTRACE_WEAK void mtrace_start(void);

/* Record no new allocations. What is recorded stays, and the frees of recorded blocks are still
 * followed. */
MTRACE_WEAK void mtrace_stop(void);

/* 1 while new allocations are recorded. */
MTRACE_WEAK int mtrace_is_tracing(void);

/* Requested bytes of the blocks that are recorded and not freed, and the highest that this ever
 * was. Either may be NULL. With several threads both may be off by what `mtracer report` calls the
 * peak's error. */
MTRACE_WEAK void mtrace_get_traced_memory(size_t *current, size_t *peak);

/* The present state becomes the peak: of the whole, and of each call site. */
MTRACE_WEAK void mtrace_reset_peak(void);

/* Forgets what was recorded, as if the recording had begun here: everything that is counted starts from
 * zero (current, peak, allocated, allocations, the curve and its marks). Blocks from before are not
 * followed any more, and their frees are nothing. 0; or -1 if nothing was done, as another thread is in
 * the tracer for longer than a second, or this one is (in a handler). */
MTRACE_WEAK int mtrace_clear_traces(void);

/* Names this moment on the curve that `mtracer timeline` draws. Half of the points that are kept
 * (MTRACE_TIMELINE) may be marks; of a label 255 bytes are. */
MTRACE_WEAK void mtrace_mark(const char *label);

/*
 * Keeps the state of all call sites at this moment under a name, for `mtracer diff TRACE@before
 * TRACE@after`, `mtracer report TRACE@after` and the like. 1: it is kept; 0: it isn't, which the trace
 * counts: there are MTRACE_SNAPSHOTS (64) already, the label is empty, or there is no room. None is ever
 * dropped for a later one. Of several with one label, TRACE@LABEL means the last; of a label 255 bytes
 * count. `peak` and `end` stand for moments that every trace has.
 */
MTRACE_WEAK int mtrace_snapshot(const char *label);

/* Where the recorded block starts that this address lies in, and its requested size; `size` may be
 * NULL. NULL: there is no such block. Blocks that were allocated while nothing was recorded, or that
 * are no sample (MTRACE_SAMPLE), are not known. */
MTRACE_WEAK void *mtrace_get_block(const void *p, size_t *size);

/* The stack that this block was allocated on: up to n return addresses, innermost first (each call is
 * right before its address). Returns how many were stored; with n 0, or frames NULL, how many there
 * are. 0: there is no such block. The address may be inside of it. */
MTRACE_WEAK size_t mtrace_get_traceback(const void *p, void **frames, size_t n);

/* How many frames are recorded of a stack, at the most: MTRACE_DEPTH. */
MTRACE_WEAK int mtrace_get_traceback_limit(void);

/* Bytes that the tracer itself uses: its private heap and the trace. The other one is its name in
 * version 0.2.0. */
MTRACE_WEAK size_t mtrace_get_overhead(void);
MTRACE_WEAK size_t mtrace_overhead(void);

#define MTRACE_START()                  \
	do {                            \
		if (mtrace_start)       \
			mtrace_start(); \
	} while (0)
#define MTRACE_STOP()                  \
	do {                           \
		if (mtrace_stop)       \
			mtrace_stop(); \
	} while (0)
#define MTRACE_RESET_PEAK()                  \
	do {                                 \
		if (mtrace_reset_peak)       \
			mtrace_reset_peak(); \
	} while (0)
#define MTRACE_CLEAR_TRACES() (mtrace_clear_traces ? mtrace_clear_traces() : 0)
#define MTRACE_MARK(label)                  \
	do {                                \
		if (mtrace_mark)            \
			mtrace_mark(label); \
	} while (0)

#define MTRACE_SNAPSHOT(label)                        \
	do {                                          \
		if (mtrace_snapshot)                  \
			(void)mtrace_snapshot(label); \
	} while (0)

/* What the functions say, and nothing (0, NULL) without the library. */
#define MTRACE_IS_TRACING() (mtrace_is_tracing ? mtrace_is_tracing() : 0)
#define MTRACE_GET_BLOCK(p, size) (mtrace_get_block ? mtrace_get_block(p, size) : NULL)
#define MTRACE_GET_TRACEBACK(p, frames, n) \
	(mtrace_get_traceback ? mtrace_get_traceback(p, frames, n) : 0)
#define MTRACE_GET_TRACEBACK_LIMIT() (mtrace_get_traceback_limit ? mtrace_get_traceback_limit() : 0)
#define MTRACE_GET_OVERHEAD() (mtrace_get_overhead ? mtrace_get_overhead() : 0)

#ifdef __cplusplus
}
#endif

#endif
