/* SPDX-License-Identifier: MIT */
/*
 * page_data.c - see page_data.h.
 */
#include "page_data.h"

#include "../analyzer/frame_class.h"
#include "../analyzer/report/escape.h"
#include "../analyzer/report/words.h"
#include "lane_rows.h"
#include "page_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STACKS_MOST 20000u /* of a page; what is beyond has no frames in the page */
#define FRAMES_MOST 24u
#define OBJECTS_MOST 20000u /* of a page that have a name */

/* ---- JSON ---- */

/* `<` too: a string of the program must not end the script element, whatever is done with the JSON later. */
static void put_text(FILE *out, const char *text)
{
	char *valid = escape_utf8(text ? text : "");

	fputc('"', out);
	for (const unsigned char *c = (const unsigned char *)valid; c && *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 32 || *c == 127 || *c == '<')
			fprintf(out, "\\u%04x", *c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
	free(valid);
}

/* ---- what is used ---- */

struct used {
	uint8_t *stack, *object, *task; /* a bit each; owned */
};

struct frame_slot {
	const char *function, *file, *module;
	int line;
	uint32_t number; /* + 1 */
};

struct writer {
	const struct page *page;
	const struct report *report;
	FILE *out;
	struct used *used;	 /* by process; owned */
	struct frame_slot *slot; /* open addressing; owned */
	size_t slots;
	uint32_t frames;
	FILE *frame_out;
	uint32_t stacks;
	uint8_t *contended; /* by lane; owned */
};

static void mark(uint8_t *bits, uint64_t id, size_t count)
{
	if (bits && id && id < count)
		bits[id / 8] |= (uint8_t)(1u << id % 8);
}

static bool is_marked(const uint8_t *bits, size_t id)
{
	return bits[id / 8] >> id % 8 & 1;
}

static bool used_new(struct writer *w)
{
	const struct lanes *l = w->page->lanes;

	w->used = calloc(l->process_count + 1, sizeof(*w->used));
	for (size_t i = 0; w->used && i < l->process_count; i++) {
		const struct trace_process *p = l->process[i].process;

		w->used[i].stack = calloc(p->stack_count / 8 + 1, 1);
		w->used[i].object = calloc(p->object_count / 8 + 1, 1);
		w->used[i].task = calloc(p->task_count / 8 + 1, 1);
		if (!w->used[i].stack || !w->used[i].object || !w->used[i].task)
			return false;
	}
	w->contended = calloc(l->thread_count + 1, 1);
	return w->used && w->contended;
}

static void used_free(struct writer *w)
{
	for (size_t i = 0; w->used && i < w->page->lanes->process_count; i++) {
		free(w->used[i].stack);
		free(w->used[i].object);
		free(w->used[i].task);
	}
	free(w->used);
	free(w->contended);
}

static void mark_spans(struct writer *w)
{
	const struct lanes *l = w->page->lanes;

	for (size_t i = 0; i < l->row_count; i++) {
		size_t process = l->thread[l->row[i].lane].process;
		const struct trace_process *p = l->process[process].process;
		struct used *used = &w->used[process];
		struct lane_cursor cursor;
		struct lane_span span;

		lane_cursor_begin(&cursor, &l->row[i], 0);
		while (lane_cursor_next(&cursor, &span)) {
			if (span.state == LANE_WAITS_LOCK || span.state == LANE_HOLDS_WANTED)
				w->contended[l->row[i].lane] = 1;
			mark(used->stack, span.stack, p->stack_count);
			mark(used->object, span.object, p->object_count);
			if (span.state == LANE_RUNS_TASK || span.state == LANE_RUNS_CALLBACK)
				mark(used->task, span.what, p->task_count);
		}
	}
}

static void mark_findings(struct writer *w)
{
	for (size_t i = 0; i < w->report->listed_count; i++) {
		const struct finding *f = w->report->findings[i];

		for (size_t s = 0; s < f->stack_count; s++) {
			const struct finding_stack *stack = &f->stacks[s];

			if (stack->process >= w->page->lanes->process_count)
				continue;
			mark(w->used[stack->process].stack, stack->stack,
			     w->page->lanes->process[stack->process].process->stack_count);
		}
	}
}

/* ---- frames ---- */

static struct frame_slot *find_slot(struct writer *w, const struct frame *f)
{
	uint64_t key = (uintptr_t)f->function * 0x9e3779b97f4a7c15ull ^
		       (uintptr_t)f->file * 0xc2b2ae3d27d4eb4full ^
		       (uintptr_t)f->module * 0x165667b19e3779f9ull ^
		       (uint64_t)f->line * 0x85ebca6b;
	size_t at = (size_t)((key * 0x9e3779b97f4a7c15ull) >> 20) & (w->slots - 1);

	for (;; at = (at + 1) & (w->slots - 1)) {
		struct frame_slot *s = &w->slot[at];

		if (!s->number || (s->function == f->function && s->file == f->file &&
				   s->module == f->module && s->line == f->line))
			return s;
	}
}

/* Frames without a name are told apart by their words, which say module and offset. */
static uint32_t put_frame(struct writer *w, const struct frame *f)
{
	struct frame_slot *slot = f->function ? find_slot(w, f) : NULL;
	char words[WORDS_BYTES];

	if (slot && slot->number)
		return slot->number - 1;
	fputs(w->frames ? ",[" : "[", w->frame_out);
	put_text(w->frame_out, words_function(f, words, sizeof(words)));
	fputc(',', w->frame_out);
	put_text(w->frame_out, f->file);
	fprintf(w->frame_out, ",%d,", f->line);
	put_text(w->frame_out, f->module ? frame_module_name(f) : NULL);
	fprintf(w->frame_out, ",%d]", (int)frame_classify(f));
	if (slot && 2 * w->frames < w->slots)
		*slot = (struct frame_slot){ f->function, f->file, f->module, f->line,
					     w->frames + 1 };
	return w->frames++;
}

static void put_stacks(struct writer *w, size_t process)
{
	const struct trace_process *p = w->page->lanes->process[process].process;
	const struct page_source *source = &w->page->source;
	bool any = false;

	fputs(process ? ",{" : "{", w->out);
	for (size_t id = 1; id < p->stack_count; id++) {
		struct frames frames;
		size_t count;

		if (!is_marked(w->used[process].stack, id) || w->stacks >= STACKS_MOST ||
		    !source->frames ||
		    !source->frames(source->context, process, (uint32_t)id, &frames))
			continue;
		w->stacks++;
		fprintf(w->out, "%s\"%zu\":[", any ? "," : "", id);
		any = true;
		count = frames_without_runtime(&frames);
		for (size_t i = 0; i < count && i < FRAMES_MOST; i++)
			fprintf(w->out, "%s%" PRIu32, i ? "," : "", put_frame(w, &frames.frame[i]));
		fputc(']', w->out);
	}
	fputc('}', w->out);
}

static void put_all_stacks(struct writer *w)
{
	char *frames = NULL;
	size_t bytes;

	w->slots = 1u << 17;
	w->slot = calloc(w->slots, sizeof(*w->slot));
	w->frame_out = open_memstream(&frames, &bytes);
	fputs(",\"stacks\":[", w->out);
	if (w->slot && w->frame_out)
		for (size_t i = 0; i < w->page->lanes->process_count; i++)
			put_stacks(w, i);
	if (w->frame_out)
		fclose(w->frame_out);
	fprintf(w->out, "],\"frames\":[%s]", frames ? frames : "");
	free(frames);
	free(w->slot);
}

/* ---- names ---- */

static void put_objects(struct writer *w)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES];
	size_t named = 0;

	fputs(",\"objects\":[", w->out);
	for (size_t i = 0; i < w->page->lanes->process_count; i++) {
		bool any = false;

		fputs(i ? ",{" : "{", w->out);
		for (size_t id = 1; id < w->page->lanes->process[i].process->object_count; id++) {
			if (!is_marked(w->used[i].object, id) || named++ >= OBJECTS_MOST)
				continue;
			page_object_words(w->page, i, (uint32_t)id, kind, sizeof(kind), name,
					  sizeof(name));
			fprintf(w->out, "%s\"%zu\":[", any ? "," : "", id);
			put_text(w->out, kind);
			fputc(',', w->out);
			put_text(w->out, name);
			fputc(']', w->out);
			any = true;
		}
		fputc('}', w->out);
	}
	fputc(']', w->out);
}

