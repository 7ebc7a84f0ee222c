/* SPDX-License-Identifier: MIT */
/*
 * topscreen.c - the only file that knows ncurses.
 *
 * Signals are blocked but while it waits for keys, so nothing of ncurses is ever interrupted by their
 * handlers, which only note them.
 */
#include "analyzer/commands/topscreen.h"

#ifdef HAVE_NCURSES

#include "analyzer/base/array.h"
#include "analyzer/base/width.h"
#include "analyzer/print/canvas.h"
#include "analyzer/print/topview.h"

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
#undef lines /* of a canvas, not of the terminal's description */

#define ESCAPE_MS 40 /* after which an escape is a key and not the start of one */

static SCREEN *screen;
static bool is_open;
static struct termios saved; /* of the terminal, before */

/* ---- signals */

static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH,
	SIGCHLD };
static struct sigaction before[ARRAY_SIZE(taken)];
static sigset_t mask_before, mask_waiting;
static volatile sig_atomic_t ending, stopping, resized;

static void note(int number)
{
	switch (number) {
	case SIGTSTP:
		stopping = 1;
		break;
	case SIGCONT:
	case SIGWINCH:
		resized = 1;
		break;
	case SIGCHLD:
		break;
	default:
		ending = number;
		break;
	}
}

/* One that is ignored stays so, as for a command that nohup started. */
static void take_signals(void)
{
	struct sigaction action = { .sa_handler = note };
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		sigaddset(&block, taken[i]);
	sigprocmask(SIG_BLOCK, &block, &mask_before);
	mask_waiting = mask_before;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		sigaction(taken[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN || taken[i] == SIGINT || taken[i] == SIGQUIT)
			sigaction(taken[i], &action, NULL);
		sigdelset(&mask_waiting, taken[i]);
	}
}

static void give_signals_back(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		sigaction(taken[i], &before[i], NULL);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

int topscreen_signal(void)
{
	return ending;
}

/* ---- the terminal */

bool topscreen_possible(void)
{
	int found;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !getenv("TERM"))
		return false;
	if (setupterm(NULL, STDOUT_FILENO, &found) != OK)
		return false;
	return cursor_address && clear_screen;
}

/* That of the environment; where it isn't installed, its bytes may be UTF-8 nevertheless. */
static void set_locale(void)
{
	if (!setlocale(LC_CTYPE, ""))
		setlocale(LC_CTYPE, "C.UTF-8");
}

bool topscreen_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void set_colours(void)
{
	const char *no_colour = getenv("NO_COLOR");

	if ((no_colour && *no_colour) || !has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(1, COLOR_YELLOW, -1);
	init_pair(2, COLOR_GREEN, -1);
	init_pair(3, COLOR_CYAN, -1);
}

bool topscreen_open(void)
{
	if (tcgetattr(STDIN_FILENO, &saved) != 0)
		return false;
	set_locale();
	take_signals();
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		give_signals_back();
		return false;
	}
	is_open = true;
	atexit(topscreen_close);
	set_term(screen);
	set_colours();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	return true;
}

void topscreen_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	curs_set(1);
	endwin();
	delscreen(screen);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	give_signals_back();
}

void topscreen_size(size_t *width, size_t *height)
{
	*width = COLS > 0 ? (size_t)COLS : 1;
	*height = LINES > 0 ? (size_t)LINES : 1;
}

static void fit_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, TRUE);
}

/* As the shell's job control wants it: the terminal is its own again while this is stopped. */
static void stop(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL }, own;
	sigset_t only;

	stopping = 0;
	curs_set(1);
	endwin();
	sigaction(SIGTSTP, &standard, &own);
	raise(SIGTSTP);
	sigemptyset(&only);
	sigaddset(&only, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &only, NULL); /* here it stands still */
	sigprocmask(SIG_BLOCK, &only, NULL);
	sigaction(SIGTSTP, &own, NULL);
	resized = 1;
}

/* Also after a stop of which nothing was known beforehand. */
static void resume(void)
{
	resized = 0;
	reset_prog_mode();
	fit_size();
	curs_set(0);
}

/* ---- output */

static attr_t attribute(enum canvas_style style)
{
	static const attr_t plain[CANVAS_STYLES] = { 0, A_BOLD, A_DIM, A_REVERSE, A_BOLD, 0 };

	if (style == CANVAS_UP)
		return plain[style] | COLOR_PAIR(1);
	if (style == CANVAS_DOWN)
		return plain[style] | COLOR_PAIR(2);
	if (style == CANVAS_FAINT)
		return COLORS > 7 && has_colors() ? COLOR_PAIR(3) : 0;
	return plain[style];
}

