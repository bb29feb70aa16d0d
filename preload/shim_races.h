/* SPDX-License-Identifier: MIT */
/*
 * shim_races.h - memory that is watched (races/): what the rest of the shim calls.
 */
#ifndef THRUM_SHIM_RACES_H
#define THRUM_SHIM_RACES_H

#include "shim.h"

enum { RACES_FILES = 4 };

/* SLOW, guard held: this thread is about to make another one. The first time in an image that begins it. */
void races_before_thread(struct stream *s, size_t stack_bytes);
/* SLOW, guard held: a good moment to choose what is watched next; for programs that compute little and lock much. */
void races_turn(void);
/* SLOW: for good in this image; `why` of enum tf_watch_state. */
void races_end(uint32_t why);
/* ANY: the host has SIG_DFL for SIGTRAP, as far as it knows, and the kernel our handler. */
bool races_have_signal(void);
/* In a forked child, before it boots. */
void races_in_child(void);
/* ANY: descriptors of ours, NULL = no such one. */
struct kept_file *races_file(unsigned i);

#endif
