/* SPDX-License-Identifier: MIT */
/*
 * golden_trace.c - a stored trace of each format version must dump as it did when it was stored.
 *
 * golden_trace TRACE.bin TRACE.dump compares; with --update it writes TRACE.dump. The .bin is in the
 * layout of fuzz_layout.h; a new version adds a file and changes none.
 */
#include "fuzz_layout.h"

#include "viewer/dump.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void need(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static char *slurp(const char *path, size_t *ret_bytes)
{
	FILE *f = fopen(path, "rb");
	char *bytes;

	need(f != NULL, path);
	fseek(f, 0, SEEK_END);
	*ret_bytes = (size_t)ftell(f);
	rewind(f);
	bytes = malloc(*ret_bytes + 1);
	need(bytes && fread(bytes, 1, *ret_bytes, f) == *ret_bytes, path);
	bytes[*ret_bytes] = '\0';
	fclose(f);
	return bytes;
}

static char *dump(const char *dir, size_t *ret_bytes)
{
	const struct dump_options options = { .filter = NULL };
	struct trace_reader *r;
	struct diag diag;
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_bytes);

	need(out != NULL, "open_memstream");
	if (trace_reader_open(dir, &r, &diag) || dump_write(r, &options, out, &diag)) {
		fprintf(stderr, "%s\n", diag.message);
		exit(1);
	}
	fclose(out);
	trace_reader_free(r);
	return text;
}

static void clean(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/1.0.map", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/1.0.events", dir);
	unlink(path);
	rmdir(dir);
}

static int compare(const char *path, const char *text)
{
	size_t bytes, line = 1;
	char *want = slurp(path, &bytes);
	int differ = strcmp(want, text) != 0;

	for (size_t i = 0; differ && want[i] == text[i]; i++) {
		line += want[i] == '\n';
	}
	if (differ) {
		fprintf(stderr, "%s differs from line %zu on; now it is:\n%s", path, line, text);
	}
	free(want);
	return differ;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/thrum-golden-XXXXXX";
	size_t bytes, text_bytes;
	char *packed, *text;
	int failed = 0;

	if (argc < 3) {
		fputs("usage: golden_trace TRACE.bin TRACE.dump [--update]\n", stderr);
		return 64;
	}
	packed = slurp(argv[1], &bytes);
	need(mkdtemp(dir) != NULL, "mkdtemp");
	fuzz_layout_expand(dir, (const uint8_t *)packed, bytes);
	text = dump(dir, &text_bytes);
	clean(dir);
	if (argc > 3 && !strcmp(argv[3], "--update")) {
		FILE *f = fopen(argv[2], "w");

		need(f && fwrite(text, 1, text_bytes, f) == text_bytes && !fclose(f), argv[2]);
	} else {
		failed = compare(argv[2], text);
	}
	free(packed);
	free(text);
	return failed;
}
