/* SPDX-License-Identifier: MIT */
/*
 * sanitizer.c - ThreadSanitizer's options, and its logs that lie elsewhere.
 */
#include "sanitizer.h"

#include "../trace/trace_format.h"
#include "run_dir.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAFE_BITS = 28 };

char *sanitizer_options(const char *dir)
{
	const char *given = getenv("TSAN_OPTIONS");
	/* Its parser knows two kinds of quotes and no escapes. */
	char quote = !strchr(dir, '\'') ? '\'' : !strchr(dir, '"') ? '"' : '\0';
	char *log = NULL, *value = NULL;

	if (asprintf(&log, ":log_path=%c%s/" TF_TSAN_LOG "%c", quote, dir, quote) < 0)
		return NULL;
	if (asprintf(&value, "%s%s%s%s", TF_TSAN_OPTIONS, quote ? log : "",
		     given && *given ? ":" : "", given ? given : "") < 0)
		value = NULL;
	free(log);
	return value;
}

bool sanitizer_minds_addresses(const char *bits_path)
{
	FILE *in = fopen(bits_path ? bits_path : "/proc/sys/vm/mmap_rnd_bits", "re");
	int bits = 0;

	if (!in)
		return false;
	if (fscanf(in, "%d", &bits) != 1)
		bits = 0;
	fclose(in);
	return bits > SAFE_BITS;
}

/* The last value of `key` in `options` as the run time reads them: false = it is not there. */
static bool find_option(const char *options, const char *key, char *ret_value, size_t room)
{
	static const char separators[] = " ,:\n\t\r";
	size_t key_bytes = strlen(key);
	bool found = false;

	while (*(options += strspn(options, separators))) {
		const char *equals = strchr(options, '='), *value, *end;
		char quote;

		if (!equals)
			break;
		value = equals + 1;
		quote = *value == '\'' || *value == '"' ? *value : '\0';
		value += quote != '\0';
		end = quote ? strchr(value, quote) : value + strcspn(value, separators);
		if (!end)
			break;
		if ((size_t)(equals - options) == key_bytes && !memcmp(options, key, key_bytes) &&
		    (size_t)(end - value) < room) {
			memcpy(ret_value, value, (size_t)(end - value));
			ret_value[end - value] = '\0';
			found = true;
		}
		options = end + (quote != '\0');
	}
	return found;
}

static void copy_log(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK), out = -1;
	struct stat st;
	char buffer[65536];
	ssize_t got;

	if (in < 0)
		return;
	if (!fstat(in, &st) && S_ISREG(st.st_mode))
		out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (out >= 0 && (got = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)got) != got)
			break;
	close(in);
	if (out >= 0)
		close(out);
}

bool sanitizer_collect_logs(const char *dir)
{
	const char *given = getenv("TSAN_OPTIONS");
	char path[PATH_MAX], from[PATH_MAX + 32], *to;
	pid_t *pids = NULL;
	ssize_t count;

	if (!given || !find_option(given, "log_path", path, sizeof(path)))
		return true;
	if (!strcmp(path, "stderr") || !strcmp(path, "stdout"))
		return false;
	count = run_dir_pids(dir, &pids, NULL);
	for (ssize_t i = 0; i < count; i++) {
		snprintf(from, sizeof(from), "%s.%d", path, pids[i]);
		if (asprintf(&to, "%s/" TF_TSAN_LOG ".%d", dir, pids[i]) < 0)
			break;
		copy_log(from, to);
		free(to);
	}
	free(pids);
	return true;
}

/* "==12==ERROR: ThreadSanitizer: SEGV on …", "ThreadSanitizer: CHECK failed: …", "FATAL: ThreadSanitizer: …": what ended the program. */
static bool is_fatal(const char *line)
{
	return strstr(line, "ERROR: ThreadSanitizer: ") ||
	       strstr(line, "FATAL: ThreadSanitizer: ") ||
	       strstr(line, "ThreadSanitizer: CHECK failed: ");
}

bool sanitizer_find_fatal(const char *dir, char *ret_line, size_t room)
{
	pid_t *pids = NULL;
	ssize_t count = run_dir_pids(dir, &pids, NULL);
	bool found = false;

	for (ssize_t i = 0; i < count && !found; i++) {
		char *path;
		FILE *in;

		if (asprintf(&path, "%s/" TF_TSAN_LOG ".%d", dir, pids[i]) < 0)
			break;
		in = fopen(path, "re");
		free(path);
		while (in && !found && fgets(ret_line, (int)room, in))
			found = is_fatal(ret_line);
		if (in)
			fclose(in);
	}
	free(pids);
	if (found)
		ret_line[strcspn(ret_line, "\n")] = '\0';
	return found;
}
