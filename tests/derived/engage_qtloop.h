/* SPDX-License-Identifier: MIT */
/*
 * engage_qtloop.h - exercises of the rows of Qt's event loops: of QtCore alone, on one application object. Absent: nothing is
 * expected.
 */
#ifndef THRUM_TESTS_ENGAGE_QTLOOP_H
#define THRUM_TESTS_ENGAGE_QTLOOP_H

#define QT_APPLICATION "_ZN16QCoreApplicationC1ERiPPci"
#define QT_LOOP "_ZN10QEventLoopC1EP7QObject"
#define QT_EXEC _ZN10QEventLoop4execE6QFlagsINS_17ProcessEventsFlagEE
#define QT_PROCESS _ZN10QEventLoop13processEventsE6QFlagsINS_17ProcessEventsFlagEE
#define QT_PROCESS_ALL \
	_ZN16QCoreApplication13processEventsE6QFlagsIN10QEventLoop17ProcessEventsFlagEE
#define QT_PROCESS_SOME \
	_ZN16QCoreApplication13processEventsE6QFlagsIN10QEventLoop17ProcessEventsFlagEEi
#define QT_WORD_(name) #name
#define QT_WORD(name) QT_WORD_(name)
#define QT_DO(ret, name, params, args) ((ret(*) params)library_function(qt, QT_WORD(name))) args

/* False: there is no Qt. */
static bool qt_ready(void)
{
	static int argc = 1;
	static char name[] = "engage", *argv[] = { name, NULL };
	static _Alignas(16) char application[256];
	static bool made;
	void (*make)(void *, int *, char **, int) = NULL;

	if (!made) {
		*(void **)&make = library_function(qt, QT_APPLICATION);
		if (!make) {
			return false;
		}
		make(application, &argc, argv, 0x050f00);
		made = true;
	}
	return true;
}

static void *qt_loop(void)
{
	static _Alignas(16) char memory[16][64];
	static unsigned used;
	void *l = memory[used++ % 16];
	void (*make)(void *, void *);

	*(void **)&make = library_function(qt, QT_LOOP);
	make(l, NULL);
	return l;
}

/* What was ended before it runs runs once: ended, driven, left. */
static int exercise__ZN10QEventLoop13processEventsE6QFlagsINS_17ProcessEventsFlagEE(void)
{
	if (!qt_ready()) {
		return 0;
	}
	QT_DO(bool, QT_PROCESS, (void *, int), (qt_loop(), 0));
	return 2;
}
static int
exercise__ZN16QCoreApplication13processEventsE6QFlagsIN10QEventLoop17ProcessEventsFlagEE(void)
{
	if (!qt_ready()) {
		return 0;
	}
	QT_DO(void, QT_PROCESS_ALL, (int), (0));
	return 2;
}
static int
exercise__ZN16QCoreApplication13processEventsE6QFlagsIN10QEventLoop17ProcessEventsFlagEEi(void)
{
	if (!qt_ready()) {
		return 0;
	}
	QT_DO(void, QT_PROCESS_SOME, (int, int), (0, 1));
	return 2;
}

/* Ended from another thread, again and again: before it runs that does nothing. */
static void *qt_ending_loop;
static int qt_over;
static void *qt_end(void *how)
{
	while (!__atomic_load_n(&qt_over, __ATOMIC_SEQ_CST)) {
		if (how) {
			QT_DO(void, _ZN10QEventLoop4exitEi, (void *, int), (qt_ending_loop, 0));
		} else {
			QT_DO(void, _ZN10QEventLoop4quitEv, (void *), (qt_ending_loop));
		}
		usleep(1000);
	}
	return NULL;
}
static int qt_exec(void *how)
{
	pthread_t t;

	if (!qt_ready()) {
		return 0;
	}
	qt_over = 0;
	qt_ending_loop = qt_loop();
	pthread_create(&t, NULL, qt_end, how);
	QT_DO(int, QT_EXEC, (void *, int), (qt_ending_loop, 0));
	__atomic_store_n(&qt_over, 1, __ATOMIC_SEQ_CST);
	pthread_join(t, NULL);
	return 3;
}
static int exercise__ZN10QEventLoop4execE6QFlagsINS_17ProcessEventsFlagEE(void)
{
	return qt_exec(NULL);
}
static int exercise__ZN10QEventLoop4quitEv(void)
{
	return qt_exec(NULL);
}
static int exercise__ZN10QEventLoop4exitEi(void)
{
	return qt_exec(&qt_over);
}

static void *qt_end_application(void *how)
{
	while (!__atomic_load_n(&qt_over, __ATOMIC_SEQ_CST)) {
		if (how) {
			QT_DO(void, _ZN16QCoreApplication4exitEi, (int), (0));
		} else {
			QT_DO(void, _ZN16QCoreApplication4quitEv, (void), ());
		}
		usleep(1000);
	}
	return NULL;
}
static int qt_application(void *how)
{
	pthread_t t;

	if (!qt_ready()) {
		return 0;
	}
	qt_over = 0;
	pthread_create(&t, NULL, qt_end_application, how);
	QT_DO(int, _ZN16QCoreApplication4execEv, (void), ());
	__atomic_store_n(&qt_over, 1, __ATOMIC_SEQ_CST);
	pthread_join(t, NULL);
	return 3;
}
static int exercise__ZN16QCoreApplication4execEv(void)
{
	return qt_application(NULL);
}
static int exercise__ZN16QCoreApplication4quitEv(void)
{
	return qt_application(NULL);
}
static int exercise__ZN16QCoreApplication4exitEi(void)
{
	return qt_application(&qt_over);
}

#endif
