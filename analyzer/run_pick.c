/* SPDX-License-Identifier: MIT */
/*
 * run_pick.c - which images of a run are worth a second look together. Reads definitions and wait
 * slots only, no events.
 */
#include "run_union.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- who shares something ---- */

/* An object that other processes can reach, in one image. */
struct share {
	uint64_t dev, ino, offset;
	uint32_t space;
	uint32_t image;
};

/* Pipes only matter where somebody waits at one. */
static bool is_sync(uint32_t kind)
{
	return kind != TRACE_OBJECT_PIPE && kind != TRACE_OBJECT_SOCKET &&
	       kind != TRACE_OBJECT_QUEUE;
}

/* Ranges of one file can overlap: the file counts. */
static struct share share_of(const struct trace_object *o, uint32_t image)
{
	const struct tf_def_identity *i = o->identity;
	struct share s = { .dev = i->dev, .ino = i->ino, .space = i->space, .image = image };

	if (o->kind != TRACE_OBJECT_FILE_LOCK)
		s.offset = i->offset;
	else if (i->space == TF_IDENTITY_OFD_LOCK)
		s.space = TF_IDENTITY_POSIX_LOCK;
	return s;
}

static int compare_things(const struct share *x, const struct share *y)
{
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->space > y->space) - (x->space < y->space);
}

static int compare_shares(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	int order = compare_things(x, y);

	return order ? order : (x->image > y->image) - (x->image < y->image);
}

static size_t count_identities(const struct trace_process *p)
{
	size_t count = 0;

	for (size_t i = 1; i < p->object_count; i++)
		count += p->objects[i].identity && is_sync(p->objects[i].kind);
	return count;
}

static void mark_sharers(const struct trace_reader *reader, uint32_t images, uint8_t *wanted)
{
	size_t count = 0, n = 0;
	struct share *share;

	for (uint32_t i = 0; i < images; i++)
		count += count_identities(trace_reader_get_process(reader, i));
	share = allocate(count, sizeof(*share));
	for (uint32_t i = 0; i < images; i++) {
		const struct trace_process *p = trace_reader_get_process(reader, i);

		for (size_t k = 1; k < p->object_count && n < count; k++)
			if (p->objects[k].identity && is_sync(p->objects[k].kind))
				share[n++] = share_of(&p->objects[k], i);
	}
	qsort(share, n, sizeof(*share), compare_shares);
	for (size_t i = 1; i < n; i++) {
		if (share[i - 1].image == share[i].image ||
		    compare_things(&share[i - 1], &share[i]))
			continue;
		wanted[share[i - 1].image] = wanted[share[i].image] = 1;
	}
	free(share);
}

/* ---- who hangs ---- */

static bool has_waits(const struct trace_process *p)
{
	for (size_t i = 0; i < p->wait_count; i++)
		if (p->waits[i].thread && p->waits[i].wait.kind != TRACE_WAIT_NONE)
			return true;
	return false;
}

/* As far as its own files say. */
static bool is_alive(const struct trace_process *p)
{
	return p->exit_kind == 0 || (p->exit_kind == TRACE_EXIT_DESTRUCTORS && has_waits(p));
}

static bool has_identity(const struct trace_process *p, uint32_t object)
{
	return object && object < p->object_count && p->objects[object].identity;
}

/* It can be another process that ends this wait. */
static bool crosses_the_border(const struct trace_process *p, const struct trace_wait *w)
{
	switch ((enum trace_wait_kind)w->kind) {
	case TRACE_WAIT_CHILD:
		return true;
	case TRACE_WAIT_COND:
		return has_identity(p, w->object) || has_identity(p, w->other);
	case TRACE_WAIT_LOCK:
	case TRACE_WAIT_SEM:
	case TRACE_WAIT_BARRIER:
	case TRACE_WAIT_FUTEX:
	case TRACE_WAIT_CALL:
		return has_identity(p, w->object);
	case TRACE_WAIT_NONE:
	case TRACE_WAIT_ONCE:
	case TRACE_WAIT_JOIN:
		break;
	}
	return false;
}

static bool hangs_outside(const struct trace_process *p)
{
	if (!is_alive(p))
		return false;
	for (size_t i = 0; i < p->wait_count; i++)
		if (p->waits[i].thread && crosses_the_border(p, &p->waits[i].wait))
			return true;
	return false;
}

static void mark_hanging(const struct trace_reader *reader, uint32_t images, uint8_t *wanted)
{
	bool any = false;

	for (uint32_t i = 0; i < images && !any; i++)
		any = hangs_outside(trace_reader_get_process(reader, i));
	for (uint32_t i = 0; i < images && any; i++)
		if (is_alive(trace_reader_get_process(reader, i)))
			wanted[i] = 1;
}

