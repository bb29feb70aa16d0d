/* SPDX-License-Identifier: MIT */
/*
 * inputs_lockgraph.h - lock graphs of runs as inputs of check, diff, merge and baseline: all of a command are one.
 */
#ifndef THRUM_CLI_INPUTS_LOCKGRAPH_H
#define THRUM_CLI_INPUTS_LOCKGRAPH_H

#include "inputs.h"

/* Reads input->path, "-" = standard input, into inputs->lockgraph. */
int input_open_lockgraph(struct inputs *inputs, struct input *input, struct diag *diag);

/* Once, after all were read: findings of their rings. */
void inputs_judge_lockgraph(const struct options *options, struct inputs *inputs);

#endif
