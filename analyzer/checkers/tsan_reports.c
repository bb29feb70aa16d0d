/* SPDX-License-Identifier: MIT */
/*
 * tsan_reports.c - what ThreadSanitizer's runtime reported of a program that was built with it, as findings like all others.
 *
 * Races are its to find. What it says about locks that the trace knows is left to our own checkers, which judge the same calls with
 * more at hand (gate locks, recursion, orders that cannot turn around): one fault is one finding. Of locks that the trace does not
 * know (annotated ones of the program's own) its word is all there is. Leaks of threads and work in signal handlers are ours too.
 */
#include "../checker.h"

#include <string.h>

/* Unlike those of sites.h a report comes once: the runtime leaves out what it said before. */

struct parties {
	const struct trace_report *report;
	struct finding *finding;
	uint32_t memory; /* id in the finding, 0 = not added yet */
};

enum { FIRST_ACCESS, SECOND_ACCESS, ACCESSES };

/* ---- parts ---- */

static const struct tf_report_part *find_part(const struct trace_report *r, uint32_t kind,
					      uint32_t number)
{
	for (size_t i = 0; i < r->part_count; i++)
		if (r->parts[i].kind == kind && r->parts[i].number == number)
			return &r->parts[i];
	return NULL;
}

static const struct tf_report_part *first_part(const struct trace_report *r, uint32_t kind)
{
	for (size_t i = 0; i < r->part_count; i++)
		if (r->parts[i].kind == kind)
			return &r->parts[i];
	return NULL;
}

/* ---- threads: the runtime's numbers are its own, kernel ids are common ---- */

static uint32_t find_thread(const struct trace_process *p, uint32_t tid)
{
	uint32_t found = 0;

	for (size_t i = 1; tid && i < p->thread_count; i++)
		if (p->threads[i].tid == tid)
			found = (uint32_t)i; /* of a number that was used again the newest */
	return found;
}

static uint32_t find_main(const struct trace_process *p)
{
	for (size_t i = 1; i < p->thread_count; i++)
		if (p->threads[i].flags & TF_THREAD_MAIN)
			return (uint32_t)i;
	return 0;
}

/* Lists the thread that the runtime calls `number`; its id in the finding. */
static uint32_t add_thread(struct analysis *a, struct parties *x, uint32_t number)
{
	const struct tf_report_part *part = find_part(x->report, TF_PART_THREAD, number);
	uint32_t id = number ? find_thread(a->process, part ? part->tid : 0)
			     : find_main(a->process);
	struct finding_thread *thread;

	if (id) {
		analysis_add_thread(a, x->finding, id);
		return id;
	}
	id = (uint32_t)a->process->thread_count + number;
	thread = finding_add_thread(a->findings, x->finding, id);
	if (!thread->label) {
		thread->pid = a->process->pid;
		thread->tid = part ? part->tid : 0;
		thread->label = number ? analysis_printf(a, "thread T%u", number) : "main thread";
		thread->created_stack = part ? part->stack : 0;
	}
	return id;
}

/* ---- locks and memory ---- */

/* The newest lock that the trace knows at `address`; 0 = none. */
static uint32_t find_lock(const struct trace_process *p, uint64_t address)
{
	uint32_t found = 0;

	for (size_t i = 1; address && i < p->object_count; i++)
		if (p->objects[i].address == address &&
		    trace_object_kind_is_lock(p->objects[i].kind))
			found = (uint32_t)i;
	return found;
}

/*
 * Only the runtime knows it: it is annotated. A lock of pthreads may be unknown at its present address (moved by mremap), but
 * the calls were seen.
 */
static bool has_unknown_lock(const struct trace_process *p, const struct trace_report *r)
{
	for (size_t i = 0; i < r->part_count; i++)
		if (r->parts[i].kind == TF_PART_STACK && r->parts[i].flags & TF_PART_HOOKED)
			return false;
	for (size_t i = 0; r->is_logged && i < r->part_count; i++)
		if (r->parts[i].kind == TF_PART_MUTEX && r->parts[i].address &&
		    !find_lock(p, r->parts[i].address))
			return true;
	return false;
}

