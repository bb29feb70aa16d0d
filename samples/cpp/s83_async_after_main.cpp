/* SPDX-License-Identifier: MIT */
/* SCENARIO S83: a std::async task that is finished by the destructor of a static future after main returned */
/* NEVER stuck-wait deadlock */
/* RUN clean */
#include "../sample.h"

#include <future>

static std::future<int> late;
static int main_over;

struct OpensTheDoor {
	~OpensTheDoor()
	{
		step_to(&main_over, 1);
	}
};

int main()
{
	static OpensTheDoor door;

	late = std::async(std::launch::async, [] {
		until(&main_over, 1);
		return 1;
	});
	return 0;
}
