/* SPDX-License-Identifier: MIT */
/*
 * trace_place.h - where the trace of a TRACE operand lies: a directory as it is, or a pack, unpacked for as long as needed.
 *
 * A pack goes into a private directory in $TMPDIR, else /var/tmp, else /tmp. It is removed on release, and when thrum
 * ends in any other way, SIGKILL included: a child of thrum waits for that.
 */
#ifndef THRUM_CLI_TRACE_PLACE_H
#define THRUM_CLI_TRACE_PLACE_H

#include "../trace/trace_diag.h"

#include <stdbool.h>
#include <sys/types.h>

struct trace_place {
	char *dir;     /* owned: what trace_reader_open takes */
	char *symbols; /* owned: a directory with the modules; NULL = the machine's own */
	/* private */
	char *temporary;
	pid_t remover;
	int remover_fd;
};

/* Fails with THRUM_EFORMAT, THRUM_EIO, THRUM_ENOMEM. Release in any case. */
int trace_place_open(const char *operand, struct trace_place *ret_place, struct diag *diag);
void trace_place_release(struct trace_place *place);

#endif
