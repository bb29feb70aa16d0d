/* SPDX-License-Identifier: MIT */
/*
 * event_feed.c - turns scripts into events; see event_feed.h for the language.
 */
#include "event_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum shape {
	OBJECT,
	OBJECT_ARG,
	OBJECT_RESULT,
	OBJECT_ARG_RESULT,
	COND,
	COND_RESULT,
	THREAD_RESULT,
	ARG,
	BEGIN,
	ACTION,
	TASK_NEW,
	TASK_ARM,
	TASK_STEP,
	TURN,
	WOKEN,
	SLEEP
};

static const struct verb {
	const char *word;
	uint8_t op;
	enum shape shape;
	uint32_t mode; /* A where the shape gives none */
} verbs[] = {
	{ "lock", TRACE_ACQUIRE, OBJECT, 0 },
	{ "rlock", TRACE_ACQUIRE_SHARED, OBJECT, 0 },
	{ "try", TRACE_ACQUIRE_TRY, OBJECT, 0 },
	{ "tryr", TRACE_ACQUIRE_TRY_SHARED, OBJECT, 0 },
	{ "timed", TRACE_ACQUIRE_TIMED, OBJECT, 0 },
	{ "timedr", TRACE_ACQUIRE_TIMED_SHARED, OBJECT, 0 },
	{ "req", TRACE_REQUEST, OBJECT, 0 },
	{ "reqr", TRACE_REQUEST, OBJECT, TRACE_MODE_SHARED },
	{ "reqt", TRACE_REQUEST, OBJECT, TRACE_MODE_TIMED },
	{ "fail", TRACE_ACQUIRE_FAIL, OBJECT_RESULT, 0 },
	{ "failr", TRACE_ACQUIRE_FAIL, OBJECT_RESULT, TRACE_MODE_SHARED },
	{ "failt", TRACE_ACQUIRE_FAIL, OBJECT_RESULT, TRACE_MODE_TIMED },
	{ "failtry", TRACE_ACQUIRE_FAIL, OBJECT_RESULT, TRACE_MODE_TRY },
	{ "unlock", TRACE_RELEASE, OBJECT, 0 },
	{ "odd", TRACE_RELEASE_ODD, OBJECT_ARG_RESULT, 0 },
	{ "dead", TRACE_ACQUIRE_OWNERDEAD, OBJECT, 0 },
	{ "consistent", TRACE_CONSISTENT, OBJECT, 0 },
	{ "init", TRACE_INIT, OBJECT_ARG_RESULT, 0 },
	{ "destroy", TRACE_DESTROY, OBJECT_ARG_RESULT, 0 },
	{ "gone", TRACE_GONE, OBJECT_ARG, 0 },
	{ "cwait", TRACE_COND_WAIT, COND, 0 },
	{ "cwake", TRACE_COND_WAKE, COND_RESULT, 0 },
	{ "signal", TRACE_COND_SIGNAL, OBJECT_ARG, 0 },
	{ "broadcast", TRACE_COND_BROADCAST, OBJECT_ARG, 0 },
	{ "post", TRACE_POST, OBJECT, 0 },
	{ "arrive", TRACE_BARRIER_ARRIVE, OBJECT, 0 },
	{ "leave", TRACE_BARRIER_LEAVE, OBJECT, 0 },
	{ "once", TRACE_ONCE_BEGIN, OBJECT, 0 },
	{ "onceend", TRACE_ONCE_END, OBJECT, 0 },
	{ "pass", TRACE_ONCE_PASS, OBJECT, 0 },
	{ "create", TRACE_CREATE, THREAD_RESULT, 0 },
	{ "join", TRACE_JOIN, THREAD_RESULT, 0 },
	{ "detach", TRACE_DETACH, THREAD_RESULT, 0 },
	{ "cancel", TRACE_CANCEL, THREAD_RESULT, 0 },
	{ "begin", TRACE_THREAD_BEGIN, BEGIN, 0 },
	{ "end", TRACE_THREAD_END, ARG, 0 },
	{ "pexit", TRACE_EXIT, ARG, 0 },
	{ "lost", TRACE_LOST, ARG, 0 },
	{ "exit", TRACE_PROCESS_EXIT, ARG, 0 },
	{ "block", TRACE_BLOCK, OBJECT_ARG, 0 },
	{ "unblock", TRACE_UNBLOCK, ARG, 0 },
	{ "task", TRACE_TASK, THREAD_RESULT, 0 },
	{ "new", TRACE_TASK_NEW, TASK_NEW, 0 },
	{ "arm", TRACE_TASK_ARM, TASK_ARM, 0 },
	{ "call", TRACE_TASK, TASK_STEP, TRACE_TASK_CALLED },
	{ "ret", TRACE_TASK, TASK_STEP, TRACE_TASK_RETURNED },
	{ "worked", TRACE_TASK, TASK_STEP, TRACE_TASK_WORKED },
	{ "stop", TRACE_TASK, TASK_STEP, TRACE_TASK_STOPPED },
	{ "close", TRACE_TASK, TASK_STEP, TRACE_TASK_CLOSED },
	{ "finish", TRACE_TASK, TASK_STEP, TRACE_TASK_FINISHED },
	{ "drop", TRACE_TASK, TASK_STEP, TRACE_TASK_DESTROYED },
	{ "lose", TRACE_TASK, TASK_STEP, TRACE_TASK_LOST },
	{ "loop", TRACE_LOOP, OBJECT_ARG_RESULT, 0 },
	{ "turn", TRACE_TURN, TURN, 0 },
	{ "woken", TRACE_WOKEN, WOKEN, 0 },
	{ "blocked", TRACE_BLOCKED, OBJECT_ARG_RESULT, 0 },
	{ "busy", TRACE_BUSY, THREAD_RESULT, 0 },
	{ "handover", TRACE_HAND_OVER, OBJECT_ARG, 0 },
	{ "benign", TRACE_BENIGN, ARG, 0 },
	{ "mask", TRACE_SIGNAL_MASK, ARG, 0 },
	{ "action", TRACE_SIGNAL_ACTION, ACTION, 0 },
	{ "sleep", TRACE_OP_NONE, SLEEP, 0 },
};