static void put_tasks(struct writer *w)
{
	fputs(",\"tasks\":[", w->out);
	for (size_t i = 0; i < w->page->lanes->process_count; i++) {
		const struct trace_process *p = w->page->lanes->process[i].process;
		bool any = false;

		fputs(i ? ",{" : "{", w->out);
		for (size_t id = 1; id < p->task_count; id++) {
			if (!is_marked(w->used[i].task, id) || !p->tasks[id].name)
				continue;
			fprintf(w->out, "%s\"%zu\":", any ? "," : "", id);
			put_text(w->out, p->tasks[id].name);
			any = true;
		}
		fputc('}', w->out);
	}
	fputc(']', w->out);
}

static void put_words(struct writer *w)
{
	fputs(",\"states\":[", w->out);
	for (unsigned i = 0; i < LANE_STATES; i++) {
		fputs(i ? "," : "", w->out);
		put_text(w->out, lane_state_word(i));
	}
	fputs("],\"arrows\":[", w->out);
	for (unsigned i = 0; i <= LANE_ARROW_CREATED; i++) {
		fputs(i ? "," : "", w->out);
		put_text(w->out, lane_arrow_word(i));
	}
	fputs("],\"calls\":[", w->out);
	for (unsigned i = 0; i < 64; i++) {
		fputs(i ? "," : "", w->out);
		put_text(w->out, trace_call_name(i));
	}
	fputc(']', w->out);
}

