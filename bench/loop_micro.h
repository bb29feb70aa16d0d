/* SPDX-License-Identifier: MIT */
/*
 * loop_micro.h - what the workloads of event loops share: a program for each library has its own, and main() here.
 *
 *   loop_LIBRARY WORKLOAD COUNT
 *
 * prints one line as micro.c does, with the same meaning. An operation is one callback with what armed or posted it. Each workload
 * counts its callbacks and returns that number; a lost one ends with status 1.
 */
#ifndef THRUM_BENCH_LOOP_MICRO_H
#define THRUM_BENCH_LOOP_MICRO_H

#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct workload {
	const char *name;
	uint64_t (*run)(uint64_t count);
};

static uint64_t called __attribute__((unused)), wanted;

#define MUST(call)                                                                 \
	do {                                                                       \
		if (call) {                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #call); \
			exit(1);                                                   \
		}                                                                  \
	} while (0)

/* Two threads that take turns are measured on one processor: what a hand-over costs then is not the scheduler's choice. */
static inline void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static inline double seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Peak of this image alone: getrusage would count what the process was before exec. */
static inline long peak_rss_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmHWM: %ld", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib;
}

static inline int workload_main(const struct workload *workloads, size_t number, int argc,
				char **argv)
{
	double wall, cpu;
	uint64_t ops;

	wanted = argc == 3 ? strtoull(argv[2], NULL, 0) : 0;
	for (size_t i = 0; wanted >= 32 && i < number; i++) {
		if (strcmp(argv[1], workloads[i].name))
			continue;
		wall = seconds(CLOCK_MONOTONIC);
		cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
		ops = workloads[i].run(wanted);
		wall = seconds(CLOCK_MONOTONIC) - wall;
		cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		if (ops != wanted) {
			fprintf(stderr, "%s: %llu callbacks, expected %llu\n", argv[1],
				(unsigned long long)ops, (unsigned long long)wanted);
			return 1;
		}
		printf("%s ops=%llu wall_ns=%.2f cpu_ns=%.2f rss_kib=%ld\n", argv[1],
		       (unsigned long long)ops, wall * 1e9 / (double)ops, cpu * 1e9 / (double)ops,
		       peak_rss_kib());
		return 0;
	}
	fprintf(stderr, "usage: %s WORKLOAD COUNT   (COUNT at least 32)\nworkloads:", argv[0]);
	for (size_t i = 0; i < number; i++)
		fprintf(stderr, " %s", workloads[i].name);
	fprintf(stderr, "\n");
	return 2;
}

#define WORKLOAD_MAIN(...)                                                                      \
	int main(int argc, char **argv)                                                         \
	{                                                                                       \
		static const struct workload workloads[] = { __VA_ARGS__ };                     \
                                                                                                \
		return workload_main(workloads, sizeof(workloads) / sizeof(workloads[0]), argc, \
				     argv);                                                     \
	}

#endif
