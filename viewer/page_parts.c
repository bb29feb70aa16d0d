/* SPDX-License-Identifier: MIT */
/*
 * page_parts.c - see page_parts.h.
 */
#include "page_parts.h"

#include "../trace/trace_dir.h"
#include "packed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	PART_BYTES =
		256 * 1024, /* of blocks, before they are packed: some milliseconds to unpack */
	FARS = 8,	    /* pictures of a piece */
};

/* Some blocks of a row, one behind the other. */
struct run {
	uint32_t row, first, count;
};

struct part {
	size_t run, run_count; /* in page_parts->run */
	uint64_t bytes, ns;    /* not packed; of time */
	char *text;	       /* owned; NULL = left out */
	size_t text_bytes;
};

struct page_parts {
	const struct lanes *lanes; /* borrowed */
	bool is_small;		   /* all is in the first data */
	int64_t **at;		   /* owned: of each block of each row */
	struct part *part;	   /* owned */
	size_t part_count, part_capacity;
	struct run *run; /* owned */
	size_t run_count, run_capacity;
	char **far; /* owned: texts of FARS rows each, in order */
	uint32_t *far_row;
	size_t far_count; /* rows with a picture */
	uint64_t left_out;
};

/* ---- what is in the first data ---- */

static uint64_t all_bytes(const struct lanes *l)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < l->row_count; i++) {
		bytes += l->row[i].far ? LANE_FAR_BUCKETS : 0;
		for (uint32_t b = 0; b < l->row[i].block_count; b++)
			bytes += l->row[i].block[b].size;
	}
	return bytes;
}

static bool places_new(struct page_parts *p)
{
	const struct lanes *l = p->lanes;

	p->at = calloc(l->row_count + 1, sizeof(*p->at));
	for (size_t i = 0; p->at && i < l->row_count; i++) {
		p->at[i] = malloc((l->row[i].block_count + 1) * sizeof(**p->at));
		if (!p->at[i])
			return false;
		for (uint32_t b = 0; b < l->row[i].block_count; b++)
			p->at[i][b] = PAGE_IN_PART;
	}
	return p->at;
}

/* Until the places are given out 0 says: in the first data. Returns the bytes it took. */
static uint64_t want_block(struct page_parts *p, size_t row, uint64_t ns)
{
	const struct lane_row *r = &p->lanes->row[row];

	for (uint32_t b = 0; b < r->block_count; b++)
		if (r->block[b].end_ns >= ns) {
			bool is_new = p->at[row][b] == PAGE_IN_PART;

			p->at[row][b] = 0;
			return is_new ? r->block[b].size : 0;
		}
	return 0;
}

static void want_findings(struct page_parts *p, const struct report *report)
{
	const struct lanes *l = p->lanes;
	uint64_t used = 0;

	for (size_t i = 0; i < report->listed_count; i++) {
		const struct finding *f = report->findings[i];

		for (size_t s = 0; s < f->stack_count && !finding_spans_processes(f); s++) {
			const struct lane_thread *lane =
				lanes_find(l, f->process, f->stacks[s].thread);
			uint64_t ns = lane ? f->stacks[s].time_ns + l->process[f->process].start_ns
					   : 0;

			for (uint32_t next = lane ? lane->first_row : 0;
			     next && used < PAGE_HEAD_BYTES; next = l->row[next - 1].next)
				used += want_block(p, next - 1, ns);
		}
	}
}

static void give_places(struct page_parts *p)
{
	int64_t at = 0;

	for (size_t i = 0; i < p->lanes->row_count; i++)
		for (uint32_t b = 0; b < p->lanes->row[i].block_count; b++)
			if (p->is_small || p->at[i][b] >= 0) {
				p->at[i][b] = at;
				at += p->lanes->row[i].block[b].size;
			}
}

/* ---- pieces ---- */

static bool begin_part(struct page_parts *p)
{
	if (!trace_array_reserve(&p->part, &p->part_capacity, p->part_count, sizeof(*p->part)))
		return false;
	p->part[p->part_count++] = (struct part){ .run = p->run_count };
	return true;
}

static bool begin_run(struct page_parts *p, uint32_t row, uint32_t first)
{
	if (!trace_array_reserve(&p->run, &p->run_capacity, p->run_count, sizeof(*p->run)))
		return false;
	p->run[p->run_count++] = (struct run){ .row = row, .first = first };
	p->part[p->part_count - 1].run_count++;
	return true;
}

