/* SPDX-License-Identifier: MIT */
/* SHOWS two function-local statics, one made by the constructor of the other, entered by two threads at once */
/* NEVER deadlock stuck-wait lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#include <thread>

static int inside;

struct Registry {
	int size = 3;
};

static NOINLINE Registry &registry()
{
	static Registry r;
	return r;
}

struct Logger {
	int level;
	NOINLINE Logger() : level(registry().size)
	{
	}
};

static NOINLINE Logger &logger()
{
	static Logger l;
	return l;
}

static void use()
{
	meet(&inside, 2);
	logger().level++;
	registry().size++;
}

int main()
{
	std::thread a(use), b(use);

	a.join();
	b.join();
	return 0;
}
