/* SPDX-License-Identifier: MIT */
/* SHOWS a thread in the destructor of thread-specific data when the process exits, and one that was over before: only that one is known to be left */
/* EXPECT leaked-thread level=warning stacks=start_lost threads=1 threadnames=lost created=start_lost */
/* NEVER stuck-wait */
/* RUN clean */
#include "../sample.h"

static pthread_key_t key;
static int in_destructor, lost_tid;

static void stay(void *arg)
{
	(void)arg;
	step_to(&in_destructor, 1);
	for (;;)
		pause();
}

static void *late(void *arg)
{
	MUST(pthread_setspecific(key, arg));
	return arg;
}

static void *lost(void *arg)
{
	pthread_setname_np(pthread_self(), "lost");
	step_to(&lost_tid, my_tid());
	return arg;
}

static NOINLINE void start_lost(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, lost, NULL));
}

static NOINLINE void start_late(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, late, &key));
}

int main(void)
{
	MUST(pthread_key_create(&key, stay));
	start_lost();
	until(&lost_tid, 1);
	until_alone();
	start_late();
	until(&in_destructor, 1);
	return 0;
}
