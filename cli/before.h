/* SPDX-License-Identifier: MIT */
/*
 * before.h - what came before: a trace, a report or a baseline that another run is compared with.
 */
#ifndef THRUM_CLI_BEFORE_H
#define THRUM_CLI_BEFORE_H

#include "../analyzer/gate/baseline.h"
#include "inputs.h"
#include "page_link.h"

struct before {
	const char *path;	  /* as given; borrowed */
	struct inputs inputs;	  /* owned; empty where it was a baseline */
	struct baseline baseline; /* owned: its findings */
	struct page_link link;	  /* owned; its page is NULL but after before_draw of a trace */
};

/*
 * Reads and analyses it. A report is read in full: --include and --exclude ask for modules, which a baseline does not have.
 * before_release after a failure too.
 */
int before_load(const struct options *options, char **path, struct before *ret_before,
		struct diag *diag);
/* Its locks too, where it is one trace. `before` must not move from here on. */
int before_draw(const struct options *options, struct before *before, struct diag *diag);
void before_release(struct before *before);

#endif
