/* SPDX-License-Identifier: MIT */
/* SHOWS Meyers singletons that use each other in one order while threads come and go, destroyed at exit */
/* RUN clean */
#include "../sample.h"

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

class Log
{
      public:
	static Log &get()
	{
		static Log log;
		return log;
	}
	void line(const std::string &text)
	{
		std::lock_guard<std::mutex> guard(lock_);
		bytes_ += text.size();
	}
	~Log()
	{
		std::lock_guard<std::mutex> guard(lock_);
	}

      private:
	std::mutex lock_;
	size_t bytes_ = 0;
};

class Settings
{
      public:
	static Settings &get()
	{
		static Settings settings;
		return settings;
	}
	std::string value(const std::string &key)
	{
		std::lock_guard<std::mutex> guard(lock_);
		Log::get().line(key);
		return values_[key];
	}

      private:
	Settings()
	{
		Log::get().line("settings");
		values_["a"] = "1";
	}
	std::mutex lock_;
	std::map<std::string, std::string> values_;
};

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 6; i++)
		threads.emplace_back([] {
			for (int k = 0; k < 20; k++)
				Settings::get().value("a");
		});
	for (auto &t : threads)
		t.join();
	return 0;
}
