/* SPDX-License-Identifier: MIT */
/*
 * test_sink_escape.c - strict UTF-8, and that no byte sequence gets through the escapes unharmed.
 */
#include "analyzer/report/csp_hash.h"
#include "analyzer/report/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t terminal_columns;

static void put_terminal(FILE *out, const char *text)
{
	terminal_columns = escape_terminal(out, text);
}

static void put_lines(FILE *out, const char *text)
{
	escape_terminal_lines(out, text, 2);
}

/* Owned by the caller. */
static char *escaped(void (*escape)(FILE *, const char *), const char *text)
{
	char *result = NULL;
	size_t bytes;
	FILE *out = open_memstream(&result, &bytes);

	escape(out, text);
	fclose(out);
	assert_int_equal(strlen(result), bytes);
	return result;
}

static void assert_escaped(void (*escape)(FILE *, const char *), const char *text,
			   const char *expected)
{
	char *result = escaped(escape, text);

	assert_string_equal(result, expected);
	free(result);
}

#define BAD "\xef\xbf\xbd"

static void test_decode_is_strict(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		uint32_t code_point;
	} cases[] = {
		{ "", 0, 0 },
		{ "a", 1, 'a' },
		{ "\xc3\xa9", 2, 0xe9 },
		{ "\xe2\x82\xac", 3, 0x20ac },
		{ "\xf0\x9f\x90\xb1", 4, 0x1f431 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\xf4\x90\x80\x80", 1, 0xfffd }, /* above the last */
		{ "\xed\xa0\x80", 1, 0xfffd },	   /* surrogate */
		{ "\xc0\xaf", 1, 0xfffd },	   /* overlong '/' */
		{ "\xe0\x80\xaf", 1, 0xfffd },
		{ "\x80", 1, 0xfffd },
		{ "\xff", 1, 0xfffd },
		{ "\xe2\x82", 1, 0xfffd }, /* cut */
		{ "\xf0\x9f\x90", 1, 0xfffd },
		{ "\xc3(", 1, 0xfffd },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t code_point = 0;

		assert_int_equal(escape_decode(cases[i].text, &code_point), cases[i].bytes);
		assert_int_equal(code_point, cases[i].code_point);
	}
}

static void test_terminal_shows_controls(void **state)
{
	(void)state;
	assert_escaped(put_terminal, "a\x1b[2Jb\r\n\t\x7f", "a\\x1b[2Jb\\r\\n\\t\\x7f");
	assert_escaped(put_terminal, "\xc2\x9b\xe2\x80\xae\xe2\x81\xa6", "\\u009b\\u202e\\u2066");
	assert_escaped(put_terminal, "\xff\xe2\x82", BAD BAD BAD);
	assert_escaped(put_terminal, "caf\xc3\xa9 \\n", "caf\xc3\xa9 \\n");
	assert_int_equal(terminal_columns, 7);
	assert_escaped(put_terminal, NULL, "");
	assert_escaped(put_lines, "one\ntwo\x1b", "one\n  two\\x1b");
	assert_escaped(escape_terminal_code, "a\t\tb\x1b", "a  b\\x1b");
}

static void test_html_closes_every_way_out(void **state)
{
	(void)state;
	assert_escaped(escape_html, "<a b='c' d=\"e\">&amp;</a>",
		       "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;amp;&lt;/a&gt;");
	assert_escaped(escape_html, "\x01\x1b\x7f\xc2\x85\xef\xbf\xbf", BAD BAD BAD BAD BAD);
	assert_escaped(escape_html, "\xe2\x80\xae", "\\u202e");
	assert_escaped(escape_html, "tab\tline\n", "tab\tline\n");
	assert_escaped(escape_html, NULL, "");
}

/* Whatever three bytes: valid UTF-8 comes out, without controls. */
static void test_all_short_strings_come_out_valid(void **state)
{
	void (*const escapes[])(FILE *, const char *) = { put_terminal, put_lines,
							  escape_terminal_code, escape_html };
	/* One or two of each class of byte. */
	static const unsigned char bytes[] = { 0x01, '\n', '\t', 0x1b, '<',  'a',  0x7f, 0x80,
					       0x9b, 0xa0, 0xae, 0xbf, 0xc0, 0xc2, 0xe0, 0xe2,
					       0xed, 0xef, 0xf0, 0xf4, 0xf8, 0xff };
	const size_t n = sizeof(bytes);

	(void)state;
	for (size_t i = 0; i < n * n * n; i++) {
		const char text[4] = { (char)bytes[i % n], (char)bytes[i / n % n],
				       (char)bytes[i / n / n], 0 };
		char *utf8 = escape_utf8(text);

		for (size_t e = 0; e <= sizeof(escapes) / sizeof(escapes[0]); e++) {
			bool raw = e == sizeof(escapes) / sizeof(escapes[0]);
			char *result = raw ? strdup(utf8) : escaped(escapes[e], text);
			uint32_t c;

			for (char *at = result; *at; at += escape_decode(at, &c)) {
				escape_decode(at, &c);
				assert_true(c != 0xfffd || !strncmp(at, BAD, 3));
				assert_true(raw || c >= 0x20 || c == '\n' || c == '\t');
				assert_true(raw || c < 0x7f || c >= 0xa0);
				assert_true(e != 3 || (c != '<' && c != '>'));
			}
			free(result);
		}
		free(utf8);
	}
}

static void test_csp_hash_is_sha256(void **state)
{
	char hash[CSP_HASH_BYTES], text[120];

	(void)state;
	csp_hash("", 0, hash);
	assert_string_equal(hash, "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	csp_hash("abc", 3, hash);
	assert_string_equal(hash, "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
	memset(text, 'a', sizeof(text));
	csp_hash(text, 119, hash); /* the padding fills the second block to the last bit */
	assert_string_equal(hash, "sha256-MeulHDE6XAgiat8Y1KNZz9/Y0ugWsT9K+VL36mWE3Ps=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_is_strict),
		cmocka_unit_test(test_terminal_shows_controls),
		cmocka_unit_test(test_html_closes_every_way_out),
		cmocka_unit_test(test_all_short_strings_come_out_valid),
		cmocka_unit_test(test_csp_hash_is_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
