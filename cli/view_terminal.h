/* SPDX-License-Identifier: MIT */
/*
 * view_terminal.h - `thrum view --tui` and `--text`: a trace on a terminal, and in a pipe.
 */
#ifndef THRUM_CLI_VIEW_TERMINAL_H
#define THRUM_CLI_VIEW_TERMINAL_H

#include "options.h"

/*
 * Analyses the operand and shows it: on the terminal, or, without `tui` and where the terminal can only print (TERM=dumb, no terminal),
 * as text on standard output. Returns the exit status.
 */
int view_terminal(const struct options *options, bool tui);

#endif
