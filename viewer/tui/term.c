/* SPDX-License-Identifier: MIT */
/*
 * term.c - see term.h.
 */
#define _XOPEN_SOURCE_EXTENDED 1
#include "term.h"

#include "page.h"

#include "../../analyzer/report/escape.h"

#include <langinfo.h>
#include <ncurses.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#define WAIT_MS 250
#define ESCAPE_MS 25
#define GONE_READS 20 /* that came back at once with nothing */

static SCREEN *screen;
static bool has_color;
static volatile sig_atomic_t noted;
static const int signals[] = { SIGTERM, SIGHUP, SIGINT };
static struct sigaction before[sizeof(signals) / sizeof(signals[0])];

static void note(int number)
{
	noted = number;
}

int term_signal(void)
{
	return noted;
}

static void take_signals(void)
{
	struct sigaction action = { .sa_handler = note };

	noted = 0;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, &before[i]);
}

/* ---- life ---- */

static const struct {
	const char *text;
	int key;
} sequences[] = {
	{ "\x1b[A", KEY_UP },	{ "\x1b[B", KEY_DOWN }, { "\x1b[C", KEY_RIGHT },
	{ "\x1b[D", KEY_LEFT }, { "\x1b[H", KEY_HOME }, { "\x1b[F", KEY_END },
};

static void take_terminal(void)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	timeout(WAIT_MS);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	/* Some terminals send these whatever mode they were put in. */
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		define_key(sequences[i].text, sequences[i].key);
}

static void make_colors(void)
{
	static const short pairs[TUI_STYLES] = {
		[TUI_ERROR] = COLOR_RED,  [TUI_WARNING] = COLOR_YELLOW, [TUI_NOTE] = COLOR_CYAN,
		[TUI_GOOD] = COLOR_GREEN, [TUI_HOLD] = COLOR_BLUE,	[TUI_WAIT] = COLOR_RED,
		[TUI_RUN] = COLOR_GREEN,
	};

	start_color();
	use_default_colors();
	for (short i = 0; i < TUI_STYLES; i++)
		if (pairs[i])
			init_pair(i, pairs[i], -1);
}

bool term_start(bool color)
{
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return false;
	set_term(screen);
	take_signals();
	take_terminal();
	has_color = color && has_colors();
	if (has_color)
		make_colors();
	return true;
}

void term_stop(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &before[i], NULL);
}

void term_lend(void (*run)(void *cookie), void *cookie)
{
	def_prog_mode();
	endwin();
	run(cookie);
	reset_prog_mode();
	take_terminal();
	refresh();
}

bool term_is_unicode(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void term_get_size(unsigned *ret_rows, unsigned *ret_columns)
{
	int rows, columns;

	getmaxyx(stdscr, rows, columns);
	*ret_rows = rows > 0 ? (unsigned)rows : 1;
	*ret_columns = columns > 0 ? (unsigned)columns : 1;
}

/* ---- text ---- */

static attr_t attribute_of(unsigned style)
{
	static const attr_t plain[TUI_STYLES] = {
		[TUI_STRONG] = A_BOLD,	[TUI_FAINT] = A_DIM, [TUI_ERROR] = A_BOLD,
		[TUI_WARNING] = A_BOLD, [TUI_WAIT] = A_BOLD,
	};

	return plain[style];
}

static void set_style(unsigned style, bool marked)
{
	attr_set(attribute_of(style) | (marked ? A_REVERSE : 0),
		 has_color && style >= TUI_ERROR ? (short)style : 0, NULL);
}

/* Columns of a character; what has none is shown as one. */
static unsigned width_of(wchar_t *c, bool unicode)
{
	int width = *c < 0x7f || unicode ? wcwidth(*c) : -1;

	if (width > 0)
		return (unsigned)width;
	*c = L'?';
	return 1;
}

bool term_put(unsigned row, unsigned column, const char *text, bool marked)
{
	unsigned rows, columns;
	bool unicode = term_is_unicode();
	uint32_t c;

	term_get_size(&rows, &columns);
	if (row >= rows || move((int)row, (int)column) == ERR)
		return false;
	set_style(TUI_PLAIN, marked);
	for (size_t bytes; (bytes = escape_decode(text, &c)) > 0; text += bytes) {
		wchar_t wide = (wchar_t)c;
		unsigned width;

		if (c >= TUI_STYLE_FIRST && c < TUI_STYLE_FIRST + TUI_STYLES) {
			set_style(c - TUI_STYLE_FIRST, marked);
			continue;
		}
		width = width_of(&wide, unicode);
		if (column + width > columns)
			return true;
		addnwstr(&wide, 1);
		column += width;
	}
	if (marked)
		for (set_style(TUI_PLAIN, true); column < columns; column++)
			addnwstr(L" ", 1);
	set_style(TUI_PLAIN, false);
	return false;
}

void term_clear(void)
{
	erase();
}

void term_show(void)
{
	refresh();
}

/* ---- keys ---- */

static const struct {
	int from;
	enum term_key to;
} keys[] = {
	{ KEY_UP, TERM_UP },	   { KEY_DOWN, TERM_DOWN },	{ KEY_LEFT, TERM_LEFT },
	{ KEY_RIGHT, TERM_RIGHT }, { KEY_PPAGE, TERM_PAGE_UP }, { KEY_NPAGE, TERM_PAGE_DOWN },
	{ KEY_HOME, TERM_HOME },   { KEY_END, TERM_END },	{ KEY_ENTER, TERM_ENTER },
	{ '\r', TERM_ENTER },	   { '\n', TERM_ENTER },	{ KEY_BACKSPACE, TERM_BACK },
	{ 0x7f, TERM_BACK },	   { '\b', TERM_BACK },		{ 0x1b, TERM_ESCAPE },
	{ '\t', TERM_TAB },	   { KEY_BTAB, TERM_BACK_TAB }, { KEY_RESIZE, TERM_RESIZE },
};

/* A terminal that went away answers at once, again and again. */
static bool is_gone(const struct timespec *began)
{
	static unsigned quick;
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - began->tv_sec) * 1000 + (now.tv_nsec - began->tv_nsec) / 1000000;
	quick = ms < WAIT_MS / 10 && !noted ? quick + 1 : 0;
	return quick > GONE_READS;
}

int term_read(void)
{
	struct timespec began;
	int key;

	clock_gettime(CLOCK_MONOTONIC, &began);
	key = getch();
	if (key == ERR)
		return is_gone(&began) ? (int)TERM_GONE : (int)TERM_NONE;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].from == key)
			return keys[i].to;
	return key < 256 ? key : (int)TERM_NONE;
}
