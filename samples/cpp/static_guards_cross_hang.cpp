/* SPDX-License-Identifier: MIT */
/* SHOWS two function-local statics whose constructors use each other, entered by two threads at once */
/* EXPECT deadlock confidence=observed stacks=Logger,Registry threads=2 locks=logger,registry says=waits+for+the+initialiser */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <thread>

static int inside;

struct Logger {
	int level;
	Logger();
};

struct Registry {
	int size;
	Registry();
};

static NOINLINE Logger &logger()
{
	static Logger l;
	return l;
}

static NOINLINE Registry &registry()
{
	static Registry r;
	return r;
}

NOINLINE Logger::Logger()
{
	meet(&inside, 2);
	level = registry().size;
}

NOINLINE Registry::Registry()
{
	meet(&inside, 2);
	size = logger().level;
}

int main()
{
	std::thread a(logger), b(registry);

	a.join();
	b.join();
	return 0;
}
