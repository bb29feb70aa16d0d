/* SPDX-License-Identifier: MIT */
/* FEASIBLE Qt's own locks in a circle of three: mutex, read-write lock that is read by trying, recursive mutex */
#include "confirm.h"

#include <QMutex>
#include <QReadWriteLock>

static QMutex mutex;
static QRecursiveMutex recursive;
static QReadWriteLock table;

static NOINLINE void first()
{
	mutex.lock();
	table.lockForWrite();
	table.unlock();
	mutex.unlock();
}

static NOINLINE void second()
{
	if (!table.tryLockForRead())
		return;
	recursive.lock();
	recursive.unlock();
	table.unlock();
}

static NOINLINE void third()
{
	recursive.lock();
	mutex.lock();
	mutex.unlock();
	recursive.unlock();
}

static void part(long number)
{
	void (*const parts[])() = { first, second, third };

	parts[number]();
}

int main()
{
	return run_apart(part, 3);
}
