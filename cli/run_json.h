/* SPDX-License-Identifier: MIT */
/*
 * run_json.h - run.json of a trace: what the launcher knew and the recorder cannot, schema thrum-run/1.
 *
 * Written once when the program starts and again when it ended; each time a reader sees a whole file. Environment
 * variables are named, never their values: those hold secrets.
 */
#ifndef THRUM_CLI_RUN_JSON_H
#define THRUM_CLI_RUN_JSON_H

#include "../analyzer/finding.h"
#include "../trace/trace_diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct run_facts {
	char **argv;	  /* borrowed, NULL-terminated. Only for writing */
	bool redact_args; /* write argv[0] alone */
	pid_t pid;
	uint64_t start_real_ns;
	bool ended;
	int wait_status;      /* of waitpid, valid with `ended` */
	bool timed_out;	      /* --timeout ended it */
	uint64_t end_real_ns; /* valid with `ended`; 0 = not known */
	/* Only from run_json_read. */
	bool has_status;
	int status; /* as a shell shows it */
};

int run_json_write(const char *dir, const struct run_facts *facts, struct diag *diag);

/* What `text` says; everything unknown where it is NULL or no run.json. */
void run_json_read(const char *text, struct run_facts *ret_facts);

/* The program's arguments, or its name alone where they were redacted; NULL = not known. In the memory of the list. */
const char **run_json_read_argv(const char *text, struct finding_list *list, size_t *ret_count);

/* Exit code, or 128+N for signal N. */
int run_shell_status(int wait_status);

#endif