static uint32_t add_lock(struct analysis *a, struct parties *x, uint32_t number)
{
	const struct tf_report_part *part = find_part(x->report, TF_PART_MUTEX, number);
	uint32_t id = part ? find_lock(a->process, part->address) : 0;
	struct finding_lock *lock;

	if (id) {
		analysis_add_lock(a, x->finding, id);
		return id;
	}
	id = (uint32_t)a->process->object_count + number;
	lock = finding_add_lock(a->findings, x->finding, id);
	lock->kind = TRACE_OBJECT_MUTEX;
	lock->object = 0;
	lock->address = part ? part->address : 0;
	lock->first_seen_stack = part ? part->stack : 0;
	return id;
}

static bool is_freed(uint32_t kind)
{
	return kind == TF_REPORT_USE_AFTER_FREE || kind == TF_REPORT_USE_AFTER_FREE_VPTR;
}

static const char *memory_word(uint32_t kind, const struct tf_report_part *location)
{
	uint32_t flags = location ? location->flags : is_freed(kind) ? TF_PART_HEAP : 0;

	return flags & TF_PART_HEAP	    ? "heap block"
	       : flags & TF_PART_ON_STACK   ? "stack variable"
	       : flags & TF_PART_TLS	    ? "thread-local variable"
	       : flags & TF_PART_DESCRIPTOR ? "file descriptor"
					    : "variable";
}

/* What the accesses are of. */
static void add_memory(struct analysis *a, struct parties *x, uint64_t address)
{
	const struct tf_report_part *location = first_part(x->report, TF_PART_LOCATION);
	struct finding_lock *lock;

	if (x->memory)
		return;
	x->memory = analysis_add_memory(a, x->finding, 0, address);
	lock = &x->finding->locks[x->finding->lock_count - 1];
	lock->object = 0;
	lock->word = memory_word(x->report->kind, location);
	if (location && location->flags & TF_PART_HEAP) {
		lock->address = location->address ? location->address : address;
		lock->first_seen_stack = location->stack;
	}
}

/* ---- accesses ---- */

static const char *deed(struct analysis *a, const struct tf_report_part *access)
{
	return analysis_printf(a, "%s %llu byte%s%s",
			       access->flags & TF_PART_WRITE ? "writes" : "reads",
			       (unsigned long long)access->bytes, access->bytes == 1 ? "" : "s",
			       access->flags & TF_PART_ATOMIC ? ", atomically" : "");
}

/* The locks that the log says the access was made under follow it. */
static void add_held(struct analysis *a, struct parties *x, size_t access,
		     struct finding_stack *stack)
{
	const struct trace_report *r = x->report;
	uint32_t held[32];
	size_t count = 0;

	for (size_t i = access + 1; i < r->part_count && r->parts[i].kind == TF_PART_HELD; i++)
		if (count < 32)
			held[count++] = add_lock(a, x, r->parts[i].number);
	if (!count)
		return;
	stack->held = finding_list_alloc(a->findings, count * sizeof(*held));
	for (size_t i = 0; i < count; i++)
		stack->held[i] = held[i];
	stack->held_count = count;
}

/* Two accesses at most are told of; `ret_thread` has who. */
static unsigned add_accesses(struct analysis *a, struct parties *x, uint32_t ret_thread[ACCESSES])
{
	const struct trace_report *r = x->report;
	unsigned count = 0;

	for (size_t i = 0; i < r->part_count && count < ACCESSES; i++) {
		const struct tf_report_part *part = &r->parts[i];
		struct finding_stack *stack;

		if (part->kind != TF_PART_ACCESS)
			continue;
		ret_thread[count] = add_thread(a, x, part->number);
		add_memory(a, x, part->address);
		stack = analysis_add_stack(a, x->finding, ROLE_ACCESSES, ret_thread[count], 0,
					   part->stack, r->time_ns, NULL, 0);
		stack->lock = x->memory;
		stack->access = (struct finding_access){
			.address = part->address,
			.bytes = part->bytes < UINT32_MAX ? (uint32_t)part->bytes : 0,
			.reads = !(part->flags & TF_PART_WRITE),
			.writes = part->flags & TF_PART_WRITE,
			.is_atomic = part->flags & TF_PART_ATOMIC,
		};
		stack->note = deed(a, part);
		add_held(a, x, i, stack);
		count++;
	}
	return count;
}

