/* SPDX-License-Identifier: MIT */
/*
 * target.c - what a verdict on the program means for the exit status, where the shim is, and the environment that joins both.
 */
#include "target.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status target_status(enum hookable_verdict verdict)
{
	switch (verdict) {
	case HOOKABLE_TRACEABLE:
		return STATUS_OK;
	case HOOKABLE_NOT_FOUND:
		return STATUS_NOT_FOUND;
	case HOOKABLE_NOT_EXECUTABLE:
	case HOOKABLE_SCRIPT:
		return STATUS_CANNOT_EXECUTE;
	case HOOKABLE_NOT_ELF:
	case HOOKABLE_DAMAGED:
	case HOOKABLE_NOT_PROGRAM:
	case HOOKABLE_ARCH:
	case HOOKABLE_STATIC:
	case HOOKABLE_STATIC_PIE:
	case HOOKABLE_SETUID:
	case HOOKABLE_MUSL:
	case HOOKABLE_LOADER:
	case HOOKABLE_VERDICT_COUNT:
		break;
	}
	return STATUS_UNTRACED;
}

/* LD_PRELOAD separates by blanks and colons and has no way to quote them. */
static int shim_accept(char *path, char **ret_path, struct diag *diag)
{
	if (strpbrk(path, " \t\n:")) {
		diag_set(
			diag, THRUM_EINVAL,
			"the path of the recorder library holds a blank or a colon, which LD_PRELOAD cannot carry: "
			"%s; copy it elsewhere and name it in THRUM_LIB",
			path);
		free(path);
		return THRUM_EINVAL;
	}
	*ret_path = path;
	return 0;
}

int shim_find(char **ret_path, struct diag *diag)
{
	static const char *const places[] = { "/../lib/libthrum.so", "/../lib/thrum/libthrum.so" };
	const char *named = getenv("THRUM_LIB");
	char program[PATH_MAX], *path, *slash;
	ssize_t bytes;

	if (named && *named) {
		path = realpath(named, NULL);
		if (!path)
			return diag_set(diag, THRUM_EINVAL, "THRUM_LIB names %s: %s", named,
					strerror(errno));
		return shim_accept(path, ret_path, diag);
	}
	bytes = readlink("/proc/self/exe", program, sizeof(program) - 32);
	if (bytes < 0)
		return diag_set(diag, THRUM_EIO,
				"cannot read /proc/self/exe: %s; is /proc mounted?",
				strerror(errno));
	program[bytes] = '\0';
	slash = strrchr(program, '/');
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		strcpy(slash, places[i]);
		path = realpath(program, NULL);
		if (path)
			return shim_accept(path, ret_path, diag);
	}
	*slash = '\0';
	return diag_set(diag, THRUM_EINVAL,
			"no libthrum.so in %s/../lib or %s/../lib/thrum; name it in THRUM_LIB",
			program, program);
}

char *shim_preload(const char *shim)
{
	const char *others = getenv("LD_PRELOAD");
	char *value;

	if (asprintf(&value, "%s%s%s", shim, others && *others ? ":" : "", others ? others : "") <
	    0)
		return NULL;
	return value;
}

/* Of libthrum.so: its folder, or beside it, and that is where an installed one has it too. */
int tsan_library_path(const char *shim, char **ret_value, struct diag *diag)
{
	const char *others = getenv("LD_LIBRARY_PATH"), *slash = strrchr(shim, '/');
	int folder = (int)(slash - shim);
	char *library;

	if (asprintf(&library, "%.*s/tsan/libtsan.so.2", folder, shim) < 0)
		return THRUM_ENOMEM;
	if (access(library, R_OK)) {
		diag_set(diag, THRUM_EINVAL, "%s: %s; --races=record needs it", library,
			 strerror(errno));
		free(library);
		return THRUM_EINVAL;
	}
	free(library);
	if (strchr(shim, ';') ||
	    asprintf(ret_value, "%.*s/tsan%s%s", folder, shim, others && *others ? ":" : "",
		     others && *others ? others : "") < 0)
		return THRUM_EINVAL;
	return 0;
}

char *shim_options(const char *dir, const struct options *options)
{
	static const char *const races[] = {
		[RACES_NOT_GIVEN] = "",		  [RACES_AUTO] = ":races=auto",
		[RACES_OFF] = ":races=off",	  [RACES_DEEP] = ":races=deep",
		[RACES_RECORD] = ":races=record", [RACES_RECORD_FULL] = ":races=record-full",
	};
	size_t bytes = strlen(dir);
	char *escaped = malloc(3 * bytes + 1), *end = escaped, *value, perturb[32] = "";
	const char *before = getenv("THRUM_OPTIONS");

	if (!escaped)
		return NULL;
	for (; *dir; dir++) {
		if (*dir == ':' || *dir == '%')
			end += sprintf(end, "%%%02X", (unsigned)*dir);
		else
			*end++ = *dir;
	}
	*end = '\0';
	if (options->given.perturb)
		snprintf(perturb, sizeof(perturb), ":perturb=%llu",
			 (unsigned long long)options->perturb);
	/*
	 * What is as usual is left out: people read this line in their environment. Of what was in it
	 * before, keys that have no option here count.
	 */
	if (asprintf(&value, "%s%sdir=%s:max_size=%llu%s%s%s%s%s%s", before ? before : "",
		     before && *before ? ":" : "", escaped,
		     (unsigned long long)options->max_size_bytes,
		     options->mode == MODE_BOUNDED ? ":mode=bounded" : "",
		     options->follow_children == FOLLOW_NONE ? ":follow_children=none" : "",
		     options->redact == REDACT_ARGS ? ":redact=args" : "",
		     options->python_races ? ":python_races=1" : "", races[options->races],
		     perturb) < 0)
		value = NULL;
	free(escaped);
	return value;
}
