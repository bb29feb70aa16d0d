/* SPDX-License-Identifier: MIT */
/*
 * screen.c - pages one behind the other, keys, search.
 */
#define _GNU_SOURCE
#include "screen.h"

#include "term.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_PAGES = 32, SEARCH_BYTES = 80, HEAD_ROWS = 2, FOOT_ROWS = 1, MOST_REST_ROWS = 4 };

struct tui {
	struct tui_data *data;
	struct tui_page *page[MOST_PAGES]; /* owned; the last is shown */
	size_t depth;
	size_t screen; /* of tui_screens */
	char search[SEARCH_BYTES];
	bool is_searching;   /* the search is being typed */
	bool is_going;	     /* g was typed */
	const char *message; /* said once */
};

static struct tui_page *top(const struct tui *t)
{
	return t->page[t->depth - 1];
}

/* ---- pages ---- */

static void push(struct tui *t, struct tui_page *page)
{
	if (!page)
		return;
	if (t->depth == MOST_PAGES) {
		tui_page_free(t->page[0]);
		memmove(t->page, t->page + 1, (MOST_PAGES - 1) * sizeof(t->page[0]));
		t->depth--;
	}
	t->page[t->depth++] = page;
}

static void pop(struct tui *t)
{
	if (t->depth > 1)
		tui_page_free(t->page[--t->depth]);
}

static void go_to(struct tui *t, size_t screen)
{
	const struct tui_screen *to = &tui_screens[screen];
	struct tui_page *page;

	if (to->needs_trace && !t->data->tables) {
		t->message = "a report has no such screen: give the trace";
		return;
	}
	page = to->make(t->data);
	if (!page)
		return;
	while (t->depth)
		tui_page_free(t->page[--t->depth]);
	push(t, page);
	t->screen = screen;
}

/* ---- drawing ---- */

static char *text_of(const struct tui_page *page, size_t row, unsigned width, bool is_head)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	if (!is_head)
		page->ops->row(page, row, width, out);
	else if (page->ops->head)
		page->ops->head(page, width, out);
	fclose(out);
	return text;
}

static size_t rows_shown(void)
{
	unsigned rows, columns;

	term_get_size(&rows, &columns);
	return rows > HEAD_ROWS + FOOT_ROWS ? rows - HEAD_ROWS - FOOT_ROWS : 1;
}

/* The cursor on a row that is there, and that row on the screen. */
static void settle(struct tui_page *page)
{
	size_t shown = rows_shown();

	if (page->cursor >= page->rows)
		page->cursor = page->rows ? page->rows - 1 : 0;
	if (page->cursor < page->top)
		page->top = page->cursor;
	if (page->cursor >= page->top + shown)
		page->top = page->cursor - shown + 1;
	if (page->top + shown > page->rows)
		page->top = page->rows > shown ? page->rows - shown : 0;
}

static void draw_bar(const struct tui *t)
{
	char bar[512];
	size_t used = 0;

	used += (size_t)snprintf(bar, sizeof(bar), "thrum");
	for (size_t i = 0; i < tui_screen_count; i++)
		used += (size_t)snprintf(bar + used, sizeof(bar) - used,
					 i == t->screen ? " [%zu %s]" : " %zu %s", i + 1,
					 tui_screens[i].name);
	term_put(0, 0, bar, true);
}

static void draw_foot(const struct tui *t, const struct tui_page *page, unsigned rows)
{
	char foot[512];

	if (t->is_searching)
		snprintf(foot, sizeof(foot), "/%s", t->search);
	else if (t->message)
		snprintf(foot, sizeof(foot), "%s", t->message);
	else if (t->is_going)
		snprintf(foot, sizeof(foot), "g: the letter of a screen");
	else
		snprintf(foot, sizeof(foot),
			 "%s  %zu/%zu  ? help  Enter open  Esc back  / search  q quit", page->title,
			 page->rows ? page->cursor + 1 : 0, page->rows);
	term_put(rows - 1, 0, foot, true);
}

