/* SPDX-License-Identifier: MIT */
/* wrap_process.h - what the hooks of fork, exec and exit share. */
#ifndef THRUM_WRAP_PROCESS_H
#define THRUM_WRAP_PROCESS_H

#include "wrap.h"

/* ANY: in a child of vfork, where to leave word for the parent (its pid is in); NULL elsewhere. */
struct vfork_child *vfork_child_here(void);
/* SLOW: guard held. `how`: enum tf_exec_how. */
void define_exec(uint32_t thread, uint32_t pid, uint32_t how, const char *path);

/* Memory that the environment of a started program needed; NULL = none. */
struct environment_block {
	void *memory;
	size_t bytes;
};
/*
 * ANY: `envp` as a program gets that is to be recorded like this one, or, with `drop`, not at all. The same
 * pointer where nothing is to be changed.
 */
char *const *environment_for(char *const *envp, bool drop, struct environment_block *ret);
void environment_release(struct environment_block *b);

#endif
