/* SPDX-License-Identifier: MIT */
/* SHOWS Qt: functions that timers call hold up the loop for 300 ms, asleep and on the processor */
/* BUILD needs=qt flags=-fPIC */
/* EXPECT loop-stall confidence=observed taskkinds=source count=1..2 stacks=nap */
/* EXPECT blocking-call-in-loop confidence=observed taskkinds=source says=in+sleep stacks=nap */
/* RUN clean */
#include <QCoreApplication>
#include <QTimer>

#include "loop_work.h"

static NOINLINE void nap()
{
	sleep_ms(300);
}

int main(int argc, char **argv)
{
	QCoreApplication application(argc, argv);

	QTimer::singleShot(1, [] { nap(); });
	QTimer::singleShot(400, [] { QCoreApplication::quit(); });
	application.exec();
	puts("done");
	return 0;
}
