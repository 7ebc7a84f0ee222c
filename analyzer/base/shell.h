/* SPDX-License-Identifier: MIT */
/*
 * shell.h - commands to be pasted into a shell: this program by a name that finds it, and words
 * quoted where they need it.
 */
#ifndef MTRACER_SHELL_H
#define MTRACER_SHELL_H

struct strbuf;

void shell_called(const char *name); /* argv[0], which must live on */

/* "mtracer" where PATH leads to this very program, else the path by which it was called. */
void shell_add_self(struct strbuf *text);

/* A space and a file's name or another operand, as one word that is no option. */
void shell_add_operand(struct strbuf *text, const char *word);

#endif
