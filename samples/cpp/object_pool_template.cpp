/* SPDX-License-Identifier: MIT */
/* SHOWS locks inside templates, lambdas, operators and namespaces: inverted; the names in the report must be readable */
/* EXPECT lock-order-inversion confidence=potential stacks=shop::Pool<int>::exchange,operator() threads=2 */
/* RUN */
#include "../sample.h"

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace shop
{
template <typename T> class Pool
{
      public:
	NOINLINE void exchange(Pool &other)
	{
		std::lock_guard<std::mutex> mine(lock_);
		std::lock_guard<std::mutex> theirs(other.lock_);

		std::swap(items_, other.items_);
	}

      private:
	std::mutex lock_;
	std::vector<T> items_;
};
} // namespace shop

static int step, alive;

int main()
{
	shop::Pool<int> left, right;
	std::thread one([&] {
		meet(&alive, 2);
		left.exchange(right);
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread two([&] {
		meet(&alive, 2);
		until(&step, 1);
		right.exchange(left);
		step_to(&step, 2);
	});

	one.join();
	two.join();
	return 0;
}
