/* SPDX-License-Identifier: MIT */
/*
 * markdown.h - Markdown as GitHub reads it. Whatever a text holds, it is shown as it is, in a table's
 * cell, too: nothing in it begins markup or ends the cell.
 */
#ifndef MTRACER_MARKDOWN_H
#define MTRACER_MARKDOWN_H

#include <stdio.h>

void markdown_text(const char *text, FILE *out); /* as prose */
void markdown_code(const char *text, FILE *out); /* as code: names and paths */

/* Lines as people read them on a terminal, as a paragraph. */
void markdown_lines(const char *lines, FILE *out);

#endif
