/* SPDX-License-Identifier: MIT */
/*
 * wrap_report.c - takes ThreadSanitizer's reports into the trace while they are made: the run time calls __tsan_on_report, where it
 * is a library; one that is linked in calls its own, and its log alone tells (trace_reports.c).
 *
 * The run time holds its lock for reports meanwhile, and perhaps others. What it answers are copies out of the report; nothing
 * else of the host is called.
 */
#include "shim_emit.h"
#include "shim_sanitizer.h"

enum { PARTS = 64 };

struct reporting {
	void *report; /* the run time's */
	struct tf_report_part part[PARTS];
	uint32_t count;
	void *ip[TF_MAX_FRAMES]; /* is not ended by the run time: zeroed before each call */
};

/* A return address that the run time's caller gave itself has this bit. */
#define EXTERNAL_IP (UINT64_C(1) << 60)

static void **frames_begin(struct reporting *r)
{
	__builtin_memset(r->ip, 0, sizeof(r->ip));
	return r->ip;
}

/* The number of the stack that the run time wrote; a function that was inlined has the address of that around it. */
static uint32_t frames_end(const struct reporting *r)
{
	uintptr_t ip[TF_MAX_FRAMES];
	const struct depot_entry *e;
	uint32_t n = 0;

	for (uint32_t i = 0; i < TF_MAX_FRAMES && r->ip[i]; i++) {
		uintptr_t at = (uintptr_t)r->ip[i] & ~EXTERNAL_IP;

		if (!n || ip[n - 1] != at) {
			ip[n++] = at;
		}
	}
	e = n ? depot_intern(ip, n, 0) : NULL;
	return e ? e->id : 0;
}

static struct tf_report_part *part_new(struct reporting *r, uint32_t kind)
{
	struct tf_report_part *part = &r->part[r->count < PARTS ? r->count++ : PARTS - 1];

	*part = (struct tf_report_part){ .kind = kind };
	return part;
}

static void take_access(struct reporting *r, uintptr_t i)
{
	int thread = 0, bytes = 0, writes = 0, atomic = 0;
	void *address = NULL;

	if (tsan.__tsan_get_report_mop(r->report, i, &thread, &address, &bytes, &writes, &atomic,
				       frames_begin(r), TF_MAX_FRAMES)) {
		struct tf_report_part *part = part_new(r, TF_PART_ACCESS);

		part->flags = (writes ? TF_PART_WRITE : 0) | (atomic ? TF_PART_ATOMIC : 0);
		part->number = (uint32_t)thread;
		part->address = (uintptr_t)address;
		part->bytes = (uint64_t)bytes;
		part->stack = frames_end(r);
	}
}

/* By the first letters of "global", "heap", "stack", "tls", "fd". */
static uint32_t location_flags(const char *kind)
{
	switch (kind ? kind[0] : 0) {
	case 'g':
		return TF_PART_GLOBAL;
	case 'h':
		return TF_PART_HEAP;
	case 's':
		return TF_PART_ON_STACK;
	case 't':
		return TF_PART_TLS;
	case 'f':
		return TF_PART_DESCRIPTOR;
	default:
		return 0;
	}
}

static void take_location(struct reporting *r, uintptr_t i)
{
	uintptr_t start = 0, bytes = 0;
	int thread = 0, fd = 0, suppressible = 0;
	const char *kind = NULL;
	void *address = NULL;

	if (tsan.__tsan_get_report_loc(r->report, i, &kind, &address, &start, &bytes, &thread, &fd,
				       &suppressible, frames_begin(r), TF_MAX_FRAMES)) {
		struct tf_report_part *part = part_new(r, TF_PART_LOCATION);

		part->flags = location_flags(kind);
		part->number = (uint32_t)thread;
		part->address = part->flags == TF_PART_DESCRIPTOR ? (uint64_t)fd
				: start				  ? start
								  : (uintptr_t)address;
		part->bytes = bytes;
		part->stack = frames_end(r);
	}
}

static void take_mutex(struct reporting *r, uintptr_t i)
{
	uintptr_t number = 0;
	void *address = NULL;
	int destroyed = 0;

	if (tsan.__tsan_get_report_mutex(r->report, i, &number, &address, &destroyed,
					 frames_begin(r), TF_MAX_FRAMES)) {
		struct tf_report_part *part = part_new(r, TF_PART_MUTEX);

		part->flags = destroyed ? TF_PART_DESTROYED : 0;
		part->number = (uint32_t)(number ^ number >> 32); /* as trace_tsan_log.c */
		part->address = (uintptr_t)address;
		part->stack = frames_end(r);
	}
}

