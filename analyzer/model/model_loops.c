/* SPDX-License-Identifier: MIT */
/*
 * model_loops.c - tasks of loops and pools, and the callbacks that threads are in.
 */
#include "model_loops.h"

#include "model_internal.h"

#define FIRST_STEP_NS UINT64_C(4000000) /* between two samples of those that are posted */

enum loop_state {
	LOOP_CLOSED = 1,
	LOOP_WHOLE = 2, /* runs until nothing is alive, or somebody stops it */
	LOOP_LEFT = 4,	/* and was stopped before */
	LOOP_DROPPED = 8,
};

struct model_loops {
	struct model_job *job;	/* open addressing by id; id 0 = free */
	size_t capacity, count; /* a power of two */
	struct model_job_site *site;
	uint32_t site_count, site_capacity;
	uint32_t *site_index; /* open addressing by (kind, stack): index + 1 */
	size_t index_capacity;
	struct model_driver *driver; /* by thread */
	size_t driver_count;
	uint8_t *loop_state;	/* by object: enum loop_state bits */
	uint32_t *loop_jobs;	/* by object: jobs in the table that are its own */
	struct model_job ended; /* see MODEL_STEP_ENDED */
};

/* ---- the table of kinds ---- */

static const uint8_t lives[] = {
#define TASK(number, NAME, word, library, life) [number] = MODEL_LIFE_##life,
#include "../../spec/tasks.def"
#undef TASK
};
enum { KINDS = sizeof(lives) / sizeof(lives[0]) };

enum model_life model_job_life(unsigned kind)
{
	return kind < KINDS ? (enum model_life)lives[kind] : MODEL_LIFE_REQUEST;
}

/* ---- memory ---- */

static struct model_loops *touch_loops(struct model *m)
{
	if (!m->loops) {
		m->loops = model_allocate(1, sizeof(*m->loops));
		m->loops->driver = model_allocate(m->thread_count, sizeof(*m->loops->driver));
		m->loops->driver_count = m->thread_count;
		m->loops->loop_state = model_allocate(m->object_count, 1);
		m->loops->loop_jobs = model_allocate(m->object_count, sizeof(*m->loops->loop_jobs));
	}
	return m->loops;
}

void model_loops_free(struct model_loops *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->driver_count; i++)
		free(l->driver[i].callback);
	free(l->driver);
	free(l->loop_state);
	free(l->loop_jobs);
	free(l->job);
	free(l->site);
	free(l->site_index);
	free(l);
}

static size_t job_slot(const struct model_loops *l, uint32_t id)
{
	size_t i = model_mix(id) & (l->capacity - 1);

	while (l->job[i].id && l->job[i].id != id)
		i = (i + 1) & (l->capacity - 1);
	return i;
}

static struct model_job *find_job(const struct model_loops *l, uint64_t id)
{
	struct model_job *j;

	if (!l || !l->capacity || id == 0 || id > UINT32_MAX)
		return NULL;
	j = &l->job[job_slot(l, (uint32_t)id)];
	return j->id ? j : NULL;
}

static struct model_job *add_job(struct model_loops *l, uint32_t id)
{
	struct model_job *old = l->job;
	size_t old_capacity = l->capacity;

	if (l->count * 2 >= l->capacity) {
		l->capacity = l->capacity ? l->capacity * 2 : 64;
		l->job = model_allocate(l->capacity, sizeof(*l->job));
		for (size_t i = 0; i < old_capacity; i++)
			if (old[i].id)
				l->job[job_slot(l, old[i].id)] = old[i];
		free(old);
	}
	l->count++;
	l->job[job_slot(l, id)] = (struct model_job){ .id = id };
	return &l->job[job_slot(l, id)];
}

/* Entries behind it in the same run move up, so that no gap hides them. */
static void remove_job(struct model_loops *l, const struct model_job *j)
{
	size_t hole = (size_t)(j - l->job), mask = l->capacity - 1;

	for (size_t i = (hole + 1) & mask; l->job[i].id; i = (i + 1) & mask) {
		size_t home = model_mix(l->job[i].id) & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			l->job[hole] = l->job[i];
			hole = i;
		}
	}
	l->job[hole].id = 0;
	l->count--;
}

