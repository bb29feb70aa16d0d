/* SPDX-License-Identifier: MIT */
/*
 * page_finding.c - which rule's page has which part; see page_finding.h.
 */
#include "page_finding.h"

void page_finding_put(const struct page *page, const struct finding *f, FILE *out)
{
	static void (*const parts[RULE_COUNT])(const struct page *page, const struct finding *f,
					       FILE *out) = {
		[RULE_LOOP_STALL] = page_stall_put,   [RULE_BLOCKING_CALL_IN_LOOP] = page_stall_put,
		[RULE_LEAKED_TASK] = page_leak_put,   [RULE_LEAKED_HANDLE] = page_leak_put,
		[RULE_LEAKED_THREAD] = page_leak_put, [RULE_UNBOUNDED_TASKS] = page_leak_put,
	};

	if (parts[f->rule] && !finding_spans_processes(f) &&
	    f->process < page->lanes->process_count)
		parts[f->rule](page, f, out);
}
