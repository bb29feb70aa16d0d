/* SPDX-License-Identifier: MIT */
/*
 * html_order.c - see html_order.h.
 */
#include "html_order.h"

#include "escape.h"
#include "words.h"

#include <inttypes.h>

/* A place with its callers, one a line. */
static void put_site(FILE *out, const struct frames *frames)
{
	char words[2 * WORDS_BYTES];

	fputs("<td class=\"site\">", out);
	escape_html(out, *words_site(frames, words, sizeof(words)) ? words : "not known");
	fputs("</td>", out);
}

static void put_cell(FILE *out, const char *text)
{
	fputs("<td>", out);
	escape_html(out, text);
	fputs("</td>", out);
}

/* Where the thread of an acquire took the lock that it had then; NULL = not told. */
static const struct finding_stack *find_hold(const struct finding *f,
					     const struct finding_stack *acquire, uint32_t lock)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == ROLE_HOLDS && f->stacks[i].lock == lock &&
		    f->stacks[i].thread == acquire->thread)
			return &f->stacks[i];
	return NULL;
}

static bool is_held(const struct finding_stack *s, uint32_t lock)
{
	for (size_t i = 0; i < s->held_count; i++)
		if (s->held[i] == lock)
			return true;
	return false;
}

static void put_locks(FILE *out, const struct finding *f, const uint32_t *lock, size_t count)
{
	char words[WORDS_BYTES];

	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", out);
		escape_html(out, words_lock(f, lock[i], words, sizeof(words)));
	}
}

enum { HELD_MOST = 16 };

/* What was held at an edge beside its first lock; returns how many. */
static size_t held_beside(const struct finding_stack *s, uint32_t but, uint32_t lock[HELD_MOST])
{
	size_t count = 0;

	for (size_t i = 0; i < s->held_count && count < HELD_MOST; i++)
		if (s->held[i] != but)
			lock[count++] = s->held[i];
	return count;
}

static void put_edge(FILE *out, const struct ring *ring, size_t index, const struct finding *f)
{
	const struct ring_node *from = &ring->node[index],
			       *to = &ring->node[(index + 1) % ring->count];
	const struct finding_stack *second = from->stack, *first = find_hold(f, second, from->id);
	static const struct frames unknown;
	uint32_t beside[HELD_MOST];
	size_t count = held_beside(second, from->id, beside);
	char words[WORDS_BYTES];

	fputs("<tr>", out);
	put_cell(out, words_thread(f, second->thread, words, sizeof(words)));
	put_cell(out, words_lock(f, from->id, words, sizeof(words)));
	put_site(out, first ? &first->frames : &unknown);
	put_cell(out, words_lock(f, to->id, words, sizeof(words)));
	put_site(out, &second->frames);
	fputs("<td>", out);
	put_locks(out, f, beside, count);
	fputs(count ? "</td></tr>\n" : "nothing</td></tr>\n", out);
}

/* Held at every edge, so that only one thread at a time can be in the ring: then it would have been left out, but for how it was held. */
static void put_gates(FILE *out, const struct ring *ring, const struct finding *f)
{
	uint32_t beside[HELD_MOST], gate[HELD_MOST] = { 0 };
	size_t count = held_beside(ring->node[0].stack, ring->node[0].id, beside), gates = 0;

	for (size_t i = 0; i < count; i++) {
		bool everywhere = true;

		for (size_t edge = 1; edge < ring->count; edge++)
			everywhere = everywhere && is_held(ring->node[edge].stack, beside[i]);
		if (everywhere)
			gate[gates++] = beside[i];
	}
	fputs("<p class=\"facts\">Gate locks, held at all of these places: ", out);
	put_locks(out, f, gate, gates);
	fputs(gates ? ". They did not keep the threads apart: see how they were held.</p>\n"
		    : "none. No lock keeps these threads from being here at the same time.</p>\n",
	      out);
}

void html_order(FILE *out, const struct ring *ring, const struct finding *f)
{
	if (!ring->count || ring->node[0].edge != RING_THEN)
		return;
	fputs("<section class=\"edges\"><h3>The order, edge by edge</h3>\n"
	      "<div class=\"pairs\" tabindex=\"0\" role=\"group\" aria-label=\"Edges\"><table><thead><tr>"
	      "<th scope=\"col\">Thread</th><th scope=\"col\">has</th><th scope=\"col\">taken at</th>"
	      "<th scope=\"col\">and takes</th><th scope=\"col\">at</th><th scope=\"col\">also held</th>"
	      "</tr></thead>\n<tbody>\n",
	      out);
	for (size_t i = 0; i < ring->count; i++)
		put_edge(out, ring, i, f);
	fputs("</tbody></table></div>\n", out);
	put_gates(out, ring, f);
	fputs("</section>\n", out);
}

void html_witness(FILE *out, const struct finding *f)
{
	char words[2 * WORDS_BYTES], to[2 * WORDS_BYTES];

	if (!f->step_count)
		return;
	fputs("<section class=\"edges\"><details open><summary>The witness: a run of the same events that ends in it</summary>\n",
	      out);
	if (f->events_before)
		fprintf(out, "<p class=\"facts\">First %s as they were recorded; then:</p>\n",
			words_count(f->events_before, "event", NULL, words, sizeof(words)));
	fputs("<ol class=\"steps\">\n", out);
	for (size_t i = 0; i < f->step_count; i++) {
		const struct finding_step *s = &f->steps[i];

		fputs("<li>", out);
		escape_html(out, s->label ? s->label : "a thread");
		fprintf(out, " does %s",
			words_count(s->events, "event", NULL, words, sizeof(words)));
		words_site(&s->from, words, sizeof(words));
		words_site(&s->to, to, sizeof(to));
		if (*words) {
			fputs(s->events > 1 ? ", from <span class=\"site\">"
					    : ", at <span class=\"site\">",
			      out);
			escape_html(out, words);
			fputs("</span>", out);
		}
		if (*to && s->events > 1) {
			fputs(" to <span class=\"site\">", out);
			escape_html(out, to);
			fputs("</span>", out);
		}
		fputs("</li>\n", out);
	}
	fputs("</ol></details></section>\n", out);
}
