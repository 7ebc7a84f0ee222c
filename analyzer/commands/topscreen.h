/* SPDX-License-Identifier: MIT */
/*
 * topscreen.h - a terminal's whole screen, by ncurses, and its keys. Without ncurses (HAVE_NCURSES)
 * there is none.
 *
 * Whatever ends the command, the terminal is as it was before: signals that end or stop it are taken
 * while the screen is open.
 */
#ifndef MTRACER_TOPSCREEN_H
#define MTRACER_TOPSCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct canvas;

/* Whether stdin and stdout are a terminal that can show one. */
bool topscreen_possible(void);

bool topscreen_open(void);
void topscreen_close(void); /* also where it isn't open */

void topscreen_size(size_t *width, size_t *height);
bool topscreen_is_utf8(void);
void topscreen_show(const struct canvas *c);

#define TOPSCREEN_NOTHING (-1) /* the time is over, or a child has ended */
#define TOPSCREEN_REDRAW (-2)  /* it has another size, or was stopped meanwhile */
#define TOPSCREEN_SIGNAL (-3)  /* one that ends a command: topscreen_signal() */

/* A key (a character or enum top_key), or one of these; ms < 0: without end. */
int topscreen_wait(int ms);
int topscreen_signal(void);

#endif
