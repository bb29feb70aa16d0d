/* SPDX-License-Identifier: MIT */
/*
 * sites.c - a hash table from place in the code to its finding.
 */
#include "sites.h"

#include <stdlib.h>

struct site {
	uint64_t key;
	struct finding *finding; /* owned by the list; NULL = free */
};

struct sites {
	struct site *slot; /* owned; open addressing */
	uint32_t mask;
	struct finding **order; /* owned array, first time first */
	uint32_t count, capacity;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct sites *sites_new(void)
{
	struct sites *sites = checked(calloc(1, sizeof(*sites)));

	sites->mask = 63;
	sites->slot = checked(calloc(64, sizeof(*sites->slot)));
	return sites;
}

void sites_free(struct sites *sites)
{
	if (!sites)
		return;
	free(sites->slot);
	free(sites->order);
	free(sites);
}

static struct site *find_slot(struct site *slot, uint32_t mask, uint64_t key)
{
	uint64_t at = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 20;

	while (slot[at & mask].finding && slot[at & mask].key != key)
		at++;
	return &slot[at & mask];
}

static void grow(struct sites *sites)
{
	uint32_t size = sites->mask + 1;
	struct site *bigger = checked(calloc((size_t)size * 2, sizeof(*bigger)));

	for (uint32_t i = 0; i < size; i++)
		if (sites->slot[i].finding)
			*find_slot(bigger, size * 2 - 1, sites->slot[i].key) = sites->slot[i];
	free(sites->slot);
	sites->slot = bigger;
	sites->mask = size * 2 - 1;
}

struct finding *sites_begin(struct sites *sites, struct analysis *a, enum rule rule,
			    enum confidence confidence, uint32_t stack, uint32_t object)
{
	uint64_t key = (uint64_t)rule << 40 |
		       (stack ? (uint64_t)stack : UINT64_C(1) << 32 | object);
	struct site *site;

	if (sites->count * 2 > sites->mask)
		grow(sites);
	site = find_slot(sites->slot, sites->mask, key);
	if (site->finding) {
		site->finding->count++;
		return NULL;
	}
	site->key = key;
	site->finding = analysis_begin(a, rule, confidence);
	if (sites->count == sites->capacity) {
		sites->capacity = sites->capacity ? sites->capacity * 2 : 16;
		sites->order =
			checked(realloc(sites->order, sites->capacity * sizeof(*sites->order)));
	}
	sites->order[sites->count++] = site->finding;
	return site->finding;
}

void sites_commit(struct sites *sites, struct analysis *a)
{
	for (uint32_t i = 0; i < sites->count; i++)
		analysis_commit(a, sites->order[i]);
	sites->count = 0;
}
