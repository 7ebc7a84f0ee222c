/* SPDX-License-Identifier: MIT */
/* message.h - messages to people. */
#ifndef MTRACE_MESSAGE_H
#define MTRACE_MESSAGE_H

#pragma GCC visibility push(hidden)

void message(const char *first, ...)
	__attribute__((sentinel)); /* "libmtrace: ...\n" on stderr; ends with NULL */
void message_start(void);	   /* from here on only while stderr stays what it is now */

#pragma GCC visibility pop

#endif
