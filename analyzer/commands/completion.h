/* SPDX-License-Identifier: MIT */
/*
 * completion.h - the option tables of all commands, for shells and for the manual page's maker.
 */
#ifndef MTRACER_COMPLETION_H
#define MTRACER_COMPLETION_H

#include <stdio.h>

/* A script for the shell's completion: words, options, values where the table knows them. */
void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

/* {"commands": [{"name", "usage", "summary", "details", "options": [{"name", "letter", "value",
 * "help", "choices"}]}]} */
void completion_json(FILE *out);

#endif
