/* SPDX-License-Identifier: MIT */
/*
 * hookable_libraries.h - the second half of hookable_inspect: modules, their imports, and what goes
 * round the shim.
 */
#ifndef THRUM_ANALYZER_HOOKABLE_LIBRARIES_H
#define THRUM_ANALYZER_HOOKABLE_LIBRARIES_H

#include "hookable.h"

/*
 * Fills modules and notes of `h`, whose program is set. `hooked` may be NULL: then no imports are
 * listed.
 */
void hookable_read_libraries(struct hookable *h, const char *const *hooked);

#endif
