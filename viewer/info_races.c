/* SPDX-License-Identifier: MIT */
/*
 * info_races.c - TF_DEF_WATCHES of a process in words.
 */
#include "info_races.h"

#include <inttypes.h>
#include <string.h>

static const char *const reasons[] = {
	[TF_WATCH_ON] = NULL,
	[TF_WATCH_REFUSED] = "the kernel refused perf_event_open",
	[TF_WATCH_OLD_KERNEL] = "the kernel is older than 6.4",
	[TF_WATCH_NO_REGISTERS] = "no debug register was free",
	[TF_WATCH_SIGTRAP] = "the program uses SIGTRAP itself",
	[TF_WATCH_TRACED] = "a debugger was attached",
	[TF_WATCH_SANITIZER] = "the program was built with ThreadSanitizer",
	[TF_WATCH_PYTHON] = "of a Python program --python-races watches variables",
	[TF_WATCH_SMALL_STACKS] = "a thread's stack is too small for a signal",
	[TF_WATCH_CONFINED] = "a seccomp filter was installed",
	[TF_WATCH_SLOW] = "threads are made too often",
	[TF_WATCH_LATE] = "there was a thread before the first one that was seen",
};

/* NULL: watched to the end. Valid until the next call. */
static const char *reason_of(const struct tf_def_watches *w)
{
	static char text[128];

	if (w->state == TF_WATCH_REFUSED) {
		snprintf(text, sizeof(text), "%s (%s)", reasons[w->state],
			 strerror((int)w->detail));
		return text;
	}
	return w->state < sizeof(reasons) / sizeof(reasons[0]) ? reasons[w->state] : "not known";
}

bool info_put_races(FILE *out, const struct trace_process *p, const char *key)
{
	const struct tf_def_watches *w = p->watches;

	if (!w) {
		return false;
	}
	fprintf(out, "  %-11s ", key);
	if (reason_of(w)) {
		fprintf(out, "not watched%s: %s%s", w->samples ? " to the end" : "", reason_of(w),
			w->samples ? "; " : "");
	}
	if (!reason_of(w) || w->samples) {
		fprintf(out,
			"%" PRIu32 " samples, %" PRIu32 " instructions reached of %" PRIu32
			" chosen, %" PRIu32 " watches with a pause and %" PRIu32
			" without, %" PRIu32 " met another thread; paused %.3f s, spent %.3f s",
			w->samples, w->traps, w->choices, w->pauses, w->residents, w->conflicts,
			(double)w->paused_us / 1e6, (double)w->spent_us / 1e6);
	}
	putc('\n', out);
	return true;
}

json_t *info_json_races(const struct trace_process *p)
{
	const struct tf_def_watches *w = p->watches;
	json_t *object;

	if (!w) {
		return NULL;
	}
	object = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "registers",
			   (json_int_t)w->slots, "samples", (json_int_t)w->samples, "chosen",
			   (json_int_t)w->choices, "reached", (json_int_t)w->traps, "private",
			   (json_int_t)w->private_, "pauses", (json_int_t)w->pauses, "residents",
			   (json_int_t)w->residents, "conflicts", (json_int_t)w->conflicts,
			   "dropped", (json_int_t)w->dropped, "paused_us", (json_int_t)w->paused_us,
			   "spent_us", (json_int_t)w->spent_us);
	if (object && reason_of(w)) {
		json_object_set_new(object, "why", json_string(reason_of(w)));
	}
	return object;
}
