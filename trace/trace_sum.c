/* SPDX-License-Identifier: MIT */
/*
 * trace_sum.c - sums up what an image has and what it lacks: records, end, missing chunks, complete
 * or why not.
 */
#include "trace_defs.h"
#include "trace_memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- records ---- */

/* Which tables' ids a record names: for a map that is cut, so that its events keep their ids. */
static void raise_record(struct trace_sums *sums, const struct trace_record *r, uint64_t limit)
{
	uint64_t thread = trace_op_arg(r->op) != TRACE_ARG_PLAIN ? r->field[TRACE_FIELD_A] : 0;
	uint64_t other = r->field[TRACE_FIELD_P];

	trace_raise(&sums->objects,
		    r->field[TRACE_FIELD_O] < limit ? (uint32_t)r->field[TRACE_FIELD_O] : 0, limit);
	trace_raise(r->op == TRACE_REQUEST ? &sums->threads : &sums->objects,
		    other < limit ? (uint32_t)other : 0, limit);
	trace_raise(&sums->stacks,
		    r->field[TRACE_FIELD_S] < limit ? (uint32_t)r->field[TRACE_FIELD_S] : 0, limit);
	trace_raise(&sums->threads, thread < limit ? (uint32_t)thread : 0, limit);
}

static int compare_stream(const void *key, const void *element)
{
	uint32_t stream = *(const uint32_t *)key;
	const struct trace_live *live = element;

	return stream < live->stream ? -1 : stream > live->stream;
}

struct trace_live *trace_image_find_live(const struct trace_image *image, uint32_t stream)
{
	return image->live_count ? bsearch(&stream, image->live, image->live_count,
					   sizeof(*image->live), compare_stream)
				 : NULL;
}

/* When the last record of a live stream was. */
static void note_end(struct trace_image *image, uint32_t stream, uint64_t ticks)
{
	struct trace_live *live = trace_image_find_live(image, stream);

	if (live && ticks > live->end_ticks) {
		live->end_ticks = ticks;
	}
}

int trace_sum_records(struct trace_defs *defs, struct trace_image *image, bool last_only,
		      uint64_t limit, struct trace_sums *sums)
{
	uint8_t *buffer = malloc(TF_PAYLOAD_BYTES);
	int fd = trace_image_open_events(image);
	bool done = false;

	if (!buffer) {
		if (fd >= 0) {
			close(fd);
		}
		return THRUM_ENOMEM;
	}
	for (size_t i = image->chunk_count; i-- > 0;) {
		const struct trace_chunk *c = &image->chunks[i];
		struct trace_decoder d;
		struct trace_record r;
		const uint8_t *bytes;
		size_t count;

		if (i + 1 == image->chunk_count || c->stream != c[1].stream) {
			done = false;
		}
		if (!c->available || (last_only && done)) {
			continue;
		}
		bytes = trace_chunk_read(c, fd, buffer, &count);
		trace_decoder_init(&d, &defs->layout, bytes, count, c->base_ticks);
		trace_raise(&sums->threads, c->thread, limit);
		while (trace_decode_next(&d, &r) == TRACE_DECODE_RECORD) {
			sums->records++;
			done = true;
			raise_record(sums, &r, limit);
		}
		note_end(image, c->stream, d.ticks);
		if (d.ticks > sums->end_ticks && d.ticks >= defs->clock.start_ticks) {
			sums->end_ticks = d.ticks;
		}
	}
	free(buffer);
	if (fd >= 0) {
		close(fd);
	}
	return 0;
}

/* ---- what is there and what is not ---- */

void trace_sum_streams(struct trace_defs *defs, struct trace_image *image)
{
	struct trace_process *p = &defs->process;
	uint64_t missing = 0;

	for (size_t i = 0; i < image->chunk_count; i++) {
		const struct trace_chunk *c = &image->chunks[i];
		bool first = !i || c[-1].stream != c->stream;
		bool last = i + 1 == image->chunk_count || c[1].stream != c->stream;

		p->used_bytes += TF_SEGMENT_HEADER_BYTES + c->available;
		if (!c->ring) { /* what a ring lacks expired: that is no loss */
			missing += first ? c->chunk : c->chunk - c[-1].chunk - 1;
		}
		if (c->available < c->committed) {
			trace_image_damage(image, "chunk %llu of stream %u is torn",
					   (unsigned long long)c->chunk, c->stream);
		}
		if (last) {
			p->events += c->events;
			p->lost_events += c->lost;
		}
	}
	p->used_bytes +=
		TF_HEADER_BYTES + image->meta_count * TF_SEGMENT_HEADER_BYTES + image->meta_bytes;
	if (missing > p->lost_chunks) {
		p->lost_chunks = missing;
	}
}

__attribute__((format(printf, 3, 4))) static void why_add(struct trace_process *p, bool when,
							  const char *format, ...)
{
	size_t used = strlen(p->why);
	va_list ap;

	if (!when) {
		return;
	}
	p->complete = false;
	if (used && used + 3 < sizeof(p->why)) {
		used += (size_t)snprintf(p->why + used, sizeof(p->why) - used, "; ");
	}
	va_start(ap, format);
	vsnprintf(p->why + used, sizeof(p->why) - used, format, ap);
	va_end(ap);
}

void trace_sum_judge(struct trace_defs *defs, const struct trace_image *image)
{
	struct trace_process *p = &defs->process;

	p->complete = true;
	p->why[0] = '\0';
	why_add(p, image->moving, "the process still runs");
	why_add(p, !p->exit_kind && !image->header_cut && !image->moving,
		"the process was killed or still runs");
	why_add(p, p->flags & TF_PROCESS_FULL, "--max-size was reached");
	why_add(p, p->flags & TF_PROCESS_DISK_FULL, "the disk was full");
	why_add(p, p->flags & TF_PROCESS_OFF, "%s",
		p->flags & TF_PROCESS_SECCOMP ? "a seccomp filter ended the recording"
					      : "the recorder switched itself off");
	why_add(p, image->map_cut, "the map file is cut");
	why_add(p, p->memory.flags & TM_CUT_SIZE, "memory accesses: --max-size was reached");
	why_add(p, p->memory.flags & TM_CUT_DISK, "memory accesses: no room on the disk");
	why_add(p, image->damaged, "%s", image->damage);
	why_add(p, p->lost_chunks, "%llu chunks are missing", (unsigned long long)p->lost_chunks);
	why_add(p, p->unrecorded_children, "%u forked children could not be recorded",
		p->unrecorded_children);
	why_add(p, p->lost_events, "%llu events were lost", (unsigned long long)p->lost_events);
	why_add(p, p->lost_facts, "%llu new facts did not fit", (unsigned long long)p->lost_facts);
	why_add(p, p->lost_defs, "%llu definitions were lost", (unsigned long long)p->lost_defs);
}

bool trace_sum_is_lossy(const struct trace_process *p, const struct trace_image *image)
{
	return image->map_cut || image->damaged || p->lost_chunks || p->lost_events ||
	       p->flags & (TF_PROCESS_FULL | TF_PROCESS_DISK_FULL | TF_PROCESS_OFF);
}
