/* SPDX-License-Identifier: MIT */
/*
 * recorded.c - three workloads for what a ThreadSanitizer build costs: a hash table under striped locks, a matrix multiply, a pipeline
 * of blocks that two workers compress. Prints the processor time of the process in seconds. See recorded.py.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- hash ---- */

enum { BUCKETS = 1 << 16, STRIPES = 64, KEYS = 200000, LOOKUPS = 1500000 };

struct node {
	uint64_t key, value;
	struct node *next;
};

static struct node **table;
static pthread_mutex_t stripe[STRIPES];

static void *hash_worker(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg * 999 + 7;

	for (long i = 0; i < LOOKUPS; i++) {
		uint64_t key, at;
		struct node *n;

		state = state * 6364136223846793005u + 1442695040888963407u;
		key = (state >> 33) % KEYS;
		at = key * 0x9e3779b97f4a7c15u >> 48;
		pthread_mutex_lock(&stripe[at % STRIPES]);
		for (n = table[at]; n && n->key != key; n = n->next) {
		}
		if (!n) {
			n = malloc(sizeof(*n));
			*n = (struct node){ key, 0, table[at] };
			table[at] = n;
		}
		n->value += state;
		pthread_mutex_unlock(&stripe[at % STRIPES]);
	}
	return NULL;
}

/* ---- matrix ---- */

enum { SIDE = 400 };
static double *a, *b, *c;

static void *matrix_worker(void *arg)
{
	for (long i = (long)(intptr_t)arg; i < SIDE; i += 2)
		for (int j = 0; j < SIDE; j++) {
			double sum = 0;

			for (int k = 0; k < SIDE; k++)
				sum += a[i * SIDE + k] * b[k * SIDE + j];
			c[i * SIDE + j] = sum;
		}
	return NULL;
}

/* ---- pipeline ---- */

enum { BLOCKS = 400, BLOCK_BYTES = 60000 };

struct block {
	struct block *next;
	uint8_t *in, *out;
};

static struct {
	struct block *first, *last;
	int done;
	pthread_mutex_t lock;
	pthread_cond_t change;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };
static pthread_mutex_t total_lock = PTHREAD_MUTEX_INITIALIZER;
static long total;

static void put(struct block *x)
{
	x->next = NULL;
	pthread_mutex_lock(&queue.lock);
	if (queue.last)
		queue.last->next = x;
	else
		queue.first = x;
	queue.last = x;
	pthread_cond_signal(&queue.change);
	pthread_mutex_unlock(&queue.lock);
}

static struct block *get(void)
{
	struct block *x;

	pthread_mutex_lock(&queue.lock);
	while (!queue.first && !queue.done)
		pthread_cond_wait(&queue.change, &queue.lock);
	x = queue.first;
	if (x) {
		queue.first = x->next;
		if (!queue.first)
			queue.last = NULL;
	}
	pthread_mutex_unlock(&queue.lock);
	return x;
}

static int compress(const uint8_t *in, int n, uint8_t *out)
{
	uint16_t seen[4096];
	int at = 0, i = 0;

	memset(seen, 0, sizeof(seen));
	while (i < n - 4) {
		uint32_t word, slot;
		int from;

		memcpy(&word, in + i, 4);
		slot = word * 2654435761u >> 20;
		from = seen[slot];
		seen[slot] = (uint16_t)i;
		if (from && i - from < 65535 && !memcmp(in + from, in + i, 4)) {
			int length = 4;

			while (i + length < n && length < 255 &&
			       in[from + length] == in[i + length])
				length++;
			out[at++] = 255;
			out[at++] = (uint8_t)length;
			out[at++] = (uint8_t)(i - from);
			out[at++] = (uint8_t)((i - from) >> 8);
			i += length;
		} else {
			out[at++] = in[i++];
		}
	}
	return at;
}

static void *pipeline_worker(void *arg)
{
	struct block *x;

	while ((x = get()) != NULL) {
		int bytes = compress(x->in, BLOCK_BYTES, x->out);

		pthread_mutex_lock(&total_lock);
		total += bytes;
		pthread_mutex_unlock(&total_lock);
		free(x->in);
		free(x->out);
		free(x);
	}
	return arg;
}

static void feed(void)
{
	uint32_t state = 1;

	for (int n = 0; n < BLOCKS; n++) {
		struct block *x = malloc(sizeof(*x));

		x->in = malloc(BLOCK_BYTES);
		x->out = malloc(2 * BLOCK_BYTES);
		for (int i = 0; i < BLOCK_BYTES;) {
			int length;

			state = state * 1664525u + 1013904223u;
			length = (int)(state >> 28) + 1;
			while (length-- && i < BLOCK_BYTES)
				x->in[i++] = (uint8_t)('a' + (state >> 20 & 15));
		}
		put(x);
	}
	pthread_mutex_lock(&queue.lock);
	queue.done = 1;
	pthread_cond_broadcast(&queue.change);
	pthread_mutex_unlock(&queue.lock);
}

/* ---- */

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	void *(*worker)(void *) = !strcmp(what, "hash")	    ? hash_worker
				  : !strcmp(what, "matrix") ? matrix_worker
							    : pipeline_worker;
	struct timespec spent;
	pthread_t thread[2];

	for (int i = 0; i < STRIPES; i++)
		pthread_mutex_init(&stripe[i], NULL);
	table = calloc(BUCKETS, sizeof(struct node *));
	a = malloc(SIDE * SIDE * sizeof(*a));
	b = malloc(SIDE * SIDE * sizeof(*b));
	c = malloc(SIDE * SIDE * sizeof(*c));
	for (int i = 0; i < SIDE * SIDE; i++) {
		a[i] = i % 7;
		b[i] = i % 5;
	}
	for (intptr_t i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, worker, (void *)i))
			return 1;
	if (worker == pipeline_worker)
		feed();
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	printf("%.6f\n", (double)spent.tv_sec + (double)spent.tv_nsec * 1e-9);
	return 0;
}
