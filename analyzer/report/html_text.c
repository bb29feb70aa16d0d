/* SPDX-License-Identifier: MIT */
/*
 * html_text.c - see html_text.h.
 */
#include "html_text.h"

#include "../frame_class.h"
#include "escape.h"
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Past `characters` code points of valid UTF-8, or at its end. */
static char *skip_characters(char *text, size_t characters)
{
	while (*text && characters--)
		for (text++; is_continuation(*text); text++)
			;
	return text;
}

static size_t count_characters(const char *text)
{
	size_t characters = 0;

	for (; *text; text++)
		characters += !is_continuation(*text);
	return characters;
}

void html_short(FILE *out, const char *text, size_t characters)
{
	char *valid = escape_utf8(text);
	size_t total = valid ? count_characters(valid) : 0;

	if (total > characters) {
		char *tail = skip_characters(valid, total - characters / 2);

		*skip_characters(valid, (characters - 1) / 2) = '\0';
		escape_html(out, valid);
		fputs("\xe2\x80\xa6", out);
		escape_html(out, tail);
	} else {
		escape_html(out, valid);
	}
	free(valid);
}

const struct frame *html_program_frame(const struct frames *frames)
{
	for (size_t i = 0; i < frames->count; i++)
		if (frame_classify(&frames->frame[i]) == FRAME_PROGRAM && frames->frame[i].function)
			return &frames->frame[i];
	return NULL;
}

void html_thread_lines(const struct finding *f, uint32_t id, char *kind, char *name, size_t bytes)
{
	const struct finding_thread *thread = finding_find_thread(f, id);

	*kind = '\0';
	if (thread && thread->name && !finding_spans_processes(f)) {
		snprintf(kind, bytes, "thread %" PRIu32, id);
		snprintf(name, bytes, "%s", thread->name);
	} else {
		words_thread(f, id, name, bytes);
	}
}

void html_lock_lines(const struct finding *f, uint32_t id, char *kind, char *name, size_t bytes)
{
	const struct finding_lock *lock = finding_find_lock(f, id);

	*kind = '\0';
	if (lock && lock->name) {
		snprintf(kind, bytes, "%s", finding_lock_word(lock));
		snprintf(name, bytes, "%s", lock->name);
	} else {
		words_lock(f, id, name, bytes);
	}
}

void html_box(FILE *out, const struct html_box *b)
{
	fprintf(out, "<g class=\"node %s\"><title>", b->is_thread ? "thread" : "lock");
	escape_html(out, b->full);
	fprintf(out, "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>",
		b->x - b->width / 2, b->y - b->height / 2, b->width, b->height,
		b->is_thread ? b->height / 2 : 3);
	if (*b->kind) {
		fprintf(out, "<text class=\"kind\" x=\"%d\" y=\"%d\">", b->x, b->y - 7);
		escape_html(out, b->kind);
		fputs("</text>", out);
	}
	fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%d\">", b->x,
		*b->kind ? b->y + 13 : b->y + 5);
	html_short(out, b->name, b->characters);
	fputs("</text></g>\n", out);
}
