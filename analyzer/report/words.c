/* SPDX-License-Identifier: MIT */
/*
 * words.c - sentences and phrases of reports, built into the caller's buffers.
 */
#include "words.h"

#include "coverage.h"

#include "../fingerprint.h"
#include "../frame_class.h"
#include "report.h"
#include "ring.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define UNRECORDED_SHOWN 3u

/*
 * A longer name is shown bare: without parameters and template arguments. file:line tells overloads
 * apart.
 */
#define FUNCTION_COLUMNS 60
#define SITE_FRAMES 3

/* Appends to `buffer`, cutting what does not fit. */
__attribute__((format(printf, 3, 4))) static void append(char *buffer, size_t bytes,
							 const char *format, ...)
{
	size_t used = strlen(buffer);
	va_list args;

	va_start(args, format);
	vsnprintf(buffer + used, bytes - used, format, args);
	va_end(args);
}

const char *words_title(const struct finding *f, char *buffer, size_t bytes)
{
	const char *rule = rule_title(f->rule);

	if (!f->title || !*f->title)
		snprintf(buffer, bytes, "%s", rule);
	else if (isupper((unsigned char)f->title[0])) /* "Deadlock: …": a headline of its own */
		snprintf(buffer, bytes, "%s", f->title);
	else
		snprintf(buffer, bytes, "%s: %s", rule, f->title);
	return buffer;
}

const char *words_thread(const struct finding *f, uint32_t id, char *buffer, size_t bytes)
{
	const struct finding_thread *thread = finding_find_thread(f, id);

	if (!id)
		snprintf(buffer, bytes, "a thread");
	else if (thread && thread->label)
		snprintf(buffer, bytes, "%s", thread->label);
	else if (thread && thread->name)
		snprintf(buffer, bytes, "thread %" PRIu32 " \"%s\"", id, thread->name);
	else
		snprintf(buffer, bytes, "thread %" PRIu32, id);
	return buffer;
}

const char *words_lock(const struct finding *f, uint32_t id, char *buffer, size_t bytes)
{
	const struct finding_lock *lock = finding_find_lock(f, id);

	if (!id)
		snprintf(buffer, bytes, "a lock");
	else if (lock)
		finding_lock_text(f, lock, buffer, bytes);
	else
		snprintf(buffer, bytes, "lock %" PRIu32, id);
	return buffer;
}

/* "", ", " or " and " before element `i` of `count`. */
static const char *list_joint(size_t i, size_t count)
{
	return !i ? "" : i + 1 == count ? " and " : ", ";
}

const char *words_held(const struct finding *f, const struct finding_stack *stack, char *buffer,
		       size_t bytes)
{
	char lock[WORDS_BYTES];

	*buffer = '\0';
	for (size_t i = 0; i < stack->held_count; i++)
		append(buffer, bytes, "%s%s", list_joint(i, stack->held_count),
		       words_lock(f, stack->held[i], lock, sizeof(lock)));
	return buffer;
}

/* What a role is called in a sentence. `bare` is for stacks without a lock. */
struct role_words {
	const char *with_lock; /* a verb; the lock follows */
	const char *bare;
	bool tells_held; /* the held set is part of the story */
};

static const struct role_words role_words[ROLE_COUNT] = {
	[ROLE_HOLDS] = { "holds", "holds a lock", false },
	[ROLE_WAITS] = { "waits for", "waits", false },
	[ROLE_ACQUIRES] = { "takes", "takes a lock", true },
	[ROLE_RELEASES] = { "unlocks", "unlocks", false },
	[ROLE_CREATES] = { "creates", "was created here", false },
	[ROLE_ACCESSES] = { "uses", "was here", false },
	[ROLE_BLOCKS] = { "blocks on", "blocks", true },
	[ROLE_DESTROYS] = { "destroys", "destroys it", false },
	[ROLE_SIGNALS] = { "signals", "signals", false },
	[ROLE_AWAITS] = { "awaits", "awaits", true },
};

