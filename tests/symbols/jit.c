/* SPDX-License-Identifier: MIT */
/*
 * jit.c - a lock-order inversion below code that the program writes into memory itself, as JIT compilers do; with -DMAP it
 * leaves the name where perf looks for it.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static sem_t first_is_done;
static void (*compiled)(int swapped);
static char map_path[64];

static void both(int swapped)
{
	pthread_mutex_lock(swapped ? &b : &a);
	pthread_mutex_lock(swapped ? &a : &b);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

/* push rbp; mov rbp, rsp; mov rax, both; call rax; pop rbp; ret */
static void compile(void)
{
	unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8, 0,	   0,	 0,
				 0,    0,    0,	   0,	 0,    0xff, 0xd0, 0x5d, 0xc3 };
	void (*target)(int) = both;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(code + 6, &target, 8);
	memcpy(page, code, sizeof(code));
	compiled = (void (*)(int))(uintptr_t)page;
#ifdef MAP
	FILE *map;

	snprintf(map_path, sizeof(map_path), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(map_path, "w");
	if (map) {
		fprintf(map, "%llx %zx compiled_by_itself\n", (unsigned long long)(uintptr_t)page,
			sizeof(code));
		fclose(map);
	}
#endif
}

static void *forwards(void *unused)
{
	compiled(0);
	sem_post(&first_is_done);
	return unused;
}

static void *backwards(void *unused)
{
	while (sem_wait(&first_is_done))
		;
	compiled(1);
	return unused;
}

int main(void)
{
	pthread_t threads[2];

	compile();
	sem_init(&first_is_done, 0, 0);
	pthread_create(&threads[0], NULL, forwards, NULL);
	pthread_create(&threads[1], NULL, backwards, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
