/* SPDX-License-Identifier: MIT */
/* SCENARIO S79: realloc moves a table of structs that hold unlocked mutexes: they are new locks afterwards */
/* NEVER lock-order-inversion use-after-destroy */
/* RUN clean */
#include "../sample.h"

struct slot {
	pthread_mutex_t lock;
	long value;
	char room[100];
};

static pthread_mutex_t growth = PTHREAD_MUTEX_INITIALIZER;
static struct slot *table, *other_table;
static int step, alive;

static void *first(void *arg)
{
	struct slot *old;

	meet(&alive, 2);
	table = (struct slot *)calloc(4, sizeof(*table));
	pthread_mutex_lock(&table[1].lock);
	pthread_mutex_lock(&growth);
	pthread_mutex_unlock(&growth);
	pthread_mutex_unlock(&table[1].lock);
	old = table;
	table = (struct slot *)realloc(table, 40000 * sizeof(*table)); /* moves */
	if (table == old)
		fprintf(stderr, "did not move\n");
	pthread_mutex_lock(&growth);
	pthread_mutex_lock(&table[1].lock);
	pthread_mutex_unlock(&table[1].lock);
	pthread_mutex_unlock(&growth);
	other_table = (struct slot *)calloc(4, sizeof(*table)); /* where the old one was */
	step_to(&step, 1);
	until(&step, 2);
	free(other_table);
	free(table);
	return arg;
}

static void *second(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&growth);
	pthread_mutex_lock(&other_table[1].lock);
	pthread_mutex_unlock(&other_table[1].lock);
	pthread_mutex_unlock(&growth);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
