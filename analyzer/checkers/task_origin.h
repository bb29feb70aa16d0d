/* SPDX-License-Identifier: MIT */
/*
 * task_origin.h - whose code of an interpreter's it is: the program's, or its library's; and whose a task or a future of asyncio is.
 */
#ifndef THRUM_ANALYZER_CHECKERS_TASK_ORIGIN_H
#define THRUM_ANALYZER_CHECKERS_TASK_ORIGIN_H

#include "../checker.h"
#include "../model/model_loops.h"

/* The innermost frame of an interpreter's that is not, or also, of its library; NULL = none. Borrowed. */
const struct trace_code_place *task_origin_innermost(struct analysis *a, uint32_t stack,
						     bool skip_library);
/* Is the innermost one this function of the library? */
bool task_origin_is_in(struct analysis *a, uint32_t stack, const char *function);
/* Is the innermost one the library's? What it calls is not the program's doing. */
bool task_origin_is_library_code(struct analysis *a, uint32_t stack);
/*
 * asyncio keeps futures for itself, and the program need not look at them: up to 3.11, for one, what wait_closed() of a child's stdin would
 * wait for fails when communicate() finds the pipe broken, and ignores it. asyncio's code set the exception, and none of the program's or a
 * package's raised it. `raised` is the stack of the traceback.
 */
bool task_origin_is_library(struct analysis *a, uint32_t raised, const struct model_job *j);
/*
 * asyncio itself made the task, out of no function: it closes an asynchronous generator that the program dropped. That fails where the
 * generator is still at work, in a task that was freed just then, which is told; and it is cut off where the loop ends.
 */
bool task_origin_is_loop(struct analysis *a, const struct model_job *j);

#endif
