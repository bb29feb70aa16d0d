/* SPDX-License-Identifier: MIT */
/*
 * wrap_queue.c - message queues: sending and receiving are blocking calls about a QUEUE object.
 */
#include "wrap_block.h"

#include <sys/ipc.h>

#define RESULT(rc) ((rc) == -1 ? errno : 0)

#include "../spec/primitives/queue.def"