/* ---- families ---- */

/* pid -> images, to find parents without looking at all pairs. */
struct pid_image {
	uint32_t pid, at; /* `at`: index of the image in the trace */
};

static int compare_pids(const void *a, const void *b)
{
	const struct pid_image *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Index in `table` of the last image of `pid` that is before image `before`; `count` = none. */
static uint32_t last_image_of(const struct pid_image *table, uint32_t count, uint32_t pid,
			      uint32_t before)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table[middle].pid < pid ||
		    (table[middle].pid == pid && table[middle].at < before))
			low = middle + 1;
		else
			high = middle;
	}
	return low && table[low - 1].pid == pid ? low - 1 : count;
}

/* By image: the image it came from by fork, RUN_NO_PROCESS = none is in the trace. */
static uint32_t *find_parents(const struct trace_reader *reader, const struct pid_image *table,
			      uint32_t images)
{
	uint32_t *parent = allocate(images, sizeof(*parent));

	for (uint32_t i = 0; i < images; i++) {
		const struct trace_process *p = trace_reader_get_process(reader, i);
		uint32_t at = last_image_of(table, images, p->ppid, i);

		/* The image that forked may have called exec since. */
		while (p->parent_image && at < images && at > 0 && table[at - 1].pid == p->ppid &&
		       trace_reader_get_process(reader, table[at].at)->image != p->parent_image)
			at--;
		parent[i] = at < images && p->ppid != p->pid ? table[at].at : RUN_NO_PROCESS;
	}
	return parent;
}

/* fork and wait order what children do: their parents belong to the picture. */
static void mark_parents(const uint32_t *parent, uint32_t images, uint8_t *wanted)
{
	for (uint32_t i = images; i-- > 0;)
		if (wanted[i] && parent[i] != RUN_NO_PROCESS)
			wanted[parent[i]] = 1; /* it started before: comes later in this loop */
}

static void add_image(const struct trace_reader *reader, struct run_processes *run, uint32_t i)
{
	run->process[run->count++] = (struct run_process){
		.index = i,
		.process = trace_reader_get_process(reader, i),
		.start_ns = trace_reader_get_start_ns(reader, i),
		.parent = RUN_NO_PROCESS,
		.successor = RUN_NO_PROCESS,
	};
}

/* The images named in `wanted`, with the ties between them. */
static void collect(const struct trace_reader *reader, struct run_processes *run,
		    const struct pid_image *table, const uint32_t *parent, const uint8_t *wanted,
		    uint32_t images)
{
	uint32_t *place = allocate(images, sizeof(*place)), count = 0;

	for (uint32_t i = 0; i < images; i++)
		count += wanted[i];
	run->process = allocate(count, sizeof(*run->process));
	for (uint32_t i = 0; i < images; i++) {
		place[i] = run->count;
		if (wanted[i])
			add_image(reader, run, i);
	}
	for (uint32_t i = 0; i < images; i++) {
		const struct trace_process *p = trace_reader_get_process(reader, i);
		uint32_t before = last_image_of(table, images, p->pid, i);

		if (wanted[i] && parent[i] != RUN_NO_PROCESS && wanted[parent[i]])
			run->process[place[i]].parent = place[parent[i]];
		if (before < images && wanted[i] && wanted[table[before].at] &&
		    trace_reader_get_process(reader, table[before].at)->exit_kind ==
			    TRACE_EXIT_EXEC)
			run->process[place[table[before].at]].successor = place[i];
	}
	free(place);
}

void run_union_pick(const struct trace_reader *reader, struct run_processes *run)
{
	uint32_t images = (uint32_t)trace_reader_process_count(reader);
	uint8_t *wanted = allocate(images, 1);
	struct pid_image *table;
	uint32_t *parent;

	memset(run, 0, sizeof(*run));
	mark_sharers(reader, images, wanted);
	mark_hanging(reader, images, wanted);
	if (memchr(wanted, 1, images)) {
		table = allocate(images, sizeof(*table));
		for (uint32_t i = 0; i < images; i++)
			table[i] =
				(struct pid_image){ trace_reader_get_process(reader, i)->pid, i };
		qsort(table, images, sizeof(*table), compare_pids);
		parent = find_parents(reader, table, images);
		mark_parents(parent, images, wanted);
		collect(reader, run, table, parent, wanted, images);
		free(parent);
		free(table);
	}
	free(wanted);
}
