/* control.h - the last word in the header. */
#ifndef MTRACE_CONTROL_H
#define MTRACE_CONTROL_H

#pragma GCC visibility push(hidden)

void control_exit(void); /* writes the end into the header */

#pragma GCC visibility pop

#endif
