/* SPDX-License-Identifier: MIT */
/*
 * wrap_signal.h - what the hooks of sigaction and friends tell the part that names signals.
 */
#ifndef THRUM_WRAP_SIGNAL_H
#define THRUM_WRAP_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { SIGNALS = 64 };
#define SIGNAL_BIT(n) ((uint64_t)1 << ((n)-1))

/* What a signal is set to. */
struct handler {
	uintptr_t function; /* SIG_DFL, SIG_IGN or the handler */
	uint64_t blocks;    /* while it runs */
	uint32_t flags;	    /* SA_* */
	bool known;	    /* set through a hook, so all of this is true */
};

/* ANY: true when it was something else before. */
bool handler_note(int n, const struct handler *h);

#endif
