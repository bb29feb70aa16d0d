/* SPDX-License-Identifier: MIT */
/*
 * coverage.c - the counters of watched, recorded and Python memory in words and in JSON, there and back.
 */
#include "coverage.h"

#include "../../trace/trace_memory_format.h"
#include "json_put.h"
#include "words.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

/* By enum tf_watch_state. */
static const char *const reasons[] = {
	[TF_WATCH_ON] = NULL,
	[TF_WATCH_REFUSED] = "the kernel refused perf_event_open",
	[TF_WATCH_OLD_KERNEL] = "the kernel is older than 6.4",
	[TF_WATCH_NO_REGISTERS] = "no debug register was free",
	[TF_WATCH_SIGTRAP] = "the program uses SIGTRAP itself",
	[TF_WATCH_TRACED] = "a debugger was attached",
	[TF_WATCH_SANITIZER] = "the program was built with ThreadSanitizer",
	[TF_WATCH_PYTHON] = "of a Python program --python-races watches variables",
	[TF_WATCH_SMALL_STACKS] = "a thread's stack is too small for a signal",
	[TF_WATCH_CONFINED] = "a seccomp filter was installed",
	[TF_WATCH_SLOW] = "threads are made too often",
	[TF_WATCH_LATE] = "there was a thread before the first one that was seen",
};
#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

static const char unknown_reason[] = "not known";

const char *coverage_why(const struct tf_def_watches *w)
{
	return w->state < REASONS ? reasons[w->state] : unknown_reason;
}

/* By enum tf_watch_deep: why --races=deep is not what it was to be. */
static const char *const shallow[] = {
	[TF_DEEP_NOT] = NULL,
	[TF_DEEP_ON] = NULL,
	[TF_DEEP_NO_MEMORY] = "/proc/self/mem cannot be written",
	[TF_DEEP_BLOCKED] = "the program blocks SIGTRAP, in a thread or a handler",
	[TF_DEEP_OVER] = NULL,
};
#define SHALLOW (sizeof(shallow) / sizeof(shallow[0]))

const char *coverage_shallow(const struct tf_def_watches *w)
{
	uint32_t why = w->deep & TF_DEEP_MASK;

	return why < SHALLOW ? shallow[why] : unknown_reason;
}

/* ---- counters ---- */

static const struct counter {
	const char *key;
	uint16_t at;
	bool is_long, is_sum;
} counters[] = {
#define COUNTER(key, member, is_sum)                                              \
	{                                                                         \
		key, offsetof(struct tf_def_watches, member),                     \
			sizeof(((struct tf_def_watches *)0)->member) == 8, is_sum \
	}
	COUNTER("registers", slots, false),    COUNTER("samples", samples, true),
	COUNTER("chosen", choices, true),      COUNTER("reached", traps, true),
	COUNTER("instructions", sites, true),  COUNTER("private", private_, true),
	COUNTER("pauses", pauses, true),       COUNTER("residents", residents, true),
	COUNTER("conflicts", conflicts, true), COUNTER("dropped", dropped, true),
	COUNTER("paused_us", paused_us, true), COUNTER("spent_us", spent_us, true),
#undef COUNTER
};
#define COUNTERS (sizeof(counters) / sizeof(counters[0]))

static uint64_t counter_get(const struct counter *c, const struct tf_def_watches *w)
{
	uint64_t wide;
	uint32_t narrow;

	if (c->is_long) {
		memcpy(&wide, (const char *)w + c->at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)w + c->at, sizeof(narrow));
	return narrow;
}

static void counter_set(const struct counter *c, struct tf_def_watches *w, uint64_t value)
{
	uint32_t narrow = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;

	if (c->is_long)
		memcpy((char *)w + c->at, &value, sizeof(value));
	else
		memcpy((char *)w + c->at, &narrow, sizeof(narrow));
}

/* ---- a process, a report ---- */

static bool is_watched(const struct tf_def_watches *w)
{
	return w && (w->state == TF_WATCH_ON || w->samples || w->choices);
}

