/* SPDX-License-Identifier: MIT */
/* SCENARIO S57: a static destructor locks a mutex that an earlier one destroyed */
/* EXPECT use-after-destroy level=note stacks=Logger */
/* ALLOW lock-held-at-exit */
/* RUN clean */
#include "../sample.h"

struct Lock {
	pthread_mutex_t m;
	Lock()
	{
		pthread_mutex_init(&m, nullptr);
	}
	~Lock()
	{
		pthread_mutex_destroy(&m);
	}
};

extern Lock log_lock;

struct Logger {
	NOINLINE ~Logger()
	{
		if (pthread_mutex_lock(&log_lock.m) == 0)
			pthread_mutex_unlock(&log_lock.m);
	}
};

static Logger logger; /* constructed first, destroyed last */
Lock log_lock;

int main()
{
	pthread_mutex_lock(&log_lock.m);
	pthread_mutex_unlock(&log_lock.m);
	return 0;
}
