/* SPDX-License-Identifier: MIT */
/*
 * test_sinks.c - every case in every format against its golden file; `--update` rewrites them.
 *
 * Arguments: SOURCE_DIR [--update]. Golden files lie in SOURCE_DIR/expected, the quoted source in
 * SOURCE_DIR/source.
 */
#include "sink_cases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text {
	char *data; /* owns */
	size_t bytes;
};

static int failures;

static struct text read_text(const char *path)
{
	struct text text = { 0 };
	FILE *file = fopen(path, "rb");
	FILE *copy = open_memstream(&text.data, &text.bytes);
	int c;

	while (file && (c = getc(file)) != EOF)
		putc(c, copy);
	fclose(copy);
	if (file)
		fclose(file);
	return text;
}

static bool write_text(const char *path, const struct text *text)
{
	FILE *file = fopen(path, "wb");
	bool good = file && fwrite(text->data, 1, text->bytes, file) == text->bytes;

	return file && !fclose(file) && good;
}

/* The end of the JSON string that `at` is in. */
static const char *string_end(const char *at)
{
	while (*at && *at != '"')
		at += *at == '\\' && at[1] ? 2 : 1;
	return at;
}

/*
 * What golden files hold: not where this build says that the rules' pages are, and of a page only its heading, so that
 * who edits a page need not touch them.
 */
static struct text make_stable(struct text raw)
{
	static const char page[] = "\"markdown\": \"# ";
	struct text text = { 0 };
	FILE *out = open_memstream(&text.data, &text.bytes);
	const char *at = raw.data, *end = raw.data + raw.bytes;

	while (at < end) {
		if (!strncmp(at, THRUM_RULES_URI, strlen(THRUM_RULES_URI))) {
			fputs("file:///RULES/", out);
			at += strlen(THRUM_RULES_URI);
		} else if (!strncmp(at, page, strlen(page))) {
			const char *stop = string_end(at + strlen(page));
			const char *heading = strstr(at, "\\n");

			fprintf(out, "%.*s",
				(int)((heading && heading < stop ? heading : stop) - at), at);
			at = stop;
		} else {
			putc(*at++, out);
		}
	}
	fclose(out);
	free(raw.data);
	return text;
}

static struct text format(const struct sink_ops *sink, const struct report *report)
{
	struct text text = { 0 };
	FILE *out = open_memstream(&text.data, &text.bytes);
	struct diag diag = { 0 };

	if (sink->write(report, out, &diag)) {
		fprintf(stderr, "%s: %s\n", sink->format, diag.message);
		failures++;
	}
	fclose(out);
	return make_stable(text);
}

/* Says where two texts part: one line of each. */
static void tell_difference(const char *path, const struct text *expected,
			    const struct text *actual)
{
	size_t at = 0, start = 0, line = 1;

	while (at < expected->bytes && at < actual->bytes && expected->data[at] == actual->data[at])
		if (expected->data[at++] == '\n')
			line++, start = at;
	fprintf(stderr, "%s:%zu: differs\n  expected: %.*s\n  actual:   %.*s\n", path, line,
		(int)strcspn(expected->data + start, "\n"), expected->data + start,
		(int)strcspn(actual->data + start, "\n"), actual->data + start);
	failures++;
}

static void check(const struct sink_case *c, const struct sink_ops *sink,
		  const struct report *report, bool update)
{
	char path[256];
	struct text actual = format(sink, report), again = format(sink, report), expected;

	snprintf(path, sizeof(path), "../expected/%s.%s", c->name,
		 strcmp(sink->format, "text") ? sink->format : "txt");
	if (update && !write_text(path, &actual)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		failures++;
	}
	expected = read_text(path);
	if (expected.bytes != actual.bytes || memcmp(expected.data, actual.data, actual.bytes) != 0)
		tell_difference(path, &expected, &actual);
	if (again.bytes != actual.bytes || memcmp(again.data, actual.data, actual.bytes) != 0) {
		fprintf(stderr, "%s: a second time the output is another\n", path);
		failures++;
	}
	free(actual.data);
	free(again.data);
	free(expected.data);
}

/* Color, verbose and quiet change the text only: one golden file less each for the others. */
static bool is_about_text(const struct sink_case *c)
{
	return c->color || c->verbose || c->quiet;
}

int main(int argc, char **argv)
{
	bool update = argc > 2 && !strcmp(argv[2], "--update");
	int checked = 0;

	if (argc < 2 || chdir(argv[1]) || chdir("source")) {
		fprintf(stderr, "usage: %s SOURCE_DIR [--update]\n", argv[0]);
		return 2;
	}
	for (const struct sink_case *c = sink_cases; c->name; c++) {
		struct report report;
		struct finding_list *list = sink_case_build(c, &report);

		for (size_t i = 0; sink_table[i]; i++)
			if (!is_about_text(c) || !strcmp(sink_table[i]->format, "text")) {
				check(c, sink_table[i], &report, update);
				checked++;
			}
		finding_list_free(list);
	}
	printf("%d golden files, %d failures\n", checked, failures);
	return failures ? 1 : 0;
}