static bool is_known(const struct frames *frames)
{
	return frames->count > 0;
}

/* One waits on a condition variable, at a barrier, for the rest. */
static const char *verb_of(const struct finding *f, const struct finding_stack *stack)
{
	const struct finding_lock *lock = finding_find_lock(f, stack->lock);

	if (stack->role == ROLE_WAITS && lock && lock->kind == TRACE_OBJECT_COND)
		return "waits on";
	if (stack->role == ROLE_WAITS && lock && lock->kind == TRACE_OBJECT_BARRIER)
		return "waits at";
	return role_words[stack->role].with_lock;
}

/* Without the note: "takes mutex g_b while holding mutex g_a". */
static const char *words_deed(const struct finding *f, const struct finding_stack *stack,
			      char *buffer, size_t bytes)
{
	const struct role_words *words = &role_words[stack->role];
	char name[WORDS_BYTES];

	if (stack->lock)
		snprintf(buffer, bytes, "%s %s", verb_of(f, stack),
			 words_lock(f, stack->lock, name, sizeof(name)));
	else if (stack->for_thread)
		snprintf(buffer, bytes, "%s %s%s", words->with_lock,
			 words_thread(f, stack->for_thread, name, sizeof(name)),
			 stack->role == ROLE_WAITS ? " to end" : "");
	else
		snprintf(buffer, bytes, "%s", words->bare);
	if (words->tells_held && stack->held_count)
		append(buffer, bytes, " while holding %s",
		       words_held(f, stack, name, sizeof(name)));
	if (stack->role == ROLE_HOLDS && is_known(&stack->frames))
		append(buffer, bytes, ", taken here");
	return buffer;
}

bool words_is_remark(const struct finding_stack *stack)
{
	return stack->note && !stack->lock && !stack->for_thread &&
	       (stack->role == ROLE_AWAITS || stack->role == ROLE_ACCESSES ||
		stack->role == ROLE_CREATES || stack->role == ROLE_DESTROYS ||
		stack->role == ROLE_SIGNALS);
}

bool words_is_aside(const struct finding *f, const struct finding_stack *stack)
{
	bool asks = stack->role == ROLE_AWAITS || stack->role == ROLE_SIGNALS;

	for (size_t i = 0; i < f->stack_count && asks; i++)
		if (f->stacks[i].role == ROLE_BLOCKS)
			return true;
	return stack->beside;
}

const char *words_heading(const struct finding *f, const struct finding_stack *stack, char *buffer,
			  size_t bytes)
{
	if (words_is_remark(stack)) {
		snprintf(buffer, bytes, "%s", stack->note);
		return buffer;
	}
	words_deed(f, stack, buffer, bytes);
	if (stack->note)
		append(buffer, bytes, " (%s)", stack->note);
	return buffer;
}

static void append_holders(const struct finding *f, const struct finding_stack *wait, char *buffer,
			   size_t bytes)
{
	const struct finding_stack *holder;
	char name[WORDS_BYTES];
	size_t index = 0;
	bool any = false;

	while ((holder = finding_next_holder(f, wait->lock, wait->thread, &index))) {
		append(buffer, bytes, "%s%s", any ? " and " : ", held by ",
		       words_thread(f, holder->thread, name, sizeof(name)));
		any = true;
	}
	if (any)
		return;
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == ROLE_HOLDS && wait->lock &&
		    f->stacks[i].lock == wait->lock) {
			append(buffer, bytes, ", which it holds itself");
			return;
		}
	if (wait->lock && wait->for_thread)
		append(buffer, bytes, ", which only %s can give",
		       words_thread(f, wait->for_thread, name, sizeof(name)));
}

/*
 * The lock whose hold is told right before an acquire: the checker's choice among all that were
 * held. 0 = none.
 */
