/* SPDX-License-Identifier: MIT */
/* which.h - where the shell would find a program. */
#ifndef MTRACER_WHICH_H
#define MTRACER_WHICH_H

/* The file that execvp() would run: `name` itself, or found along PATH. NULL = none. The caller
 * frees it. */
char *which_program(const char *name);

#endif
