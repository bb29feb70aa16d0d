/* SPDX-License-Identifier: MIT */
/*
 * signal_name.h - signals in words: "SIGUSR1", "SIGRTMIN+2".
 */
#ifndef THRUM_ANALYZER_SIGNAL_NAME_H
#define THRUM_ANALYZER_SIGNAL_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define SIGNAL_NAME_BYTES 24u

/* Into `buffer`, which it returns. Numbers as on x86-64 Linux, whatever this machine is. */
const char *signal_name(unsigned number, char buffer[SIGNAL_NAME_BYTES]);

/* Sent for what the running code itself does wrong: invalid access, trap, abort. */
bool signal_is_crash(unsigned number);

#endif
