/* SPDX-License-Identifier: MIT */
/* SHOWS S12 with mmap: a page with a mutex is unmapped, the next mapping gets the address, opposite order */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#include <sys/mman.h>

struct page {
	pthread_mutex_t lock;
};

static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static struct page *page;
static int step, alive;

static struct page *map_page(void *wish)
{
	struct page *p = (struct page *)mmap(wish, 4096, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS | (wish ? MAP_FIXED : 0),
					     -1, 0);

	if (p == MAP_FAILED)
		exit(3);
	return p;
}

static void *first(void *arg)
{
	void *address;

	meet(&alive, 2);
	page = map_page(NULL);
	pthread_mutex_lock(&page->lock);
	pthread_mutex_lock(&other);
	pthread_mutex_unlock(&other);
	pthread_mutex_unlock(&page->lock);
	address = page;
	munmap(page, 4096);
	page = map_page(address);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *second(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&other);
	pthread_mutex_lock(&page->lock);
	pthread_mutex_unlock(&page->lock);
	pthread_mutex_unlock(&other);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
