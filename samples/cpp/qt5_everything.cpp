/* SPDX-License-Identifier: MIT */
/* SHOWS Qt's locks as they are meant: recursive mutex, read-write lock, bounded buffer of semaphores, wait condition */
/* NEVER lock-order-inversion double-lock unlock-not-owned unlock-not-locked cond-wait-unlocked stuck-wait deadlock */
/* RUN clean */
/* BUILD runtime=libQt5Core.so.5 */
#include "../library_locks.h"
#include "../sample.h"

#include <thread>

static QMutex m, tree(QMutex::Recursive);
static QReadWriteLock table;
static QSemaphore room(8), filled;
static QWaitCondition changed;
static int sum, items;

static NOINLINE void walk(int depth)
{
	tree.lock();
	if (depth < 4)
		walk(depth + 1);
	tree.unlock();
}

static void producer()
{
	for (int i = 0; i < 200; i++) {
		room.acquire(2);
		m.lock();
		items += 2;
		changed.wakeOne();
		m.unlock();
		filled.release(2);
		table.lockForRead();
		walk(0);
		table.unlock();
	}
}

static void consumer()
{
	for (int i = 0; i < 400; i++) {
		filled.acquire();
		m.lock();
		while (items == 0)
			changed.wait(&m, 100);
		items--;
		sum++;
		m.unlock();
		room.release();
		table.lockForWrite();
		walk(0);
		table.unlock();
	}
}

int main()
{
	std::thread a(producer), b(consumer);

	a.join();
	b.join();
	if (!m.tryLock(10))
		return 1;
	m.unlock();
	printf("%d\n", sum);
	return 0;
}
