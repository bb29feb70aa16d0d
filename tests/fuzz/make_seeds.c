/* SPDX-License-Identifier: MIT */
/*
 * make_seeds.c - fuzz seeds from the writer: make_seeds DIR fills DIR/record and DIR/directory.
 *
 * Every op is in them by the table, so a new row of spec/events.def is fuzzed without a new seed.
 */
#include "fuzz_layout.h"

#include "trace/trace_encode.h"
#include "trace/trace_ops.h"
#include "trace/trace_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *base;

static void make(const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST) {
		perror(path);
		exit(1);
	}
}

static FILE *create(const char *kind, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", base, kind);
	make(path);
	snprintf(path, sizeof(path), "%s/%s/%s", base, kind, name);
	f = fopen(path, "wb");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

/* ---- records ---- */

static void put_varint(FILE *f, uint64_t v)
{
	uint8_t bytes[10];

	fwrite(bytes, 1, (size_t)(encode_varint(bytes, v) - bytes), f);
}

static void put_record(FILE *f, unsigned op, unsigned flags, uint64_t value)
{
	putc((int)(op | flags), f);
	put_varint(f, value);
	for (unsigned i = flags & TF_REC_SAME_OBJECT && trace_op_has_object(op);
	     i < trace_ops[op].count; i++) {
		put_varint(f, value + i);
	}
	if (flags & TF_REC_HAS_SEQ) {
		put_varint(f, value);
	}
}

static void record_seeds(void)
{
	FILE *all = create("record", "all"), *fields = create("record", "fields");
	uint8_t table[TF_OPS];

	putc(0, all);
	trace_op_fields(table);
	table[TRACE_ACQUIRE]++;
	table[63] = TRACE_OP_FIELDS_OBJECT | 2;
	putc(1, fields);
	fwrite(table, 1, sizeof(table), fields);
	fwrite("\x04\x01\x02\x03\x04\x3f\x01\x02\x03\x4a\x01", 1, 11, fields);
	for (unsigned op = 1; op < TF_OPS; op++) {
		char name[32];
		FILE *one;

		if (!trace_op_get(op)) {
			continue;
		}
		put_record(all, op, 0, op);
		put_record(all, op, TF_REC_SAME_OBJECT | TF_REC_HAS_SEQ, 1ull << op);
		snprintf(name, sizeof(name), "op%02u", op);
		one = create("record", name);
		putc(0, one);
		put_record(one, op, TF_REC_HAS_SEQ, UINT64_MAX - op);
		put_record(one, op, TF_REC_SAME_OBJECT, 300);
		fclose(one);
	}
	fclose(all);
	fclose(fields);
}

/* ---- directories ---- */

static struct trace_writer *begin(void)
{
	static const uint64_t ip[] = { 0x401000, 0x402000 };
	char path[4096];
	struct trace_writer *w;

	snprintf(path, sizeof(path), "%s/scratch", base);
	w = trace_writer_new(path, 1);
	trace_writer_command(w, "a b");
	trace_writer_stack(w, 1, ip, 2);
	trace_writer_module(w, 0x400000, 0x500000, 0x400000, "/bin/a", "\1\2\3\4", 4, false);
	for (uint32_t t = 1; t <= 3; t++) {
		trace_writer_thread(w, t, t - 1, 1);
		trace_writer_name(w, t, "t");
	}
	trace_writer_object(w, 1, TRACE_OBJECT_MUTEX, 0x1000, 1, 1);
	trace_writer_object(w, 2, TRACE_OBJECT_RWLOCK, 0x2000, 1, 1);
	trace_writer_object(w, 3, TRACE_OBJECT_COND, 0x3000, 1, 1);
	return w;
}

static void end(struct trace_writer *w, uint32_t exit_kind, const char *name)
{
	char path[4096];
	FILE *f = create("directory", name);

	trace_writer_finish(w, exit_kind);
	snprintf(path, sizeof(path), "%s/scratch", base);
	fuzz_layout_pack(path, "1.0", f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/scratch/1.0.map", base);
	unlink(path);
	snprintf(path, sizeof(path), "%s/scratch/1.0.events", base);
	unlink(path);
	snprintf(path, sizeof(path), "%s/scratch", base);
	rmdir(path);
}

static void seed_every_op(void)
{
	struct trace_writer *w = begin();

	trace_writer_begin(w, 0, 1);
	for (unsigned op = 2; op < TF_OPS; op++) {
		if (trace_op_get(op)) {
			trace_writer_event(w, 0, op, 0, 1, 2, 1, 1, 0, op % 3);
		}
	}
	end(w, TRACE_EXIT_DESTRUCTORS, "every-op");
}

static void seed_hand_over(void)
{
	struct trace_writer *w = begin();

	for (uint32_t t = 1; t <= 3; t++) {
		if (t < 3) {
			trace_writer_create(w, t - 1, t + 1, 1);
		}
		trace_writer_begin(w, t - 1, t);
		trace_writer_skew(w, t - 1, (int64_t)t * 500 - 1000);
	}
	for (uint32_t i = 0; i < 12; i++) {
		trace_writer_acquire(w, i % 3, 1, 1);
		trace_writer_event(w, i % 3, TRACE_COND_WAIT, 0, 3, 1, 1, 0, 0, 0);
		trace_writer_event(w, i % 3, TRACE_COND_WAKE, 0, 3, 1, 1, 0, 0, TRACE_WRITER_AUTO);
		trace_writer_release(w, i % 3, 1);
		trace_writer_event(w, (i + 1) % 3, TRACE_ACQUIRE_SHARED, 0, 2, 0, 1, 0, 0,
				   TRACE_WRITER_AUTO);
		trace_writer_release(w, (i + 1) % 3, 2);
		trace_writer_acquire(w, i % 3, 2, 1);
		trace_writer_release(w, i % 3, 2);
		if (i % 5 == 4) {
			trace_writer_seal(w, i % 3);
		}
	}
	trace_writer_end(w, 2);
	trace_writer_join(w, 1, 3, 1);
	end(w, TRACE_EXIT_DESTRUCTORS, "hand-over");
}

static void seed_damage(void)
{
	struct trace_writer *w = begin();
	struct trace_wait wait = { .kind = TRACE_WAIT_LOCK, .object = 1, .stack = 1 };

	for (uint32_t i = 0; i < 6; i++) {
		trace_writer_begin(w, i % 2, 1 + i % 3);
		trace_writer_acquire(w, i % 2, 1, 1);
		trace_writer_event(w, i % 2, TRACE_ACQUIRE_OWNERDEAD, 0, 1, 0, 1, 0, 0,
				   TRACE_WRITER_AUTO);
		if (i == 3) {
			trace_writer_drop_chunk(w, i % 2);
		} else if (i < 5) {
			trace_writer_seal(w, i % 2);
			trace_writer_duplicate(w, i % 2, i);
		}
		trace_writer_raw_events(w, "garbage", i == 2 ? 7 : 0);
	}
	trace_writer_wait(w, 0, &wait);
	trace_writer_tid(w, 0, 77);
	trace_writer_unload(w, 0x400000, 9);
	end(w, 0, "damage");
}

/* A loop's thread and a pool's: callbacks inside callbacks, one that never returns, waits of each kind. */
static void seed_loops(void)
{
	struct trace_writer *w = begin();

	trace_writer_object(w, 4, TRACE_OBJECT_LOOP, 0x4001, 1, 1);
	trace_writer_object(w, 5, TRACE_OBJECT_POOL, 0x5001, 1, 1);
	trace_writer_begin(w, 0, 1);
	trace_writer_create(w, 0, 2, 1);
	trace_writer_begin(w, 1, 2);
	trace_writer_event(w, 0, TRACE_LOOP, 0, 4, 0, 1, TRACE_LOOP_RUN, 0, 0);
	for (unsigned task = 1; task <= 4; task++) {
		unsigned kind = task < 3 ? TRACE_TASK_UV_TIMER : TRACE_TASK_UV_WORK;

		trace_writer_event(w, 0, TRACE_TASK_NEW, 0, 4, 0, 1, task, (int32_t)kind, 0);
		trace_writer_event(w, 0, TRACE_TASK_ARM, 0, 4, 0, 1, task, task & 1, 0);
	}
	for (unsigned i = 0; i < 40; i++) {
		uint32_t task = 1 + i % 5; /* the last one was never made */

		trace_writer_event(w, i % 3 == 2, TRACE_TASK, 0, 0, 0, 1, task,
				   (int32_t)(i * 7 % 14), 0);
		trace_writer_event(w, 0, TRACE_BLOCKED, 0, i % 6, 0, 1, i, (int32_t)(i * 5000), 0);
		trace_writer_event(w, 0, TRACE_BUSY, 0, 0, 0, 0, i * 9000, (int32_t)(i * 4000), 0);
		trace_writer_event(w, 0, TRACE_WOKEN, 0, 0, 0, i % 2,
				   (uint64_t)(i % 5) << 32 | i % 4, (int32_t)(i * 37) - 9, 0);
		trace_writer_event(w, 0, TRACE_TURN, 0, 0, 0, 1, i, (int32_t)i - 4, 0);
	}
	trace_writer_event(w, 0, TRACE_LOOP, 0, 4, 0, 1, TRACE_LOOP_LEFT, 0, 0);
	trace_writer_event(w, 0, TRACE_LOOP, 0, 4, 0, 1, TRACE_LOOP_CLOSE, 16, 0);
	end(w, TRACE_EXIT_DESTRUCTORS, "loops");
}

/* An interpreter: places and stacks of them, names of sites, tasks and looks at what they wait for, among them numbers of nothing. */
static void seed_python(void)
{
	struct trace_writer *w = begin();
	struct tf_def_runtime runtime = {
		.kind = TF_RUNTIME_CPYTHON, .version = 0x030b02, .features = 31, .wanted = 31
	};
	static const uint64_t ip[] = { TF_PLACE + 1, 0x401000, TF_PLACE + 3, TF_PLACE + 99 };
	static const char text[] = "f\0/srv/app.py";

	trace_writer_raw_def(w, TF_DEF_RUNTIME, &runtime, sizeof(runtime), NULL, 0);
	for (uint32_t i = 1; i <= 4; i++) {
		struct tf_def_place place = { .place = i == 4 ? 70000 : i,
					      .line = i * 3,
					      .first_line = i,
					      .kind = i - 1,
					      .function_bytes = i == 3 ? 900 : 1,
					      .file_bytes = 11 };

		trace_writer_raw_def(w, TF_DEF_PLACE, &place, sizeof(place), text, sizeof(text));
	}
	trace_writer_stack(w, 2, ip, 4);
	for (uint32_t i = 1; i <= 3; i++) {
		struct tf_def_site_name site = { .stack = i, .bytes = i == 3 ? 500 : 7 };
		struct tf_def_task_context context = { .def.flags = i % 2,
						       .task = 1 + i % 2,
						       .look = 4 - i,
						       .bytes = i == 3 ? 900 : 16 };
		struct tf_def_task task = {
			.task = i, .parent = i - 1, .thread = 1, .stack = 2, .bytes = 6
		};

		trace_writer_raw_def(w, TF_DEF_SITE_NAME, &site, sizeof(site), "Queue q", 8);
		trace_writer_raw_def(w, TF_DEF_TASK, &task, sizeof(task), "Task-1", 7);
		trace_writer_raw_def(w, TF_DEF_TASK_CONTEXT, &context, sizeof(context),
				     "id\00042\0user\0anna", 16);
	}
	for (uint32_t i = 0; i < 12; i++) {
		struct tf_def_await await = { .task = 1 + i % 4,
					      .look = i / 5,
					      .other = (i * 2 + 1) % 5,
					      .object = i % 3 ? 0 : 1,
					      .stack = i % 4,
					      .thread = i % 3,
					      .subject = i % 2 ? 0x5000 : 0,
					      .ticks = i,
					      .kind = i,
					      .loop = 4 };

		trace_writer_raw_def(w, TF_DEF_AWAIT, &await, sizeof(await), NULL, 0);
	}
	trace_writer_object(w, 4, TRACE_OBJECT_LOOP, 0x4001, 1, 1);
	trace_writer_begin(w, 0, 1);
	for (uint32_t i = 0; i < 20; i++) {
		trace_writer_event(w, 0, TRACE_TASK, 0, 0, 0, 2, 1 + i % 4, (int32_t)i, 0);
	}
	end(w, TRACE_EXIT_DESTRUCTORS, "python");
}

/* Bounded mode: slots of tasks whose records are gone, made, armed and over in this and that order, among them numbers of nothing. */
static void seed_slots(void)
{
	struct trace_writer *w = begin();
	uint64_t now = trace_writer_get_header(w)->start_ticks;

	trace_writer_get_header(w)->flags |= TF_PROCESS_BOUNDED;
	trace_writer_object(w, 4, TRACE_OBJECT_LOOP, 0x4001, 1, 1);
	trace_writer_begin(w, 0, 1);
	for (uint32_t i = 1; i <= 8; i++) {
		struct {
			struct tf_def_task task;
			struct tf_task_live live;
			struct tf_def_gil gil;
		} slot = { .task = { .def.flags = (uint16_t)(1 + i % 3),
				     .task = i,
				     .parent = 9 - i,
				     .thread = 1,
				     .stack = i,
				     .ticks = now + 9000 - i * 900 },
			   .live = { .kind = i % 4 ? 150 : 0,
				     .loop = i,
				     .armed_ticks = now + i * 800,
				     .armed_stack = i,
				     .armed_thread = i % 3,
				     .armed_loop = 4,
				     .callback = i,
				     .over_ticks = i % 2 ? 0 : now + i * 700,
				     .over_step = i + 2,
				     .over_thread = i % 3 },
			   .gil = { .thread = i, .waits = i, .wait_ticks = now * i } };

		trace_writer_raw_def(w, TF_DEF_TASK, &slot.task, sizeof(slot.task), &slot.live,
				     sizeof(slot.live));
		trace_writer_raw_def(w, TF_DEF_GIL, &slot.gil, sizeof(slot.gil), NULL, 0);
		trace_writer_event(w, 0, TRACE_TASK, 0, 0, 0, 1, i, (int32_t)(i % 20), 0);
	}
	end(w, TRACE_EXIT_DESTRUCTORS, "slots");
}

/* Reports of ThreadSanitizer: parts of each kind, more promised than there are, stacks and threads that are not. */
static void seed_reports(void)
{
	struct trace_writer *w = begin();

	for (uint32_t i = 0; i < 20; i++) {
		struct tf_def_report report = {
			.report = i % 7, .kind = i, .thread = i, .parts = i % 5 == 4 ? 70000 : 2
		};
		struct tf_report_part parts[2] = {
			{ .kind = i % 8, .flags = 1u << i % 10, .number = i % 3, .stack = i % 4 },
			{ .kind = TF_PART_ACCESS, .number = 1, .stack = 70000, .address = i },
		};
		struct tf_def_tid tid = { .thread = i, .tid = i };

		trace_writer_raw_def(w, TF_DEF_REPORT, &report, sizeof(report), parts,
				     sizeof(parts));
		trace_writer_raw_def(w, TF_DEF_TID, &tid, sizeof(tid), NULL, 0);
	}
	trace_writer_begin(w, 0, 1);
	end(w, TRACE_EXIT_DESTRUCTORS, "reports");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: make_seeds DIR\n", stderr);
		return 64;
	}
	base = argv[1];
	make(base);
	record_seeds();
	seed_every_op();
	seed_hand_over();
	seed_damage();
	seed_loops();
	seed_python();
	seed_slots();
	seed_reports();
	return 0;
}
