/* SPDX-License-Identifier: MIT */
/*
 * log.h - what mtracer says on stderr, and the exit statuses that go with it.
 *
 * Every message is one line, "mtracer: ..."; about a file it reads "mtracer: FILE: what is wrong".
 * Control characters are replaced, since names in a trace can hold anything.
 */
#ifndef MTRACER_LOG_H
#define MTRACER_LOG_H

#define EXIT_OK 0
#define EXIT_FOUND 1 /* what the command looks for was found */
#define EXIT_ERROR 2 /* bad usage or bad input */

/* Both print; error() returns EXIT_ERROR, so that a command can end by `return error(...)`. */
int error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is good to know and nothing to worry about. */
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From here on messages are lines added to a text, for who has the terminal or expects failures; NULL:
 * they go to stderr again. */
struct strbuf;
struct strbuf *log_divert(struct strbuf *to); /* where they went before */

/* error(), then exit(EXIT_ERROR): only for what can't be handled, such as exhausted memory. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
