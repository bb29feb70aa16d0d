/* SPDX-License-Identifier: MIT */
/* SCENARIO I1: the program's own allocator locks a mutex and looks symbols up with dlsym; two other locks in both orders */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 locks=a,b */
/* NEVER self-deadlock double-lock unlock-not-owned unlock-not-locked */
/* RUN */
/* BUILD libs=dl */
#include "../sample.h"

#include <dlfcn.h>

static pthread_mutex_t heap = PTHREAD_MUTEX_INITIALIZER, a = PTHREAD_MUTEX_INITIALIZER,
		       b = PTHREAD_MUTEX_INITIALIZER;
static _Alignas(16) char memory[1 << 22];
static size_t used;
static int forward_done;

void *malloc(size_t bytes)
{
	static void *other_malloc;
	static int looking;
	char *p;

	if (!other_malloc && !looking) {
		looking = 1; /* dlsym allocates in turn */
		other_malloc = dlsym(RTLD_NEXT, "malloc");
	}
	pthread_mutex_lock(&heap);
	p = memory + used;
	used += (bytes + 31) & ~(size_t)15;
	pthread_mutex_unlock(&heap);
	if (used > sizeof(memory))
		abort();
	*(size_t *)(void *)p = bytes;
	return p + 16;
}

void free(void *p)
{
	pthread_mutex_lock(&heap);
	(void)p;
	pthread_mutex_unlock(&heap);
}

void *calloc(size_t n, size_t bytes)
{
	return malloc(n * bytes); /* never given back, so it is zeros */
}

void *realloc(void *old, size_t bytes)
{
	void *p = malloc(bytes);
	size_t before = old ? ((size_t *)old)[-2] : 0;

	if (old)
		memcpy(p, old, before < bytes ? before : bytes);
	return p;
}

static NOINLINE void *forwards(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	free(malloc(100));
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&forward_done, 1);
	return arg;
}

static NOINLINE void *backwards(void *arg)
{
	until(&forward_done, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	free(realloc(malloc(10), 100));
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
