/* SPDX-License-Identifier: MIT */
/*
 * run_json.c - writes and reads run.json. Only this file knows its members.
 */
#include "run_json.h"

#include "run_dir.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_SCHEMA "thrum-run/1"

int run_shell_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Arguments are bytes, JSON strings are UTF-8: bytes that are not become U+FFFD. */
static json_t *json_bytes(const char *bytes)
{
	json_t *string = json_string(bytes);
	char *copy;
	size_t n = 0;

	if (string)
		return string;
	copy = malloc(3 * strlen(bytes) + 1);
	if (!copy)
		return NULL;
	for (; *bytes; bytes++) {
		if ((unsigned char)*bytes < 0x80) {
			copy[n++] = *bytes;
		} else {
			memcpy(copy + n, "\xef\xbf\xbd", 3);
			n += 3;
		}
	}
	copy[n] = '\0';
	string = json_string(copy);
	free(copy);
	return string;
}

static json_t *json_argv(const struct run_facts *facts)
{
	json_t *array = json_array();

	for (char **argv = facts->argv; *argv; argv++) {
		json_array_append_new(array, json_bytes(*argv));
		if (facts->redact_args)
			break;
	}
	return array;
}

static json_t *json_environment_names(void)
{
	json_t *array = json_array();

	for (char **variable = environ; *variable; variable++) {
		char *name = strndup(*variable, strcspn(*variable, "="));

		if (name)
			json_array_append_new(array, json_bytes(name));
		free(name);
	}
	return array;
}

int run_json_write(const char *dir, const struct run_facts *facts, struct diag *diag)
{
	json_t *run = json_object();
	char *cwd = getcwd(NULL, 0), *text = NULL;
	int error;

	json_object_set_new(run, "schema", json_string(RUN_SCHEMA));
	json_object_set_new(run, "tool",
			    json_pack("{ss ss}", "name", "thrum", "version", THRUM_VERSION));
	json_object_set_new(run, "argv", json_argv(facts));
	if (cwd)
		json_object_set_new(run, "cwd", json_bytes(cwd));
	json_object_set_new(run, "start_real_ns", json_integer((json_int_t)facts->start_real_ns));
	json_object_set_new(run, "pid", json_integer(facts->pid));
	json_object_set_new(run, "environment_names", json_environment_names());
	json_object_set_new(run, "timeout", json_boolean(facts->timed_out));
	if (facts->ended) {
		json_object_set_new(run, "end_real_ns",
				    json_integer((json_int_t)facts->end_real_ns));
		json_object_set_new(run, "status",
				    json_integer(run_shell_status(facts->wait_status)));
		if (WIFSIGNALED(facts->wait_status))
			json_object_set_new(run, "signal",
					    json_integer(WTERMSIG(facts->wait_status)));
	}
	text = json_dumps(run, JSON_INDENT(2));
	if (text)
		error = run_dir_write(dir, "run.json", text, strlen(text), diag);
	else
		error = diag_set(diag, THRUM_ENOMEM, "out of memory");
	free(text);
	free(cwd);
	json_decref(run);
	return error;
}

void run_json_read(const char *text, struct run_facts *ret_facts)
{
	json_t *run = text ? json_loads(text, 0, NULL) : NULL;
	const char *schema = json_string_value(json_object_get(run, "schema"));
	json_t *status = json_object_get(run, "status");

	*ret_facts = (struct run_facts){ 0 };
	if (schema && !strcmp(schema, RUN_SCHEMA)) {
		ret_facts->pid = (pid_t)json_integer_value(json_object_get(run, "pid"));
		ret_facts->start_real_ns =
			(uint64_t)json_integer_value(json_object_get(run, "start_real_ns"));
		ret_facts->end_real_ns =
			(uint64_t)json_integer_value(json_object_get(run, "end_real_ns"));
		ret_facts->timed_out = json_is_true(json_object_get(run, "timeout"));
		ret_facts->has_status = json_is_integer(status);
		ret_facts->status = (int)json_integer_value(status);
	}
	json_decref(run);
}

const char **run_json_read_argv(const char *text, struct finding_list *list, size_t *ret_count)
{
	json_t *run = text ? json_loads(text, 0, NULL) : NULL;
	const json_t *array = json_object_get(run, "argv");
	const char **argv = NULL;

	*ret_count = json_array_size(array);
	if (*ret_count)
		argv = finding_list_alloc(list, *ret_count * sizeof(*argv));
	for (size_t i = 0; i < *ret_count; i++) {
		const char *word = json_string_value(json_array_get(array, i));

		argv[i] = finding_list_printf(list, "%s", word ? word : "");
	}
	json_decref(run);
	return argv;
}
