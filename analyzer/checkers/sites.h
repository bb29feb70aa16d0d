/* SPDX-License-Identifier: MIT */
/*
 * sites.h - one finding per rule and place in the code, however often it happens there.
 *
 * A site is (rule, stack); where the stack is unknown, (rule, object). Findings wait here until
 * sites_commit, so that their counts can grow.
 */
#ifndef THRUM_ANALYZER_CHECKERS_SITES_H
#define THRUM_ANALYZER_CHECKERS_SITES_H

#include "../checker.h"

struct sites;

struct sites *sites_new(void);
void sites_free(struct sites *sites); /* takes NULL */

/*
 * The finding to fill, or NULL when the site is known: then that one's count went up. The level of
 * confidence is the caller's at the first time.
 */
struct finding *sites_begin(struct sites *sites, struct analysis *a, enum rule rule,
			    enum confidence confidence, uint32_t stack, uint32_t object);

/* Commits all in the order of their first time. */
void sites_commit(struct sites *sites, struct analysis *a);

#endif
