/* SPDX-License-Identifier: MIT */
/* SHOWS double-checked initialisation by a plain pointer: who finds it set has no order with who made it */
/* EXPECT data-race count=1..3 confidence=observed threads=2 stacks=use */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct thing {
	int value;
} * thing;

static void *use(void *arg)
{
	if (!thing) {
		pthread_mutex_lock(&lock);
		if (!thing) {
			struct thing *made = malloc(sizeof(*made));

			made->value = 7;
			thing = made;
		}
		pthread_mutex_unlock(&lock);
	}
	return thing->value == 7 ? arg : NULL;
}

int main(void)
{
	run_two(use, use);
	return 0;
}