static const struct tf_def_runtime *python_of(const struct trace_process *p)
{
	return p->runtime && p->runtime->features & TF_PYTHON_RACES ? p->runtime : NULL;
}

struct sum {
	uint64_t counter[COUNTERS];
	unsigned watched, unwatched;  /* processes */
	const char *why[REASONS + 1]; /* each once */
	size_t why_count;
	uint64_t planted; /* --races=deep */
	bool is_deep;
	const char *shallow;
	unsigned recorded;
	uint64_t recorded_bytes, left_out;
	unsigned python;
	uint64_t functions, classes;
};

static void add_why(struct sum *s, const char *why)
{
	for (size_t i = 0; i < s->why_count; i++)
		if (!strcmp(s->why[i], why))
			return;
	s->why[s->why_count++] = why;
}

static void add_process(struct sum *s, const struct trace_process *p)
{
	const struct tf_def_watches *w = p->watches;
	const struct tf_def_runtime *r = python_of(p);

	if (w) {
		s->watched += is_watched(w);
		s->unwatched += !is_watched(w);
		for (size_t i = 0; i < COUNTERS; i++)
			s->counter[i] += counter_get(&counters[i], w);
		if (coverage_why(w))
			add_why(s, coverage_why(w));
		s->is_deep |= w->deep & TF_DEEP_MASK;
		s->planted += w->deep >> TF_DEEP_SHIFT;
		if (coverage_shallow(w))
			s->shallow = coverage_shallow(w);
	}
	if (p->memory.is_there) {
		s->recorded++;
		s->recorded_bytes += p->memory.bytes;
		s->left_out += p->memory.left_out;
	}
	if (r) {
		s->python++;
		s->functions += r->watched_functions;
		s->classes += r->watched_classes;
	}
}

static struct sum sum_of(const struct report_process *process, size_t count)
{
	struct sum s = { .watched = 0 };

	for (size_t i = 0; i < count; i++)
		add_process(&s, process[i].process);
	return s;
}

/* ---- words ---- */

static uint64_t total(const struct sum *s, size_t member)
{
	for (size_t i = 0; i < COUNTERS; i++)
		if (counters[i].at == member)
			return s->counter[i];
	return 0;
}
#define TOTAL(s, member) total(s, offsetof(struct tf_def_watches, member))

static void __attribute__((format(printf, 3, 4)))
append(char *buffer, size_t bytes, const char *format, ...)
{
	size_t used = strlen(buffer);
	va_list args;

	va_start(args, format);
	vsnprintf(buffer + used, bytes - used, format, args);
	va_end(args);
}

/* "; a", or "a" where nothing is before it. */
static void append_part(char *buffer, size_t bytes, const char *text)
{
	append(buffer, bytes, "%s%s", *buffer ? "; " : "", text);
}

static void append_watched(const struct sum *s, char *buffer, size_t bytes)
{
	char amount[96];

	if (!(TOTAL(s, pauses) + TOTAL(s, residents)) && !s->why_count && !s->is_deep &&
	    !s->shallow) {
		append_part(buffer, bytes, "no memory watched");
		return;
	}
	append_part(buffer, bytes, "memory watched ");
	append(buffer, bytes, "%s",
	       words_count(TOTAL(s, pauses) + TOTAL(s, residents), "time", NULL, amount,
			   sizeof(amount)));
	append(buffer, bytes, " at %s",
	       words_count(TOTAL(s, sites), "instruction", NULL, amount, sizeof(amount)));
	append(buffer, bytes, ", met by a second thread %s",
	       words_count(TOTAL(s, conflicts), "time", NULL, amount, sizeof(amount)));
	if (s->is_deep)
		append(buffer, bytes, ", %s",
		       words_count(s->planted, "place planted", "places planted", amount,
				   sizeof(amount)));
	if (s->shallow)
		append(buffer, bytes, ", no deeper: %s", s->shallow);
	if (s->why_count && !s->unwatched)
		append(buffer, bytes, ", not to the end: %s", s->why[0]);
}