/* What the C library takes for wider or narrower than the canvas did would shift all that follows. */
static void put_character(const char *text, size_t size, size_t width)
{
	wchar_t wide[2] = { 0 };
	mbstate_t state = { 0 };
	size_t got = mbrtowc(wide, text, size, &state);

	if (got == size && wcwidth(wide[0]) == (int)width)
		addnwstr(wide, 1);
	else
		addnstr("??", (int)width);
}

static void put_text(const char *text, size_t size)
{
	const char *end = text + size;

	while (text < end) {
		size_t width, bytes = character_size(text, &width);

		put_character(text, bytes, width);
		text += bytes;
	}
}

static void show_line(const struct canvas_line *line, int y, int width)
{
	const char *text = strbuf_text(&line->text);
	attr_t all = line->reverse ? A_REVERSE : 0;

	move(y, 0);
	for (size_t i = 0; i < line->count; i++) {
		size_t start = line->pieces[i].start;
		size_t end = i + 1 < line->count ? line->pieces[i + 1].start : line->text.size;
		attr_t own = line->reverse && line->pieces[i].style != CANVAS_BOLD
				     ? 0
				     : attribute(line->pieces[i].style);

		attrset(all | own);
		put_text(text + start, end - start);
	}
	attrset(all);
	if (line->width < (size_t)width && line->reverse)
		hline(' ' | all, width - (int)line->width);
	attrset(A_NORMAL);
}

void topscreen_show(const struct canvas *c)
{
	erase();
	for (size_t i = 0; i < c->count && i < (size_t)LINES; i++)
		show_line(&c->lines[i], (int)i, COLS);
	refresh();
}

/* ---- input */

static int key_of(int code)
{
	static const struct {
		int code, key;
	} keys[] = { { KEY_UP, TOP_KEY_UP }, { KEY_DOWN, TOP_KEY_DOWN }, { KEY_LEFT, TOP_KEY_LEFT },
		{ KEY_RIGHT, TOP_KEY_RIGHT }, { KEY_PPAGE, TOP_KEY_PAGE_UP },
		{ KEY_NPAGE, TOP_KEY_PAGE_DOWN }, { KEY_HOME, TOP_KEY_HOME },
		{ KEY_END, TOP_KEY_END }, { KEY_ENTER, TOP_KEY_ENTER }, { '\r', TOP_KEY_ENTER },
		{ '\n', TOP_KEY_ENTER }, { '\033', TOP_KEY_ESCAPE },
		{ KEY_BACKSPACE, TOP_KEY_BACKSPACE }, { '\b', TOP_KEY_BACKSPACE },
		{ 0x7f, TOP_KEY_BACKSPACE } };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return code >= ' ' && code < 0x100 ? code : TOPSCREEN_NOTHING;
}

static int pending(void)
{
	if (ending)
		return TOPSCREEN_SIGNAL;
	if (stopping)
		stop();
	if (!resized)
		return TOPSCREEN_NOTHING;
	resume();
	return TOPSCREEN_REDRAW;
}

int topscreen_wait(int ms)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };
	int code = getch(), event;

	if (code != ERR)
		return code == KEY_RESIZE ? TOPSCREEN_REDRAW : key_of(code);
	if (ppoll(&input, 1, ms < 0 ? NULL : &time, &mask_waiting) > 0) {
		code = getch();
		if (code == ERR && (input.revents & (POLLHUP | POLLERR)))
			ending = SIGHUP; /* the terminal is gone */
	}
	event = pending();
	if (event != TOPSCREEN_NOTHING || code == ERR)
		return event;
	return code == KEY_RESIZE ? TOPSCREEN_REDRAW : key_of(code);
}

#else /* HAVE_NCURSES */

#include "analyzer/base/log.h"

#include <signal.h>
#include <unistd.h>

bool topscreen_possible(void)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		notice("built without ncurses: printing one frame after the other");
	return false;
}

bool topscreen_open(void)
{
	return false;
}

void topscreen_close(void)
{
}

void topscreen_size(size_t *width, size_t *height)
{
	*width = 80;
	*height = 24;
}

bool topscreen_is_utf8(void)
{
	return false;
}

void topscreen_show(const struct canvas *c)
{
	(void)c;
}

int topscreen_wait(int ms)
{
	(void)ms;
	return TOPSCREEN_SIGNAL;
}

int topscreen_signal(void)
{
	return SIGTERM;
}

#endif /* HAVE_NCURSES */
