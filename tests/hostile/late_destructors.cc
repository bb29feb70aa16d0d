// SPDX-License-Identifier: MIT
// late_destructors.cc - thread_local, key and static destructors lock; initialisers throw out of call_once and of a static local.
#include <cstdio>
#include <mutex>
#include <pthread.h>
#include <stdexcept>
#include <thread>

static std::mutex m;
static int ended;
struct last {
	~last()
	{
		std::lock_guard<std::mutex> g(m);
		ended++;
	}
};
static thread_local last l;
static pthread_key_t key;
static void key_over(void *p)
{
	std::lock_guard<std::mutex> g(m);
	long again = reinterpret_cast<long>(p);

	ended++;
	if (again > 1) {
		pthread_setspecific(key, reinterpret_cast<void *>(again - 1));
	}
}
static std::once_flag flag;
static int tries;
static void initialise()
{
	if (++tries < 4) {
		throw std::runtime_error("not yet");
	}
}
struct thrower {
	thrower()
	{
		static int count;
		if (++count < 3) {
			throw 1;
		}
	}
};
static thrower &get()
{
	static thrower t;
	return t;
}
struct at_exit {
	~at_exit()
	{
		std::lock_guard<std::mutex> g(m);
		std::puts("static destructor");
	}
} const at_exit_object;

int main()
{
	int thrown = 0;

	pthread_key_create(&key, key_over);
	for (int i = 0; i < 50; i++) {
		std::thread([] {
			(void)&l;
			pthread_setspecific(key, reinterpret_cast<void *>(4L));
		}).join();
	}
	for (int i = 0; i < 6; i++) {
		try {
			std::call_once(flag, initialise);
		} catch (std::exception &) {
			thrown++;
		}
		try {
			get();
		} catch (int) {
			thrown += 100;
		}
	}
	std::printf("%d %d\n", ended, thrown);
	return 3;
}