/* A piece goes on in the next row while it is small. */
static bool cut_row(struct page_parts *p, uint32_t row)
{
	const struct lane_row *r = &p->lanes->row[row];
	bool goes_on = false;

	for (uint32_t b = 0; b < r->block_count; b++) {
		struct part *part = p->part_count ? &p->part[p->part_count - 1] : NULL;

		if (p->at[row][b] >= 0) {
			goes_on = false;
			continue;
		}
		if (!part || part->bytes + r->block[b].size > PART_BYTES) {
			goes_on = false;
			if (!begin_part(p))
				return false;
		}
		if (!goes_on && !begin_run(p, row, b))
			return false;
		goes_on = true;
		part = &p->part[p->part_count - 1];
		p->run[p->run_count - 1].count++;
		part->bytes += r->block[b].size;
		part->ns += r->block[b].end_ns - r->block[b].base_ns;
	}
	return true;
}

/* A text of what `add` packs. NULL = out of memory. */
static char *pack(const struct page_parts *p, size_t first, size_t count,
		  void (*add)(const struct page_parts *p, struct packed *packed, size_t index))
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	struct packed *packed = out ? packed_new(out) : NULL;
	bool ok;

	for (size_t i = first; packed && i < first + count; i++)
		add(p, packed, i);
	ok = packed_finish(packed);
	if (out && fclose(out))
		ok = false;
	if (!ok) {
		free(text);
		return NULL;
	}
	return text;
}

static void add_run(const struct page_parts *p, struct packed *packed, size_t index)
{
	const struct run *run = &p->run[index];
	const struct lane_block *block = &p->lanes->row[run->row].block[run->first];

	for (uint32_t b = 0; b < run->count; b++)
		packed_add(packed, block[b].bytes, block[b].size);
}

static void add_far(const struct page_parts *p, struct packed *packed, size_t index)
{
	packed_add(packed, p->lanes->row[p->far_row[index]].far, LANE_FAR_BUCKETS);
}

static int compare_worth(const void *left, const void *right)
{
	const struct part *a = left, *b = right;
	double worth_a = (double)a->ns / (double)(a->bytes + 1);
	double worth_b = (double)b->ns / (double)(b->bytes + 1);

	if (worth_a != worth_b)
		return worth_a > worth_b ? -1 : 1;
	return (a->run > b->run) - (a->run < b->run);
}

static int compare_places(const void *left, const void *right)
{
	const struct part *a = left, *b = right;

	return (a->run > b->run) - (a->run < b->run);
}

static void leave_out(struct page_parts *p, const struct part *part)
{
	for (size_t i = part->run; i < part->run + part->run_count; i++) {
		const struct run *run = &p->run[i];

		for (uint32_t b = run->first; b < run->first + run->count; b++) {
			p->at[run->row][b] = PAGE_LEFT_OUT;
			p->left_out += p->lanes->row[run->row].block[b].count;
		}
	}
}

/* Where not all will fit, those first that are worth most. */
static bool pack_parts(struct page_parts *p, uint64_t budget)
{
	uint64_t bytes = 0;
	bool is_full = false;

	for (size_t i = 0; i < p->part_count; i++)
		bytes += p->part[i].bytes;
	if (p->part_count && bytes / 3 * 4 > budget)
		qsort(p->part, p->part_count, sizeof(*p->part), compare_worth);
	for (size_t i = 0; i < p->part_count; i++) {
		struct part *part = &p->part[i];

		if (!is_full) {
			part->text = pack(p, part->run, part->run_count, add_run);
			if (!part->text)
				return false;
			part->text_bytes = strlen(part->text);
		}
		if (part->text_bytes > budget)
			is_full = true;
		if (!is_full) {
			budget -= part->text_bytes;
			continue;
		}
		free(part->text);
		part->text = NULL;
		leave_out(p, part);
	}
	if (p->part_count)
		qsort(p->part, p->part_count, sizeof(*p->part), compare_places);
	return true;
}

/* ---- pictures from afar ---- */

static size_t far_texts(const struct page_parts *p)
{
	return (p->far_count + FARS - 1) / FARS;
}

static size_t fars_of(const struct page_parts *p, size_t text)
{
	return p->far_count - text * FARS < FARS ? p->far_count - text * FARS : FARS;
}

/* What they take of the budget goes off it. */
static bool make_fars(struct page_parts *p, uint64_t *budget)
{
	p->far_row = calloc(p->lanes->row_count + 1, sizeof(*p->far_row));
	for (size_t i = 0; p->far_row && i < p->lanes->row_count; i++)
		if (p->lanes->row[i].far)
			p->far_row[p->far_count++] = (uint32_t)i;
	p->far = calloc(far_texts(p) + 1, sizeof(*p->far));
	if (!p->far || !p->far_row)
		return false;
	for (size_t i = 0; i < far_texts(p); i++) {
		uint64_t bytes;

		p->far[i] = pack(p, i * FARS, fars_of(p, i), add_far);
		if (!p->far[i])
			return false;
		bytes = strlen(p->far[i]);
		*budget -= bytes < *budget ? bytes : *budget;
	}
	return true;
}

