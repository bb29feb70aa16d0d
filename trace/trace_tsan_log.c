/* SPDX-License-Identifier: MIT */
/*
 * trace_tsan_log.c - takes the lines of a log apart. Knows nothing of stacks' and threads' numbers in a trace.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "trace_tsan_log.h"

#include "trace_dir.h"

#include <stdlib.h>
#include <string.h>

/* What is left of a line. */
struct rest {
	const char *at, *end;
};

struct parser {
	struct trace_log *log;
	struct trace_log_report *report; /* under way; NULL = between two */
	bool takes_frames;		 /* the newest part's stack is under way */
	bool no_memory;
};

/* ---- words ---- */

static bool starts(const struct rest *r, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(r->end - r->at) >= n && !memcmp(r->at, word, n);
}

static bool skip(struct rest *r, const char *word)
{
	if (!starts(r, word)) {
		return false;
	}
	r->at += strlen(word);
	return true;
}

/* Goes behind the first `word`; false where there is none. */
static bool skip_to(struct rest *r, const char *word)
{
	const char *found = memmem(r->at, (size_t)(r->end - r->at), word, strlen(word));

	if (!found) {
		return false;
	}
	r->at = found + strlen(word);
	return true;
}

static void skip_blanks(struct rest *r)
{
	while (r->at < r->end && *r->at == ' ') {
		r->at++;
	}
}

static int digit_of(char c, unsigned base)
{
	int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;

	return d < (int)base ? d : -1;
}

static bool take_digits(struct rest *r, unsigned base, uint64_t *ret)
{
	const char *begin = r->at;
	uint64_t value = 0;

	while (r->at < r->end && digit_of(*r->at, base) >= 0) {
		value = value * base + (uint64_t)digit_of(*r->at++, base);
	}
	*ret = value;
	return r->at > begin;
}

static uint64_t take_number(struct rest *r)
{
	uint64_t value = 0;

	take_digits(r, 10, &value);
	return value;
}

static uint64_t take_address(struct rest *r)
{
	uint64_t value = 0;

	if (skip(r, "0x")) {
		take_digits(r, 16, &value);
	}
	return value;
}

/* Of a mutex that is gone the number has its creation in the upper half. */
static uint32_t mutex_number(uint64_t number)
{
	return (uint32_t)(number ^ number >> 32);
}

/* "main thread", "thread T2 'name'", "T2": its number; stays where it is when it is none. */
static uint32_t take_thread(struct rest *r)
{
	if (skip(r, "main thread")) {
		return 0;
	}
	skip(r, "thread ");
	return skip(r, "T") ? (uint32_t)take_number(r) : 0;
}

/* ---- parts ---- */

static struct trace_log_part *add_part(struct parser *p, uint32_t kind, uint32_t flags)
{
	struct trace_log *log = p->log;
	struct trace_log_part *part;

	p->takes_frames = false;
	if (!trace_array_reserve(&log->parts, &log->part_capacity, log->part_count,
				 sizeof(*log->parts))) {
		p->no_memory = true;
		return NULL;
	}
	part = &log->parts[log->part_count++];
	*part = (struct trace_log_part){ .part = { .kind = kind, .flags = flags },
					 .first_frame = log->frame_count };
	p->report->parts++;
	p->takes_frames = kind != TF_PART_HELD;
	return part;
}

/* "(mutexes: write M1, read M2)" behind an access. */
static void add_held(struct parser *p, struct rest r)
{
	if (!skip_to(&r, "(mutexes:")) {
		return;
	}
	while (r.at < r.end && *r.at != ')') {
		bool is_write, is_read;
		struct trace_log_part *part;

		skip_blanks(&r);
		is_write = skip(&r, "write ");
		is_read = !is_write && skip(&r, "read ");
		if ((!is_write && !is_read) || !skip(&r, "M")) {
			return;
		}
		part = add_part(p, TF_PART_HELD, is_write ? TF_PART_WRITE : 0);
		if (!part) {
			return;
		}
		part->part.number = mutex_number(take_number(&r));
		skip(&r, ",");
	}
}

/* "Previous atomic write of size 8 at 0x… by thread T1 (mutexes: write M1):" */
static bool take_access(struct parser *p, struct rest r)
{
	struct trace_log_part *part;
	uint32_t flags;

	skip(&r, "Previous ");
	flags = skip(&r, "atomic ") || skip(&r, "Atomic ") ? TF_PART_ATOMIC : 0;
	if (skip(&r, "Write ") || skip(&r, "write ")) {
		flags |= TF_PART_WRITE;
	} else if (!skip(&r, "Read ") && !skip(&r, "read ")) {
		/* "Modifying access of … at" and "Read-only access of": of an external object */
		if (!starts(&r, "Modifying access of ") && !starts(&r, "modifying access of ") &&
		    !starts(&r, "Read-only access of ") && !starts(&r, "read-only access of ")) {
			return false;
		}
		flags |= *r.at == 'M' || *r.at == 'm' ? TF_PART_WRITE : 0;
	}
	part = add_part(p, TF_PART_ACCESS, flags);
	if (!part) {
		return true;
	}
	if (skip(&r, "of size ")) {
		part->part.bytes = take_number(&r);
	}
	if (skip_to(&r, " at ")) {
		part->part.address = take_address(&r);
	}
	if (skip_to(&r, " by ")) {
		part->part.number = take_thread(&r);
	}
	add_held(p, r);
	p->takes_frames = true; /* of the access: see take_frame */
	return true;
}

