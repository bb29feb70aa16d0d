/* SPDX-License-Identifier: MIT */
/* SHOWS a program linked at a fixed address, with compressed DWARF 4 */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards threads=2 locks=a,b */
/* RUN timeout=2 kill=1 */
/* BUILD flags=-no-pie,-fno-pie,-gdwarf-4,-gz */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int holding;

static void *forwards(void *arg)
{
	pthread_mutex_lock(&a);
	meet(&holding, 2);
	pthread_mutex_lock(&b);
	return arg;
}

static void *backwards(void *arg)
{
	pthread_mutex_lock(&b);
	meet(&holding, 2);
	pthread_mutex_lock(&a);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
