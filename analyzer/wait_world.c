/* SPDX-License-Identifier: MIT */
/*
 * wait_world.c - wait slots, model and history to a wait-for graph: who lives, who holds, what can go
 * on. What each waits for is in wait_targets.c. Reports nothing.
 */
#include "wait_targets.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- all threads ---- */

static void read_slot(struct wait_party *p, const struct trace_wait_state *slot)
{
	p->kind = (uint8_t)slot->wait.kind;
	p->mode = slot->wait.mode;
	p->timed = slot->wait.mode & TRACE_MODE_TIMED;
	p->object = slot->wait.object;
	p->other = slot->wait.other;
	p->stack = slot->wait.stack;
	p->since_ns = slot->since_ns;
}

/* It was in a process that is over. */
static bool has_died(const struct wait_world *w, uint32_t thread)
{
	return w->run && w->run->process[run_process_of_thread(w->run, thread)].ended;
}

static void find_status(struct wait_world *w, uint32_t id)
{
	const struct model_thread *t = model_get_thread(w->model, id);
	const struct trace_wait_state *slot = model_get_wait(w->model, id);
	struct wait_party *p = &w->party[id];

	if (!t || t->state == MODEL_THREAD_FAILED || t->state == MODEL_THREAD_UNSEEN) {
		p->status = WAIT_ABSENT;
	} else if (t->joined || has_died(w, id)) {
		p->status = WAIT_FINISHED;
	} else if (slot && slot->wait.kind <= TRACE_WAIT_CALL) {
		/* Also after THREAD_END: destructors may block. */
		p->status = WAIT_RUNNING;
		read_slot(p, slot);
	} else {
		p->status = t->state >= MODEL_THREAD_ENDED ? WAIT_FINISHED : WAIT_RUNNING;
	}
	if (t && t->lost)
		w->lossy = true;
}

/*
 * In bounded mode the end of a thread that was one of many may have expired. Who is alive has a
 * stream: that is in the map, whatever expired.
 */
static void forget_gone(struct wait_world *w)
{
	const struct trace_process *process = w->model->process;
	uint8_t *has_stream;

	if (!(process->flags & TF_PROCESS_BOUNDED))
		return;
	has_stream = allocate(w->thread_count, 1);
	for (size_t i = 0; i < process->wait_count; i++)
		if (process->waits[i].thread < w->thread_count)
			has_stream[process->waits[i].thread] = 1;
	for (uint32_t id = 1; id < w->thread_count; id++)
		if (w->party[id].status == WAIT_RUNNING && !has_stream[id])
			w->party[id].status = WAIT_ABSENT;
	free(has_stream);
}

static void classify_all(struct wait_world *w)
{
	for (uint32_t id = 1; id < w->thread_count; id++)
		find_status(w, id);
	forget_gone(w);
	for (uint32_t id = 1; id < w->thread_count; id++) {
		struct wait_party *p = &w->party[id];

		if (p->kind != TRACE_WAIT_NONE)
			wait_classify(w, model_get_thread(w->model, id),
				      model_get_wait(w->model, id));
		/* A call that blocks nobody as far as we know is none of ours. */
		if (p->kind > TRACE_WAIT_JOIN && !p->target)
			p->kind = TRACE_WAIT_NONE;
	}
}

/* The image that goes on in the place of `process` after exec; the same when it did not. */
static uint32_t present_image(const struct run_processes *run, uint32_t process)
{
	while (run->process[process].successor != RUN_NO_PROCESS)
		process = run->process[process].successor;
	return process;
}

/* Somebody of the holder's own process waits there: for another holder then. */
static bool has_waiter_of(const struct wait_world *w, uint32_t node, uint32_t process)
{
	for (uint32_t id = 1; id < w->thread_count; id++)
		if (w->party[id].target == node &&
		    (!w->run || run_process_of_thread(w->run, id) == process))
			return true;
	return false;
}

/* The one thread of the image that lives; 0 = none or several. */
static uint32_t only_thread(const struct wait_world *w, const struct run_process *p)
{
	uint32_t found = 0;

	for (uint32_t t = p->first_thread + 1; t < p->first_thread + p->process->thread_count; t++)
		if (wait_world_is_alive(w, t)) {
			if (found)
				return 0;
			found = t;
		}
	return found;
}

