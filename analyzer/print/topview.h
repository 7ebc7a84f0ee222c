/* SPDX-License-Identifier: MIT */
/*
 * topview.h - what `mtracer top` shows: made of what is followed (follow.h), changed by keys, drawn on
 * a canvas, which a screen or a stream then shows.
 */
#ifndef MTRACER_TOPVIEW_H
#define MTRACER_TOPVIEW_H

#include "analyzer/views/follow.h"
#include "analyzer/views/profile.h"

#include <stdbool.h>
#include <stddef.h>

struct canvas;
struct json;
struct topview;

enum top_key { /* besides characters */
	TOP_KEY_UP = 0x100,
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_BACKSPACE,
};

/* What rows are sorted by; the columns, in their order. */
enum top_sort {
	TOP_CURRENT,
	TOP_GROWTH,
	TOP_RATE,
	TOP_BLOCKS,
	TOP_PEAK,
	TOP_AT_PEAK,
	TOP_ALLOCATED,
	TOP_ALLOCATIONS,
	TOP_TEMPORARY,
	TOP_NAME,
	TOP_SORTS
};

/* A measure's name as for reports, "growth" or "rate". */
bool top_sort_find(const char *name, enum top_sort *sort);
extern const char *const top_sort_names[]; /* ends with NULL */

/* `follow` must outlive it, and have a trace. */
struct topview *topview_new(struct follow *follow, enum profile_by by, enum top_sort sort);
void topview_free(struct topview *v);

/* After follow_update(). */
void topview_update(struct topview *v);

/* How often that is done, for the eyes. */
void topview_set_pace(struct topview *v, double seconds);
void topview_set_exit_status(struct topview *v, int status); /* of the program that was started */
bool topview_is_paused(const struct topview *v);	     /* nothing is to be read for now */

/* For one that is to be read and not to be pressed: no line of keys, and no row is chosen. */
void topview_draw_plain(struct topview *v, struct canvas *c);
void topview_draw(struct topview *v, struct canvas *c);

/* A character or enum top_key. False: the view is to be left. */
bool topview_press(struct topview *v, int key);

/* One frame for machines; the caller begins and ends it. */
void topview_json(const struct topview *v, size_t limit, struct json *json);

/* "ended: exit 0"; "running 12.3 s". */
struct strbuf;
void topview_state(const struct topview *v, struct strbuf *text);

#endif
