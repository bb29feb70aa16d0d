/* SPDX-License-Identifier: MIT */
/*
 * lane_rows.c - see lane_rows.h.
 */
#include "lane_rows.h"

#include <stdlib.h>
#include <string.h>

/* ---- varints ---- */

#define VARINT_BYTES 10u

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 128; value >>= 7)
		*at++ = (uint8_t)(value | 128);
	*at++ = (uint8_t)value;
	return at;
}

/* Blocks are our own: they end where they should. A column that is not there is all zeros. */
static inline uint64_t get_varint(const uint8_t **at)
{
	uint64_t value = 0;

	if (!*at)
		return 0;
	for (unsigned shift = 0;; shift += 7) {
		uint8_t byte = *(*at)++;

		value |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128))
			return value;
	}
}

/* ---- packing ---- */

static uint64_t arrow_point(const struct lane_span *s)
{
	return LANE_ARROW_AT_END(s->arrow) ? s->end_ns : s->start_ns;
}

static uint64_t column_value(const struct lane_span *s, unsigned column, uint64_t end_before)
{
	switch (column) {
	case 0:
		return s->start_ns - end_before;
	case 1:
		return s->end_ns - s->start_ns;
	case 2:
		return s->state | (s->is_open ? LANE_FLAG_OPEN : 0u) |
		       (unsigned)s->arrow << LANE_ARROW_SHIFT;
	case 3:
		return s->object;
	case 4:
		return s->stack;
	case 5:
		return s->what;
	case 6:
		return s->arrow ? s->from_lane : 0;
	default:
		return s->arrow ? arrow_point(s) - s->from_ns : 0;
	}
}

static uint8_t *put_column(uint8_t *at, const struct lane_row *row, unsigned column, uint64_t base)
{
	uint8_t *start = at;
	uint64_t any = 0;

	for (uint32_t i = 0; i < row->open_count; i++) {
		uint64_t value = column_value(&row->open[i], column, base);

		any |= value;
		at = put_varint(at, value);
		base = row->open[i].end_ns;
	}
	return any ? at : start;
}

static void paint_far(const struct lanes *lanes, struct lane_row *row)
{
	if (!row->far && row->open_count == LANE_BLOCK_SPANS)
		row->far = calloc(LANE_FAR_BUCKETS, 1); /* without it the blocks are read */
	for (uint32_t i = 0; row->far && i < row->open_count; i++) {
		const struct lane_span *s = &row->open[i];
		uint64_t last = s->end_ns >> lanes->shift;

		for (uint64_t b = s->start_ns >> lanes->shift; b <= last && b < LANE_FAR_BUCKETS;
		     b++)
			if (row->far[b] < s->state)
				row->far[b] = s->state;
	}
}

/* Room for a column each of `count` spans, which then move behind their sizes. */
static bool seal(const struct lanes *lanes, struct lane_row *row)
{
	size_t column_room = (size_t)row->open_count * VARINT_BYTES;
	uint8_t *columns, *at, *out, *sizes;
	struct lane_block block = { .count = row->open_count };
	uint32_t size[LANE_COLUMNS];

	if (!row->open_count)
		return true;
	if (row->block_count == row->block_capacity) {
		uint32_t capacity = row->block_capacity ? row->block_capacity * 2 : 4;
		struct lane_block *grown = realloc(row->block, capacity * sizeof(*grown));

		if (!grown)
			return false;
		row->block = grown;
		row->block_capacity = capacity;
	}
	columns = malloc(column_room * LANE_COLUMNS + LANE_COLUMNS * VARINT_BYTES);
	if (!columns)
		return false;
	block.base_ns = row->block_count ? row->block[row->block_count - 1].end_ns : 0;
	block.end_ns = row->open[row->open_count - 1].end_ns;
	at = sizes = columns;
	at += LANE_COLUMNS * VARINT_BYTES;
	for (unsigned column = 0; column < LANE_COLUMNS; column++) {
		uint8_t *end = put_column(at, row, column, block.base_ns);

		size[column] = (uint32_t)(end - at);
		at = end;
	}
	out = sizes;
	for (unsigned column = 0; column < LANE_COLUMNS; column++)
		out = put_varint(out, size[column]);
	memmove(out, columns + LANE_COLUMNS * VARINT_BYTES,
		(size_t)(at - columns) - LANE_COLUMNS * VARINT_BYTES);
	block.size = (uint32_t)((size_t)(out - columns) + (size_t)(at - columns) -
				LANE_COLUMNS * VARINT_BYTES);
	block.bytes = realloc(columns, block.size);
	if (!block.bytes)
		block.bytes = columns;
	paint_far(lanes, row);
	row->block[row->block_count++] = block;
	row->open_count = 0;
	return true;
}