/* ---- lanes ---- */

static void put_lanes(struct writer *w)
{
	const struct lanes *l = w->page->lanes;
	char name[WORDS_BYTES];

	fputs(",\"processes\":[", w->out);
	for (size_t i = 0; i < l->process_count; i++) {
		const struct lane_process *p = &l->process[i];

		fprintf(w->out, "%s[%" PRIu32 ",", i ? "," : "", p->process->pid);
		put_text(w->out, p->process->command);
		fprintf(w->out, ",%" PRIu64 ",%" PRIu64 "]", p->start_ns, p->end_ns);
	}
	fputs("],\"lanes\":[", w->out);
	for (size_t i = 0; i < l->thread_count; i++) {
		const struct lane_thread *t = &l->thread[i];

		fprintf(w->out, "%s[%" PRIu32 ",%" PRIu32 ",", i ? "," : "", t->process, t->thread);
		put_text(w->out, lanes_thread_name(l, t, name, sizeof(name)));
		fprintf(w->out, ",%" PRIu64 ",%" PRIu64 ",%u,%" PRIu32 ",%" PRIu64 ",[",
			t->begin_ns, t->end_ns,
			t->begun | (unsigned)t->ended << 1 | w->contended[i] * 4u, t->from_lane,
			t->from_ns);
		for (uint32_t next = t->first_row; next; next = l->row[next - 1].next)
			fprintf(w->out, "%s%" PRIu32, next == t->first_row ? "" : ",", next - 1);
		fputs("]]", w->out);
	}
	fputc(']', w->out);
}

static void put_blocks(struct writer *w, size_t index)
{
	const struct lane_row *row = &w->page->lanes->row[index];

	for (uint32_t b = 0; b < row->block_count; b++) {
		const struct lane_block *block = &row->block[b];

		fprintf(w->out, "%s%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRId64 ",%" PRIu32,
			b ? "," : "", block->base_ns, block->end_ns, block->count,
			page_parts_block_at(w->page->parts, index, b), block->size);
	}
}

