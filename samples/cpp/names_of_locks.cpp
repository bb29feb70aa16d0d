/* SPDX-License-Identifier: MIT */
/* SHOWS locks as static members, in namespaces and in arrays of structs: the report names them */
/* EXPECT lock-order-inversion confidence=potential locks=Registry::lock,table threads=2 stacks=forwards,backwards */
/* RUN */
#include "../sample.h"

#include <mutex>
#include <thread>

struct Registry {
	static std::mutex lock;
};
std::mutex Registry::lock;

namespace app
{
struct Row {
	long id;
	std::mutex busy;
};
Row table[4];
} // namespace app

static int step, alive;

static NOINLINE void forwards()
{
	std::lock_guard<std::mutex> outer(Registry::lock);
	std::lock_guard<std::mutex> inner(app::table[2].busy);
}

static NOINLINE void backwards()
{
	std::lock_guard<std::mutex> outer(app::table[2].busy);
	std::lock_guard<std::mutex> inner(Registry::lock);
}

int main()
{
	std::thread a([] {
		meet(&alive, 2);
		forwards();
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread b([] {
		meet(&alive, 2);
		until(&step, 1);
		backwards();
		step_to(&step, 2);
	});

	a.join();
	b.join();
	return 0;
}
