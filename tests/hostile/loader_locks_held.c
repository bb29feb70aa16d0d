/* SPDX-License-Identifier: MIT */
/*
 * loader_locks_held.c - one thread has the loader's locks, inside dl_iterate_phdr or the constructor of a library, or the
 * program's own allocator's, and waits for another thread to lock, for the first time from its places in the code.
 * A recorder that asks the loader or allocates there waits for ever.
 *
 * usage: loader_locks_held PLUGIN
 */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, heap = PTHREAD_MUTEX_INITIALIZER;
static sem_t go, done;
static int turn;

/* The plugin's constructor calls it. */
void plugin_is_loading(void);

/* An allocator that never gives back; dlsym's own calls come here too. */
static _Alignas(16) char memory[1 << 22];
static size_t used;
void *malloc(size_t bytes)
{
	void *p;

	pthread_mutex_lock(&heap);
	p = memory + used;
	used += (bytes + 31) & ~(size_t)15;
	pthread_mutex_unlock(&heap);
	if (used > sizeof(memory)) {
		abort();
	}
	*(size_t *)p = bytes;
	return (char *)p + 16;
}
void free(void *p)
{
	(void)p;
}
void *calloc(size_t n, size_t bytes)
{
	return malloc(n * bytes);
}
void *realloc(void *old, size_t bytes)
{
	char *p = malloc(bytes);
	size_t before = old ? ((size_t *)old)[-2] : 0;

	for (size_t i = 0; i < before && i < bytes; i++) {
		p[i] = ((char *)old)[i];
	}
	return p;
}

/* Calls from many depths are many different stacks. */
static __attribute__((noinline)) int lock_at_depth(int depth)
{
	int n;

	if (depth > 0) {
		n = lock_at_depth(depth - 1);
		__asm__ volatile("");
		return n + 1;
	}
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return 0;
}

/* Each turn from a place of its own, so that no stack and no place is known yet. */
#define FROM_A_NEW_PLACE(n)                                   \
	static __attribute__((noinline)) void place_##n(void) \
	{                                                     \
		lock_at_depth(40);                            \
		pthread_mutex_lock(&m);                       \
		pthread_mutex_unlock(&m);                     \
		__asm__ volatile("");                         \
	}
FROM_A_NEW_PLACE(0)
FROM_A_NEW_PLACE(1)
FROM_A_NEW_PLACE(2)
FROM_A_NEW_PLACE(3)
static void (*const place[])(void) = { place_0, place_1, place_2, place_3 };

static void *locker(void *p)
{
	for (int i = 0; i < 4; i++) {
		while (sem_wait(&go)) {
		}
		place[turn]();
		for (int depth = 0; depth < 64; depth++) {
			lock_at_depth(depth + 64 * turn);
		}
		sem_post(&done);
	}
	return p;
}

static void let_the_other_lock(const char *where)
{
	sem_post(&go);
	while (sem_wait(&done)) {
	}
	turn++;
	printf("%s: the other thread went on\n", where);
}

void plugin_is_loading(void)
{
	let_the_other_lock("in a constructor");
}

static int look(struct dl_phdr_info *info, size_t size, void *p)
{
	(void)info, (void)size, (void)p;
	let_the_other_lock("in dl_iterate_phdr");
	return 1;
}

int main(int argc, char **argv)
{
	static char buffer[4096];
	pthread_t t;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (argc < 2 || sem_init(&go, 0, 0) || sem_init(&done, 0, 0) ||
	    pthread_create(&t, NULL, locker, NULL)) {
		return 2;
	}
	dl_iterate_phdr(look, NULL);
	if (!dlopen(argv[1], RTLD_NOW)) {
		printf("%s\n", dlerror());
		return 3;
	}
	pthread_mutex_lock(&heap);
	sem_post(&go);
	while (sem_wait(&done)) {
	}
	pthread_mutex_unlock(&heap);
	turn++;
	let_the_other_lock("with nothing held");
	pthread_join(t, NULL);
	printf("%d turns\n", turn);
	return 0;
}
