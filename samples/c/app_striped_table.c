/* SPDX-License-Identifier: MIT */
/* SHOWS a correct hash table with striped locks: a resize takes all stripes in index order, others take one */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#define STRIPES 16

struct entry {
	struct entry *next;
	unsigned key, value;
};

static pthread_mutex_t stripe[STRIPES];
static pthread_mutex_t size_lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry **bucket;
static unsigned buckets = 16, entries;

static void resize(void)
{
	struct entry **bigger;

	for (int i = 0; i < STRIPES; i++)
		pthread_mutex_lock(&stripe[i]);
	bigger = (struct entry **)calloc(buckets * 2, sizeof(*bigger));
	for (unsigned i = 0; i < buckets; i++) {
		while (bucket[i]) {
			struct entry *e = bucket[i];

			bucket[i] = e->next;
			e->next = bigger[e->key % (buckets * 2)];
			bigger[e->key % (buckets * 2)] = e;
		}
	}
	free(bucket);
	bucket = bigger;
	buckets *= 2;
	for (int i = STRIPES - 1; i >= 0; i--)
		pthread_mutex_unlock(&stripe[i]);
}

static void insert(unsigned key)
{
	pthread_mutex_t *lock = &stripe[key % STRIPES];
	struct entry *e = (struct entry *)calloc(1, sizeof(*e));
	int grow;

	e->key = e->value = key;
	pthread_mutex_lock(lock);
	e->next = bucket[key % buckets];
	bucket[key % buckets] = e;
	pthread_mutex_lock(&size_lock); /* always innermost */
	grow = ++entries % 500 == 0;
	pthread_mutex_unlock(&size_lock);
	pthread_mutex_unlock(lock);
	if (grow)
		resize();
}

static int find(unsigned key)
{
	pthread_mutex_t *lock = &stripe[key % STRIPES];
	int found = 0;

	pthread_mutex_lock(lock);
	for (struct entry *e = bucket[key % buckets]; e && !found; e = e->next)
		found = e->key == key;
	pthread_mutex_unlock(lock);
	return found;
}

static void *user(void *arg)
{
	unsigned base = (unsigned)(intptr_t)arg * 100000;

	for (unsigned i = 0; i < 600; i++) {
		insert(base + i);
		if (!find(base + i))
			exit(3);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[4];

	bucket = (struct entry **)calloc(buckets, sizeof(*bucket));
	for (int i = 0; i < STRIPES; i++)
		MUST(pthread_mutex_init(&stripe[i], NULL));
	for (intptr_t i = 0; i < 4; i++)
		t[i] = start(user, (void *)i);
	for (int i = 0; i < 4; i++)
		finish(t[i]);
	printf("%u\n", entries);
	return 0;
}
