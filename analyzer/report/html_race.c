/* SPDX-License-Identifier: MIT */
/*
 * html_race.c - geometry and markup of data races.
 *
 * An arrow towards the memory is a write, away from it a read; its words say so too.
 */
#include "html_race.h"

#include "escape.h"
#include "html_text.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

enum {
	BOX_WIDTH = 196,
	BOX_HEIGHT = 50,
	LINE = 18,
	LINES = 3, /* below a thread */
	NAME_CHARACTERS = 23,
	LINE_CHARACTERS = 34,
	EDGE_CHARACTERS = 26,
	GAP = 7, /* between an arrow and a box */
	WIDE = 960,
	WIDE_HEIGHT = 142,
	NARROW = 340,
	NARROW_HEIGHT = 452,
	SIDES = 2,
};

struct place {
	int x, y;
};

/* Centres of boxes. */
struct scene {
	const char *class;
	int width, height;
	struct place side[SIDES], memory;
	bool is_tall;
};

static const struct scene wide = {
	.class = "ring",
	.width = WIDE,
	.height = WIDE_HEIGHT,
	.side = { { 110, 40 }, { WIDE - 110, 40 } },
	.memory = { WIDE / 2, 40 },
};
static const struct scene tall = {
	.class = "ladder",
	.width = NARROW,
	.height = NARROW_HEIGHT,
	.side = { { NARROW / 2, 40 }, { NARROW / 2, NARROW_HEIGHT - 100 } },
	.memory = { NARROW / 2, 206 },
	.is_tall = true,
};

/* The first access; the first one that another thread made. */
static const struct finding_stack *side_of(const struct finding *f, size_t side)
{
	const struct finding_stack *first = NULL;

	for (size_t i = 0; i < f->stack_count; i++) {
		const struct finding_stack *s = &f->stacks[i];

		if (s->role != ROLE_ACCESSES || !s->thread || !s->lock)
			continue;
		first = first ? first : s;
		if (!side || (s->thread != first->thread && s->lock == first->lock))
			return s;
	}
	return NULL;
}

bool html_race_is(const struct finding *f)
{
	return f->rule == RULE_DATA_RACE && side_of(f, 1);
}

/* ---- words ---- */

static void put_text(FILE *out, const char *class, struct place at, const char *text,
		     size_t characters)
{
	if (!*text)
		return;
	fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, at.x, at.y);
	html_short(out, text, characters);
	fputs("</text>\n", out);
}

/* "writes 8 bytes"; as the checker says it where it is not known more closely. */
static const char *deed(const struct finding_stack *s, char *buffer, size_t bytes)
{
	const struct finding_access *a = &s->access;
	char amount[64] = "";

	if (!a->reads && !a->writes)
		return s->note ? s->note : "touches it";
	if (a->bytes)
		words_count(a->bytes, "byte", NULL, amount, sizeof(amount));
	snprintf(buffer, bytes, "%s%s%s%s",
		 a->reads && a->writes ? "changes"
		 : a->writes	       ? "writes"
				       : "reads",
		 *amount ? " " : "", amount, a->is_atomic ? ", atomically" : "");
	return buffer;
}

static const char *held(const struct finding *f, const struct finding_stack *s, char *buffer,
			size_t bytes)
{
	char words[WORDS_BYTES];

	if (!s->held_count)
		return "holds no lock";
	snprintf(buffer, bytes, "holds %s", words_held(f, s, words, sizeof(words)));
	return buffer;
}

static void put_lines(FILE *out, const struct finding *f, const struct finding_stack *s,
		      struct place at)
{
	const struct frame *frame = html_program_frame(&s->frames);
	char words[WORDS_BYTES + 16];

	at.y += BOX_HEIGHT / 2 + LINE;
	if (frame) {
		put_text(out, "detail", at, words_function(frame, words, sizeof(words)),
			 LINE_CHARACTERS);
		at.y += LINE;
		words_place(frame, words, sizeof(words));
		put_text(out, "detail faint", at,
			 strrchr(words, '/') ? strrchr(words, '/') + 1 : words, LINE_CHARACTERS);
		at.y += LINE;
	}
	put_text(out, "detail", at, held(f, s, words, sizeof(words)), LINE_CHARACTERS);
}

