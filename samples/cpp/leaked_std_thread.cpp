/* SPDX-License-Identifier: MIT */
/* SHOWS a std::thread kept in a leaked object: finished and never joined */
/* EXPECT leaked-thread level=warning threads=1 created=start_service */
/* RUN clean */
#include "../sample.h"

#include <thread>

struct Service {
	std::thread worker;
};

static int done;

static NOINLINE void start_service()
{
	Service *s = new Service; /* nobody ever stops it */

	s->worker = std::thread([] { step_to(&done, 1); });
}

int main()
{
	start_service();
	until(&done, 1);
	until_alone();
	return 0;
}
