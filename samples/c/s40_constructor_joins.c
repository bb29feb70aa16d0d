/* SPDX-License-Identifier: MIT */
/* SCENARIO S40,I8: the constructor of a library starts a thread and joins it under the loader lock; the thread loads too */
/* EXPECT deadlock confidence=observed stacks=start_helper,helper threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
/* BUILD plugin=joins_in_constructor libs=dl */
#include "../sample.h"

#include <dlfcn.h>

int main(int argc, char **argv)
{
	char path[4096];
	const char *slash = strrchr(argv[0], '/');

	(void)argc;
	snprintf(path, sizeof(path), "%.*s/joins_in_constructor.so",
		 slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
	if (!dlopen(path, RTLD_NOW))
		fprintf(stderr, "%s\n", dlerror());
	return 0;
}
