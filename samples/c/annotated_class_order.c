/* SPDX-License-Identifier: MIT */
/* SHOWS an order between classes that is broken by two locks of them */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=move_account threads=1 roles=holds,acquires */
/* RUN */
#include "../../include/thrum.h"
#include "../sample.h"

struct account {
	pthread_mutex_t lock;
};
static struct account accounts[3];
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void move_account(struct account *a)
{
	pthread_mutex_lock(&journal);
	pthread_mutex_lock(&a->lock);
	pthread_mutex_unlock(&a->lock);
	pthread_mutex_unlock(&journal);
}

int main(void)
{
	thrum_class_order("account", "journal");
	thrum_lock_class(&journal, "journal");
	for (int i = 0; i < 3; i++) {
		pthread_mutex_init(&accounts[i].lock, NULL);
		thrum_lock_class(&accounts[i].lock, "account");
	}
	move_account(&accounts[1]);
	return 0;
}
