/* SPDX-License-Identifier: MIT */
/*
 * trace_scan.c - index of the chunks in an .events file; finds its way back after garbage.
 */
#include "trace_dir.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (256u * 1024)
#define CHUNK_NUMBER_LIMIT (1ull << 40)

uint32_t trace_image_stream_limit(const struct trace_image *image)
{
	uint64_t segments = image->map_bytes / TF_SEGMENT_BYTES;

	/* Each stream has a segment; 65536 leaves room where the map was cut. */
	if (segments < image->header.segments && !image->header_cut) {
		segments = image->header.segments;
	}
	return segments < 65536 ? 65536 : segments > 1u << 24 ? 1u << 24 : (uint32_t)segments;
}

static bool is_chunk_header(const struct trace_image *image, const struct tf_segment *g)
{
	return g->kind == TF_SEGMENT_STREAM && g->committed <= TF_PAYLOAD_BYTES &&
	       g->chunk < CHUNK_NUMBER_LIMIT && g->stream < trace_image_stream_limit(image);
}

bool trace_scan_add(struct trace_image *image, const struct tf_segment *head, uint64_t offset,
		    const uint8_t *memory, uint32_t available)
{
	if (head->tid_now && head->thread_now) {
		if (!trace_array_reserve(&image->tids, &image->tid_capacity, image->tid_count,
					 sizeof(*image->tids))) {
			return false;
		}
		image->tids[image->tid_count++] =
			(struct trace_tid){ .thread = head->thread_now, .tid = head->tid_now };
	}
	if (!trace_array_reserve(&image->chunks, &image->chunk_capacity, image->chunk_count,
				 sizeof(*image->chunks))) {
		return false;
	}
	image->chunks[image->chunk_count++] = (struct trace_chunk){
		.stream = head->stream,
		.thread = head->thread,
		.chunk = head->chunk,
		.base_ticks = head->base_ticks,
		.base_mono_ns = head->base_mono_ns,
		.events = head->events,
		.lost = head->lost,
		.offset = offset,
		.memory = memory,
		.committed = head->committed,
		.available = available,
	};
	return true;
}

/*
 * A piece of the file, kept between searches: garbage behind every small chunk must not cost a
 * large read each.
 */
struct window {
	uint8_t *bytes; /* owned */
	uint64_t from;
	size_t count;
};

/* Is there a whole header at `at`? Reads on where the window ends. */
static inline bool window_covers(struct window *w, int fd, uint64_t at)
{
	if (at >= w->from && at + sizeof(struct tf_segment) <= w->from + w->count) {
		return true;
	}
	w->from = at;
	w->count = trace_pread(fd, w->bytes, WINDOW_BYTES, at);
	return w->count >= sizeof(struct tf_segment);
}

/*
 * The first offset from `from` on where a chunk header lies: plausible and its reserved bytes zero
 * (no payload has that many zeros in a row). Payloads have no alignment, so every byte is tried;
 * the kind's four bytes turn nearly all away. The end of the file when there is none. Tells whether
 * what it passed is a hole, all zeros.
 */
static uint64_t resynchronise(const struct trace_image *image, int fd, uint64_t from,
			      struct window *w, bool *ret_hole)
{
	static const uint8_t zeros[sizeof(((struct tf_segment *)0)->reserved)];
	const uint32_t kind = TF_SEGMENT_STREAM;
	struct tf_segment g;

	*ret_hole = true;
	for (; window_covers(w, fd, from); from++) {
		const uint8_t *at = w->bytes + (from - w->from);

		if (memcmp(at, &kind, sizeof(kind))) {
			*ret_hole &= !*at;
			continue;
		}
		memcpy(&g, at, sizeof(g));
		if (is_chunk_header(image, &g) && !memcmp(g.reserved, zeros, sizeof(zeros))) {
			return from;
		}
		*ret_hole = false;
	}
	return image->events_bytes;
}

/*
 * Moves *at from where no chunk is to the next one. A hole is no damage: each sealed chunk gets its
 * place before it is written, so one may be on its way, or could not be written; if it is missed,
 * the numbers of the chunks tell. Before anything else a chunk that lies about its length is
 * suspected: the search starts inside `previous`, which may be NULL.
 */
static int skip_garbage(struct trace_image *image, int fd, struct trace_chunk *previous,
			uint64_t *at, struct window *w)
{
	bool hole;
	uint64_t found;

	w->bytes = w->bytes ? w->bytes : malloc(WINDOW_BYTES);
	if (!w->bytes) {
		return THRUM_ENOMEM;
	}
	found = resynchronise(image, fd, *at, w, &hole);
	if (!hole) {
		trace_image_damage(image, "no chunk at byte %llu of .events",
				   (unsigned long long)*at);
	}
	if (!hole && previous) {
		found = resynchronise(image, fd, previous->offset, w, &hole);
		if (found < previous->offset + previous->available) {
			previous->available = (uint32_t)(found - previous->offset);
		}
	}
	*at = found;
	return 0;
}

int trace_scan_events(struct trace_image *image, int fd)
{
	struct window window = { .bytes = NULL };
	uint64_t at = 0;
	struct trace_chunk *previous = NULL;
	struct tf_segment g;
	int error = 0;

	while (at < image->events_bytes) {
		size_t got = trace_pread(fd, &g, sizeof(g), at);
		uint64_t left;

		if (got < sizeof(g)) {
			break; /* being written, or cut: then chunk numbers have a gap */
		}
		if (!is_chunk_header(image, &g)) {
			error = skip_garbage(image, fd, previous, &at, &window);
			if (error) {
				break;
			}
			previous = NULL;
			continue;
		}
		left = image->events_bytes - at - sizeof(g);
		if (!trace_scan_add(image, &g, at + sizeof(g), NULL,
				    (uint32_t)(left < g.committed ? left : g.committed))) {
			error = THRUM_ENOMEM;
			break;
		}
		previous = &image->chunks[image->chunk_count - 1];
		at += sizeof(g) + g.committed;
	}
	free(window.bytes);
	return error;
}

/*
 * By stream, by chunk. Of duplicates first the whole ones: a chunk that is torn in .events was
 * about to be written there and is still in the map. Then the one with more bytes, then that of the
 * map.
 */
static int compare_chunks(const void *left, const void *right)
{
	const struct trace_chunk *a = left, *b = right;

	if (a->stream != b->stream) {
		return a->stream < b->stream ? -1 : 1;
	}
	if (a->chunk != b->chunk) {
		return a->chunk < b->chunk ? -1 : 1;
	}
	if ((a->available < a->committed) != (b->available < b->committed)) {
		return a->available < a->committed ? 1 : -1;
	}
	if (a->available != b->available) {
		return a->available > b->available ? -1 : 1;
	}
	if (!a->memory != !b->memory) {
		return a->memory ? -1 : 1;
	}
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

void trace_scan_sort(struct trace_image *image)
{
	struct trace_chunk *c = image->chunks;
	size_t kept = 0;

	if (!image->chunk_count) {
		return;
	}
	qsort(c, image->chunk_count, sizeof(*c), compare_chunks);
	for (size_t i = 0; i < image->chunk_count; i++) {
		if (kept && c[kept - 1].stream == c[i].stream && c[kept - 1].chunk == c[i].chunk) {
			continue;
		}
		c[kept++] = c[i];
	}
	image->chunk_count = kept;
}