/* ThreadSanitizer watches what is built with it, and what it sees are findings too. */
static bool is_told_otherwise(const struct sum *s)
{
	return s->why_count == 1 && !strcmp(s->why[0], reasons[TF_WATCH_SANITIZER]);
}

const char *coverage_words(const struct report_process *process, size_t count, char *buffer,
			   size_t bytes)
{
	struct sum s = sum_of(process, count);
	char amount[96];

	*buffer = '\0';
	if (s.python) {
		append_part(buffer, bytes, "shared state of ");
		append(buffer, bytes, "%s",
		       words_count(s.functions, "function", NULL, amount, sizeof(amount)));
		append(buffer, bytes, " and %s of Python code watched",
		       words_count(s.classes, "class", "classes", amount, sizeof(amount)));
	}
	if (s.watched)
		append_watched(&s, buffer, bytes);
	else if (s.why_count && !s.python && !is_told_otherwise(&s))
		append(buffer, bytes, "memory not watched: %s", s.why[0]);
	if (s.recorded) {
		append_part(buffer, bytes, "memory accesses recorded in ");
		append(buffer, bytes, "%s",
		       words_count(s.recorded_bytes, "byte", NULL, amount, sizeof(amount)));
	}
	return buffer;
}

/* ---- JSON ---- */

static void put_counters(json_t *object, const uint64_t *value, bool sums_only)
{
	for (size_t i = 0; i < COUNTERS; i++)
		if (counters[i].is_sum || !sums_only)
			json_put_count(object, counters[i].key, value[i]);
}

json_t *coverage_watched_json(const struct tf_def_watches *w)
{
	json_t *object = json_object();
	uint64_t value[COUNTERS];

	for (size_t i = 0; i < COUNTERS; i++)
		value[i] = counter_get(&counters[i], w);
	put_counters(object, value, false);
	if (w->deep & TF_DEEP_MASK)
		json_put_count(object, "planted", w->deep >> TF_DEEP_SHIFT);
	json_put_text(object, "not_deep", coverage_shallow(w));
	json_put_text(object, "why", coverage_why(w));
	return object;
}

static json_t *recorded_json(uint64_t bytes, uint64_t left_out)
{
	json_t *object = json_object();

	json_put_count(object, "bytes", bytes);
	json_put_count(object, "left_out", left_out);
	return object;
}

static json_t *python_json(uint64_t functions, uint64_t classes)
{
	json_t *object = json_object();

	json_put_count(object, "functions", functions);
	json_put_count(object, "classes", classes);
	return object;
}

json_t *coverage_process_json(const struct trace_process *p)
{
	const struct tf_def_runtime *r = python_of(p);
	json_t *object;

	if (!p->watches && !p->memory.is_there && !r)
		return NULL;
	object = json_object();
	if (p->watches)
		json_put(object, "watched", coverage_watched_json(p->watches));
	if (p->memory.is_there) {
		json_t *recorded = recorded_json(p->memory.bytes, p->memory.left_out);

		json_put_text(recorded, "mode", p->memory.mode == TM_FULL ? "full" : "sampled");
		json_put(object, "recorded", recorded);
	}
	if (r)
		json_put(object, "python", python_json(r->watched_functions, r->watched_classes));
	return object;
}

json_t *coverage_report_json(const struct report *report)
{
	struct sum s = sum_of(report->processes, report->process_count);
	json_t *object = json_object(), *part;

	if (s.watched || s.unwatched) {
		json_t *why = json_array();

		part = json_object();
		json_put_count(part, "processes", s.watched);
		json_put_count(part, "unwatched_processes", s.unwatched);
		put_counters(part, s.counter, true);
		if (s.is_deep)
			json_put_count(part, "planted", s.planted);
		for (size_t i = 0; i < s.why_count; i++)
			json_array_append_new(why, json_string(s.why[i]));
		json_put_array(part, "reasons", why);
		json_put(object, "watched", part);
	}
	if (s.recorded) {
		part = recorded_json(s.recorded_bytes, s.left_out);
		json_put_count(part, "processes", s.recorded);
		json_put(object, "recorded", part);
	}
	if (s.python) {
		part = python_json(s.functions, s.classes);
		json_put_count(part, "processes", s.python);
		json_put(object, "python", part);
	}
	return object;
}