/* ---- places that make tasks ---- */

static void grow_index(struct model_loops *l)
{
	free(l->site_index);
	l->index_capacity = l->index_capacity ? l->index_capacity * 2 : 64;
	l->site_index = model_allocate(l->index_capacity, sizeof(*l->site_index));
	for (uint32_t i = 0; i < l->site_count; i++) {
		size_t at = model_mix((uint64_t)l->site[i].kind << 32 | l->site[i].stack);

		while (l->site_index[at &= l->index_capacity - 1])
			at++;
		l->site_index[at] = i + 1;
	}
}

static uint32_t touch_site(struct model_loops *l, uint32_t kind, const struct trace_event *event)
{
	size_t at = model_mix((uint64_t)kind << 32 | event->stack);
	struct model_job_site *s;

	if ((size_t)l->site_count * 2 >= l->index_capacity)
		grow_index(l);
	for (; l->site_index[at &= l->index_capacity - 1]; at++) {
		uint32_t i = l->site_index[at] - 1;

		if (l->site[i].kind == kind && l->site[i].stack == event->stack)
			return i;
	}
	l->site = model_grow(l->site, &l->site_capacity, l->site_count + 1, sizeof(*l->site));
	s = &l->site[l->site_count++];
	*s = (struct model_job_site){
		.kind = kind,
		.stack = event->stack,
		.first = { event->thread, event->stack, event->time_ns },
	};
	l->site_index[at] = l->site_count;
	return l->site_count - 1;
}

/* Fills the slices of the run that are over. */
static void advance(const struct model *m, struct model_job_site *s, uint64_t now_ns)
{
	uint64_t end = m->process->end_ns ? m->process->end_ns : 1;
	uint64_t slice = now_ns >= end ? MODEL_SLICES
				       : (uint64_t)((double)now_ns / (double)end * MODEL_SLICES);

	while (s->slice < slice && s->slice < MODEL_SLICES)
		s->live_at[s->slice++] = s->live;
}

/* One more is made. Where the samples are full, every other one goes. */
static void sample_posts(struct model_job_site *s, uint64_t now_ns)
{
	if (!s->post_step_ns)
		s->post_step_ns = FIRST_STEP_NS;
	while (now_ns > s->first.time_ns &&
	       (now_ns - s->first.time_ns) / s->post_step_ns > s->post_count) {
		if (s->post_count < MODEL_POSTS) {
			s->post_at[s->post_count++] = s->live;
			continue;
		}
		s->post_count /= 2;
		for (uint32_t i = 0; i < s->post_count; i++)
			s->post_at[i] = s->post_at[i * 2 + 1];
		s->post_step_ns *= 2;
	}
}

/* ---- events ---- */

static struct model_driver *driver_of(struct model_loops *l, uint32_t thread)
{
	return thread < l->driver_count ? &l->driver[thread] : NULL;
}

static void set_loop_of(const struct model *m, struct model_loops *l, struct model_job *j,
			uint32_t loop)
{
	if (j->loop < m->object_count)
		l->loop_jobs[j->loop] -= l->loop_jobs[j->loop] != 0;
	if (loop < m->object_count)
		l->loop_jobs[loop]++;
	j->loop = loop;
}

static void on_new(struct model *m, struct model_loops *l, const struct trace_event *event,
		   int32_t given)
{
	struct model_driver *d = driver_of(l, event->thread);
	uint32_t kind = given > 0 && given < KINDS ? (uint32_t)given : 0;
	struct model_job_site *s;
	struct model_job *j = find_job(l, event->arg);

	if (j || event->arg == 0 || event->arg > UINT32_MAX)
		return; /* a number from a file */
	j = add_job(l, (uint32_t)event->arg);
	j->kind = (uint16_t)kind;
	set_loop_of(m, l, j, event->object);
	j->made = (struct model_site){ event->thread, event->stack, event->time_ns };
	j->parent_stack = d && d->count ? d->callback[d->count - 1].stack : 0;
	j->state = model_job_life(kind) == MODEL_LIFE_REQUEST ||
				   model_job_life(kind) == MODEL_LIFE_WORK
			   ? MODEL_JOB_ARMED
			   : MODEL_JOB_MADE;
	j->site = touch_site(l, kind, event);
	s = &l->site[j->site];
	advance(m, s, event->time_ns);
	s->loop = s->loop ? s->loop : event->object;
	sample_posts(s, event->time_ns);
	s->last = j->made;
	s->made++;
	s->live++;
	if (s->live > s->live_most)
		s->live_most = s->live;
}

