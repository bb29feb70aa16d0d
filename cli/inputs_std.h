/* SPDX-License-Identifier: MIT */
/*
 * inputs_std.h - a trace in STD form as an input: read and analysed at once, since it has no images, symbols or options of its own.
 */
#ifndef THRUM_CLI_INPUTS_STD_H
#define THRUM_CLI_INPUTS_STD_H

#include "inputs.h"

/* Fills `input`, whose path and findings are set, as a report that was read; adds to inputs->pruned. */
int input_open_std(const struct options *options, struct inputs *inputs, struct input *input,
		   struct diag *diag);

#endif
