/* SPDX-License-Identifier: MIT */
/*
 * info_runtime.c - the newest TF_DEF_RUNTIME of a process in words.
 */
#include "info_runtime.h"

#include "info_gil.h"

#include <inttypes.h>

static const struct {
	uint32_t feature;
	const char *word;
} features[] = {
	{ TF_PYTHON_STACKS, "stacks" },		{ TF_PYTHON_LOCKS, "locks" },
	{ TF_PYTHON_TASKS, "tasks" },		{ TF_PYTHON_AWAITS, "awaits" },
	{ TF_PYTHON_FINALISERS, "coroutines" }, { TF_PYTHON_RACES, "shared state" },
};
#define FEATURES (sizeof(features) / sizeof(features[0]))

/* The interpreter was entered; what is missing has not been imported, or is not as the probe knows it. */
static const char *const reasons[] = {
	[TF_RUNTIME_ENTERED] = NULL,
	[TF_RUNTIME_NOT_YET] = "it had not begun a program, nor imported threads or tasks",
	[TF_RUNTIME_UNKNOWN_VERSION] = "not a version that the probe knows",
	[TF_RUNTIME_FREE_THREADED] = "built without a GIL",
	[TF_RUNTIME_OTHER_LAYOUT] = "a build whose structs are not those of its version",
};

static const char *reason_of(const struct tf_def_runtime *r)
{
	return r->why < sizeof(reasons) / sizeof(reasons[0]) ? reasons[r->why] : "not known";
}

static void put_features(FILE *out, uint32_t set, const char *before)
{
	const char *separator = before;

	for (size_t i = 0; i < FEATURES; i++) {
		if (set & features[i].feature) {
			fprintf(out, "%s%s", separator, features[i].word);
			separator = ", ";
		}
	}
}

bool info_put_runtime(FILE *out, const struct trace_process *p, const char *key)
{
	const struct tf_def_runtime *r = p->runtime;

	if (!r) {
		return false;
	}
	fprintf(out, "  %-11s %" PRIu32 ".%" PRIu32 ".%" PRIu32, key, r->version >> 16,
		r->version >> 8 & 255, r->version & 255);
	if (reason_of(r)) {
		fprintf(out, ": native layer only, %s", reason_of(r));
	} else {
		put_features(out, r->features, ": ");
		if (r->features & TF_PYTHON_RACES) {
			fprintf(out, " of %u functions and %u classes", r->watched_functions,
				r->watched_classes);
		}
		/* Tasks and what belongs to them come with the import of asyncio. */
		if (r->features & TF_PYTHON_TASKS || !(r->features & TF_PYTHON_LOCKS)) {
			put_features(out, r->wanted & ~r->features, "; without ");
		}
	}
	putc('\n', out);
	return true;
}

json_t *info_json_runtime(const struct trace_process *p)
{
	const struct tf_def_runtime *r = p->runtime;
	json_t *object, *works, *missing, *gil;
	char version[40];

	if (!r) {
		return NULL;
	}
	object = json_object();
	works = json_array();
	missing = json_array();
	snprintf(version, sizeof(version), "%" PRIu32 ".%" PRIu32 ".%" PRIu32, r->version >> 16,
		 r->version >> 8 & 255, r->version & 255);
	for (size_t i = 0; i < FEATURES; i++) {
		if (r->wanted & features[i].feature) {
			json_array_append_new(r->features & features[i].feature ? works : missing,
					      json_string(features[i].word));
		}
	}
	json_object_set_new(object, "version", json_string(version));
	json_object_set_new(object, "features", works);
	json_object_set_new(object, "missing", missing);
	if (reason_of(r)) {
		json_object_set_new(object, "why", json_string(reason_of(r)));
	}
	gil = info_json_gil(p);
	if (gil) {
		json_object_set_new(object, "gil", gil);
	}
	return object;
}
