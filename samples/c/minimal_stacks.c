/* SPDX-License-Identifier: MIT */
/* SHOWS threads with the smallest stacks that POSIX allows, on guarded memory of their own, one of them inverted */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 */
/* RUN */
#include "../sample.h"

#include <limits.h>
#include <sys/mman.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *forwards(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	step_to(&step, 2);
	return arg;
}

static pthread_t start_small(void *(*routine)(void *))
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)PTHREAD_STACK_MIN;
	char *memory =
		(char *)mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t t;

	if (memory == MAP_FAILED || mprotect(memory + page, size, PROT_READ | PROT_WRITE))
		exit(3);
	MUST(pthread_attr_init(&attr));
	MUST(pthread_attr_setstack(&attr, memory + page, size));
	MUST(pthread_create(&t, &attr, routine, NULL));
	MUST(pthread_attr_destroy(&attr));
	return t;
}

int main(void)
{
	pthread_t one = start_small(forwards), two = start_small(backwards);

	finish(one);
	finish(two);
	return 0;
}