/* ---- rows ---- */

static bool comes_before(const struct lane_row *row, enum lane_row_kind kind, unsigned level)
{
	return row->kind != kind ? row->kind < (uint8_t)kind : row->level < level;
}

size_t lane_rows_get(struct lanes *lanes, uint32_t lane, enum lane_row_kind kind, unsigned level)
{
	uint32_t *link = &lanes->thread[lane].first_row;
	size_t index = lanes->row_count;

	while (*link && comes_before(&lanes->row[*link - 1], kind, level))
		link = &lanes->row[*link - 1].next;
	if (*link && lanes->row[*link - 1].kind == kind && lanes->row[*link - 1].level == level)
		return *link - 1;
	if (lanes->row_count == lanes->row_capacity) {
		size_t capacity = lanes->row_capacity ? lanes->row_capacity * 2 : 64;
		bool in_rows = link != &lanes->thread[lane].first_row;
		size_t before = in_rows ? (size_t)((char *)link - (char *)lanes->row) : 0;
		struct lane_row *grown = realloc(lanes->row, capacity * sizeof(*grown));

		if (!grown)
			return SIZE_MAX;
		lanes->row = grown;
		lanes->row_capacity = capacity;
		if (in_rows)
			link = (uint32_t *)(void *)((char *)grown + before);
	}
	lanes->row[index] = (struct lane_row){
		.lane = lane, .kind = (uint8_t)kind, .level = (uint8_t)level, .next = *link
	};
	*link = (uint32_t)index + 1;
	lanes->row_count++;
	return index;
}

static struct lane_span *make_room(struct lanes *lanes, struct lane_row *row)
{
	if (row->open_count == LANE_BLOCK_SPANS && !seal(lanes, row))
		return NULL;
	if (row->open_count == row->open_capacity) {
		uint32_t capacity = row->open_capacity ? row->open_capacity * 2 : 16;
		struct lane_span *grown = realloc(row->open, capacity * sizeof(*grown));

		if (!grown)
			return NULL;
		row->open = grown;
		row->open_capacity = capacity;
	}
	return &row->open[row->open_count++];
}

bool lane_rows_add(struct lanes *lanes, size_t index, const struct lane_span *span)
{
	struct lane_row *row = &lanes->row[index];
	struct lane_span *s = make_room(lanes, row);

	if (!s)
		return false;
	*s = *span;
	/* Time stamps of one thread that were made on two processors can go back a little. */
	if (s->start_ns < row->end_ns)
		s->start_ns = row->end_ns;
	if (s->end_ns < s->start_ns)
		s->end_ns = s->start_ns;
	if (s->arrow && s->from_ns > arrow_point(s))
		s->from_ns = arrow_point(s);
	row->end_ns = s->end_ns;
	row->count++;
	lanes->spans++;
	lanes->arrows += s->arrow != LANE_ARROW_NONE;
	return true;
}

bool lane_rows_finish(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->row_count; i++) {
		struct lane_row *row = &lanes->row[i];

		if (!seal(lanes, row))
			return false;
		free(row->open);
		row->open = NULL;
		row->open_capacity = 0;
	}
	return true;
}

void lane_rows_release(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->row_count; i++) {
		struct lane_row *row = &lanes->row[i];

		for (uint32_t b = 0; b < row->block_count; b++)
			free(row->block[b].bytes);
		free(row->block);
		free(row->far);
		free(row->open);
	}
	free(lanes->row);
}

/* ---- reading ---- */

