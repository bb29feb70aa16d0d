/* SPDX-License-Identifier: MIT */
/*
 * reading.c - see reading.h.
 */
#include "reading.h"

#include <stdio.h>

void reading_tell(struct reading *reading, enum reading_job job, uint64_t done, uint64_t total)
{
	unsigned long long before = atomic_load(&reading->job[job].done);

	atomic_store(&reading->job[job].total, total);
	while (done > before &&
	       !atomic_compare_exchange_weak(&reading->job[job].done, &before, done))
		;
}

void reading_finish(struct reading *reading)
{
	atomic_store(&reading->state, READING_DONE);
}

enum reading_state reading_get_state(const struct reading *reading)
{
	return (enum reading_state)atomic_load(&reading->state);
}

static unsigned job_percent(const struct reading *reading, unsigned job)
{
	unsigned long long done = atomic_load(&reading->job[job].done);
	unsigned long long total = atomic_load(&reading->job[job].total);

	if (!total)
		return 0;
	return done < total ? (unsigned)((double)done / (double)total * 100) : 100;
}

/* Jobs run side by side: the slowest one is what one waits for. What comes after the last event takes the last percent. */
static unsigned least_percent(const struct reading *reading)
{
	unsigned least = 99;

	for (unsigned job = 0; job < READING_JOBS; job++)
		if (job_percent(reading, job) < least)
			least = job_percent(reading, job);
	return least;
}

unsigned reading_percent(struct reading *reading)
{
	unsigned now = least_percent(reading), before = atomic_load(&reading->shown);

	if (reading_get_state(reading) == READING_DONE)
		return 100;
	while (now > before && !atomic_compare_exchange_weak(&reading->shown, &before, now))
		;
	return now > before ? now : before;
}

size_t reading_put(struct reading *reading, char *buffer, size_t bytes)
{
	static const char *const states[] = {
		[READING_BEGUN] = "reading", [READING_DONE] = "ready"
	};
	static const char *const jobs[READING_JOBS] = {
		[READING_FINDINGS] = "looking for findings",
		[READING_TIMELINE] = "drawing the timeline",
	};
	enum reading_state state = reading_get_state(reading);
	int used = snprintf(buffer, bytes, "{\"state\":\"%s\",\"percent\":%u,\"doing\":\"",
			    states[state], state == READING_DONE ? 100 : reading_percent(reading));

	for (unsigned job = 0; job < READING_JOBS && used > 0 && (size_t)used < bytes; job++)
		used += snprintf(buffer + used, bytes - (size_t)used, "%s%s: %.1f of %.1f M events",
				 job ? ", " : "", jobs[job],
				 (double)atomic_load(&reading->job[job].done) / 1e6,
				 (double)atomic_load(&reading->job[job].total) / 1e6);
	if (used > 0 && (size_t)used < bytes)
		used += snprintf(buffer + used, bytes - (size_t)used, "\"}\n");
	return used > 0 && (size_t)used < bytes ? (size_t)used : bytes - 1;
}
