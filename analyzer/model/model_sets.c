/* SPDX-License-Identifier: MIT */
/*
 * model_sets.c - interned held sets: equal sets have one id, so a context of an edge costs four
 * bytes for its gates.
 *
 * Elements of all sets lie in one array; `start` of set i and of i + 1 delimit it. The hash table
 * holds ids.
 */
#include "model_internal.h"

struct model_sets {
	uint32_t *element; /* owned */
	uint32_t element_count, element_capacity;
	uint32_t *start; /* owned; count + 1 entries */
	uint32_t count, start_capacity;
	uint32_t *slot; /* owned; id + 1, 0 = free */
	uint32_t slot_mask;
	uint32_t *scratch; /* owned */
	uint32_t scratch_capacity;
};

struct model_sets *model_sets_new(void)
{
	struct model_sets *sets = model_allocate(1, sizeof(*sets));

	sets->start = model_grow(NULL, &sets->start_capacity, 2, sizeof(*sets->start));
	sets->start[0] = sets->start[1] = 0;
	sets->count = 1; /* the empty set */
	sets->slot_mask = 63;
	sets->slot = model_allocate(64, sizeof(*sets->slot));
	return sets;
}

void model_sets_free(struct model_sets *sets)
{
	free(sets->element);
	free(sets->start);
	free(sets->slot);
	free(sets->scratch);
	free(sets);
}

static uint64_t hash_elements(const uint32_t *element, uint32_t count)
{
	uint64_t hash = count;

	for (uint32_t i = 0; i < count; i++)
		hash = model_mix(hash + element[i]);
	return hash;
}

static void rehash(struct model_sets *sets)
{
	uint32_t size = (sets->slot_mask + 1) * 2;

	free(sets->slot);
	sets->slot = model_allocate(size, sizeof(*sets->slot));
	sets->slot_mask = size - 1;
	for (uint32_t id = 1; id < sets->count; id++) {
		uint32_t start = sets->start[id];
		uint32_t at =
			(uint32_t)hash_elements(sets->element + start, sets->start[id + 1] - start);

		while (sets->slot[at & sets->slot_mask])
			at++;
		sets->slot[at & sets->slot_mask] = id + 1;
	}
}

static uint32_t intern(struct model_sets *sets, const uint32_t *element, uint32_t count)
{
	uint32_t at = (uint32_t)hash_elements(element, count);
	uint32_t id;

	for (; (id = sets->slot[at & sets->slot_mask]) != 0; at++) {
		uint32_t start = sets->start[id - 1];

		if (sets->start[id] - start == count &&
		    !memcmp(sets->element + start, element, count * sizeof(*element)))
			return id - 1;
	}
	if (sets->element_count > UINT32_MAX - count)
		return 0; /* four billion elements: without gates is the safe side */
	sets->slot[at & sets->slot_mask] = sets->count + 1;
	sets->element = model_grow(sets->element, &sets->element_capacity,
				   sets->element_count + count, sizeof(*sets->element));
	memcpy(sets->element + sets->element_count, element, count * sizeof(*element));
	sets->element_count += count;
	sets->start = model_grow(sets->start, &sets->start_capacity, sets->count + 2,
				 sizeof(*sets->start));
	sets->start[++sets->count] = sets->element_count;
	if (sets->count * 2 > sets->slot_mask)
		rehash(sets);
	return sets->count - 1;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Insertion while small, which is nearly always; a thread with 600 locks must not cost 600 * 600.
 */
static void sort_elements(uint32_t *element, uint32_t count)
{
	if (count > 24) {
		qsort(element, count, sizeof(*element), compare_u32);
		return;
	}
	for (uint32_t i = 1; i < count; i++) {
		uint32_t value = element[i], j = i;

		for (; j > 0 && element[j - 1] > value; j--)
			element[j] = element[j - 1];
		element[j] = value;
	}
}

uint32_t model_intern_set(struct model *m, const struct model_thread *t, uint32_t except)
{
	struct model_sets *sets = m->sets;
	uint32_t count = 0;

	if (t->held_count + t->permit_count == 0)
		return 0;
	sets->scratch = model_grow(sets->scratch, &sets->scratch_capacity,
				   t->held_count + t->permit_count, sizeof(*sets->scratch));
	for (uint32_t i = 0; i < t->permit_count; i++)
		if (m->objects[t->permit[i].object].flags & MODEL_SEM_PERMITS)
			sets->scratch[count++] = t->permit[i].object << 1 | 1;
	for (uint32_t i = 0; i < t->held_count; i++) {
		const struct model_held *h = &t->held[i];

		if (h->object != except)
			sets->scratch[count++] = h->object << 1 |
						 (h->flags & MODEL_HOLD_SHARED ? 1 : 0);
	}
	if (count == 0)
		return 0;
	sort_elements(sets->scratch, count);
	return intern(sets, sets->scratch, count);
}

const uint32_t *model_get_set(const struct model *m, uint32_t set, uint32_t *ret_count)
{
	*ret_count = m->sets->start[set + 1] - m->sets->start[set];
	return m->sets->element + m->sets->start[set];
}

bool model_set_has(const struct model *m, uint32_t set, uint32_t object)
{
	uint32_t count;
	const uint32_t *element = model_get_set(m, set, &count);

	for (uint32_t i = 0; i < count; i++)
		if (MODEL_SET_OBJECT(element[i]) == object)
			return true;
	return false;
}

bool model_sets_exclude(const struct model *m, uint32_t a, uint32_t b)
{
	uint32_t i = 0, j = 0, a_count, b_count;
	const uint32_t *x = model_get_set(m, a, &a_count);
	const uint32_t *y = model_get_set(m, b, &b_count);

	while (i < a_count && j < b_count) {
		if (MODEL_SET_OBJECT(x[i]) == MODEL_SET_OBJECT(y[j])) {
			if (!MODEL_SET_SHARED(x[i]) || !MODEL_SET_SHARED(y[j]))
				return true;
			i++;
			j++;
		} else if (x[i] < y[j]) {
			i++;
		} else {
			j++;
		}
	}
	return false;
}
