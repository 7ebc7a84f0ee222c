/* SPDX-License-Identifier: MIT */
/*
 * pager.h - long output goes through a pager, where stdout is a terminal.
 */
#ifndef MTRACER_PAGER_H
#define MTRACER_PAGER_H

/* From here on what is written to stdout goes to $PAGER, or to less; nothing happens where stdout
 * is no terminal, PAGER is empty or "cat", or there is no pager. Texts stay as they are: width and
 * colour are the terminal's. */
void pager_start(void);

/* Waits until the pager was left; before the program ends. */
void pager_finish(void);

#endif
