/* SPDX-License-Identifier: MIT */
/* SCENARIO S43: a shared mapping moves between lock and unlock: by mremap, by munmap and mmap, and by a second view of it */
/* NEVER unlock-not-owned unlock-not-locked lock-held-at-exit lock-held-at-thread-exit self-deadlock double-lock */
/* RUN clean */
#include "../process.h"

static void *map_it(int fd)
{
	return mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static void *use(void *m)
{
	MUST(pthread_mutex_lock((pthread_mutex_t *)m));
	MUST(pthread_mutex_unlock((pthread_mutex_t *)m));
	return NULL;
}

/* As a library does that grows its shared memory while it holds the lock in it. */
static pthread_mutex_t *moved_by_mremap(pthread_mutex_t *m)
{
	void *there = mmap(NULL, 16384, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(pthread_mutex_lock(m));
	m = (pthread_mutex_t *)mremap(m, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, there);
	MUST(pthread_mutex_unlock(m));
	return m;
}

static pthread_mutex_t *mapped_again(pthread_mutex_t *m, int fd)
{
	pthread_mutex_t *before = m;

	MUST(pthread_mutex_lock(m));
	munmap(m, 8192);
	/* The old place is taken, so the new one is another. */
	mmap(before, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	m = (pthread_mutex_t *)map_it(fd);
	MUST(pthread_mutex_unlock(m));
	return m;
}

static void second_view(pthread_mutex_t *m, int fd)
{
	pthread_mutex_t *view = (pthread_mutex_t *)map_it(fd);

	MUST(pthread_mutex_lock(m));
	MUST(pthread_mutex_unlock(view));
	MUST(pthread_mutex_lock(view));
	MUST(pthread_mutex_unlock(m));
	GIVES(0, pthread_mutex_trylock(m));
	GIVES(EBUSY, pthread_mutex_trylock(view));
	MUST(pthread_mutex_unlock(view));
	munmap(view, 8192);
}

int main(void)
{
	int fd = shared_file(8192);
	pthread_mutex_t *m = (pthread_mutex_t *)map_it(fd);

	shared_mutex(m);
	use(m);
	m = moved_by_mremap(m);
	finish(start(use, m));
	m = mapped_again(m, fd);
	finish(start(use, m));
	second_view(m, fd);
	finish(start(use, m));
	MUST(pthread_mutex_destroy(m));
	return 0;
}
