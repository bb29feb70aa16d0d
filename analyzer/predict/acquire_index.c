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

static bool is_new_user(const struct acquires *a, const uint32_t *by_lock, size_t at)
{
	const struct acquire *x = &a->acquire[by_lock[at]];

	return !at || x->lock != a->acquire[by_lock[at - 1]].lock ||
	       x->thread != a->acquire[by_lock[at - 1]].thread;
}

static void index_locks(struct acquire_index *index, const struct acquires *a, uint32_t locks,
			size_t made)
{
	uint32_t *next = room_new((size_t)locks + 1, sizeof(*next)), users = 0;

	for (size_t i = 0; i < made; i++)
		next[a->acquire[i].lock + 1]++;
	add_up(next, locks);
	index->by_lock = room_new(made, sizeof(*index->by_lock));
	for (size_t i = 0; i < made; i++) {
		uint32_t id = index->by_thread[i];

		index->by_lock[next[a->acquire[id].lock]++] = id;
	}
	free(next);
	index->user_first = room_new((size_t)locks + 1, sizeof(*index->user_first));
	for (size_t i = 0; i < made; i++)
		index->user_first[a->acquire[index->by_lock[i]].lock + 1] +=
			is_new_user(a, index->by_lock, i);
	add_up(index->user_first, locks);
	index->user = room_new((size_t)index->user_first[locks] + 1, sizeof(*index->user));
	for (size_t i = 0; i < made; i++)
		if (is_new_user(a, index->by_lock, i))
			index->user[users++] = (uint32_t)i;
	index->user[users] = (uint32_t)made;
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
