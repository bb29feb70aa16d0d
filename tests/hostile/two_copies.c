/* SPDX-License-Identifier: MIT */
/*
 * two_copies.c - two plugins, each with its own copy of a hooked library: each must go on calling its own, also when
 * one copy is unloaded and loaded again elsewhere.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <sys/mman.h>

static void run(void *plugin)
{
	int (*f)(void) = (int (*)(void))dlsym(plugin, "user_run");

	printf("%d calls reached it\n", f ? f() : -1);
}

int main(int argc, char **argv)
{
	void *one, *two;

	if (argc < 3 || !(one = dlopen(argv[1], RTLD_NOW)))
		return 2;
	run(one);
	if (!(two = dlopen(argv[2], RTLD_NOW)))
		return 2;
	run(two);
	run(one);
	run(two);
	dlclose(one);
	run(two);
	/* Its old place is taken: what was known of it is wrong now. */
	mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	one = dlopen(argv[1], RTLD_NOW);
	if (!one)
		return 2;
	run(one);
	run(two);
	return 0;
}
