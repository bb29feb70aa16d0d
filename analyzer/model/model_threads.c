/* SPDX-License-Identifier: MIT */
/*
 * model_threads.c - births, ends, joins of threads, and which stream belongs to which.
 */
#include "model_internal.h"
#include "model_loops.h"

#include <errno.h>

struct model_streams {
	uint32_t *thread; /* owned; by stream id */
	uint32_t capacity;
};

void model_streams_free(struct model_streams *streams)
{
	if (!streams)
		return;
	free(streams->thread);
	free(streams);
}

/*
 * Threads of a process are bounded by its table, so are streams in an honest trace; a hostile id is
 * not followed.
 */
static uint32_t *stream_slot(struct model *m, uint32_t stream)
{
	struct model_streams *streams = m->streams;
	uint32_t before;

	if (stream > m->thread_count * 2 + 1024)
		return NULL;
	if (!streams)
		streams = m->streams = model_allocate(1, sizeof(*streams));
	before = streams->capacity;
	streams->thread = model_grow(streams->thread, &streams->capacity, stream + 1,
				     sizeof(*streams->thread));
	if (streams->capacity > before)
		memset(streams->thread + before, 0,
		       (streams->capacity - before) * sizeof(*streams->thread));
	return &streams->thread[stream];
}

static void make_over(struct model_step *step, struct model_thread *t)
{
	step->peer = t;
	if (!t || t->state == MODEL_THREAD_OVER || t->state == MODEL_THREAD_FAILED)
		return;
	t->state = MODEL_THREAD_OVER;
	if (t->end.time_ns == 0)
		t->end = (struct model_site){ t->id, 0, t->last_ns };
	step->flags |= MODEL_STEP_OVER;
}

static void thread_begin(struct model *m, const struct trace_event *event, struct model_step *step)
{
	uint32_t *slot = stream_slot(m, event->stream);

	step->thread->stream = event->stream;
	if (step->thread->state < MODEL_THREAD_RUNNING)
		step->thread->state = MODEL_THREAD_RUNNING;
	if (!slot)
		return;
	if (*slot && *slot != event->thread)
		make_over(step, model_get_thread(m, *slot));
	*slot = event->thread;
}

/* Bounded mode: its THREAD_BEGIN expired, or not. */
static void thread_goes_on(struct model *m, const struct trace_event *event,
			   struct model_step *step)
{
	uint32_t *slot = stream_slot(m, event->stream);

	if (!slot)
		return;
	step->thread->stream = event->stream;
	if (*slot && *slot != event->thread)
		make_over(step, model_get_thread(m, *slot));
	*slot = event->thread;
}

static void thread_end(const struct trace_event *event, struct model_thread *t)
{
	if (t->state == MODEL_THREAD_OVER)
		return;
	t->state = MODEL_THREAD_ENDED;
	t->end_kind = event->arg <= MODEL_END_CANCELLED ? (uint8_t)event->arg : MODEL_END_RETURNED;
	t->end = (struct model_site){ event->thread, t->exit.stack, event->time_ns };
}

static void create(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_thread *child = step->peer;

	if (!child || child == step->thread)
		return;
	child->create = (struct model_site){ event->thread, event->stack, event->time_ns };
	if (child->state == MODEL_THREAD_UNSEEN)
		child->state = MODEL_THREAD_CREATED;
	model_order_enter(m, child, model_order_leave(m, step->thread));
}

static void join(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_thread *child = step->peer;

	if (!child)
		return;
	if (child->joined)
		step->flags |= MODEL_STEP_JOINED_BEFORE;
	if (child->detached)
		step->flags |= MODEL_STEP_DETACHED_BEFORE;
	if (event->result == EBUSY)
		child->busy_ns = event->time_ns;
	if (event->result != 0 || child == step->thread)
		return;
	child->joined = true;
	child->join = (struct model_site){ event->thread, event->stack, event->time_ns };
	model_order_enter(m, step->thread, model_order_leave(m, child));
	/* With a number, only its runtime is done with it: its own end comes. */
	if (!event->has_seq)
		make_over(step, child);
}