uint32_t feed_id(char letter)
{
	return letter && letter != '-' ? (uint32_t)letter : 0;
}

void feed_init(struct feed *f)
{
	memset(f, 0, sizeof(*f));
	for (uint32_t i = 1; i < FEED_OBJECTS; i++) {
		f->object[i].kind = TRACE_OBJECT_MUTEX;
		f->object[i].address = 0x1000 + i * 64;
		f->object[i].where = TF_WHERE_MODULE;
	}
	for (uint32_t i = 1; i < FEED_THREADS; i++)
		f->thread[i] = (struct trace_thread){ .defined = true,
						      .parent = i > 1,
						      .flags = i == 1 ? TF_THREAD_MAIN : 0 };
	f->process = (struct trace_process){ .name = "1.0",
					     .pid = 1,
					     .objects = f->object,
					     .object_count = FEED_OBJECTS,
					     .threads = f->thread,
					     .thread_count = FEED_THREADS,
					     .waits = f->wait,
					     .stacks = f->stack,
					     .stack_count = FEED_STACKS,
					     .complete = true };
	f->findings = finding_list_new();
}

void feed_object(struct feed *f, char letter, enum trace_object_kind kind, uint32_t attributes)
{
	f->object[feed_id(letter)].kind = kind;
	f->object[feed_id(letter)].attributes = attributes;
}

void feed_handler(struct feed *f, uint32_t stack, uint8_t signal)
{
	assert_true(stack && stack < 100 && !f->image);
	f->stack[stack] = (struct trace_stack){ .handler_frames = 2, .signal = signal };
}

