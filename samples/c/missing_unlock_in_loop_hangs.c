/* SPDX-License-Identifier: MIT */
/* SHOWS a `continue` that skips the unlock: the next round locks again */
/* EXPECT self-deadlock confidence=observed stacks=process_all threads=1 locks=list_lock */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static int item[5] = { 1, 2, -1, 4, 5 }, sum;

static NOINLINE void process_all(void)
{
	for (int i = 0; i < 5; i++) {
		pthread_mutex_lock(&list_lock);
		if (item[i] < 0)
			continue;
		sum += item[i];
		pthread_mutex_unlock(&list_lock);
	}
}

int main(void)
{
	process_all();
	return 0;
}