static void enter_block(struct lane_cursor *c, uint32_t index)
{
	const struct lane_block *block = &c->row->block[index];
	const uint8_t *at = block->bytes;
	uint64_t size[LANE_COLUMNS];

	for (unsigned column = 0; column < LANE_COLUMNS; column++)
		size[column] = get_varint(&at);
	for (unsigned column = 0; column < LANE_COLUMNS; column++) {
		c->column[column] = size[column] ? at : NULL;
		at += size[column];
	}
	c->block = index;
	c->left = block->count;
	c->time_ns = block->base_ns;
}

/* The first block that ends at or after `from_ns`; block_count = none. */
static uint32_t find_block(const struct lane_row *row, uint64_t from_ns)
{
	uint32_t low = 0, high = row->block_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (row->block[middle].end_ns < from_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void lane_cursor_begin(struct lane_cursor *cursor, const struct lane_row *row, uint64_t from_ns)
{
	struct lane_cursor before;
	struct lane_span span;
	uint32_t block = find_block(row, from_ns);

	*cursor = (struct lane_cursor){ .row = row, .block = block };
	if (block == row->block_count)
		return;
	enter_block(cursor, block);
	do
		before = *cursor;
	while (lane_cursor_next(cursor, &span) && span.end_ns < from_ns);
	*cursor = before;
}

bool lane_cursor_next(struct lane_cursor *c, struct lane_span *ret_span)
{
	uint64_t flags, point;

	if (!c->left) {
		if (c->block + 1 >= c->row->block_count)
			return false;
		enter_block(c, c->block + 1);
	}
	c->left--;
	ret_span->start_ns = c->time_ns + get_varint(&c->column[0]);
	ret_span->end_ns = ret_span->start_ns + get_varint(&c->column[1]);
	c->time_ns = ret_span->end_ns;
	flags = get_varint(&c->column[2]);
	ret_span->state = flags & (LANE_FLAG_OPEN - 1);
	ret_span->is_open = flags & LANE_FLAG_OPEN;
	ret_span->arrow = (uint8_t)(flags >> LANE_ARROW_SHIFT);
	ret_span->object = (uint32_t)get_varint(&c->column[3]);
	ret_span->stack = (uint32_t)get_varint(&c->column[4]);
	ret_span->what = (uint32_t)get_varint(&c->column[5]);
	ret_span->from_lane = (uint32_t)get_varint(&c->column[6]);
	point = ret_span->arrow ? arrow_point(ret_span) : 0;
	ret_span->from_ns = point - get_varint(&c->column[7]);
	return true;
}

/* ---- pixels ---- */

static void raster_far(const struct lanes *lanes, const struct lane_row *row, uint64_t from_ns,
		       uint64_t width_ns, uint8_t *ret_state, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t first = (from_ns + i * width_ns) >> lanes->shift;
		uint64_t last = (from_ns + (i + 1) * width_ns - 1) >> lanes->shift;

		for (uint64_t b = first; b <= last && b < LANE_FAR_BUCKETS; b++)
			if (ret_state[i] < row->far[b])
				ret_state[i] = row->far[b];
	}
}

void lane_row_raster(const struct lanes *lanes, const struct lane_row *row, uint64_t from_ns,
		     uint64_t to_ns, uint8_t *ret_state, size_t count)
{
	uint64_t width_ns = to_ns > from_ns ? (to_ns - from_ns + count - 1) / count : 0;
	struct lane_cursor cursor;
	struct lane_span span;

	memset(ret_state, LANE_NOTHING, count);
	if (!width_ns)
		width_ns = 1;
	if (row->far && width_ns >> lanes->shift) {
		raster_far(lanes, row, from_ns, width_ns, ret_state, count);
		return;
	}
	lane_cursor_begin(&cursor, row, from_ns);
	while (lane_cursor_next(&cursor, &span) && span.start_ns < to_ns) {
		uint64_t first = span.start_ns > from_ns ? (span.start_ns - from_ns) / width_ns : 0;
		uint64_t last = (span.end_ns - from_ns) / width_ns;

		for (uint64_t i = first; i <= last && i < count; i++)
			if (ret_state[i] < span.state)
				ret_state[i] = span.state;
	}
}
