/* SPDX-License-Identifier: MIT */
/*
 * info_count.c - counts what a process's streams hold.
 */
#include "info_count.h"

#include <stdlib.h>
#include <string.h>

enum life_state { UNSEEN, SEEN, BEGUN, OVER };
struct life {
	enum life_state state;
	uint64_t begin_ns;
};

static void count_definitions(const struct trace_process *p, const struct life *life,
			      struct info_counts *c)
{
	for (size_t i = 1; i < p->thread_count; i++) {
		c->threads += p->threads[i].defined || life[i].state != UNSEEN;
		if (life[i].state == BEGUN && p->end_ns > life[i].begin_ns) {
			c->life_ns[i] = p->end_ns - life[i].begin_ns;
		}
	}
	for (size_t i = 1; i < p->object_count; i++) {
		c->objects[p->objects[i].kind < INFO_KINDS ? p->objects[i].kind : 0]++;
	}
	for (size_t i = 1; i < p->stack_count; i++) {
		c->stacks += p->stacks[i].frames != 0;
	}
	for (size_t i = 0; i < p->wait_count; i++) {
		c->blocked += p->waits[i].wait.kind != TRACE_WAIT_NONE;
	}
}

static void count_object(const struct trace_process *p, const struct trace_event *e,
			 struct info_counts *c)
{
	const struct trace_object *o;

	if (e->object && e->object < p->object_count) {
		o = &p->objects[e->object];
		c->by_object[o->attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK]
			    [o->kind < INFO_KINDS ? o->kind : 0][e->op % TF_OPS]++;
	}
}

static void count_task(const struct trace_event *e, struct info_counts *c)
{
	bool known = e->result > 0 && (unsigned)e->result < INFO_TASKS;

	if (e->op == TRACE_TASK_NEW) {
		c->tasks[known ? e->result : 0]++;
	} else if (e->op == TRACE_TASK) {
		c->tasks[TRACE_TASK_ANNOTATED] += e->result == TRACE_TASK_CREATED;
		c->callbacks += e->result == TRACE_TASK_CALLED;
	}
}

static void count_life(const struct trace_event *e, struct life *life, struct info_counts *c)
{
	struct life *l = &life[e->thread];

	if (e->op == TRACE_THREAD_BEGIN) {
		*l = (struct life){ BEGUN, e->time_ns };
	} else if (e->op == TRACE_THREAD_END && l->state == BEGUN) {
		c->life_ns[e->thread] = e->time_ns - l->begin_ns;
		l->state = OVER;
	} else if (l->state == UNSEEN) {
		l->state = SEEN;
	}
}

void info_count_free(struct info_counts *c)
{
	free(c->by_object);
	free(c->life_ns);
}

int info_count(struct trace_reader *reader, size_t index, struct info_counts *ret_counts,
	       struct diag *diag)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);
	struct info_counts c;
	struct trace_event e;
	struct life *life;
	int error = trace_reader_rewind(reader, index, diag);

	if (error) {
		return error;
	}
	memset(&c, 0, sizeof(c));
	life = calloc(p->thread_count, sizeof(*life));
	c.life_ns = calloc(p->thread_count, sizeof(*c.life_ns));
	c.by_object = calloc(INFO_LIBRARIES, sizeof(*c.by_object));
	if (!life || !c.life_ns || !c.by_object) {
		free(life);
		info_count_free(&c);
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	while (trace_reader_next(reader, &e)) {
		if (e.op == TRACE_LOST) {
			c.lost += e.arg;
		}
		if (e.synthetic) {
			c.gaps += e.op == TRACE_LOST; /* what expired is no gap */
			continue;
		}
		c.events++;
		c.by_op[e.op % TF_OPS]++;
		count_object(p, &e, &c);
		count_task(&e, &c);
		count_life(&e, life, &c);
	}
	count_definitions(p, life, &c);
	free(life);
	*ret_counts = c;
	return 0;
}