/* Thread `id` holds a file lock that stands in the way of those at `node`. */
static void add_file_lock_edge(struct wait_world *w, uint32_t node, uint32_t id, bool posix)
{
	uint32_t process = w->run ? run_process_of_thread(w->run, id) : 0;

	if ((posix && has_waiter_of(w, node, process)) ||
	    w->target[node - w->thread_count].converter == id)
		return;
	/* The lock goes on with what exec made of the process; of one that is over it is gone. */
	if (!wait_world_is_alive(w, id) && w->run)
		id = only_thread(w, &w->run->process[present_image(w->run, process)]);
	if (wait_world_is_alive(w, id))
		wait_graph_add_edge(&w->graph, node, id);
}

/* File locks wait for all whose ranges they meet, of whichever object. */
static void add_file_holder(struct wait_world *w, uint32_t id, const struct model_held *h)
{
	const struct trace_process *p = w->model->process;

	for (uint32_t i = 0; i < w->target_count; i++) {
		const struct wait_target *t = &w->target[i];
		bool both_read = t->side == WAIT_SIDE_SHARED && (h->flags & MODEL_HOLD_SHARED);

		if (!t->object || t->side == WAIT_SIDE_OPEN || both_read ||
		    !wait_is_file_lock(w, t->object))
			continue;
		if (t->object == h->object ||
		    run_ranges_meet(&p->objects[t->object], &p->objects[h->object]))
			add_file_lock_edge(w, w->thread_count + i, id,
					   wait_is_of_process(w, h->object));
	}
}

/* Edges from targets to the threads that hold them. */
static void add_holder_edges(struct wait_world *w)
{
	for (uint32_t id = 1; id < w->thread_count; id++) {
		const struct model_thread *t = model_get_thread(w->model, id);
		bool dead = w->party[id].status < WAIT_RUNNING;

		for (uint32_t i = 0; t && i < t->held_count; i++) {
			const struct model_held *h = &t->held[i];
			const struct model_object *o = model_get_object(w->model, h->object);
			uint32_t node = w->plain_node[h->object];

			if (dead && wait_is_robust(o))
				continue; /* the next one gets EOWNERDEAD */
			if (o->kind == TRACE_OBJECT_FILE_LOCK) {
				add_file_holder(w, id, h);
				continue;
			}
			if (node) {
				wait_graph_add_edge(&w->graph, node, id);
				if (dead)
					w->target[node - w->thread_count].dead = id;
			}
			node = w->shared_node[h->object];
			if (node && !(h->flags & MODEL_HOLD_SHARED)) {
				wait_graph_add_edge(&w->graph, node, id);
				if (dead)
					w->target[node - w->thread_count].dead = id;
			}
		}
	}
}

/* Readers of a lock that prefers writers stand behind the writers that wait. */
static void add_writer_edges(struct wait_world *w)
{
	for (uint32_t id = 1; id < w->thread_count; id++) {
		const struct wait_party *p = &w->party[id];
		const struct model_object *o = model_get_object(w->model, p->object);

		if (p->kind == TRACE_WAIT_LOCK && p->target && !(p->mode & TRACE_MODE_SHARED) &&
		    w->shared_node[p->object] && model_object_prefers_writer(o))
			wait_graph_add_edge(&w->graph, w->shared_node[p->object], id);
	}
}

static void add_wait_edges(struct wait_world *w)
{
	for (uint32_t id = 1; id < w->thread_count; id++) {
		struct wait_party *p = &w->party[id];

		if (p->target)
			wait_graph_add_edge(&w->graph, id, p->target);
		if (p->retake)
			wait_graph_add_edge(&w->graph, id, p->retake);
		if (p->target || p->retake)
			wait_graph_set_state(&w->graph, id, WAIT_NODE_ALL);
	}
}

/* ---- solving ---- */

static void set_open_targets(struct wait_world *w, enum wait_node_state state)
{
	for (uint32_t i = 0; i < w->target_count; i++)
		if (w->target[i].side == WAIT_SIDE_OPEN)
			wait_graph_set_state(&w->graph, w->thread_count + i, state);
}