static void take_thread(struct reporting *r, uintptr_t i)
{
	int thread = 0, runs = 0, parent = 0;
	const char *name = NULL;
	uint64_t tid = 0;

	if (tsan.__tsan_get_report_thread(r->report, i, &thread, &tid, &runs, &name, &parent,
					  frames_begin(r), TF_MAX_FRAMES)) {
		struct tf_report_part *part = part_new(r, TF_PART_THREAD);

		part->number = (uint32_t)thread;
		part->other = (uint32_t)parent;
		part->tid = (uint32_t)tid;
		part->stack = frames_end(r);
	}
}

static void take_stack(struct reporting *r, uintptr_t i)
{
	if (tsan.__tsan_get_report_stack(r->report, i, frames_begin(r), TF_MAX_FRAMES)) {
		part_new(r, TF_PART_STACK)->stack = frames_end(r);
	}
}

static uint32_t kind_of(const char *word)
{
	static const struct {
		uint32_t kind;
		const char *word;
	} kinds[] = {
#define REPORT(num, NAME, word, log_text) { num, word },
#include "../spec/reports.def"
#undef REPORT
	};

	for (size_t i = 0; word && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *a = word, *b = kinds[i].word;

		while (*a && *a == *b) {
			a++;
			b++;
		}
		if (*a == *b) {
			return kinds[i].kind;
		}
	}
	return TF_REPORT_OTHER;
}

static void take(struct reporting *r, struct tf_def_report *def)
{
	int count = 0, stacks = 0, accesses = 0, locations = 0, mutexes = 0, threads = 0, tids = 0;
	const char *kind = NULL;

	tsan.__tsan_get_report_data(r->report, &kind, &count, &stacks, &accesses, &locations,
				    &mutexes, &threads, &tids, frames_begin(r), TF_MAX_FRAMES);
	def->kind = kind_of(kind);
	for (int i = 0; i < accesses; i++) {
		take_access(r, (uintptr_t)i);
	}
	for (int i = 0; i < locations; i++) {
		take_location(r, (uintptr_t)i);
	}
	for (int i = 0; i < mutexes; i++) {
		take_mutex(r, (uintptr_t)i);
	}
	for (int i = 0; i < threads; i++) {
		take_thread(r, (uintptr_t)i);
	}
	for (int i = 0; i < stacks; i++) {
		take_stack(r, (uintptr_t)i);
	}
}

static bool has_interface(void)
{
	return tsan.__tsan_get_report_data && tsan.__tsan_get_report_mop &&
	       tsan.__tsan_get_report_loc && tsan.__tsan_get_report_mutex &&
	       tsan.__tsan_get_report_thread && tsan.__tsan_get_report_stack;
}

/* SLOW: the run time's report lock is held. In a signal handler inside a hook it goes unrecorded: the log has it. */
EXPORT void __tsan_on_report(void *report)
{
	struct tf_def_report def = { .def.type = TF_DEF_REPORT };
	struct call call;
	bool entered = shim_enter(&call);

	if (shim) {
		def.report = atomic_fetch_add(&shim->reports, 1) + 1;
	}
	if (entered) {
		struct reporting r = { .report = report };

		if (has_interface()) {
			take(&r, &def);
			def.thread = call.s->thread;
			def.ticks = arch_ticks();
			def.parts = r.count;
			region_define(&def.def, sizeof(def), r.part, r.count * sizeof(r.part[0]),
				      NULL, 0);
		}
		shim_leave(&call);
	}
	if (real___tsan_on_report) {
		real___tsan_on_report(report);
	}
}

/* ---- its options ---- */

enum { OPTIONS_BYTES = 8192 };

static char *append(char *to, const char *end, const char *text)
{
	while (*text && to < end) {
		*to++ = *text++;
	}
	*to = 0;
	return to;
}

static bool has_char(const char *text, char c)
{
	while (*text && *text != c) {
		text++;
	}
	return *text;
}

/*
 * BOOT: asked by a run time that is a library, before anything else: its reports go beside the trace, with the addresses of
 * frames in them, and do not change the program's status; thrum's gate does that. What the program's own function of this name
 * and TSAN_OPTIONS say comes later and wins. `thrum run` puts the same into TSAN_OPTIONS, for run times that do not ask us.
 */
EXPORT const char *__tsan_default_options(void)
{
	static char options[OPTIONS_BYTES];
	const char *end = options + sizeof(options) - 1, *theirs, *dir;
	char *to = options;

	/* No boot yet: our free() would ask the run time's allocator, which is not ready. */
	shim_resolve_once();
	options_read();
	theirs = real___tsan_default_options ? real___tsan_default_options() : NULL;
	if (shim_options.enabled && directory_open(shim_options.dir)) {
		dir = directory_path();
		to = append(to, end, TF_TSAN_OPTIONS);
		if (dir[0] == '/' && !has_char(dir, '\'')) {
			to = append(to, end, ":log_path='");
			to = append(to, end, dir);
			to = append(to, end, "/" TF_TSAN_LOG "'");
		}
	}
	if (theirs && *theirs) {
		to = append(to, end, ":");
		append(to, end, theirs);
	}
	return options;
}
