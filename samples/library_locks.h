/* SPDX-License-Identifier: MIT */
/*
 * library_locks.h - just what the samples need of GLib's and Qt's headers, so that they build where only the
 * libraries are (they link with the file that BUILD runtime= names). Layouts and names are those of the libraries.
 */
#ifndef THRUM_SAMPLES_LIBRARY_LOCKS_H
#define THRUM_SAMPLES_LIBRARY_LOCKS_H

#include <stddef.h>
#include <stdint.h>

#ifndef __cplusplus

typedef union {
	void *p;
	unsigned i[2];
} GMutex;
typedef struct {
	void *p;
	unsigned i[2];
} GRecMutex, GRWLock, GCond;
typedef struct {
	int status;
	void *retval;
} GOnce;

void g_mutex_init(GMutex *m);
void g_mutex_clear(GMutex *m);
void g_mutex_lock(GMutex *m);
int g_mutex_trylock(GMutex *m);
void g_mutex_unlock(GMutex *m);
void g_rec_mutex_init(GRecMutex *m);
void g_rec_mutex_clear(GRecMutex *m);
void g_rec_mutex_lock(GRecMutex *m);
void g_rec_mutex_unlock(GRecMutex *m);
void g_rw_lock_writer_lock(GRWLock *l);
void g_rw_lock_writer_unlock(GRWLock *l);
void g_rw_lock_reader_lock(GRWLock *l);
void g_rw_lock_reader_unlock(GRWLock *l);
void g_cond_wait(GCond *c, GMutex *m);
int g_cond_wait_until(GCond *c, GMutex *m, int64_t end_time);
void g_cond_signal(GCond *c);
void g_cond_broadcast(GCond *c);
int64_t g_get_monotonic_time(void);
void *g_once_impl(GOnce *o, void *(*f)(void *), void *p);
int g_once_init_enter(void *location);
void g_once_init_leave(void *location, size_t value);
void *g_thread_new(const char *name, void *(*f)(void *), void *p);
void *g_thread_join(void *thread);

#else

class QMutex
{
      public:
	enum RecursionMode { NonRecursive, Recursive };
	explicit QMutex(RecursionMode mode = NonRecursive);
	~QMutex();
	void lock();
	bool tryLock(int timeout = 0);
	void unlock();

      private:
	void *d_ptr;
};

class QReadWriteLock
{
      public:
	enum RecursionMode { NonRecursive, Recursive };
	explicit QReadWriteLock(RecursionMode mode = NonRecursive);
	~QReadWriteLock();
	void lockForRead();
	void lockForWrite();
	bool tryLockForWrite(int timeout);
	void unlock();

      private:
	void *d_ptr;
};

class QSemaphore
{
      public:
	explicit QSemaphore(int n = 0);
	~QSemaphore();
	void acquire(int n = 1);
	bool tryAcquire(int n, int timeout);
	void release(int n = 1);

      private:
	void *d;
};

class QWaitCondition
{
      public:
	QWaitCondition();
	~QWaitCondition();
	bool wait(QMutex *lockedMutex, unsigned long time);
	void wakeOne();
	void wakeAll();

      private:
	void *d;
};

#endif
#endif
