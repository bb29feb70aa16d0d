/* SPDX-License-Identifier: MIT */
/*
 * acquire_index.c - two stable sorts by counting: by thread, then by lock.
 */
#include "closure.h"

static uint32_t *add_up(uint32_t *first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		first[i + 1] += first[i];
	return first;
}

static void index_threads(struct acquire_index *index, const struct acquires *a, uint32_t threads,
			  size_t made)
{
	uint32_t *next = room_new(threads, sizeof(*next));

	index->thread_first = room_new((size_t)threads + 1, sizeof(*index->thread_first));
	for (size_t i = 0; i < made; i++)
		index->thread_first[a->acquire[i].thread + 1]++;
	add_up(index->thread_first, threads);
	memcpy(next, index->thread_first, threads * sizeof(*next));
	index->by_thread = room_new(made, sizeof(*index->by_thread));
	for (size_t i = 0; i < made; i++)
		index->by_thread[next[a->acquire[i].thread]++] = (uint32_t)i;
	free(next);
}

/* What is asked of each acquire, by thread: closer together than the records are. */
struct use {
	uint32_t lock, thread;
};

static struct use *uses_of(const struct acquire_index *index, const struct acquires *a, size_t made)
{
	struct use *use = room_new(made, sizeof(*use));

	for (size_t i = 0; i < made; i++) {
		const struct acquire *x = &a->acquire[index->by_thread[i]];

		use[i] = (struct use){ x->lock, x->thread };
	}
	return use;
}

/* By thread, so that the acquires of each user of a lock come together. */
static void index_locks(struct acquire_index *index, const struct acquires *a, uint32_t locks,
			size_t made)
{
	uint32_t *next = room_new((size_t)locks + 1, sizeof(*next));
	uint32_t *newest = room_new(locks, sizeof(*newest)); /* user: thread + 1 */
	uint32_t *next_user = room_new((size_t)locks + 1, sizeof(*next_user));
	struct use *use = uses_of(index, a, made);

	for (size_t i = 0; i < made; i++) {
		struct use x = use[i];

		next[x.lock + 1]++;
		next_user[x.lock + 1] += newest[x.lock] != x.thread + 1;
		newest[x.lock] = x.thread + 1;
	}
	add_up(next, locks);
	add_up(next_user, locks);
	index->by_lock = room_new(made, sizeof(*index->by_lock));
	index->user = room_new((size_t)next_user[locks] + 1, sizeof(*index->user));
	index->user[next_user[locks]] = (uint32_t)made;
	index->user_first = room_new((size_t)locks + 1, sizeof(*index->user_first));
	memcpy(index->user_first, next_user, ((size_t)locks + 1) * sizeof(*next_user));
	memset(newest, 0, locks * sizeof(*newest));
	for (size_t i = 0; i < made; i++) {
		struct use x = use[i];

		if (newest[x.lock] != x.thread + 1)
			index->user[next_user[x.lock]++] = next[x.lock];
		newest[x.lock] = x.thread + 1;
		index->by_lock[next[x.lock]++] = index->by_thread[i];
	}
	free(next);
	free(newest);
	free(next_user);
	free(use);
}

void acquire_index_build(const struct predict_sequence *sequence, const struct acquires *acquires,
			 struct acquire_index *ret_index)
{
	size_t made = acquires->count - (acquires->occurrences - acquires->made);

	*ret_index = (struct acquire_index){ 0 };
	index_threads(ret_index, acquires, sequence->threads.count, made);
	index_locks(ret_index, acquires, sequence->locks.count, made);
}

void acquire_index_release(struct acquire_index *index)
{
	free(index->thread_first);
	free(index->by_thread);
	free(index->user_first);
	free(index->user);
	free(index->by_lock);
	*index = (struct acquire_index){ 0 };
}