/* ---- all of it ---- */

int page_parts_make(struct page *page, const struct report *report)
{
	struct page_parts *p = calloc(1, sizeof(*p));
	uint64_t most = page->source.most_bytes ? page->source.most_bytes : PAGE_MOST_BYTES;
	uint64_t budget = PAGE_PARTS_SHARE(most);
	bool ok = p;

	if (page->parts || !ok)
		return ok ? (free(p), 0) : THRUM_ENOMEM;
	p->lanes = page->lanes;
	p->is_small = all_bytes(p->lanes) <= (PAGE_HEAD_BYTES < budget ? PAGE_HEAD_BYTES : budget);
	ok = places_new(p);
	if (ok && !p->is_small) {
		want_findings(p, report);
		ok = make_fars(p, &budget);
		for (size_t i = 0; ok && i < p->lanes->row_count; i++)
			ok = cut_row(p, (uint32_t)i);
		ok = ok && pack_parts(p, budget);
	}
	if (!ok) {
		page_parts_free(p);
		return THRUM_ENOMEM;
	}
	give_places(p);
	page->parts = p;
	return 0;
}

void page_parts_free(struct page_parts *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->at && i < p->lanes->row_count; i++)
		free(p->at[i]);
	for (size_t i = 0; i < p->part_count; i++)
		free(p->part[i].text);
	for (size_t i = 0; p->far && i < far_texts(p); i++)
		free(p->far[i]);
	free(p->at);
	free(p->part);
	free(p->run);
	free(p->far);
	free(p->far_row);
	free(p);
}

int64_t page_parts_block_at(const struct page_parts *p, size_t row, uint32_t block)
{
	return p ? p->at[row][block] : PAGE_IN_PART;
}

static int64_t head_blocks(const struct page_parts *p)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < p->lanes->row_count; i++)
		for (uint32_t b = 0; b < p->lanes->row[i].block_count; b++)
			if (p->at[i][b] >= 0)
				bytes += p->lanes->row[i].block[b].size;
	return bytes;
}

int64_t page_parts_far_at(const struct page_parts *p, size_t row)
{
	int64_t before = 0;

	if (!p || !p->is_small)
		return -2;
	for (size_t i = 0; i < row; i++)
		before += p->lanes->row[i].far ? LANE_FAR_BUCKETS : 0;
	return head_blocks(p) + before;
}

void page_parts_head(const struct page *page,
		     void (*add)(void *cookie, const void *bytes, size_t count), void *cookie)
{
	const struct page_parts *p = page->parts;
	const struct lanes *l = p->lanes;

	for (size_t i = 0; i < l->row_count; i++)
		for (uint32_t b = 0; b < l->row[i].block_count; b++)
			if (p->at[i][b] >= 0)
				add(cookie, l->row[i].block[b].bytes, l->row[i].block[b].size);
	for (size_t i = 0; p->is_small && i < l->row_count; i++)
		if (l->row[i].far)
			add(cookie, l->row[i].far, LANE_FAR_BUCKETS);
}

static void put_element(FILE *out, const char *text)
{
	fprintf(out, "\">%s</script>\n", text);
}

void page_parts_put(const struct page_parts *p, FILE *out)
{
	static const char begin[] =
		"<script type=\"application/octet-stream\" class=\"thrum-part\" data-";

	for (size_t i = 0; !p->is_small && i < far_texts(p); i++) {
		fprintf(out, "%sfar=\"", begin);
		for (size_t k = 0; k < fars_of(p, i); k++)
			fprintf(out, "%s%" PRIu32, k ? " " : "", p->far_row[i * FARS + k]);
		put_element(out, p->far[i]);
	}
	for (size_t i = 0; i < p->part_count; i++) {
		const struct part *part = &p->part[i];

		if (!part->text)
			continue;
		fprintf(out, "%sblocks=\"", begin);
		for (size_t k = part->run; k < part->run + part->run_count; k++)
			fprintf(out, "%s%" PRIu32 " %" PRIu32 " %" PRIu32, k > part->run ? " " : "",
				p->run[k].row, p->run[k].first, p->run[k].count);
		put_element(out, part->text);
	}
}

uint64_t page_parts_bytes(const struct page_parts *p)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < p->part_count; i++)
		bytes += p->part[i].text ? p->part[i].text_bytes : 0;
	for (size_t i = 0; !p->is_small && i < far_texts(p); i++)
		bytes += strlen(p->far[i]);
	return bytes;
}

uint64_t page_parts_left_out(const struct page_parts *p)
{
	return p->left_out;
}