static void end_job(struct model *m, struct model_loops *l, const struct model_job *j,
		    struct model_step *step, uint64_t now_ns, bool lost)
{
	struct model_job_site *s = &l->site[j->site];

	if (j->loop < m->object_count)
		l->loop_jobs[j->loop] -= l->loop_jobs[j->loop] != 0;
	l->ended = *j;
	step->ended = &l->ended;
	step->flags |= MODEL_STEP_ENDED;
	advance(m, s, now_ns);
	s->ended++;
	s->ended_ns = m->exit_kind && s->ended_ns ? s->ended_ns : now_ns;
	s->lost += lost;
	s->live -= s->live != 0;
	remove_job(l, j);
}

static void on_called(struct model_loops *l, const struct trace_event *event,
		      struct model_step *step, struct model_job *j)
{
	struct model_driver *d = driver_of(l, event->thread);
	struct model_callback *c;

	if (!d || !step->thread)
		return;
	d->callback = model_grow(d->callback, &d->capacity, d->count + 1, sizeof(*d->callback));
	c = &d->callback[d->count++];
	*c = (struct model_callback){
		.task = (uint32_t)event->arg,
		.stack = event->stack,
		.since_ns = event->time_ns,
		.held = step->thread->held_count,
		.lock = step->thread->held_count
				? step->thread->held[step->thread->held_count - 1].object
				: 0,
		.runs = d->runs
	};
	step->flags |= MODEL_STEP_CALLED;
	if (j) {
		c->kind = j->kind;
		c->loop = j->loop;
		c->posted = j->armed.stack ? j->armed : j->made;
		c->in_pool = model_job_life(j->kind) == MODEL_LIFE_WORK &&
			     j->state != MODEL_JOB_WORKED;
		if (c->in_pool) {
			d->pool_kind = j->kind;
			d->pool_loop = j->loop;
		}
		j->called_ns = event->time_ns;
		j->callback_stack = event->stack;
		j->state = MODEL_JOB_CALLED;
		j->thread = event->thread;
		j->calls++;
		l->site[j->site].called++;
	}
}

static void on_returned(struct model_loops *l, const struct trace_event *event,
			struct model_step *step, struct model_job *j)
{
	struct model_driver *d = driver_of(l, event->thread);
	uint32_t i = d ? d->count : 0;

	while (i > 0 && d->callback[i - 1].task != event->arg)
		i--;
	if (i == 0)
		return;
	step->callback = d->callback[i - 1];
	if (step->callback.kind != TRACE_TASK_ANNOTATED) /* that one tells where it is suspended */
		step->callback.stood = event->stack;
	d->count = i - 1; /* those inside it that never returned are over too */
	step->flags |= MODEL_STEP_RETURNED;
	step->callback_depth = d->count;
	if (j && event->result == TRACE_TASK_WORKED) {
		j->state = MODEL_JOB_WORKED;
		j->thread = 0;
	} else if (j && j->state == MODEL_JOB_CALLED) {
		bool again = j->armed.time_ns >= step->callback.since_ns && j->armed.stack;

		j->state = j->once && !again ? MODEL_JOB_STOPPED : MODEL_JOB_ARMED;
		j->thread = 0;
	}
}

void model_loops_forget(struct model *m, uint32_t thread)
{
	struct model_driver *d = m->loops ? driver_of(m->loops, thread) : NULL;

	if (d)
		d->count = 0;
}

