/* SPDX-License-Identifier: MIT */
/* SHOWS Qt, a near miss: a function that a timer calls runs a QEventLoop inside, and processes events: everything else goes on */
/* BUILD needs=qt flags=-fPIC */
/* NEVER loop-stall blocking-call-in-loop leaked-handle leaked-task */
/* RUN clean */
#include <QCoreApplication>
#include <QEventLoop>
#include <QTimer>

#include "loop_work.h"

static int ticks;

static void ask()
{
	QEventLoop dialog;
	int until;

	QTimer::singleShot(400, &dialog, [&] { dialog.quit(); });
	dialog.exec();
	until = ticks + 3;
	while (ticks < until)
		QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
	QCoreApplication::quit();
}

int main(int argc, char **argv)
{
	QCoreApplication application(argc, argv);
	QTimer tick;

	QObject::connect(&tick, &QTimer::timeout, [] { ticks++; });
	tick.start(50);
	QTimer::singleShot(1, [] { ask(); });
	application.exec();
	puts("done");
	return 0;
}
