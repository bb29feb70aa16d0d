/* SPDX-License-Identifier: MIT */
/*
 * rule_page.c - where the page of a rule can be read. The pages themselves are in rule_pages.c, made from docs/rules.
 */
#include "rule_page.h"

const char *rule_page_uri(const struct report *report, enum rule rule, char *buffer, size_t bytes)
{
	snprintf(buffer, bytes, "%s%s.md", report->rules_uri ? report->rules_uri : THRUM_RULES_URI,
		 rule_id(rule));
	return buffer;
}
