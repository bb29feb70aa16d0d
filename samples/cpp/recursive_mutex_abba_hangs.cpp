/* SPDX-License-Identifier: MIT */
/* SHOWS two recursive mutexes, each held twice by its thread, and both want the other's */
/* EXPECT deadlock confidence=observed stacks=Node::link threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <mutex>
#include <thread>

static int holding;

class Node
{
      public:
	NOINLINE void link(Node &other)
	{
		std::lock_guard<std::recursive_mutex> once(lock_);
		std::lock_guard<std::recursive_mutex> twice(lock_);

		meet(&holding, 2);
		other.attach();
	}

	NOINLINE void attach()
	{
		std::lock_guard<std::recursive_mutex> guard(lock_);
		links_++;
	}

      private:
	std::recursive_mutex lock_;
	int links_ = 0;
};

int main()
{
	Node a, b;
	std::thread one([&] { a.link(b); }), two([&] { b.link(a); });

	one.join();
	two.join();
	return 0;
}
