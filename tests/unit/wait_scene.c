/* SPDX-License-Identifier: MIT */
/*
 * wait_scene.c - builds a process image in memory and runs the wait checker on it.
 */
#include "wait_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct checker checker_waits;

#define STACKS (1u << 20)

static void *zeroed(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);

	assert_non_null(memory);
	return memory;
}

static void allocate_tables(struct scene *s, uint32_t ids)
{
	free(s->process.objects);
	free(s->process.threads);
	free(s->process.waits);
	s->process.objects = zeroed(ids, sizeof(struct trace_object));
	s->process.threads = zeroed(ids, sizeof(struct trace_thread));
	s->process.waits = zeroed(ids, sizeof(struct trace_wait_state));
	s->process.object_count = s->process.thread_count = s->process.wait_count = ids;
	s->process.threads[1] = (struct trace_thread){ .defined = true, .flags = TF_THREAD_MAIN };
}

struct scene *scene_new(void)
{
	struct scene *s = zeroed(1, sizeof(*s));

	s->process.name = "1000.0";
	s->process.pid = 1000;
	s->process.stack_count = STACKS;
	s->findings = finding_list_new();
	s->site = 1;
	allocate_tables(s, SCENE_IDS);
	scene_event(s, TRACE_THREAD_BEGIN, 1, 0, 0, 1, 0);
	return s;
}

void scene_reserve(struct scene *s, uint32_t ids)
{
	allocate_tables(s, ids);
}

void scene_free(struct scene *s)
{
	finding_list_free(s->findings);
	free(s->process.objects);
	free(s->process.threads);
	free(s->process.waits);
	free(s->events);
	free(s);
}

void scene_object(struct scene *s, uint32_t object, enum trace_object_kind kind,
		  uint32_t attributes)
{
	assert_true(object && object < s->process.object_count);
	s->process.objects[object] = (struct trace_object){ .kind = kind,
							    .attributes = attributes,
							    .where = TF_WHERE_MODULE,
							    .address = 0x1000 + object * 64 };
}

static uint32_t stack_of(const struct scene *s, uint32_t object)
{
	return (s->site * 1000 + object) % STACKS;
}

void scene_event(struct scene *s, enum trace_op op, uint32_t thread, uint32_t object,
		 uint32_t other, uint64_t arg, int32_t result)
{
	if (s->event_count == s->event_capacity) {
		s->event_capacity = s->event_capacity ? 2 * s->event_capacity : 64;
		s->events = realloc(s->events, s->event_capacity * sizeof(*s->events));
		assert_non_null(s->events);
	}
	s->now_ns += 1000000;
	s->events[s->event_count++] = (struct trace_event){ .op = op,
							    .stream = thread,
							    .thread = thread,
							    .object = object,
							    .other = other,
							    .stack = stack_of(s, object),
							    .arg = arg,
							    .result = result,
							    .time_ns = s->now_ns };
}

void scene_spawn(struct scene *s, uint32_t by, uint32_t thread)
{
	s->process.threads[thread].defined = true;
	s->process.threads[thread].parent = by;
	s->process.threads[thread].stack = stack_of(s, 0);
	scene_event(s, TRACE_CREATE, by, 0, 0, thread, 0);
	scene_event(s, TRACE_THREAD_BEGIN, thread, 0, 0, thread, 0);
}

void scene_thread_end(struct scene *s, uint32_t thread)
{
	scene_event(s, TRACE_THREAD_END, thread, 0, 0, 0, 0);
}

void scene_join(struct scene *s, uint32_t by, uint32_t thread)
{
	scene_event(s, TRACE_JOIN, by, 0, 0, thread, 0);
}

void scene_lock(struct scene *s, uint32_t thread, uint32_t object)
{
	scene_event(s, TRACE_ACQUIRE, thread, object, 0, 0, 0);
}

void scene_read(struct scene *s, uint32_t thread, uint32_t object)
{
	scene_event(s, TRACE_ACQUIRE_SHARED, thread, object, 0, 0, 0);
}

void scene_unlock(struct scene *s, uint32_t thread, uint32_t object)
{
	scene_event(s, TRACE_RELEASE, thread, object, 0, 0, 0);
}

void scene_cond_wait(struct scene *s, uint32_t thread, uint32_t cond, uint32_t mutex)
{
	scene_event(s, TRACE_COND_WAIT, thread, cond, mutex, 0, 0);
}

void scene_cond_wake(struct scene *s, uint32_t thread, uint32_t cond, uint32_t mutex)
{
	scene_event(s, TRACE_COND_WAKE, thread, cond, mutex, 0, 0);
}

void scene_signal(struct scene *s, uint32_t thread, uint32_t cond, uint32_t waiters)
{
	scene_event(s, TRACE_COND_SIGNAL, thread, cond, 0, waiters, 0);
}

void scene_broadcast(struct scene *s, uint32_t thread, uint32_t cond, uint32_t waiters)
{
	scene_event(s, TRACE_COND_BROADCAST, thread, cond, 0, waiters, 0);
}

void scene_post(struct scene *s, uint32_t thread, uint32_t sem)
{
	scene_event(s, TRACE_POST, thread, sem, 0, 0, 0);
}

