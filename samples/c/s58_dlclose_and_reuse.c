/* SPDX-License-Identifier: MIT */
/* SCENARIO S58: a library with a static mutex is unloaded; another library is mapped there: a new lock */
/* NEVER lock-order-inversion */
/* RUN clean */
/* BUILD plugin=plugin_left,plugin_right libs=dl */
#include "../sample.h"

#include <dlfcn.h>

typedef void (*use_fn)(pthread_mutex_t *other);
typedef void *(*lock_fn)(void);

static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;
static const char *self;
static void *left_address;

static void *load(const char *name)
{
	char path[4096];
	const char *slash = strrchr(self, '/');
	void *handle;

	snprintf(path, sizeof(path), "%.*s/%s.so", slash ? (int)(slash - self) : 1,
		 slash ? self : ".", name);
	handle = dlopen(path, RTLD_NOW);
	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(3);
	}
	return handle;
}

static void *first(void *arg)
{
	void *plugin;

	meet(&alive, 2);
	plugin = load("plugin_left");
	((use_fn)dlsym(plugin, "plugin_then_other"))(&other);
	left_address = ((lock_fn)dlsym(plugin, "plugin_lock"))();
	dlclose(plugin);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *second(void *arg)
{
	void *plugin;

	meet(&alive, 2);
	until(&step, 1);
	plugin = load("plugin_right");
	((use_fn)dlsym(plugin, "other_then_plugin"))(&other);
	if (((lock_fn)dlsym(plugin, "plugin_lock"))() != left_address)
		fprintf(stderr, "mapped elsewhere\n");
	dlclose(plugin);
	step_to(&step, 2);
	return arg;
}

int main(int argc, char **argv)
{
	(void)argc;
	self = argv[0];
	run_two(first, second);
	return 0;
}
