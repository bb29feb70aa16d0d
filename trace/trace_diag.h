/* SPDX-License-Identifier: MIT */
/*
 * trace_diag.h - errors as values: library code fills a struct diag, only cli/ prints it.
 *
 * Functions that can fail return 0 or a negative enum thrum_error; outputs named ret_x are written only on success.
 */
#ifndef THRUM_TRACE_DIAG_H
#define THRUM_TRACE_DIAG_H

enum thrum_error {
	THRUM_OK = 0,
	THRUM_ENOMEM = -1,
	THRUM_EIO = -2,	     /* the system said no: message has errno's text */
	THRUM_EFORMAT = -3,  /* not a trace, or damaged beyond recovery */
	THRUM_EVERSION = -4, /* a newer major version */
	THRUM_EINVAL = -5,   /* bad argument from the user */
	THRUM_ESTOPPED = -6, /* the caller's progress function said so */
};

struct diag {
	char message[512]; /* lower case, no full stop, says what to do next */
};

/* Fills `d` (may be NULL) and returns `error`, so that `return diag_set(...)` reads well. */
__attribute__((format(printf, 3, 4))) int diag_set(struct diag *d, int error, const char *format,
						   ...);

#endif
