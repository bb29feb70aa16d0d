/* SPDX-License-Identifier: MIT */
/*
 * sink.c - the table of report formats. A new format is a file and a row.
 */
#include "sinks.h"

#include <errno.h>
#include <string.h>

const struct sink_ops *const sink_table[] = {
	&sink_text,   &sink_json,   &sink_html,	    &sink_sarif, &sink_junit,
	&sink_gitlab, &sink_github, &sink_markdown, NULL,
};

const struct sink_ops *sink_find(const char *format)
{
	for (size_t i = 0; sink_table[i]; i++)
		if (!strcmp(sink_table[i]->format, format))
			return sink_table[i];
	return NULL;
}

int sink_finish(const struct sink_ops *sink, FILE *out, struct diag *diag)
{
	if (!fflush(out) && !ferror(out))
		return THRUM_OK;
	return diag_set(diag, THRUM_EIO, "cannot write the %s report: %s", sink->format,
			strerror(errno));
}