static void detach(const struct trace_event *event, struct model_step *step)
{
	struct model_thread *child = step->peer;

	if (!child)
		return;
	if (child->joined)
		step->flags |= MODEL_STEP_JOINED_BEFORE;
	if (child->detached)
		step->flags |= MODEL_STEP_DETACHED_BEFORE;
	if (event->result != 0)
		return;
	child->detached = true;
	child->detach = (struct model_site){ event->thread, event->stack, event->time_ns };
}

/* ---- signals ---- */

const struct trace_stack *model_get_stack(const struct model *m, uint32_t stack)
{
	return stack < m->process->stack_count && m->process->stacks ? &m->process->stacks[stack]
								     : NULL;
}

static bool in_handler(const struct model *m, uint32_t stack)
{
	const struct trace_stack *s = model_get_stack(m, stack);

	return s && s->handler_frames;
}

/* What a handler changes is over with it. */
static void signal_mask(struct model *m, const struct trace_event *event, struct model_thread *t)
{
	if (in_handler(m, event->stack))
		return;
	t->signal_mask = event->arg;
	t->signal_mask_unknown = false;
}

static void signal_action(struct model *m, const struct trace_event *event)
{
	uint32_t number = (uint32_t)event->result >> 2;

	if (event->result < 0 || number < 1 || number > 64)
		return;
	m->known_signals |= UINT64_C(1) << (number - 1);
	if ((event->result & 3) == 2)
		m->handled_signals |= UINT64_C(1) << (number - 1);
	else
		m->handled_signals &= ~(UINT64_C(1) << (number - 1));
	m->handler_blocks[number] = event->arg;
}

uint64_t model_signal_mask(const struct model *m, const struct model_thread *t, uint32_t stack)
{
	const struct trace_stack *s = model_get_stack(m, stack);

	if (t->signal_mask_unknown)
		return UINT64_MAX;
	if (!s || !s->handler_frames)
		return t->signal_mask;
	if (s->signal < 1 || s->signal > 64 || !(m->known_signals >> (s->signal - 1) & 1))
		return UINT64_MAX;
	return t->signal_mask | m->handler_blocks[s->signal];
}

static struct model_thread *peer_of(struct model *m, const struct trace_event *event)
{
	return event->arg < m->thread_count ? model_touch_thread(m, (uint32_t)event->arg) : NULL;
}

void model_thread_apply(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_thread *t = step->thread;
	struct model_site site = { event->thread, event->stack, event->time_ns };

	switch (event->op) {
	case TRACE_THREAD_BEGIN:
		thread_begin(m, event, step);
		break;
	case TRACE_THREAD_END:
		thread_end(event, t);
		break;
	case TRACE_CREATE:
		step->peer = peer_of(m, event);
		create(m, event, step);
		break;
	case TRACE_CREATE_FAILED:
		step->peer = peer_of(m, event);
		if (step->peer)
			step->peer->state = MODEL_THREAD_FAILED;
		break;
	case TRACE_JOIN:
		step->peer = peer_of(m, event);
		join(m, event, step);
		break;
	case TRACE_DETACH:
		step->peer = peer_of(m, event);
		detach(event, step);
		break;
	case TRACE_CANCEL:
		step->peer = peer_of(m, event);
		if (step->peer && event->result == 0)
			step->peer->cancel = site;
		break;
	case TRACE_EXIT:
		t->exited = true;
		t->exit = site;
		break;
	case TRACE_LOST:
		t->lost += event->arg;
		t->signal_mask_unknown = true;
		model_hold_forget(m, t);
		model_loops_forget(m, t->id);
		break;
	case TRACE_KEYFRAME:
		model_loops_forget(m, t->id);
		if (!event->synthetic)
			thread_goes_on(m, event, step);
		model_hold_keyframe(m, step);
		break;
	case TRACE_FORK:
		m->forks++;
		break;
	case TRACE_TASK:
		if (event->result < TRACE_TASK_CALLED)
			model_task_apply(m, event, step);
		model_loops_step(m, event, step);
		break;
	case TRACE_SIGNAL_MASK:
		signal_mask(m, event, t);
		break;
	case TRACE_SIGNAL_ACTION:
		signal_action(m, event);
		break;
	case TRACE_PROCESS_EXIT:
		m->exit_kind = (uint32_t)event->arg;
		m->exit_thread = event->thread;
		m->exit_ns = event->time_ns;
		m->exit_stack = event->stack;
		break;
	default: /* not an enum: any byte of a file */
		break;
	}
}