void feed_wait(struct feed *f, uint32_t thread, enum trace_wait_kind kind, char object, char other,
	       uint32_t mode, uint32_t stack)
{
	assert_true(f->process.wait_count < FEED_WAITS && !f->image);
	f->wait[f->process.wait_count++] =
		(struct trace_wait_state){ .thread = thread,
					   .wait = { .kind = kind,
						     .mode = mode,
						     .object = feed_id(object),
						     .other = feed_id(other),
						     .stack = stack } };
}

void feed_event(struct feed *f, struct trace_event *event)
{
	if (!f->image)
		f->image = analyze_image_begin(&f->process, 0, NULL, f->findings, &f->stats);
	f->now_ns += 1000;
	event->time_ns = f->now_ns;
	f->process.events++;
	f->process.end_ns = f->end_ns > f->now_ns ? f->end_ns : f->now_ns;
	if ((f->event_count & (f->event_count - 1)) == 0)
		f->event = realloc(f->event,
				   (f->event_count ? 2 * f->event_count : 1) * sizeof(*f->event));
	f->event[f->event_count++] = *event;
	analyze_image_event(f->image, event);
}

static const struct verb *find_verb(const char *word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].word, word))
			return &verbs[i];
	fail_msg("no such verb: %s", word);
	return NULL;
}

/* Words after the verb: w[0], w[1], w[2]; missing ones are "". */
static void fill_event(struct trace_event *e, const struct verb *v, char w[3][16])
{
	e->op = v->op;
	e->arg = v->mode;
	switch (v->shape) {
	case OBJECT:
		e->object = feed_id(w[0][0]);
		e->other = v->op == TRACE_REQUEST ? (uint32_t)atoi(w[1]) : 0;
		break;
	case OBJECT_ARG:
		e->object = feed_id(w[0][0]);
		e->arg = strtoull(w[1], NULL, 0);
		break;
	case OBJECT_RESULT:
		e->object = feed_id(w[0][0]);
		e->result = atoi(w[1]);
		break;
	case OBJECT_ARG_RESULT:
		e->object = feed_id(w[0][0]);
		e->arg = strtoull(w[1], NULL, 0);
		e->result = atoi(w[2]);
		break;
	case COND:
		e->object = feed_id(w[0][0]);
		e->other = feed_id(w[1][0]);
		e->arg = strtoull(w[2], NULL, 0);
		break;
	case COND_RESULT:
		e->object = feed_id(w[0][0]);
		e->other = feed_id(w[1][0]);
		e->result = atoi(w[2]);
		break;
	case THREAD_RESULT:
		e->arg = strtoull(w[0], NULL, 0);
		e->result = atoi(w[1]);
		break;
	case ARG:
		e->arg = strtoull(w[0], NULL, 0);
		break;
	case BEGIN:
		e->arg = e->thread;
		e->stream = w[0][0] ? (uint32_t)atoi(w[0]) : e->thread;
		break;
	case ACTION:
		e->arg = strtoull(w[0], NULL, 0);
		e->result = atoi(w[1]) << 2 | atoi(w[2]);
		break;
	case TASK_NEW:
		e->arg = strtoull(w[0], NULL, 0);
		e->result = atoi(w[1]);
		e->object = feed_id(w[2][0]);
		break;
	case TASK_ARM:
		e->arg = strtoull(w[0], NULL, 0);
		e->object = feed_id(w[1][0]);
		e->result = atoi(w[2]);
		break;
	case TASK_STEP:
		e->arg = strtoull(w[0], NULL, 0);
		e->result = (int32_t)v->mode;
		break;
	case TURN:
		e->arg = strtoull(w[0], NULL, 0) << 1 | (atoi(w[2]) != 0);
		e->result = atoi(w[1]);
		break;
	case WOKEN:
		e->arg = strtoull(w[0], NULL, 0);
		e->result = atoi(w[2]) * (1 << TRACE_WOKEN_SHIFT) | atoi(w[1]);
		break;
	case SLEEP:
		break;
	}
}

