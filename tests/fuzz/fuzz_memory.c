/* SPDX-License-Identifier: MIT */
/*
 * fuzz_memory.c - memory traces and their replay on any bytes: no crash, an end, stacks inside the tree.
 *
 * Input: byte 0 = how many chunks there are, at most 8; for each: u8 lane, u8 number, u16 records, the records, 16 bytes each. The rest
 * is events: u8 thread, u8 op, u8 object, u8 argument. So the fuzzer does not mutate 64 KiB of zeros; the headers are good, but for
 * what test_trace_memory.c does to them.
 */
#include "fuzz_layout.h"

#include "analyzer/memory_replay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 8, OBJECTS = 8, CHUNKS = 8 };

static char path[64];
static volatile uint64_t sink;

struct input {
	const uint8_t *data;
	size_t size;
};

static unsigned take(struct input *in, unsigned bytes)
{
	unsigned value = 0;

	for (unsigned i = 0; i < bytes && in->size; i++, in->data++, in->size--)
		value |= (unsigned)*in->data << 8 * i;
	return value;
}

static void remove_file(void)
{
	unlink(path);
}

static void put_chunk(FILE *out, struct input *in)
{
	static uint8_t unit[TM_UNIT_BYTES];
	struct tm_chunk *head = (void *)unit;
	size_t bytes;

	memset(unit, 0, sizeof(unit));
	*head = (struct tm_chunk){
		.magic = TM_CHUNK_MAGIC, .units = 1, .lane = take(in, 1), .number = take(in, 1)
	};
	bytes = (size_t)take(in, 2) * sizeof(struct tm_record);
	bytes = bytes < in->size ? bytes : in->size;
	bytes = bytes < sizeof(unit) - sizeof(*head) ? bytes : sizeof(unit) - sizeof(*head);
	memcpy(head + 1, in->data, bytes);
	in->data += bytes;
	in->size -= bytes;
	fwrite(unit, 1, sizeof(unit), out);
}

static void write_file(struct input *in)
{
	static uint8_t page[TM_HEADER_BYTES];
	struct tm_header *h = (void *)page;
	FILE *out = fopen(path, "wb");
	unsigned chunks = take(in, 1) % (CHUNKS + 1);

	if (!out)
		abort();
	*h = (struct tm_header){ .magic = TM_MAGIC,
				 .major = TM_MAJOR,
				 .header_bytes = TM_HEADER_BYTES,
				 .unit_bytes = TM_UNIT_BYTES,
				 .buckets = TM_BUCKETS };
	fwrite(page, 1, sizeof(page), out);
	for (unsigned i = 0; i < chunks; i++)
		put_chunk(out, in);
	fclose(out);
}

static struct trace_memory *memory;

static void on_event(void *cookie, const struct trace_event *e)
{
	(void)cookie;
	sink += e->op;
}
static void on_item(void *cookie, const struct memory_moment *at, const struct trace_memory_item *i)
{
	uint64_t ip[8];
	uint32_t n = trace_memory_stack(memory, i->stack, ip, 8);

	(void)cookie;
	if (!at->thread || at->thread >= THREADS || n > 8)
		abort();
	sink += i->address + (n ? ip[n - 1] : 0);
}
static void on_gap(void *cookie)
{
	(void)cookie;
}

static void on_soon(void *cookie, uint64_t address, uint16_t generation)
{
	(void)cookie;
	sink += address + generation;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_process process = { .thread_count = THREADS, .object_count = OBJECTS };
	struct memory_sink to = { NULL, on_event, on_item, on_item, on_item, on_gap, on_soon };
	struct input in = { data, size };
	struct memory_replay *replay;
	struct diag diag;

	if (!*path) {
		snprintf(path, sizeof(path), "%s/thrum-fuzz-memory-%d",
			 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
		atexit(remove_file);
	}
	write_file(&in);
	if (trace_memory_open(path, &memory, &diag))
		abort();
	replay = memory_replay_new(&process, memory, &to);
	for (unsigned n = 0; in.size && n < 4096; n++) {
		struct trace_event e = { .thread = take(&in, 1) % THREADS };

		e.op = (uint8_t)(take(&in, 1) % TF_OPS);
		e.object = take(&in, 1) % OBJECTS;
		e.arg = take(&in, 1);
		e.stream = e.thread;
		e.synthetic = e.op == TRACE_LOST;
		memory_replay_event(replay, &e, 0);
	}
	memory_replay_finish(replay);
	memory_replay_free(replay);
	trace_memory_free(memory);
	return 0;
}