static uint32_t outer_lock(const struct finding *f, const struct finding_stack *stack)
{
	const struct finding_stack *before = stack > f->stacks ? stack - 1 : NULL;

	if (before && before->role == ROLE_HOLDS && before->thread == stack->thread &&
	    before->lock != stack->lock)
		return before->lock;
	return stack->held_count == 1 ? stack->held[0] : 0;
}

/* Without the note. */
static bool bare_wait(const struct finding *f, const struct finding_stack *stack, char *buffer,
		      size_t bytes)
{
	char words[2 * WORDS_BYTES];

	if (stack->role != ROLE_WAITS && !(stack->role == ROLE_ACQUIRES && stack->held_count))
		return false;
	words_thread(f, stack->thread, buffer, bytes);
	if (stack->role == ROLE_ACQUIRES && outer_lock(f, stack)) {
		append(buffer, bytes, " takes %s",
		       words_lock(f, outer_lock(f, stack), words, sizeof(words)));
		append(buffer, bytes, ", then %s",
		       words_lock(f, stack->lock, words, sizeof(words)));
		return true;
	}
	append(buffer, bytes, " %s", words_deed(f, stack, words, sizeof(words)));
	if (stack->role == ROLE_WAITS)
		append_holders(f, stack, buffer, bytes);
	return true;
}

bool words_wait(const struct finding *f, const struct finding_stack *stack, char *buffer,
		size_t bytes)
{
	if (!bare_wait(f, stack, buffer, bytes))
		return false;
	if (stack->note)
		append(buffer, bytes, " (%s)", stack->note);
	return true;
}

/*
 * Bytes of `told` and the punctuation after it at the beginning of `message`; 0 = it does not begin
 * so.
 */
static size_t told_bytes(const char *message, const char *told)
{
	size_t length = strlen(told);

	if (!length || strncmp(message, told, length) != 0)
		return 0;
	if (!message[length])
		return length;
	if (message[length] != '.' && message[length] != ';')
		return 0;
	return length + strspn(message + length, ".; \n");
}

/* The title, with or without the headline at its front. */
static size_t told_by_title(const char *message, const char *title)
{
	const char *colon = title ? strstr(title, ": ") : NULL;
	size_t told = title ? told_bytes(message, title) : 0;

	return told || !colon ? told : told_bytes(message, colon + 2);
}

const char *words_message(const struct finding *f)
{
	const char *message = f->message ? f->message : "";
	char words[4 * WORDS_BYTES];
	size_t told = told_by_title(message, f->title);

	do {
		message += told;
		told = 0;
		for (size_t i = 0; i < f->stack_count && !told; i++)
			if (bare_wait(f, &f->stacks[i], words, sizeof(words)))
				told = told_bytes(message, words);
	} while (told);
	if (message != f->message &&
	    !strncmp(message, "(and ", 5)) /* "(and 17 more.)": all are told as lines */
		message += strcspn(message, ")") + strspn(message + strcspn(message, ")"), ") ");
	return *message ? message : NULL;
}

/* ---- places ---- */

const char *words_function(const struct frame *frame, char *buffer, size_t bytes)
{
	const char *module = frame_module_name(frame);

	if (frame->function && strlen(frame->function) > FUNCTION_COLUMNS)
		function_bare_name(frame->function, buffer, bytes);
	else if (frame->function)
		snprintf(buffer, bytes, "%s", frame->function);
	else if (module)
		snprintf(buffer, bytes, "%s+0x%" PRIx64, module, frame->offset);
	else if (frame->offset)
		snprintf(buffer, bytes, "0x%" PRIx64, frame->offset);
	else
		snprintf(buffer, bytes, "unknown code");
	return buffer;
}

