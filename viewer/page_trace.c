/* SPDX-License-Identifier: MIT */
/*
 * page_trace.c - what was recorded, and what was not, on a page.
 */
#include "../analyzer/report/escape.h"
#include "../analyzer/report/words.h"
#include "info.h"
#include "page_screens.h"

#include <stdlib.h>

void page_trace_put(const struct page *page, const struct report *report, FILE *out)
{
	struct info_options options = { .modules = true };
	char *text = NULL, words[WORDS_BYTES], unrecorded[UNRECORDED_BYTES];
	size_t bytes;
	FILE *memory = open_memstream(&text, &bytes);
	struct diag diag;

	if (memory) {
		(void)info_write(page->source.reader, &options, memory, &diag);
		fclose(memory);
	}
	fputs("<section class=\"screen\" id=\"trace\">\n<h2>What was recorded, and what was not</h2>\n<ul>\n",
	      out);
	fputs("<li>Seen: ", out);
	escape_html(out, words_seen(report, words, sizeof(words)));
	fputs("</li>\n<li>Lost: ", out);
	escape_html(out, *words_lost(report, words, sizeof(words)) ? words : "nothing");
	fputs("</li>\n", out);
	for (size_t i = 0; words_unrecorded(report, i, unrecorded, sizeof(unrecorded)); i++) {
		fputs("<li>Not seen: ", out);
		escape_html(out, unrecorded);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n<pre class=\"coverage\" tabindex=\"0\">", out);
	escape_html(out, text ? text : "");
	fputs("</pre>\n</section>\n", out);
	free(text);
}