void model_loops_step(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_loops *l = touch_loops(m);
	struct model_job *j = find_job(l, event->arg);

	switch (event->result) {
	case TRACE_TASK_CREATED:
		on_new(m, l, event, TRACE_TASK_ANNOTATED);
		break;
	case TRACE_TASK_CALLED:
	case TRACE_TASK_STARTED:
	case TRACE_TASK_RESUMED:
		on_called(l, event, step, j);
		break;
	case TRACE_TASK_RETURNED:
	case TRACE_TASK_WORKED:
	case TRACE_TASK_SUSPENDED:
		on_returned(l, event, step, j);
		break;
	case TRACE_TASK_STOPPED:
		if (j && j->state != MODEL_JOB_CLOSING)
			j->state = MODEL_JOB_STOPPED;
		break;
	case TRACE_TASK_CLOSED:
		if (j)
			j->state = MODEL_JOB_CLOSING;
		break;
	case TRACE_TASK_CANCELLED:
	case TRACE_TASK_FINISHED:
	case TRACE_TASK_DESTROYED:
	case TRACE_TASK_UNAWAITED:
	case TRACE_TASK_LOST:
		/* An annotated task ends where it runs; the others have returned. */
		if (j && j->kind == TRACE_TASK_ANNOTATED)
			on_returned(l, event, step, j);
		if (j)
			end_job(m, l, j, step, event->time_ns, event->result == TRACE_TASK_LOST);
		break;
	default:
		break;
	}
}

static void set_loop_state(const struct model *m, struct model_loops *l, uint32_t loop,
			   unsigned clear, unsigned set)
{
	if (loop && loop < m->object_count)
		l->loop_state[loop] = (uint8_t)((l->loop_state[loop] & ~clear) | set);
}

static void on_loop(const struct model *m, struct model_loops *l, const struct trace_event *event)
{
	struct model_driver *d = driver_of(l, event->thread);

	if (!d)
		return;
	switch (event->arg) {
	case TRACE_LOOP_RUN:
		if (d->runs < MODEL_RUNS) {
			d->outer[d->runs].loop = d->loop;
			d->outer[d->runs].whole = d->whole;
		}
		d->runs++;
		d->loop = event->object;
		d->whole = event->result == 0;
		set_loop_state(m, l, event->object,
			       LOOP_LEFT | LOOP_WHOLE | LOOP_CLOSED | LOOP_DROPPED,
			       event->result == 0 ? LOOP_WHOLE : 0);
		break;
	case TRACE_LOOP_LEFT:
		d->runs -= d->runs != 0;
		d->loop = d->runs < MODEL_RUNS ? d->outer[d->runs].loop : 0;
		d->whole = d->runs < MODEL_RUNS && d->outer[d->runs].whole;
		if (event->result > 0 && event->object < m->object_count &&
		    l->loop_state[event->object] & LOOP_WHOLE)
			set_loop_state(m, l, event->object, 0, LOOP_LEFT);
		break;
	case TRACE_LOOP_DROPPED:
		set_loop_state(m, l, event->object, 0, LOOP_DROPPED);
		break;
	case TRACE_LOOP_CLOSE:
		set_loop_state(m, l, event->object, LOOP_CLOSED,
			       event->result == 0 ? LOOP_CLOSED : 0);
		break;
	default:
		break;
	}
}

/* Records of one wait follow each other; the next wait, if it has none of its own, ends what they say. */
static void on_woken(const struct model *m, struct model_driver *d, const struct trace_event *event)
{
	unsigned packed = (unsigned)event->result, kind = packed & (TRACE_WOKEN_MORE - 1);
	uint32_t thread = (uint32_t)event->arg;
	struct model_wake *w = &d->wake[0];

	if (!(packed & TRACE_WOKEN_MORE)) {
		d->wake[1] = d->wake[0];
		w->time_ns = event->time_ns;
		w->count = 0;
	}
	if (kind == TRACE_WAKER_OTHER || kind > TRACE_WAKER_SOCKET || w->count == MODEL_WAKERS)
		return;
	thread = thread < m->thread_count ? thread : 0;
	w->by[w->count].thread = thread;
	w->by[w->count].stack = thread ? event->stack : 0;
	w->by[w->count].task = (uint32_t)(event->arg >> 32);
	w->by[w->count].descriptor = (uint16_t)(packed >> TRACE_WOKEN_SHIFT);
	w->by[w->count++].kind = (uint8_t)kind;
}

