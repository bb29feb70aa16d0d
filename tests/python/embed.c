/* SPDX-License-Identifier: MIT */
/* embed LIBPYTHON ROUNDS CODE - an application that loads an interpreter when it is running already, and ends it; ROUNDS times. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void (*initialize)(int signals);
static int (*run)(const char *code);
static int (*finalize)(void);
static int (*ensure)(void);
static void (*release)(int state);
static void *(*save)(void);
static void (*restore)(void *state);
static const char *code;

/* A thread that Python did not start. */
static void *foreign(void *unused)
{
	int state = ensure();

	printf("foreign thread %d\n", run(code));
	release(state);
	return unused;
}

int main(int argc, char **argv)
{
	void *library = argc == 4 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
	pthread_t thread;

	if (!library) {
		fprintf(stderr, "embed: %s\n", argc == 4 ? dlerror() : "three arguments");
		return 2;
	}
	*(void **)&initialize = dlsym(library, "Py_InitializeEx");
	*(void **)&run = dlsym(library, "PyRun_SimpleString");
	*(void **)&finalize = dlsym(library, "Py_FinalizeEx");
	*(void **)&ensure = dlsym(library, "PyGILState_Ensure");
	*(void **)&release = dlsym(library, "PyGILState_Release");
	*(void **)&save = dlsym(library, "PyEval_SaveThread");
	*(void **)&restore = dlsym(library, "PyEval_RestoreThread");
	code = argv[3];
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < atoi(argv[2]); i++) {
		void *state;

		initialize(1);
		printf("round %d: %d\n", i, run(code));
		state = save();
		pthread_create(&thread, NULL, foreign, NULL);
		pthread_join(thread, NULL);
		restore(state);
		printf("finalize %d\n", finalize());
	}
	return 0;
}
