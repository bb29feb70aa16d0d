/* SPDX-License-Identifier: MIT */
/*
 * group_witness.h - tells a signal sent to thrum alone from one sent to its whole process group.
 *
 * The kernel does not say: both look the same to a handler. The witness is a child that sits in the group with every
 * signal blocked. A signal that is pending there too went to the group, so the recorded program has it already; passing it
 * on would give it twice, and many servers take a second SIGTERM or SIGINT for "now, without saving".
 *
 * It holds no descriptor but its pipe, and dies with thrum.
 */
#ifndef THRUM_CLI_GROUP_WITNESS_H
#define THRUM_CLI_GROUP_WITNESS_H

#include <stdbool.h>

struct group_witness;

/* Call with the signals to watch blocked. NULL where there can be none: then every signal counts as sent to thrum alone. */
struct group_witness *group_witness_new(void);
void group_witness_free(struct group_witness *witness); /* takes NULL */

/* Did the group get `signal` since this was last asked? */
bool group_witness_saw(struct group_witness *witness, int signal);

/* Forgets everything the group got so far. */
void group_witness_forget(struct group_witness *witness);

#endif