void scene_arrive(struct scene *s, uint32_t thread, uint32_t barrier)
{
	scene_event(s, TRACE_BARRIER_ARRIVE, thread, barrier, 0, 0, 0);
}

void scene_leave(struct scene *s, uint32_t thread, uint32_t barrier)
{
	scene_event(s, TRACE_BARRIER_LEAVE, thread, barrier, 0, 0, 0);
}

void scene_exit(struct scene *s, uint32_t thread)
{
	scene_event(s, TRACE_PROCESS_EXIT, thread, 0, 0, TRACE_EXIT_DESTRUCTORS, 0);
}

void scene_blocked_mode(struct scene *s, uint32_t thread, enum trace_wait_kind kind,
			uint32_t object, uint32_t other, uint32_t mode)
{
	bool join = kind == TRACE_WAIT_JOIN;

	assert_true(thread < s->process.wait_count);
	if (kind == TRACE_WAIT_SEM) /* the recorder saw the value 0 */
		scene_event(s, TRACE_REQUEST, thread, object, 0, mode, 0);
	s->process.waits[thread] = (struct trace_wait_state){
		.thread = thread,
		.tid = 5000 + thread,
		.wait = { .kind = kind,
			  .mode = mode,
			  .object = join ? 0 : object,
			  .other = join ? object : other,
			  .stack = stack_of(s, object),
			  .thread = thread },
		.since_ns = s->now_ns,
	};
}

void scene_blocked(struct scene *s, uint32_t thread, enum trace_wait_kind kind, uint32_t object,
		   uint32_t other)
{
	scene_blocked_mode(s, thread, kind, object, other, 0);
}

void scene_in_cond(struct scene *s, uint32_t thread, uint32_t cond, uint32_t mutex)
{
	scene_cond_wait(s, thread, cond, mutex);
	scene_blocked(s, thread, TRACE_WAIT_COND, cond, mutex);
}

void scene_at_barrier(struct scene *s, uint32_t thread, uint32_t barrier)
{
	scene_arrive(s, thread, barrier);
	scene_blocked(s, thread, TRACE_WAIT_BARRIER, barrier, 0);
}

void scene_end(struct scene *s, uint32_t exit_kind)
{
	struct analyze_stats stats = { 0 };
	struct analysis a = { .process = &s->process,
			      .findings = s->findings,
			      .options = &s->options,
			      .stats = &stats };
	struct model_step step;
	void *state;

	s->process.exit_kind = exit_kind;
	s->process.end_ns = s->now_ns;
	a.model = model_new(&s->process);
	state = checker_waits.begin(&a);
	for (size_t i = 0; i < s->event_count; i++) {
		model_apply(a.model, &s->events[i], &step);
		if (step.thread && (checker_waits.consumes >> s->events[i].op & 1))
			checker_waits.on_event(state, &a, &s->events[i], &step);
	}
	while (model_finish(a.model)) {
	}
	checker_waits.finish(state, &a);
	checker_waits.release(state);
	for (size_t i = 0; i < a.observed_count; i++)
		free(a.observed[i]);
	free(a.observed);
	model_free(a.model);
	finding_expand_names(s->findings);
}

size_t scene_total(const struct scene *s)
{
	return finding_list_count(s->findings);
}

size_t scene_count(const struct scene *s, enum rule rule)
{
	size_t count = 0;

	for (size_t i = 0; i < scene_total(s); i++)
		count += finding_list_get(s->findings, i)->rule == rule;
	return count;
}

static void print_all(const struct scene *s)
{
	for (size_t i = 0; i < scene_total(s); i++) {
		const struct finding *f = finding_list_get(s->findings, i);

		print_message("%s (%s): %s\n    %s\n", rule_id(f->rule),
			      confidence_name(f->confidence), f->title, f->message);
		for (size_t k = 0; k < f->stack_count; k++)
			print_message("      %s thread %u lock %u stack %u %s\n",
				      stack_role_name(f->stacks[k].role), f->stacks[k].thread,
				      f->stacks[k].lock, f->stacks[k].stack,
				      f->stacks[k].note ? f->stacks[k].note : "");
	}
}

const struct finding *scene_only(const struct scene *s, enum rule rule, enum confidence confidence)
{
	if (getenv("SCENE_PRINT") || scene_total(s) != 1)
		print_all(s);
	assert_int_equal(scene_total(s), 1);
	assert_string_equal(rule_id(finding_list_get(s->findings, 0)->rule), rule_id(rule));
	assert_string_equal(confidence_name(finding_list_get(s->findings, 0)->confidence),
			    confidence_name(confidence));
	assert_non_null(finding_list_get(s->findings, 0)->title);
	assert_null(strchr(finding_list_get(s->findings, 0)->title, '{'));
	assert_null(strchr(finding_list_get(s->findings, 0)->message, '{'));
	return finding_list_get(s->findings, 0);
}

const struct finding_stack *scene_stack(const struct finding *f, enum stack_role role,
					uint32_t thread, uint32_t object)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == role && (!thread || f->stacks[i].thread == thread) &&
		    (!object || f->stacks[i].lock == object))
			return &f->stacks[i];
	return NULL;
}