static void put_rows(struct writer *w)
{
	const struct lanes *l = w->page->lanes;

	fputs(",\"rows\":[", w->out);
	for (size_t i = 0; i < l->row_count; i++) {
		const struct lane_row *row = &l->row[i];

		fprintf(w->out, "%s[%" PRIu32 ",%u,%u,%" PRIu64 ",%" PRId64 ",[", i ? "," : "",
			row->lane, row->kind, row->level, row->count,
			row->far ? page_parts_far_at(w->page->parts, i) : -1);
		put_blocks(w, i);
		fputs("]]", w->out);
	}
	fputc(']', w->out);
}

/* ---- findings ---- */

/* Threads of a finding over several processes are numbers of its own: those go by the kernel's id. */
static uint32_t lane_of_finding(const struct writer *w, const struct finding *f, uint32_t id)
{
	const struct finding_thread *t = finding_find_thread(f, id);
	const struct lanes *l = w->page->lanes;
	const struct lane_thread *lane;

	if (!t)
		return UINT32_MAX;
	if (!finding_spans_processes(f)) {
		lane = lanes_find(l, f->process, id);
		return lane ? (uint32_t)(lane - l->thread) : UINT32_MAX;
	}
	for (size_t i = 0; i < l->thread_count; i++) {
		const struct trace_process *p = l->process[l->thread[i].process].process;

		if (t->tid && p->threads[l->thread[i].thread].tid == t->tid)
			return (uint32_t)i;
	}
	return UINT32_MAX;
}

static void put_marks(struct writer *w, const struct finding *f)
{
	bool any = false;

	for (size_t i = 0; i < f->stack_count && !finding_spans_processes(f); i++) {
		const struct finding_stack *s = &f->stacks[i];
		uint32_t lane = lane_of_finding(w, f, s->thread);
		const struct finding_lock *lock = finding_find_lock(f, s->lock);

		if (lane == UINT32_MAX || !s->time_ns)
			continue;
		fprintf(w->out, "%s%" PRIu32 ",%" PRIu64 ",", any ? "," : "", lane,
			s->time_ns + w->page->lanes->process[f->process].start_ns);
		put_text(w->out, stack_role_name(s->role));
		fprintf(w->out, ",%" PRIu32 ",%" PRIu32, lock ? lock->object : 0, s->stack);
		any = true;
	}
}

static void put_findings(struct writer *w)
{
	char title[4 * WORDS_BYTES];

	fputs(",\"findings\":[", w->out);
	for (size_t i = 0; i < w->report->listed_count; i++) {
		const struct finding *f = w->report->findings[i];
		bool any = false;

		fprintf(w->out, "%s[\"%s\",\"%s\",\"%s\",", i ? "," : "", f->fingerprint,
			level_name(f->level), rule_id(f->rule));
		put_text(w->out, words_title(f, title, sizeof(title)));
		fputs(",[", w->out);
		for (size_t t = 0; t < f->thread_count; t++) {
			uint32_t lane = lane_of_finding(w, f, f->threads[t].id);

			if (lane != UINT32_MAX) {
				fprintf(w->out, "%s%" PRIu32, any ? "," : "", lane);
				any = true;
			}
		}
		fputs("],[", w->out);
		put_marks(w, f);
		fputs("]]", w->out);
	}
	fputc(']', w->out);
}

/* ---- all of it ---- */

static void put_json(struct writer *w)
{
	fprintf(w->out, "{\"version\":1,\"end\":%" PRIu64 ",\"shift\":%u", w->page->lanes->end_ns,
		w->page->lanes->shift);
	put_words(w);
	put_lanes(w);
	put_rows(w);
	put_objects(w);
	put_tasks(w);
	put_all_stacks(w);
	put_findings(w);
	fputc('}', w->out);
}

int page_model_put(const struct page *page, const struct report *report, FILE *out)
{
	struct writer w = { .page = page, .report = report, .out = out };
	bool ok = used_new(&w);

	if (ok) {
		mark_spans(&w);
		mark_findings(&w);
		put_json(&w);
	}
	used_free(&w);
	return ok ? 0 : THRUM_ENOMEM;
}
