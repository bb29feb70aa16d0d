/* SPDX-License-Identifier: MIT */
/*
 * verb_doctor.c - `thrum doctor`: says before a recording whether a program can be recorded and what will be missed.
 */
#include "cli.h"
#include "options.h"
#include "target.h"

#include <stdlib.h>

/* What the shim stands in for: the rows of its tables. */
static const char *const hooked[] = {
#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) #name,
#include "../spec/primitives/all.def"
#undef PRIM
	NULL
};

static const char *note_word(enum hookable_note_kind kind)
{
	switch (kind) {
	case HOOKABLE_NOTE_INFO:
		return "note";
	case HOOKABLE_NOTE_MISSED:
		return "missed";
	case HOOKABLE_NOTE_PROBLEM:
		return "problem";
	}
	return "note";
}

static void print_modules(const struct hookable *hookable, bool verbose)
{
	puts("  modules");
	for (size_t i = 0; i < hookable->module_count; i++) {
		const struct hookable_module *module = &hookable->modules[i];

		if (module->is_libc && !verbose)
			continue;
		printf("    %s%s", module->name, module->path ? "" : " (not found)");
		if (module->hooked_count)
			printf(": calls %zu of the hooked functions", module->hooked_count);
		putchar('\n');
		for (size_t k = 0; verbose && k < module->hooked_count; k++)
			printf("      %s\n", module->hooked[k]);
	}
}

/* The recorder itself must be there too; returns the status that is left. */
static int print_recorder(int status)
{
	struct diag diag;
	char *shim;

	if (shim_find(&shim, &diag)) {
		printf("  recorder  missing: %s\n", diag.message);
		return status ? status : STATUS_UNTRACED;
	}
	printf("  recorder  %s\n", shim);
	free(shim);
	return status;
}

int verb_doctor(const struct options *options)
{
	const char *command = options->operands[0];
	struct hookable hookable;
	struct diag diag;
	int status;

	if (hookable_inspect(command, hooked, &hookable, &diag)) {
		say("%s", diag.message);
		return STATUS_INTERNAL;
	}
	status = target_status(hookable.verdict);
	if (status == STATUS_NOT_FOUND || status == STATUS_CANNOT_EXECUTE) {
		say("%s", hookable.why);
	} else {
		printf("%s: %s\n  %s\n", command, hookable_verdict_name(hookable.verdict),
		       hookable.why);
		for (size_t i = 0; i < hookable.script_count; i++)
			printf("  script    %s\n", hookable.scripts[i]);
		printf("  program   %s\n", hookable.program);
		if (*hookable.loader)
			printf("  loader    %s\n", hookable.loader);
		status = print_recorder(status);
		print_modules(&hookable, options->verbose);
		for (size_t i = 0; i < hookable.note_count; i++)
			printf("  %-9s %s: %s\n", note_word(hookable.notes[i].kind),
			       hookable.notes[i].module, hookable.notes[i].text);
	}
	hookable_release(&hookable);
	return status;
}
