/* SPDX-License-Identifier: MIT */
/* SHOWS C++20 coroutines on a home-made reactor, annotated: one step sleeps for 300 ms and holds up the others */
/* BUILD flags=-std=c++20 */
/* EXPECT loop-stall confidence=observed tasks=slow says=in+sleep stacks=run_step */
/* EXPECT blocking-call-in-loop confidence=observed tasks=slow */
/* RUN clean */
#include "../../include/thrum.h"
#include "../sample.h"

#include <coroutine>
#include <deque>
#include <poll.h>

struct reactor {
	struct step {
		std::coroutine_handle<> handle;
		uint32_t task;
	};
	std::deque<step> ready;
	int fd[2];

	/* The next turn, after a look at the descriptors. */
	auto next_turn(uint32_t task)
	{
		struct awaiter {
			reactor &r;
			uint32_t task;
			bool await_ready()
			{
				return false;
			}
			void await_suspend(std::coroutine_handle<> h)
			{
				thrum_task_suspend(task);
				r.ready.push_back({ h, task });
			}
			void await_resume()
			{
				thrum_task_resume(task);
			}
		};
		return awaiter{ *this, task };
	}
	void run()
	{
		while (!ready.empty()) {
			struct pollfd p = { fd[0], POLLIN, 0 };
			step s = ready.front();

			poll(&p, 1, 1);
			ready.pop_front();
			s.handle.resume();
		}
	}
};

struct job {
	struct promise_type {
		job get_return_object()
		{
			return {};
		}
		std::suspend_never initial_suspend()
		{
			return {};
		}
		std::suspend_never final_suspend() noexcept
		{
			return {};
		}
		void return_void()
		{
		}
		void unhandled_exception()
		{
			abort();
		}
	};
};

static int steps;

static NOINLINE void run_step(bool sleeps)
{
	struct timespec t = { 0, sleeps ? 300000000 : 100000 };

	nanosleep(&t, nullptr);
	steps++;
}

static job work(reactor &r, const char *name, int count, int sleeps_at)
{
	uint32_t task = thrum_task_create(name, 0);

	thrum_task_start(task);
	for (int i = 0; i < count; i++) {
		co_await r.next_turn(task);
		run_step(i == sleeps_at);
	}
	thrum_task_finish(task);
}

int main()
{
	reactor r;

	GIVES(0, pipe(r.fd));
	work(r, "quick", 40, -1);
	work(r, "slow", 40, 30);
	r.run();
	printf("%d\n", steps);
	return 0;
}
