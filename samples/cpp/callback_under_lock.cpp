/* SPDX-License-Identifier: MIT */
/* SHOWS two components that call each other's callback with their own lock held */
/* EXPECT lock-order-inversion confidence=potential stacks=Network::deliver,Session::send threads=2 */
/* RUN */
#include "../sample.h"

#include <functional>
#include <mutex>
#include <thread>
#include <vector>

class Network
{
      public:
	std::function<void(int)> on_packet;

	NOINLINE void send(int packet)
	{
		std::lock_guard<std::mutex> lock(lock_);
		queue_.push_back(packet);
	}

	NOINLINE void deliver()
	{
		std::lock_guard<std::mutex> lock(lock_);
		for (int packet : queue_)
			on_packet(packet); /* the lock is held */
		queue_.clear();
	}

      private:
	std::mutex lock_;
	std::vector<int> queue_;
};

class Session
{
      public:
	explicit Session(Network &network) : network_(network)
	{
	}

	NOINLINE void send(int value)
	{
		std::lock_guard<std::mutex> lock(lock_);
		network_.send(value + sent_++);
	}

	NOINLINE void received(int)
	{
		std::lock_guard<std::mutex> lock(lock_);
		received_++;
	}

	int count() const
	{
		return received_;
	}

      private:
	Network &network_;
	std::mutex lock_;
	int sent_ = 0, received_ = 0;
};

static int step, alive;

int main()
{
	Network network;
	Session session(network);

	network.on_packet = [&](int packet) { session.received(packet); };
	std::thread sender([&] {
		meet(&alive, 2);
		session.send(1);
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread receiver([&] {
		meet(&alive, 2);
		until(&step, 1);
		network.deliver();
		step_to(&step, 2);
	});
	sender.join();
	receiver.join();
	printf("%d\n", session.count());
	return 0;
}