/* A row that was cut, whole, in lines above the last. */
static void draw_rest(const char *text, unsigned rows, unsigned columns)
{
	char *line[MOST_REST_ROWS];
	unsigned count = 0;
	char *copy = strdup(text), *at = copy;

	/* Of bytes: a character of several may be cut, which the decoder shows as one that is wrong. */
	while (at && *at && count < MOST_REST_ROWS) {
		size_t bytes = strlen(at) < columns ? strlen(at) : columns;

		while (bytes > 1 && ((unsigned char)at[bytes] & 0xc0) == 0x80)
			bytes--;
		line[count] = strndup(at, bytes);
		if (!line[count])
			break;
		count++;
		at += bytes;
	}
	free(copy);
	for (unsigned i = 0; i < count; i++) {
		if (rows > FOOT_ROWS + count + HEAD_ROWS)
			term_put(rows - FOOT_ROWS - count + i, 0, line[i], true);
		free(line[i]);
	}
}

static void draw(struct tui *t)
{
	struct tui_page *page = top(t);
	unsigned rows, columns;
	char *text, *cut = NULL;

	term_get_size(&rows, &columns);
	if (page->ops->fit)
		page->ops->fit(page, columns);
	settle(page);
	term_clear();
	text = text_of(page, 0, columns, true);
	if (text)
		term_put(1, 0, text, false);
	free(text);
	for (size_t i = 0; i < rows_shown() && page->top + i < page->rows; i++) {
		bool marked = page->top + i == page->cursor;

		text = text_of(page, page->top + i, columns, false);
		if (text && term_put((unsigned)(HEAD_ROWS + i), 0, text, marked) && marked) {
			cut = text;
			text = NULL;
		}
		free(text);
	}
	/* Last, so that on a tiny terminal it is these that are seen. */
	if (cut)
		draw_rest(cut, rows, columns);
	free(cut);
	draw_bar(t);
	draw_foot(t, page, rows);
	term_show();
}

/* ---- search ---- */

static bool matches(const struct tui_page *page, size_t row, const char *search)
{
	char *text = text_of(page, row, 1000, false);
	bool found = text && strcasestr(text, search);

	free(text);
	return found;
}

static void find(struct tui *t, bool forward, bool stay)
{
	struct tui_page *page = top(t);

	if (!*t->search || !page->rows)
		return;
	for (size_t i = stay ? 0 : 1; i <= page->rows; i++) {
		size_t row = forward ? (page->cursor + i) % page->rows
				     : (page->cursor + page->rows - i % page->rows) % page->rows;

		if (matches(page, row, t->search)) {
			page->cursor = row;
			return;
		}
	}
	t->message = "nothing like it here";
}

static void type_search(struct tui *t, int key)
{
	size_t used = strlen(t->search);

	switch (key) {
	case TERM_ENTER:
		t->is_searching = false;
		find(t, true, true);
		break;
	case TERM_ESCAPE:
		t->is_searching = false;
		t->search[0] = '\0';
		break;
	case TERM_BACK:
		/* All bytes of the last character. */
		while (used && ((unsigned char)t->search[--used] & 0xc0) == 0x80)
			;
		t->search[used] = '\0';
		break;
	default:
		if (key >= 0x20 && key < 256 && used + 1 < sizeof(t->search)) {
			t->search[used] = (char)key;
			t->search[used + 1] = '\0';
		}
		break;
	}
}

/* ---- the editor ---- */

struct place {
	const char *file;
	int line;
};