static void put_values(FILE *out, const struct finding_lock *memory, struct place at)
{
	char words[64];

	if (!memory || !memory->value.bytes)
		return;
	at.y += BOX_HEIGHT / 2 + LINE;
	snprintf(words, sizeof(words), "before 0x%" PRIx64, memory->value.before);
	put_text(out, "detail", at, words, LINE_CHARACTERS);
	at.y += LINE;
	snprintf(words, sizeof(words), "after 0x%" PRIx64, memory->value.after);
	put_text(out, "detail", at, words, LINE_CHARACTERS);
}

/* ---- the drawing ---- */

/* From the thread to the memory for a write, the other way for a read. */
static void put_edge(FILE *out, const struct scene *scene, const struct finding_stack *s,
		     size_t side)
{
	struct place from = scene->side[side], to = scene->memory, words;
	bool is_read = s->access.reads && !s->access.writes;
	char text[WORDS_BYTES];

	if (scene->is_tall) {
		from.y += side ? -BOX_HEIGHT / 2 : BOX_HEIGHT / 2 + LINES * LINE + 8;
		to.y += side ? BOX_HEIGHT / 2 + 2 * LINE + 8 : -BOX_HEIGHT / 2;
		words = (struct place){ from.x + 14, (from.y + to.y) / 2 + 4 };
	} else {
		from.x += side ? -BOX_WIDTH / 2 : BOX_WIDTH / 2;
		to.x += side ? BOX_WIDTH / 2 : -BOX_WIDTH / 2;
		words = (struct place){ (from.x + to.x) / 2, from.y - 12 };
	}
	if (is_read) {
		struct place swap = from;

		from = to;
		to = swap;
	}
	to.x += from.x < to.x ? -GAP : from.x > to.x ? GAP : 0;
	to.y += from.y < to.y ? -GAP : from.y > to.y ? GAP : 0;
	fprintf(out,
		"<path class=\"edge access\" marker-end=\"url(#arrow-access)\" d=\"M%d %dL%d %d\"/>\n%s",
		from.x, from.y, to.x, to.y, scene->is_tall ? "<g class=\"beside\">" : "");
	put_text(out, "edge-label", words, deed(s, text, sizeof(text)),
		 scene->is_tall ? LINE_CHARACTERS : EDGE_CHARACTERS);
	fputs(scene->is_tall ? "</g>" : "", out);
}

static void put_scene(FILE *out, const struct scene *scene, const struct finding *f)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES], full[WORDS_BYTES];
	uint32_t memory = side_of(f, 0)->lock;
	struct html_box box = { .width = BOX_WIDTH,
				.height = BOX_HEIGHT,
				.kind = kind,
				.name = name,
				.full = full,
				.characters = NAME_CHARACTERS };

	fprintf(out,
		"<svg class=\"%s\" aria-hidden=\"true\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n",
		scene->class, scene->width, scene->height, scene->width, scene->height);
	for (size_t i = 0; i < SIDES; i++)
		put_edge(out, scene, side_of(f, i), i);
	for (size_t i = 0; i < SIDES; i++) {
		const struct finding_stack *s = side_of(f, i);

		html_thread_lines(f, s->thread, kind, name, sizeof(kind));
		words_thread(f, s->thread, full, sizeof(full));
		box.x = scene->side[i].x;
		box.y = scene->side[i].y;
		box.is_thread = true;
		html_box(out, &box);
		put_lines(out, f, s, scene->side[i]);
	}
	html_lock_lines(f, memory, kind, name, sizeof(kind));
	words_lock(f, memory, full, sizeof(full));
	box.x = scene->memory.x;
	box.y = scene->memory.y;
	box.is_thread = false;
	html_box(out, &box);
	put_values(out, finding_find_lock(f, memory), scene->memory);
	fputs("</svg>\n", out);
}