static void solve(struct wait_world *w)
{
	uint32_t blocked = 0, running = 0;

	w->can = allocate(w->graph.nodes, 1);
	w->can_closed = allocate(w->graph.nodes, 1);
	set_open_targets(w, WAIT_NODE_RUNS);
	wait_graph_solve(&w->graph, w->can);
	set_open_targets(w, WAIT_NODE_NEVER);
	wait_graph_solve(&w->graph, w->can_closed);
	for (uint32_t id = 1; id < w->thread_count; id++) {
		struct wait_party *p = &w->party[id];

		if (p->status != WAIT_RUNNING || id == w->exit_thread)
			continue;
		if (w->can_closed[id]) {
			running++;
			continue;
		}
		p->status = WAIT_BLOCKED;
		blocked++;
		if (!wait_node_is_thread(w, p->target))
			w->target[p->target - w->thread_count].waiters++;
	}
	/*
	 * In an open world a thread that could go on if others do may still be only behind somebody
	 * who runs.
	 */
	w->closed = blocked > 0 && running == 0 && !(w->run && w->run->open);
}

bool wait_world_crosses(const struct wait_world *w, uint32_t node)
{
	const struct wait_target *t;

	if (!w->run || wait_node_is_thread(w, node))
		return false;
	t = wait_world_get_target(w, node);
	if (t->side == WAIT_SIDE_PROCESS || t->side == WAIT_SIDE_CHANNEL)
		return true;
	return wait_identity(w, t->object);
}

bool wait_world_is_open_wait(const struct wait_world *w, uint32_t thread)
{
	const struct wait_party *p = &w->party[thread];

	return p->status == WAIT_BLOCKED && w->can[thread] && p->target &&
	       !wait_node_is_thread(w, p->target) &&
	       wait_world_get_target(w, p->target)->side == WAIT_SIDE_OPEN;
}

static bool trace_is_lossy(const struct trace_process *p)
{
	return p->lost_events || p->lost_chunks ||
	       p->flags & (TF_PROCESS_FULL | TF_PROCESS_DISK_FULL | TF_PROCESS_OFF);
}

/*
 * Has the process gone through exit()? Not where the thread that called it is still in a wait: then
 * an exit handler or a static destructor hangs, and that is a hang like any other.
 */
static void find_exit(struct wait_world *w)
{
	const struct model *m = w->model;
	uint32_t thread = m->exit_thread ? m->exit_thread : 1;

	w->exit_kind = m->exit_kind ? m->exit_kind : m->process->exit_kind;
	if (w->exit_kind != TRACE_EXIT_DESTRUCTORS)
		return;
	if (model_get_wait(m, thread))
		w->exit_kind = 0;
	else
		w->exit_thread = thread;
}

struct wait_world *wait_world_new(const struct model *m, const struct wait_history *h,
				  const struct run_processes *run)
{
	struct wait_world *w = allocate(1, sizeof(*w));

	w->model = m;
	w->history = h;
	w->run = run;
	w->thread_count = (uint32_t)m->thread_count;
	w->party = allocate(w->thread_count, sizeof(*w->party));
	w->plain_node = allocate(m->object_count, sizeof(uint32_t));
	w->shared_node = allocate(m->object_count, sizeof(uint32_t));
	w->process_node = allocate(run ? 2 * (size_t)run->count : 0, sizeof(uint32_t));
	w->lossy = trace_is_lossy(m->process);
	find_exit(w);
	wait_graph_init(&w->graph, w->thread_count);
	classify_all(w);
	add_holder_edges(w);
	add_writer_edges(w);
	add_wait_edges(w);
	wait_world_add_givers(w);
	wait_world_add_task_givers(w);
	wait_graph_set_state(&w->graph, 0, WAIT_NODE_NEVER);
	for (uint32_t id = 1; id < w->thread_count; id++)
		if (w->party[id].status < WAIT_RUNNING || id == w->exit_thread)
			wait_graph_set_state(&w->graph, id, WAIT_NODE_NEVER);
	solve(w);
	return w;
}

void wait_world_free(struct wait_world *w)
{
	if (!w)
		return;
	wait_graph_release(&w->graph);
	free(w->party);
	free(w->target);
	free(w->plain_node);
	free(w->shared_node);
	free(w->process_node);
	free(w->task_edge);
	free(w->can);
	free(w->can_closed);
	free(w);
}
