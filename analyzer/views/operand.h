/* SPDX-License-Identifier: MIT */
/*
 * operand.h - TRACE@MOMENT on a command line: which file, process or directory, and which moment of it
 * (trace/moment.h).
 */
#ifndef MTRACER_OPERAND_H
#define MTRACER_OPERAND_H

/*
 * The part of an operand that is a trace, and in *moment what is behind its '@', or NULL. A file whose
 * name has an '@' is that file; the longest beginning that is there counts, else one that is named like
 * a trace. "" for the newest trace here: "@warm". The caller frees it.
 */
char *operand_trace(const char *operand, const char **moment);

#endif
