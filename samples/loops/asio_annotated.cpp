/* SPDX-License-Identifier: MIT */
/* SHOWS Asio, annotated: handlers are tasks; one computes for 300 ms on the thread of the io_context */
/* BUILD needs=asio flags=-std=c++17 */
/* EXPECT loop-stall confidence=observed tasks=compute says=on+the+processor */
/* RUN clean */
#include "../../include/thrum.h"
#include "loop_work.h"

#include <asio.hpp>

/* Makes a handler a task: posted where this is called, run where the io_context calls it. */
template <typename Handler> static auto as_task(const char *name, Handler handler)
{
	return [task = thrum_task_create(name, 0), handler](auto &&...arguments) mutable {
		thrum_task_start(task);
		handler(arguments...);
		thrum_task_finish(task);
	};
}

static int ticks;

static void tick(asio::steady_timer &timer)
{
	timer.expires_after(std::chrono::milliseconds(2));
	timer.async_wait(as_task("tick", [&timer](const asio::error_code &) {
		if (++ticks < 60)
			tick(timer);
	}));
}

int main()
{
	asio::io_context context;
	asio::steady_timer timer(context), later(context);

	tick(timer);
	later.expires_after(std::chrono::milliseconds(80));
	later.async_wait(as_task("compute", [](const asio::error_code &) { compute_ms(300); }));
	context.run();
	printf("%d\n", ticks);
	return 0;
}
