/* SPDX-License-Identifier: MIT */
/*
 * html_page.c - see html_page.h.
 */
#include "html_page.h"

#include "csp_hash.h"

#include <stdlib.h>
#include <string.h>

static const char style[] =
#include "html/page.css.inc"
	;

/* The page's own style and the viewer's, in one element. Caller frees; NULL = out of memory. */
static char *whole_style(const struct report_view *view)
{
	const char *more = view ? view->style : "";
	size_t bytes = sizeof(style) + strlen(more);
	char *text = malloc(bytes);

	if (text)
		snprintf(text, bytes, "%s%s", style, more);
	return text;
}

static void put_policy(FILE *out, const struct report_view *view, const char *css)
{
	char hash[CSP_HASH_BYTES];

	csp_hash(css, strlen(css), hash);
	fprintf(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '%s'; ",
		hash);
	if (view) {
		csp_hash(view->script, strlen(view->script), hash);
		fprintf(out, "script-src '%s'; %s", hash,
			view->is_served ? "connect-src 'self'; " : "");
	}
	fputs("base-uri 'none'; form-action 'none'\">\n", out);
}

void html_page_begin(FILE *out, const struct report_view *view)
{
	char *css = whole_style(view);

	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
	put_policy(out, view, css ? css : "");
	fputs("<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
	      out);
	free(css);
}

void html_page_body(FILE *out, const struct report_view *view)
{
	char *css = whole_style(view);

	fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", css ? css : "");
	free(css);
}

int html_page_end(FILE *out, const struct report_view *view, const struct report *report,
		  struct diag *diag)
{
	int error = 0;

	if (view) {
		/* The script runs where it stands, while what comes behind it is still read. */
		error = view->data(view->cookie, report, out, diag);
		if (!error)
			fprintf(out, "<script>%s</script>\n", view->script);
		if (!error && view->parts)
			view->parts(view->cookie, out);
	}
	fputs("</body>\n</html>\n", out);
	return error;
}