/* "global 'x' of size 8 at 0x… (prog+0x4010)", "heap block of size 64 at 0x… allocated by thread T1:", "stack of main thread." */
static void take_location(struct parser *p, struct rest r)
{
	/* It takes the main thread's stack for a module. */
	bool is_stack = memmem(r.at, (size_t)(r.end - r.at), "([stack]", 8);
	uint32_t flags = is_stack			  ? TF_PART_ON_STACK
			 : starts(&r, "global ")	  ? TF_PART_GLOBAL
			 : starts(&r, "heap block ")	  ? TF_PART_HEAP
			 : starts(&r, "stack of ")	  ? TF_PART_ON_STACK
			 : starts(&r, "TLS of ")	  ? TF_PART_TLS
			 : starts(&r, "file descriptor ") ? TF_PART_DESCRIPTOR
							  : 0;
	struct trace_log_part *part = add_part(p, TF_PART_LOCATION, flags);
	struct rest of = r;

	if (!part) {
		return;
	}
	if (is_stack) {
		return;
	}
	if (flags & (TF_PART_ON_STACK | TF_PART_TLS) && skip_to(&of, " of ")) {
		part->part.number = take_thread(&of);
		return;
	}
	if (flags & TF_PART_DESCRIPTOR) {
		skip(&of, "file descriptor ");
		part->part.address = take_number(&of);
	}
	if (skip_to(&of, " of size ")) {
		part->part.bytes = take_number(&of);
		r = of;
	}
	of = r;
	if (!(flags & TF_PART_DESCRIPTOR) && skip_to(&of, " at ")) {
		part->part.address = take_address(&of);
	}
	if (skip_to(&r, " by ")) {
		part->part.number = take_thread(&r);
	}
}

/* "M1 (0x…) created at:", "M1 is already destroyed."; of an inversion "M2 acquired here while holding mutex M1 in main thread:" */
static void take_mutex(struct parser *p, struct rest r)
{
	struct trace_log_part *part;
	uint64_t number;

	if (!skip(&r, "M") || !take_digits(&r, 10, &number)) {
		return;
	}
	if (skip(&r, " acquired here") || skip(&r, " previously acquired")) {
		part = add_part(p, TF_PART_STACK, 0);
	} else {
		part = add_part(p, TF_PART_MUTEX,
				starts(&r, " is already destroyed") ? TF_PART_DESTROYED : 0);
		if (part && skip(&r, " (")) {
			part->part.address = take_address(&r);
		}
	}
	if (part) {
		part->part.number = mutex_number(number);
	}
}

/* "M9 (0x56500aac70dc) => M10 (0x56500aac70d8) => M9" */
static void take_cycle(struct parser *p, struct rest r)
{
	struct trace_log_part *part;
	uint64_t number;

	while (skip(&r, "M") && take_digits(&r, 10, &number) && skip(&r, " (")) {
		part = add_part(p, TF_PART_MUTEX, 0);
		if (!part) {
			return;
		}
		part->part.number = mutex_number(number);
		part->part.address = take_address(&r);
		if (!skip_to(&r, ") => ")) {
			return;
		}
	}
}

/* "T2 'name' (tid=123, running) created by thread T1 at:" */
static void take_made_thread(struct parser *p, struct rest r)
{
	struct trace_log_part *part = add_part(p, TF_PART_THREAD, 0);

	if (!part) {
		return;
	}
	part->part.number = take_thread(&r);
	if (skip_to(&r, "(tid=")) {
		part->part.tid = (uint32_t)take_number(&r);
	}
	if (skip_to(&r, " created by ")) {
		part->part.other = take_thread(&r);
	}
}

/* ---- frames ---- */

/* "(/a/b/prog+0x1234)": the last one in the line; what follows it may be a build id. */
static void take_module(struct rest r, struct trace_log_frame *frame)
{
	const char *plus = NULL, *open;

	for (const char *c = r.end - 1; c > r.at && !plus; c--) {
		plus = c + 3 <= r.end && !memcmp(c, "+0x", 3) ? c : NULL;
	}
	for (open = plus; open && open > r.at; open--) {
		if (*open == '(' &&
		    memcmp(open, "(deleted)",
			   (size_t)(plus - open) < 9 ? (size_t)(plus - open) : 9) != 0) {
			break;
		}
	}
	if (!open || *open != '(') {
		return;
	}
	frame->module = open + 1;
	frame->module_bytes = (size_t)(plus - frame->module);
	r.at = plus + 1;
	frame->offset = take_address(&r);
}