void model_loops_apply(struct model *m, const struct trace_event *event, struct model_step *step)
{
	struct model_loops *l = touch_loops(m);
	struct model_job *j;
	struct model_driver *d;

	switch (event->op) {
	case TRACE_TASK_NEW:
		on_new(m, l, event, event->result);
		break;
	case TRACE_TASK_ARM:
		j = find_job(l, event->arg);
		if (j && j->state != MODEL_JOB_CLOSING) {
			j->armed =
				(struct model_site){ event->thread, event->stack, event->time_ns };
			j->state = j->state == MODEL_JOB_CALLED ? MODEL_JOB_CALLED
								: MODEL_JOB_ARMED;
			if (event->object)
				set_loop_of(m, l, j, event->object);
			j->once = event->result & 1;
			j->callback_stack = event->result > 0 && (uint32_t)event->result >> 1 <
									 m->process->stack_count
						    ? (uint32_t)event->result >> 1
						    : j->callback_stack;
		}
		break;
	case TRACE_LOOP:
		on_loop(m, l, event);
		break;
	case TRACE_WOKEN:
		d = driver_of(l, event->thread);
		if (d)
			on_woken(m, d, event);
		break;
	case TRACE_TURN:
		d = driver_of(l, event->thread);
		if (!d)
			break;
		step->turn_before_ns = d->turn_ns;
		d->same_stack = d->turn_stack == event->stack ? d->same_stack + 1 : 0;
		d->turn_stack = event->stack;
		d->turn_ns = event->time_ns;
		d->turns++;
		break;
	default:
		break;
	}
}

/* ---- reading ---- */

const struct model_driver *model_get_driver(const struct model *m, uint32_t thread)
{
	return m->loops && thread < m->loops->driver_count ? &m->loops->driver[thread] : NULL;
}

const struct model_wake *model_get_wake(const struct model_driver *d, uint64_t now_ns)
{
	for (unsigned i = 0; d && i < 2; i++)
		if (d->wake[i].time_ns && d->wake[i].time_ns + MODEL_WAKE_SLACK_NS <= now_ns)
			return &d->wake[i];
	return NULL;
}

const struct model_callback *model_get_callback(const struct model *m, uint32_t thread)
{
	const struct model_driver *d = model_get_driver(m, thread);

	return d && d->count ? &d->callback[d->count - 1] : NULL;
}

const struct model_job *model_get_job(const struct model *m, uint64_t id)
{
	return find_job(m->loops, id);
}

const struct model_job *model_next_job(const struct model *m, size_t *iterator)
{
	while (m->loops && *iterator < m->loops->capacity) {
		const struct model_job *j = &m->loops->job[(*iterator)++];

		if (j->id)
			return j;
	}
	return NULL;
}

size_t model_job_site_count(const struct model *m)
{
	return m->loops ? m->loops->site_count : 0;
}

const struct model_job_site *model_get_job_site(struct model *m, size_t index)
{
	struct model_job_site *s = &m->loops->site[index];

	while (s->slice < MODEL_SLICES)
		s->live_at[s->slice++] = s->live;
	return s;
}

bool model_loop_is_closed(const struct model *m, uint32_t loop)
{
	return m->loops && loop < m->object_count && m->loops->loop_state[loop] & LOOP_CLOSED;
}

bool model_loop_is_dropped(const struct model *m, uint32_t loop)
{
	return m->loops && loop < m->object_count && m->loops->loop_state[loop] & LOOP_DROPPED;
}

bool model_loop_is_left(const struct model *m, uint32_t loop)
{
	return m->loops && loop < m->object_count && m->loops->loop_state[loop] & LOOP_LEFT;
}

uint32_t model_loop_job_count(const struct model *m, uint32_t loop)
{
	return m->loops && loop < m->object_count ? m->loops->loop_jobs[loop] : 0;
}