static void run_statement(struct feed *f, char *text, uint32_t number)
{
	struct trace_event e = { .stack = 100 + number };
	char word[16] = "", w[3][16] = { "", "", "" };
	char *at = strchr(text, '@');
	const struct verb *v;

	if (at) {
		e.stack = (uint32_t)atoi(at + 1);
		*at = '\0';
	}
	if (sscanf(text, "%u %15s %15s %15s %15s", &e.thread, word, w[0], w[1], w[2]) < 2)
		fail_msg("bad statement: %s", text);
	v = find_verb(word);
	e.stream = e.thread;
	fill_event(&e, v, w);
	if (v->shape == SLEEP)
		f->now_ns += strtoull(w[0], NULL, 0) * 1000000;
	else
		feed_event(f, &e);
}

void feed_run(struct feed *f, const char *script)
{
	char *copy = strdup(script), *rest = copy, *statement;
	uint32_t number = 0;

	while ((statement = strsep(&rest, ";\n"))) {
		number++;
		if (statement[strspn(statement, " \t")])
			run_statement(f, statement, number);
	}
	free(copy);
}

void feed_end(struct feed *f)
{
	while (f->image) {
		f->image = analyze_image_end(f->image);
		for (size_t i = 0; f->image && i < f->event_count; i++)
			analyze_image_event(f->image, &f->event[i]);
	}
	free(f->event);
	f->event = NULL;
	f->event_count = 0;
}

void feed_release(struct feed *f)
{
	feed_end(f);
	finding_list_free(f->findings);
}

size_t feed_count(const struct feed *f, enum rule rule, int confidence)
{
	size_t count = 0;

	for (size_t i = 0; i < finding_list_count(f->findings); i++) {
		const struct finding *finding = finding_list_get(f->findings, i);

		if (finding->rule == rule &&
		    (confidence < 0 || (int)finding->confidence == confidence))
			count++;
	}
	return count;
}

const struct finding *feed_find(const struct feed *f, enum rule rule)
{
	for (size_t i = 0; i < finding_list_count(f->findings); i++)
		if (finding_list_get(f->findings, i)->rule == rule)
			return finding_list_get(f->findings, i);
	return NULL;
}

static bool is_others(enum rule rule)
{
	return rule == RULE_DEADLOCK || rule == RULE_SELF_DEADLOCK || rule == RULE_STUCK_WAIT ||
	       rule == RULE_LEAKED_THREAD;
}

/* Every id a finding's text names has to be in its lists, else the reader sees a number. */
static void check_texts(struct feed *f)
{
	finding_expand_names(f->findings);
	for (size_t i = 0; i < finding_list_count(f->findings); i++) {
		const struct finding *x = finding_list_get(f->findings, i);

		assert_non_null(x->title);
		assert_non_null(x->message);
		assert_null(strstr(x->title, "{lock:"));
		assert_null(strstr(x->message, "{thread:"));
		if (!is_others(x->rule))
			assert_null(strstr(x->message, "lock 6"));
	}
}

void feed_expect(void (*prepare)(struct feed *), const char *script, enum rule rule,
		 enum confidence confidence, size_t count)
{
	struct feed f;

	feed_init(&f);
	if (prepare)
		prepare(&f);
	feed_run(&f, script);
	feed_end(&f);
	check_texts(&f);
	for (size_t i = 0; i < finding_list_count(f.findings); i++) {
		const struct finding *x = finding_list_get(f.findings, i);

		if (!is_others(x->rule) &&
		    (x->rule != rule || x->confidence != confidence || count == 0))
			fail_msg("unexpected %s (%s): %s", rule_id(x->rule),
				 confidence_name(x->confidence), x->title);
	}
	if (feed_count(&f, rule, confidence) != count)
		fail_msg("%zu findings of %s, not %zu, after: %s", feed_count(&f, rule, confidence),
			 rule_id(rule), count, script);
	feed_release(&f);
}