/* "#0 0x55d7a809a1f0 worker a.c:5 (prog+0xd01ef)". Inlined functions come as frames of one address: one is enough. */
static void take_frame(struct parser *p, struct rest r)
{
	struct trace_log *log = p->log;
	struct trace_log_frame frame = { 0 };
	struct trace_log_part *part;
	uint64_t number;
	size_t owner = log->part_count;
	bool is_hooked;

	if (!take_digits(&r, 10, &number)) {
		return;
	}
	skip_blanks(&r);
	frame.ip = take_address(&r);
	skip_blanks(&r);
	skip(&r, "in "); /* of other formats */
	while (skip(&r, "_")) {
	}
	skip(&r, "interceptor_");
	is_hooked = starts(&r, "pthread_") || starts(&r, "sem_");
	if (r.at < r.end) {
		take_module(r, &frame);
	}
	/* Mutexes that an access holds stand between it and its stack. */
	while (owner && log->parts[owner - 1].part.kind == TF_PART_HELD) {
		owner--;
	}
	part = owner ? &log->parts[owner - 1] : NULL;
	if (!part || (!frame.ip && !frame.module)) {
		return;
	}
	if (part->frames) {
		const struct trace_log_frame *before = &log->frames[log->frame_count - 1];

		if (before->ip == frame.ip && before->offset == frame.offset) {
			return;
		}
	}
	if (part->frames >= TF_MAX_FRAMES) {
		return;
	}
	if (!trace_array_reserve(&log->frames, &log->frame_capacity, log->frame_count,
				 sizeof(*log->frames))) {
		p->no_memory = true;
		return;
	}
	if (!part->frames) {
		part->first_frame = log->frame_count;
		part->part.flags |= part->part.kind == TF_PART_STACK && is_hooked ? TF_PART_HOOKED
										  : 0;
	}
	log->frames[log->frame_count++] = frame;
	part->frames++;
}

/* ---- reports ---- */

static uint32_t kind_of(const struct rest *title)
{
	static const struct {
		uint32_t kind;
		const char *text;
	} kinds[] = {
#define REPORT(num, NAME, word, log_text) { num, log_text },
#include "../spec/reports.def"
#undef REPORT
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (starts(title, kinds[i].text)) {
			return kinds[i].kind;
		}
	}
	return TF_REPORT_OTHER;
}

static void begin_report(struct parser *p, struct rest r)
{
	struct trace_log *log = p->log;
	const char *pid = memmem(r.at, (size_t)(r.end - r.at), " (pid=", 6);

	p->report = NULL;
	p->takes_frames = false;
	if (!trace_array_reserve(&log->reports, &log->report_capacity, log->report_count,
				 sizeof(*log->reports))) {
		p->no_memory = true;
		return;
	}
	p->report = &log->reports[log->report_count++];
	*p->report = (struct trace_log_report){
		.kind = kind_of(&r),
		.first_part = log->part_count,
		.title = r.at,
		.title_bytes = (size_t)((pid ? pid : r.end) - r.at),
	};
}

static void take_section(struct parser *p, struct rest r)
{
	if (skip(&r, "Location is ")) {
		take_location(p, r);
	} else if (skip(&r, "Mutex ")) {
		take_mutex(p, r);
	} else if (skip(&r, "Cycle in lock order graph: ")) {
		take_cycle(p, r);
	} else if (skip(&r, "Thread ")) {
		take_made_thread(p, r);
	} else if (!take_access(p, r)) {
		p->takes_frames = false; /* of no interest: "As if synchronized via sleep:" */
	}
}

static void take_line(struct parser *p, struct rest r)
{
	if (starts(&r, "\033[") && !skip_to(&r, "m")) { /* color=always */
		return;
	}
	if (skip(&r, "WARNING: ThreadSanitizer: ")) {
		begin_report(p, r);
	} else if (!p->report || r.at == r.end) {
		p->takes_frames = false;
	} else if (starts(&r, "====") || starts(&r, "SUMMARY: ")) {
		p->report = NULL;
	} else {
		skip_blanks(&r);
		if (!skip(&r, "#")) {
			take_section(p, r);
			return;
		}
		/* Frames without a section before them: of a misuse, which has no accesses. */
		if (!p->takes_frames && !p->report->parts) {
			add_part(p, TF_PART_STACK, 0);
		}
		if (p->takes_frames) {
			take_frame(p, r);
		}
	}
}

int trace_log_parse(const char *text, size_t bytes, struct trace_log *ret_log)
{
	struct parser p = { .log = ret_log };
	const char *at = text, *end = text + bytes;

	memset(ret_log, 0, sizeof(*ret_log));
	while (at < end && !p.no_memory) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		take_line(&p, (struct rest){ at, stop });
		at = newline ? newline + 1 : end;
	}
	return p.no_memory ? THRUM_ENOMEM : 0;
}

void trace_log_release(struct trace_log *log)
{
	free(log->reports);
	free(log->parts);
	free(log->frames);
	memset(log, 0, sizeof(*log));
}
