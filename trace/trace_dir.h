/* SPDX-License-Identifier: MIT */
/*
 * trace_dir.h - the files of a trace directory: which process images there are, what chunks they
 * hold, what is missing.
 *
 * Invariants
 *  - The files may grow, be cut or be overwritten while they are read. Everything goes through
 *    pread() into memory that this module owns: a truncation is a short read, never a SIGBUS. Sizes
 *    are taken once.
 *  - What is taken from the map was consistent at one moment: a stream segment that was sealed
 *    while it was copied is copied again. Stream segments are read first, then the size of .events,
 *    then the definitions: so a sealed chunk is seen in at least one place, and every id in a chunk
 *    that is seen is defined, also in a live trace.
 *  - Streams of a live process are copied one after the other: what one says last may follow from
 *    what another said after its copy. `moving` tells that this happened.
 *  - Waits of a live trace were all there at one moment, that after the last copy; a stream that
 *    moved shows none.
 *  - The .events file stays on disk: only an index of its chunks (72 bytes each) is kept.
 *  - `chunks` is sorted by (stream, chunk) and free of duplicates: of two, the one with more bytes
 *    is kept.
 *
 * Images are independent of each other; one thread at a time each.
 */
#ifndef THRUM_TRACE_DIR_H
#define THRUM_TRACE_DIR_H

#include "trace_diag.h"
#include "trace_format.h"

#include <stdbool.h>
#include <stddef.h>

/* One chunk of a stream, wherever it lies. */
struct trace_chunk {
	uint32_t stream;
	uint32_t thread;
	uint64_t chunk;
	uint64_t base_ticks, base_mono_ns;
	uint64_t events; /* of the stream, up to the end of this chunk */
	uint64_t lost;
	uint64_t offset; /* of the payload in the .events file */
	const uint8_t
		*memory;    /* payload copied from the map; NULL = in .events. Owned by the image */
	uint32_t committed; /* bytes that should be there … */
	uint32_t available; /* … and that are */
	bool ring;	    /* slot of a ring: what came before it expired, if it is not there */
};

/* Live part of a stream segment's header. */
struct trace_live {
	uint32_t stream, thread, tid;
	uint64_t end_ticks;	 /* of its last record; 0 = none seen. Filled by trace_sum.c */
	uint64_t segment, chunk; /* of the map, as copied */
	uint32_t committed;
	uint64_t events;
	struct trace_wait wait; /* dropped where the stream moved on while the trace was copied */
};

/* Kernel ids of threads, where a segment header tells. */
struct trace_tid {
	uint32_t thread, tid;
};

struct trace_image {
	char name[32]; /* "PID.N" */
	uint32_t pid, image;
	uint64_t map_bytes, events_bytes;
	struct tf_process header; /* what a short file lacks is 0 */
	bool header_cut;	  /* not all of the header was there */
	bool moving;		  /* the process wrote to its streams while they were copied */
	bool map_cut;		  /* segments that the header promises are not in the file */
	bool damaged;		  /* some record or definition cannot be read */
	char damage[120];	  /* what was seen first */

	struct tf_segment **meta; /* owned copies, header and payload, in order */
	size_t meta_count, meta_capacity;
	uint64_t meta_bytes;	 /* committed, of all */
	struct trace_live *live; /* sorted by stream */
	size_t live_count, live_capacity;
	struct trace_chunk *chunks;
	size_t chunk_count, chunk_capacity;
	struct trace_tid *tids;
	size_t tid_count, tid_capacity;
	uint8_t **payloads; /* owned copies behind trace_chunk.memory */
	size_t payload_count, payload_capacity;
	char *events_path; /* owned */
	char *memory_path; /* owned; there may be no such file */
	char *report_log;  /* of ThreadSanitizer's runtime, owned; NULL = none */
	size_t report_log_bytes;
};

struct trace_dir {
	struct trace_image *images; /* ordered by start */
	size_t image_count;
	char *run_json; /* NULL = none; owned */
};

/* See trace_reader_open for the errors. Caller releases on success. */
int trace_dir_open(const char *path, struct trace_dir *ret_dir, struct diag *diag);
void trace_dir_release(struct trace_dir *dir);

/* Notes the first damage of an image. */
__attribute__((format(printf, 2, 3))) void trace_image_damage(struct trace_image *image,
							      const char *format, ...);

/* Reads up to `count` bytes at `offset`; what the file does not have is missing from the result. */
size_t trace_pread(int fd, void *to, size_t count, uint64_t offset);

/* The .events file for reading, -1 = there is none (any more). Caller closes. */
int trace_image_open_events(const struct trace_image *image);

/*
 * The bytes of a chunk: those in memory, or read from `fd` into `buffer` (TF_PAYLOAD_BYTES). Fewer
 * than `available` where the file was cut since.
 */
const uint8_t *trace_chunk_read(const struct trace_chunk *chunk, int fd, uint8_t *buffer,
				size_t *ret_bytes);

/* Room for one more element; false = out of memory. */
bool trace_array_reserve(void *array_pointer, size_t *capacity, size_t count, size_t element_bytes);

/* ---- trace_sum.c ---- */

/* The live part of a stream; NULL = the map has none. */
struct trace_live *trace_image_find_live(const struct trace_image *image, uint32_t stream);

/* ---- trace_reports.c ---- */

/* The logs that ThreadSanitizer wrote beside the images' files: tsan.PID of the newest image of a process, tsan.PID.N of older ones. */
void trace_dir_read_logs(struct trace_dir *dir, int directory);

/* ---- trace_scan.c ---- */

/* Streams that a file of this image can have: a larger number is garbage. */
uint32_t trace_image_stream_limit(const struct trace_image *image);

/* Adds every chunk of the open .events file, resynchronising after garbage. 0 or THRUM_ENOMEM. */
int trace_scan_events(struct trace_image *image, int fd);

/* Sorts the index and drops duplicates. */
void trace_scan_sort(struct trace_image *image);

/* Adds one chunk to the index; false = out of memory. */
bool trace_scan_add(struct trace_image *image, const struct tf_segment *head, uint64_t offset,
		    const uint8_t *memory, uint32_t available);

#endif