/* The picture in words, for those who cannot see it. */
static void put_alternative(FILE *out, const struct finding *f)
{
	char words[WORDS_BYTES + 16];

	for (size_t i = 0; i < SIDES; i++) {
		const struct finding_stack *s = side_of(f, i);

		fputs(i ? "; " : "", out);
		escape_html(out, words_thread(f, s->thread, words, sizeof(words)));
		fputs(" ", out);
		escape_html(out, deed(s, words, sizeof(words)));
		fputs(", ", out);
		escape_html(out, held(f, s, words, sizeof(words)));
	}
	fputs(": ", out);
	escape_html(out, words_lock(f, side_of(f, 0)->lock, words, sizeof(words)));
}

void html_race(FILE *out, const struct finding *f)
{
	if (!html_race_is(f))
		return;
	fputs("<figure class=\"both wide\" role=\"img\" aria-label=\"", out);
	put_alternative(out, f);
	fputs("\">\n", out);
	put_scene(out, &wide, f);
	put_scene(out, &tall, f);
	fputs("</figure>\n", out);
}

/* ---- the same side by side ---- */

static void put_row(FILE *out, const struct finding *f, const char *what,
		    const char *(*tell)(const struct finding *f, const struct finding_stack *s,
					char *buffer, size_t bytes))
{
	char words[2 * WORDS_BYTES];

	fprintf(out, "<tr><th scope=\"row\">%s</th>", what);
	for (size_t i = 0; i < SIDES; i++) {
		fputs("<td>", out);
		escape_html(out, tell(f, side_of(f, i), words, sizeof(words)));
		fputs("</td>", out);
	}
	fputs("</tr>\n", out);
}

static const char *tell_deed(const struct finding *f, const struct finding_stack *s, char *buffer,
			     size_t bytes)
{
	(void)f;
	return deed(s, buffer, bytes);
}

static const char *tell_place(const struct finding *f, const struct finding_stack *s, char *buffer,
			      size_t bytes)
{
	(void)f;
	return *words_site(&s->frames, buffer, bytes) ? buffer : "not known";
}

static const char *tell_locks(const struct finding *f, const struct finding_stack *s, char *buffer,
			      size_t bytes)
{
	return s->held_count ? words_held(f, s, buffer, bytes) : "none";
}

/* Locks that both sides held; they did not order the two, or this would be no race. */
static void put_common(FILE *out, const struct finding *f)
{
	const struct finding_stack *a = side_of(f, 0), *b = side_of(f, 1);
	char words[WORDS_BYTES];
	bool any = false;

	fputs("<tr><th scope=\"row\">Locks in common</th><td colspan=\"2\">", out);
	for (size_t i = 0; i < a->held_count; i++)
		for (size_t k = 0; k < b->held_count; k++)
			if (a->held[i] == b->held[k]) {
				fputs(any ? ", " : "", out);
				escape_html(out, words_lock(f, a->held[i], words, sizeof(words)));
				any = true;
			}
	fputs(any ? "</td></tr>\n" : "<strong>none</strong></td></tr>\n", out);
}

void html_race_table(FILE *out, const struct finding *f)
{
	char words[WORDS_BYTES];

	if (!html_race_is(f))
		return;
	fputs("<div class=\"pairs\" tabindex=\"0\" role=\"group\" aria-label=\"Both accesses\"><table><thead><tr><td></td>",
	      out);
	for (size_t i = 0; i < SIDES; i++) {
		fputs("<th scope=\"col\">", out);
		escape_html(out, words_thread(f, side_of(f, i)->thread, words, sizeof(words)));
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n<tbody>\n", out);
	put_row(out, f, "Does", tell_deed);
	put_row(out, f, "At", tell_place);
	put_row(out, f, "Locks held", tell_locks);
	put_common(out, f);
	fputs("</tbody></table></div>\n", out);
}