static void run_editor(void *cookie)
{
	static const char script[] = "exec ${VISUAL:-${EDITOR:-vi}} \"$@\"";
	const struct place *place = cookie;
	char line[32];
	int status;
	pid_t pid;

	snprintf(line, sizeof(line), "+%d", place->line);
	pid = fork();
	if (!pid) {
		execlp("sh", "sh", "-c", script, "sh", line, "--", place->file, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && !term_signal())
		;
}

static void edit(struct tui *t)
{
	struct tui_page *page = top(t);
	struct place place;

	if (!page->rows || !page->ops->place ||
	    !page->ops->place(page, page->cursor, &place.file, &place.line) || !place.file)
		t->message = "no line of source here";
	else if (access(place.file, R_OK))
		t->message = "the source is not on this machine";
	else
		term_lend(run_editor, &place);
}

/* ---- keys ---- */

static void move_by(struct tui_page *page, long by)
{
	long to = (long)page->cursor + by;

	if (to >= (long)page->rows)
		to = (long)page->rows - 1;
	page->cursor = to < 0 ? 0 : (size_t)to;
}

/* Keys that move; false = it is none. */
static bool on_move(struct tui *t, int key)
{
	struct tui_page *page = top(t);
	long shown = (long)rows_shown();

	switch (key) {
	case 'j':
	case TERM_DOWN:
		move_by(page, 1);
		return true;
	/* k is no letter of a screen unless after g */
	case 'k':
	case TERM_UP:
		move_by(page, -1);
		return true;
	case TERM_PAGE_DOWN:
	case ' ':
		move_by(page, shown);
		return true;
	case TERM_PAGE_UP:
		move_by(page, -shown);
		return true;
	case TERM_HOME:
		page->cursor = 0;
		return true;
	case TERM_END:
	case 'G':
		page->cursor = page->rows ? page->rows - 1 : 0;
		return true;
	case 'z':
		page->top = page->cursor > (size_t)shown / 2 ? page->cursor - (size_t)shown / 2 : 0;
		return true;
	default:
		return false;
	}
}

static void after_g(struct tui *t, int key)
{
	t->is_going = false;
	for (size_t i = 0; i < tui_screen_count; i++)
		if (tui_screens[i].key == key)
			go_to(t, i);
}

static bool on_page(struct tui *t, int key)
{
	struct tui_page *page = top(t);
	unsigned rows, columns;

	term_get_size(&rows, &columns);
	if (key == TERM_LEFT)
		key = TUI_KEY_LEFT;
	if (key == TERM_RIGHT)
		key = TUI_KEY_RIGHT;
	return page->ops->key && page->ops->key(page, key, page->cursor, columns);
}

static void open_row(struct tui *t)
{
	struct tui_page *page = top(t);

	if (page->ops->open && page->cursor < page->rows)
		push(t, page->ops->open(page, page->cursor));
}

static void on_command(struct tui *t, int key)
{
	switch (key) {
	case TERM_ENTER:
		open_row(t);
		break;
	case TERM_ESCAPE:
	case TERM_BACK:
	case TERM_LEFT:
		pop(t);
		break;
	case TERM_TAB:
		go_to(t, (t->screen + 1) % tui_screen_count);
		break;
	case TERM_BACK_TAB:
		go_to(t, (t->screen + tui_screen_count - 1) % tui_screen_count);
		break;
	case 'g':
		t->is_going = true;
		break;
	case '/':
		t->is_searching = true;
		t->search[0] = '\0';
		break;
	case 'n':
	case 'N':
		find(t, key == 'n', false);
		break;
	case 'O':
		edit(t);
		break;
	case '?':
	case 'h':
		push(t, tui_help_page(t->data));
		break;
	default:
		if (key >= '1' && key <= '9' && (size_t)(key - '1') < tui_screen_count)
			go_to(t, (size_t)(key - '1'));
		break;
	}
}

/* False = the user has seen enough. */
static bool on_key(struct tui *t, int key)
{
	t->message = NULL;
	if (t->is_searching) {
		type_search(t, key);
		return true;
	}
	if (t->is_going) {
		after_g(t, key);
		return true;
	}
	if (key == 'q')
		return false;
	if (!on_page(t, key) && !on_move(t, key))
		on_command(t, key);
	return true;
}

int tui_run(struct tui_data *data, bool color)
{
	struct tui t = { .data = data };
	int key = TERM_RESIZE;
	bool goes_on = true;

	data->ascii = !term_is_unicode();
	if (!term_start(color))
		return -1;
	go_to(&t, 0);
	while (goes_on && t.depth && !term_signal()) {
		if (key != TERM_NONE)
			draw(&t);
		key = term_read();
		if (key != TERM_NONE && key != TERM_RESIZE)
			goes_on = key != TERM_GONE && on_key(&t, key);
	}
	while (t.depth)
		tui_page_free(t.page[--t.depth]);
	term_stop();
	return term_signal();
}