const char *words_place(const struct frame *frame, char *buffer, size_t bytes)
{
	const char *module = frame_module_name(frame);

	*buffer = '\0';
	if (frame->file && frame->line > 0)
		snprintf(buffer, bytes, "%s:%d", frame->file, frame->line);
	else if (frame->file)
		snprintf(buffer, bytes, "%s", frame->file);
	else if (frame->function && module)
		snprintf(buffer, bytes, "%s+0x%" PRIx64, module, frame->offset);
	return buffer;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void append_site(const struct frame *frame, char *buffer, size_t bytes)
{
	char name[WORDS_BYTES];

	append(buffer, bytes, "%s%s", *buffer ? " <- " : "",
	       words_function(frame, name, sizeof(name)));
	if (frame->file && frame->line > 0)
		append(buffer, bytes, " %s:%d", file_name(frame->file), frame->line);
	else if (frame->function && frame_module_name(frame))
		append(buffer, bytes, " (%s)", frame_module_name(frame));
}

const char *words_site(const struct frames *frames, char *buffer, size_t bytes)
{
	size_t count = frames_without_runtime(frames), shown = 0;

	*buffer = '\0';
	for (size_t i = 0; i < count && shown < SITE_FRAMES; i++)
		if (frame_classify(&frames->frame[i]) == FRAME_PROGRAM) {
			append_site(&frames->frame[i], buffer, bytes);
			shown++;
		}
	for (size_t i = 0; i < count && !shown; i++, shown++)
		append_site(&frames->frame[i], buffer, bytes);
	return buffer;
}

const char *words_declared(const struct finding_lock *lock, char *buffer, size_t bytes)
{
	*buffer = '\0';
	if (lock->declared_file)
		append(buffer, bytes, "%s:%d", file_name(lock->declared_file), lock->declared_line);
	return buffer;
}

const char *words_first_seen(const struct finding_lock *lock)
{
	return lock->word && !strcmp(lock->word, "heap block") ? "allocated" : "first seen";
}

/* ---- amounts ---- */

const char *words_confidence(const struct finding *f)
{
	switch (f->confidence) {
	case CONFIDENCE_OBSERVED:
		return "observed: it happened in this run";
	case CONFIDENCE_PROVEN:
		return "proven: a correct reordering of this run reaches it";
	case CONFIDENCE_POTENTIAL:
		return f->rule == RULE_DATA_RACE
			       ? "potential: nothing seen orders the two, and what was seen does not show harm"
			       : "potential: it did not happen in this run, and nothing seen rules it out";
	case CONFIDENCE_HINT:
		return "hint: a hazard, not a fault that was seen";
	}
	return "";
}

static void append_number(char *buffer, size_t bytes, uint64_t number)
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);

	for (size_t i = 0; i < length; i++)
		append(buffer, bytes, "%s%c", i && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

const char *words_count(uint64_t count, const char *singular, const char *plural, char *buffer,
			size_t bytes)
{
	*buffer = '\0';
	append_number(buffer, bytes, count);
	if (count == 1)
		append(buffer, bytes, " %s", singular);
	else
		append(buffer, bytes, " %s%s", plural ? plural : singular, plural ? "" : "s");
	return buffer;
}

/* Appends "12 locks" to a list with commas; leaves zeros out unless `zero_too`. */
static void append_amount(char *buffer, size_t bytes, uint64_t count, const char *singular,
			  bool zero_too)
{
	char amount[96];

	if (count || zero_too)
		append(buffer, bytes, "%s%s", *buffer ? ", " : "",
		       words_count(count, singular, NULL, amount, sizeof(amount)));
}

const char *words_levels(const struct report *report, char *buffer, size_t bytes)
{
	*buffer = '\0';
	append_amount(buffer, bytes, report->errors, "error", false);
	append_amount(buffer, bytes, report->warnings, "warning", false);
	append_amount(buffer, bytes, report->notes, "note", false);
	return buffer;
}

const char *words_seen(const struct report *report, char *buffer, size_t bytes)
{
	struct report_totals totals = report_sum(report);
	char amount[96], watched[WORDS_BYTES];

	*buffer = '\0';
	append_amount(buffer, bytes, totals.threads, "thread", true);
	append_amount(buffer, bytes, totals.locks, "lock", true);
	append_amount(buffer, bytes, totals.events, "event", true);
	if (report->process_count != 1)
		append(buffer, bytes, " in %s",
		       words_count(report->process_count, "process", "processes", amount,
				   sizeof(amount)));
	coverage_words(report->processes, report->process_count, watched, sizeof(watched));
	append(buffer, bytes, "%s%s", *watched ? "; " : "", watched);
	return buffer;
}

const char *words_stale(const struct report *report, char *buffer, size_t bytes)
{
	char amount[64];

	*buffer = '\0';
	if (report->stale)
		snprintf(buffer, bytes, "%s, which fails the run (--strict-suppressions)",
			 words_count(report->stale, "suppression matches nothing or has expired",
				     "suppressions match nothing or have expired", amount,
				     sizeof(amount)));
	return buffer;
}

const char *words_lost(const struct report *report, char *buffer, size_t bytes)
{
	struct report_totals totals = report_sum(report);

	*buffer = '\0';
	append_amount(buffer, bytes, totals.lost_events, "event", false);
	append_amount(buffer, bytes, totals.lost_chunks, "chunk", false);
	append_amount(buffer, bytes, totals.lost_defs, "definition", false);
	return buffer;
}

const char *words_unrecorded(const struct report *report, size_t index, char *buffer, size_t bytes)
{
	const struct report_unrecorded *u;
	size_t more;

	if (index > UNRECORDED_SHOWN || index >= report->unrecorded_count)
		return NULL;
	u = &report->unrecorded[index];
	more = report->unrecorded_count - index;
	if (index == UNRECORDED_SHOWN)
		snprintf(buffer, bytes, "and %zu more %s; thrum info names them", more,
			 more == 1 ? "program" : "programs");
	else if (u->why)
		snprintf(buffer, bytes, "process %" PRIu32 ": %s", u->pid, u->why);
	else
		snprintf(buffer, bytes, "process %" PRIu32 ": %s did not record itself", u->pid,
			 u->path);
	return buffer;
}

const char *words_processes(const struct report *report, const struct finding *f, char *buffer,
			    size_t bytes)
{
	uint32_t pid[8] = { 0 };
	size_t count = 0, more = 0;

	*buffer = '\0';
	if (!finding_spans_processes(f)) {
		if (report->process_count > 1 && f->process < report->process_count) {
			const struct trace_process *p = report->processes[f->process].process;

			snprintf(buffer, bytes, "in process %" PRIu32 " %s", p->pid, p->command);
		}
		return buffer;
	}
	for (size_t i = 0; i < f->thread_count; i++) {
		size_t k = 0;

		while (k < count && pid[k] != f->threads[i].pid)
			k++;
		if (k == sizeof(pid) / sizeof(*pid))
			more = 1;
		else if (k == count)
			pid[count++] = f->threads[i].pid;
	}
	append(buffer, bytes, "in processes ");
	for (size_t i = 0; i < count; i++)
		append(buffer, bytes, "%s%" PRIu32, list_joint(i, count + more), pid[i]);
	append(buffer, bytes, "%s", more ? " and others" : "");
	return buffer;
}

static bool any_spans(const struct report *report, enum rule rule)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (report->findings[i]->rule == rule &&
		    finding_spans_processes(report->findings[i]))
			return true;
	return false;
}

const char *words_rules(const struct report *report, char *buffer, size_t bytes)
{
	uint64_t count[RULE_COUNT] = { 0 };

	*buffer = '\0';
	for (size_t i = 0; i < report->listed_count; i++)
		count[report->findings[i]->rule]++;
	for (size_t i = 0; i < report->listed_count; i++) {
		enum rule rule = report->findings[i]->rule;

		if (!count[rule])
			continue;
		append(buffer, bytes, "%s%" PRIu64 " %s%s", *buffer ? ", " : "", count[rule],
		       rule_id(rule), any_spans(report, rule) ? " across processes" : "");
		count[rule] = 0;
	}
	return buffer;
}