static bool is_race(uint32_t kind)
{
	return kind == TF_REPORT_RACE || kind == TF_REPORT_RACE_VPTR ||
	       kind == TF_REPORT_RACE_EXTERNAL || is_freed(kind);
}

static const char *what_of(uint32_t kind)
{
	switch (kind) {
	case TF_REPORT_RACE_VPTR:
		return " It is the pointer to an object's table of virtual functions: the object is made or destroyed while it is used.";
	case TF_REPORT_USE_AFTER_FREE:
	case TF_REPORT_USE_AFTER_FREE_VPTR:
		return " One of them frees the memory that the other uses.";
	case TF_REPORT_RACE_EXTERNAL:
		return " The object is of a library that says itself what reads and what changes it.";
	default:
		return "";
	}
}

/* ---- order that the runtime does not see ---- */

/* GCC's OpenMP is not compiled with -fsanitize=thread: what its barriers and tasks keep apart, ThreadSanitizer reports. */
static bool is_openmp(const struct trace_module *m)
{
	const char *name = m->path ? strrchr(m->path, '/') : NULL;

	return name && !strncmp(name, "/libgomp", strlen("/libgomp"));
}

static bool has_openmp(const struct trace_process *p)
{
	for (size_t i = 0; i < p->module_count; i++)
		if (is_openmp(&p->modules[i]))
			return true;
	return false;
}

static bool is_of_openmp(const struct trace_process *p, uint64_t ip)
{
	for (size_t i = 0; i < p->module_count; i++)
		if (ip >= p->modules[i].start && ip < p->modules[i].end)
			return is_openmp(&p->modules[i]);
	return false;
}

static bool leads_to_openmp(const struct trace_process *p, uint32_t stack)
{
	const struct trace_stack *s = stack < p->stack_count ? &p->stacks[stack] : NULL;

	for (uint32_t n = 0; s && n < s->frames; n++)
		if (s->ip[n] && is_of_openmp(p, s->ip[n] - 1))
			return true;
	return false;
}

/*
 * One of the accesses is on a thread of a team: by its stack, by who made the thread, or perhaps, where the runtime lost both.
 */
static bool is_in_team(const struct trace_process *p, const struct trace_report *r)
{
	if (!has_openmp(p))
		return false;
	for (size_t i = 0; i < r->part_count; i++) {
		const struct tf_report_part *part = &r->parts[i];
		bool is_access = part->kind == TF_PART_ACCESS;

		if ((is_access || part->kind == TF_PART_THREAD) && leads_to_openmp(p, part->stack))
			return true;
		if (is_access && (!part->stack || part->stack >= p->stack_count ||
				  !p->stacks[part->stack].frames))
			return true;
	}
	return false;
}

static void report_race(struct analysis *a, struct parties *x)
{
	struct finding *f = x->finding;
	uint32_t thread[ACCESSES] = { 0 };
	unsigned count = add_accesses(a, x, thread);

	f->is_compiled_in = true;
	if (count < ACCESSES) { /* the runtime lost the other side, or the log is cut */
		f->title =
			count ? analysis_printf(a,
						"{thread:%u} and another thread use {lock:%u}, and "
						"nothing orders the two",
						thread[FIRST_ACCESS], x->memory)
			      : "Two threads use a variable, and nothing orders the two";
	} else {
		f->title = analysis_printf(
			a, "{thread:%u} and {thread:%u} use {lock:%u}, and nothing orders the two",
			thread[FIRST_ACCESS], thread[SECOND_ACCESS], x->memory);
	}
	f->message = analysis_printf(
		a,
		"ThreadSanitizer saw both accesses, at least one of them a write, and nothing between them that orders "
		"the two: no lock that both hold, no hand-over, no end of a thread.%s%s",
		what_of(x->report->kind),
		is_in_team(a->process, x->report)
			? " One of them is made by a thread of OpenMP, whose barriers and tasks it does not see, so they may be "
			  "what orders the two: --races=record knows these."
			: "");
}

/* ---- locks that only the runtime knows ---- */

struct misuse {
	uint32_t kind; /* enum tf_report_kind */
	enum rule rule;
	enum confidence confidence;
	const char *title, *message;
};

