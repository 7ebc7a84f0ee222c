/* SPDX-License-Identifier: MIT */
/*
 * json.h - writes JSON to a stream, one value after the other: valid for any bytes in any text.
 *
 * Containers opened with `inline_` true are written on one line, others with an indented line for
 * each member. The key is NULL for the members of an array and for the outermost value.
 */
#ifndef MTRACER_JSON_H
#define MTRACER_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 16 /* containers inside each other, at most */

enum json_form {
	JSON_TEXT,
	JSON_CSV_TITLES,
	JSON_CSV,
};

struct json {
	FILE *out;
	enum json_form form;
	bool script; /* see json_start_script() */
	int depth;
	struct {
		char close;
		bool inline_;
		bool any;	 /* a member was written */
		const char *key; /* of the container */
	} open[JSON_DEPTH];
};

void json_start(struct json *j, FILE *out);

/* Comma-separated values instead: each outermost object is a line, and of the first, which may be
 * one of an empty row, only the keys are written, as titles. All must have the same members: scalars,
 * and objects of scalars, whose keys have that of the object in front. */
void json_start_csv(struct json *j, FILE *out);

/* In a page's <script>: without blanks, and ASCII alone, of which no `<`. No text ends the script, and
 * none turns the order of others around. */
void json_start_script(struct json *j, FILE *out);

void json_finish(struct json *j); /* the last line's end */

void json_object(struct json *j, const char *key, bool inline_);
void json_array(struct json *j, const char *key, bool inline_);
void json_close(struct json *j); /* the innermost open container */

void json_text(struct json *j, const char *key, const char *text); /* NULL = null */
void json_unsigned(struct json *j, const char *key, uint64_t number);
void json_known(
	struct json *j, const char *key, uint64_t number); /* 0, which isn't known, is null */
void json_signed(struct json *j, const char *key, int64_t number);
void json_real(struct json *j, const char *key, double number); /* two digits after the point */
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