/* ---- back ---- */

static uint64_t number_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

/* Index of the word, `count` of one that is not there; `none` where nothing is said. */
static uint32_t index_of(const json_t *object, const char *key, const char *const *words,
			 size_t count, uint32_t none)
{
	const char *text = json_string_value(json_object_get(object, key));

	for (uint32_t i = 0; text && i < count; i++)
		if (words[i] && !strcmp(words[i], text))
			return i;
	return text ? (uint32_t)count : none;
}

static uint32_t deep_of(const json_t *object)
{
	uint64_t planted = number_of(object, "planted");

	if (!json_object_get(object, "planted"))
		return TF_DEEP_NOT;
	return index_of(object, "not_deep", shallow, SHALLOW, TF_DEEP_ON) |
	       (uint32_t)(planted < UINT32_MAX >> TF_DEEP_SHIFT ? planted
								: UINT32_MAX >> TF_DEEP_SHIFT)
		       << TF_DEEP_SHIFT;
}

void coverage_read(const json_t *value, struct finding_list *list, struct trace_process *p)
{
	const json_t *watched = json_object_get(value, "watched");
	const json_t *recorded = json_object_get(value, "recorded");
	const json_t *python = json_object_get(value, "python");

	if (watched) {
		struct tf_def_watches *w = finding_list_alloc(list, sizeof(*w));

		*w = (struct tf_def_watches){ .state = index_of(watched, "why", reasons, REASONS,
								TF_WATCH_ON),
					      .deep = deep_of(watched) };
		for (size_t i = 0; i < COUNTERS; i++)
			counter_set(&counters[i], w, number_of(watched, counters[i].key));
		p->watches = w;
	}
	if (recorded) {
		const char *mode = json_string_value(json_object_get(recorded, "mode"));

		p->memory.is_there = true;
		p->memory.bytes = number_of(recorded, "bytes");
		p->memory.left_out = number_of(recorded, "left_out");
		p->memory.mode = mode && !strcmp(mode, "full") ? TM_FULL : TM_SAMPLED;
	}
	if (python) {
		struct tf_def_runtime *r = finding_list_alloc(list, sizeof(*r));

		*r = (struct tf_def_runtime){
			.features = TF_PYTHON_RACES,
			.watched_functions = (uint16_t)number_of(python, "functions"),
			.watched_classes = (uint16_t)number_of(python, "classes"),
		};
		p->runtime = r;
	}
}

/* ---- order ---- */

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* As a report has it: OVER is ON there. */
static uint32_t deep_class(const struct tf_def_watches *w)
{
	uint32_t class = w->deep & TF_DEEP_MASK;

	return (w->deep & ~(uint32_t)TF_DEEP_MASK) | (class == TF_DEEP_OVER ? TF_DEEP_ON : class);
}

int coverage_compare(const struct trace_process *a, const struct trace_process *b)
{
	const struct tf_def_runtime *r = python_of(a), *t = python_of(b);
	int order = compare(a->watches != NULL, b->watches != NULL);

	if (!order && a->watches)
		order = compare(a->watches->state, b->watches->state);
	if (!order && a->watches)
		order = compare(deep_class(a->watches), deep_class(b->watches));
	for (size_t i = 0; !order && a->watches && i < COUNTERS; i++)
		order = compare(counter_get(&counters[i], a->watches),
				counter_get(&counters[i], b->watches));
	if (!order)
		order = compare(a->memory.is_there, b->memory.is_there);
	if (!order)
		order = compare(a->memory.bytes, b->memory.bytes);
	if (!order)
		order = compare(a->memory.left_out, b->memory.left_out);
	if (!order)
		order = compare(a->memory.mode, b->memory.mode);
	if (!order)
		order = compare(r ? r->watched_functions + 1u : 0,
				t ? t->watched_functions + 1u : 0);
	return order ? order : compare(r ? r->watched_classes : 0, t ? t->watched_classes : 0);
}
