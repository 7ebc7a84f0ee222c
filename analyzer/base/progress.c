/* SPDX-License-Identifier: MIT */
/*
 * progress.c - the progress line.
 *
 * A signal's handler writes it, because what takes long are calls into libdw that don't return for
 * seconds. The text is made outside of the handler, in one of two buffers, of which the handler
 * sees the other.
 */
#include "analyzer/base/progress.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define DELAY_US 500000
#define PERIOD_US 100000
#define TEXT_MOST 70 /* columns: no terminal wraps it */

static char texts[2][4 * TEXT_MOST + 16];
static volatile sig_atomic_t current; /* of texts */
static volatile sig_atomic_t shown;
static enum { UNASKED, RUNNING, OFF } state;

static void show(int number)
{
	const char *text = texts[current];
	int saved = errno;

	shown = 1;
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		shown = 0;
	errno = saved;
}

static void run_timer(bool run)
{
	struct itimerval timer = { { 0, run ? PERIOD_US : 0 }, { 0, run ? DELAY_US : 0 } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void start(void)
{
	struct sigaction action = { .sa_handler = show, .sa_flags = SA_RESTART };

	state = isatty(STDERR_FILENO) ? RUNNING : OFF;
	if (state == RUNNING && sigaction(SIGALRM, &action, NULL) == 0)
		run_timer(true);
}

void progress_say(const char *format, ...)
{
	char raw[2 * TEXT_MOST];
	struct strbuf clean = { 0 }, cut = { 0 };
	int next = !current;
	va_list args;

	if (state == OFF)
		return;
	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	strbuf_add_clean(&clean, raw);
	strbuf_add_cut(&cut, strbuf_text(&clean), TEXT_MOST);
	snprintf(texts[next], sizeof(texts[next]), "\r%s\033[K", strbuf_text(&cut));
	strbuf_release(&cut);
	strbuf_release(&clean);
	current = next;
	if (state == UNASKED)
		start();
}

void progress_clear(void)
{
	static const char clear[] = "\r\033[K";

	if (shown && write(STDERR_FILENO, clear, sizeof(clear) - 1) > 0)
		shown = 0;
}

void progress_end(void)
{
	if (state == RUNNING)
		run_timer(false);
	state = OFF;
	progress_clear();
}