static const struct misuse misuses[] = {
	{ TF_REPORT_LOCK_ORDER, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL,
	  "Locks are taken in different orders",
	  "ThreadSanitizer saw them taken in orders that close a circle: threads that come at the same time can wait for each "
	  "other for ever." },
	{ TF_REPORT_DOUBLE_LOCK, RULE_DOUBLE_LOCK, CONFIDENCE_OBSERVED,
	  "A lock is taken by the thread that holds it", "ThreadSanitizer saw it." },
	{ TF_REPORT_BAD_READ_LOCK, RULE_DOUBLE_LOCK, CONFIDENCE_OBSERVED,
	  "A lock is taken for reading by the thread that holds it for writing",
	  "ThreadSanitizer saw it." },
	{ TF_REPORT_BAD_UNLOCK, RULE_UNLOCK_NOT_LOCKED, CONFIDENCE_OBSERVED,
	  "A lock is given back by a thread that does not hold it", "ThreadSanitizer saw it." },
	{ TF_REPORT_BAD_READ_UNLOCK, RULE_UNLOCK_NOT_LOCKED, CONFIDENCE_OBSERVED,
	  "A lock that is held for writing is given back as if for reading",
	  "ThreadSanitizer saw it." },
	{ TF_REPORT_INVALID_MUTEX, RULE_USE_AFTER_DESTROY, CONFIDENCE_OBSERVED,
	  "A lock is used that was destroyed or never initialised", "ThreadSanitizer saw it." },
	{ TF_REPORT_DESTROY_LOCKED, RULE_DESTROY_LOCKED, CONFIDENCE_OBSERVED,
	  "A lock is destroyed while it is held", "ThreadSanitizer saw it." },
};

static const struct misuse *find_misuse(uint32_t kind)
{
	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++)
		if (misuses[i].kind == kind)
			return &misuses[i];
	return NULL;
}

static void report_misuse(struct analysis *a, struct parties *x, const struct misuse *m)
{
	const struct trace_report *r = x->report;
	uint32_t lock = 0;

	for (size_t i = 0; i < r->part_count; i++)
		if (r->parts[i].kind == TF_PART_MUTEX)
			lock = add_lock(a, x, r->parts[i].number);
	for (size_t i = 0; i < r->part_count; i++) {
		struct finding_stack *stack;

		if (r->parts[i].kind != TF_PART_STACK)
			continue;
		stack = analysis_add_stack(a, x->finding,
					   m->rule == RULE_UNLOCK_NOT_LOCKED ? ROLE_RELEASES
					   : m->rule == RULE_DESTROY_LOCKED  ? ROLE_DESTROYS
									     : ROLE_ACQUIRES,
					   r->thread, 0, r->parts[i].stack, r->time_ns, NULL, 0);
		stack->lock = r->parts[i].number ? add_lock(a, x, r->parts[i].number) : lock;
	}
	x->finding->title = m->title;
	x->finding->message = m->message;
}

/* ---- the checker ---- */

static void report(struct analysis *a, const struct trace_report *r)
{
	const struct misuse *misuse = find_misuse(r->kind);
	struct parties x = { .report = r };

	if (is_race(r->kind) && analysis_wants(a, RULE_DATA_RACE)) {
		x.finding = analysis_begin(a, RULE_DATA_RACE,
					   is_in_team(a->process, r) ? CONFIDENCE_POTENTIAL
								     : CONFIDENCE_OBSERVED);
		report_race(a, &x);
	} else if (misuse && analysis_wants(a, misuse->rule) && has_unknown_lock(a->process, r)) {
		x.finding = analysis_begin(a, misuse->rule, misuse->confidence);
		report_misuse(a, &x, misuse);
	}
	if (x.finding)
		analysis_commit(a, x.finding);
}

static void tsan_reports_finish(void *state, struct analysis *a)
{
	const struct trace_process *p = a->process;

	(void)state;
	for (size_t i = 0; !a->run && i < p->report_count; i++)
		report(a, &p->reports[i]);
}

const struct checker checker_tsan_reports = {
	.name = "tsan_reports",
	.finish = tsan_reports_finish,
};
