/* SPDX-License-Identifier: MIT */
/*
 * escape.c - strict UTF-8 decoding and the escapes of the output languages, one place for all
 * sinks.
 */
#include "escape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xfffdu

/* What the first byte of a sequence promises. `least` rejects overlong forms. */
struct lead_row {
	unsigned char mask, value;
	size_t bytes;
	uint32_t least;
};

static const struct lead_row lead_rows[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static const struct lead_row *find_lead(unsigned char byte)
{
	for (size_t i = 0; i < sizeof(lead_rows) / sizeof(lead_rows[0]); i++)
		if ((byte & lead_rows[i].mask) == lead_rows[i].value)
			return &lead_rows[i];
	return NULL;
}

size_t escape_decode(const char *text, uint32_t *ret_code_point)
{
	const unsigned char *byte = (const unsigned char *)text;
	const struct lead_row *lead;
	uint32_t code_point;

	if (!byte[0])
		return 0;
	*ret_code_point = REPLACEMENT;
	lead = find_lead(byte[0]);
	if (!lead)
		return 1;
	code_point = byte[0] & (unsigned char)~lead->mask;
	for (size_t i = 1; i < lead->bytes; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 1;
		code_point = code_point << 6 | (byte[i] & 0x3f);
	}
	if (code_point < lead->least || code_point > 0x10ffff ||
	    (code_point >= 0xd800 && code_point <= 0xdfff))
		return 1;
	*ret_code_point = code_point;
	return lead->bytes;
}

/*
 * Puts the code point that `bytes` at `text` decoded to; an invalid byte came back as the
 * replacement character.
 */
static void put_code_point(FILE *out, const char *text, size_t bytes, uint32_t code_point)
{
	if (code_point == REPLACEMENT)
		fputs("\xef\xbf\xbd", out);
	else
		fwrite(text, 1, bytes, out);
}

static bool is_c1_control(uint32_t c)
{
	return c >= 0x80 && c < 0xa0;
}

/* Characters that change the order of what is read ("Trojan source"), invisible in most fonts. */
static bool is_reordering(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
	       c == 0x200f;
}

/* Returns columns written. */
static size_t put_terminal(FILE *out, const char *text, size_t bytes, uint32_t c)
{
	int written;

	if (c == '\n' || c == '\t' || c == '\r') {
		fputs(c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r", out);
		return 2;
	}
	if (c < 0x20 || c == 0x7f)
		written = fprintf(out, "\\x%02x", c);
	else if (is_c1_control(c) || is_reordering(c) || c == 0x2028 || c == 0x2029)
		written = fprintf(out, "\\u%04x", c);
	else {
		put_code_point(out, text, bytes, c);
		return 1;
	}
	return written > 0 ? (size_t)written : 0;
}

size_t escape_terminal(FILE *out, const char *text)
{
	size_t columns = 0;
	uint32_t c;

	if (!text)
		return 0;
	for (size_t bytes; (bytes = escape_decode(text, &c)) > 0; text += bytes)
		columns += put_terminal(out, text, bytes, c);
	return columns;
}

char *escape_terminal_copy(const char *text)
{
	char *copy = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&copy, &bytes);

	if (!memory)
		return NULL;
	escape_terminal(memory, text);
	if (!fclose(memory))
		return copy;
	free(copy);
	return NULL;
}

void escape_terminal_code(FILE *out, const char *text)
{
	uint32_t c, last = 0;

	if (!text)
		return;
	for (size_t bytes; (bytes = escape_decode(text, &c)) > 0; text += bytes, last = c) {
		if (c != '\t')
			put_terminal(out, text, bytes, c);
		else if (last != '\t')
			fputs("  ", out);
	}
}

void escape_terminal_lines(FILE *out, const char *text, unsigned indent)
{
	uint32_t c;

	if (!text)
		return;
	for (size_t bytes; (bytes = escape_decode(text, &c)) > 0; text += bytes) {
		if (c == '\n')
			fprintf(out, "\n%*s", (int)indent, "");
		else
			put_terminal(out, text, bytes, c);
	}
}

static const char *html_entity(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default: /* not an enum: the other million characters */
		return NULL;
	}
}

/* XML 1.0 has no way to write controls and U+FFFE/U+FFFF, not even as references. */
static bool is_xml_character(uint32_t c)
{
	return (c >= 0x20 && c != 0x7f && !is_c1_control(c) && c != 0xfffe && c != 0xffff) ||
	       c == '\n' || c == '\t';
}

void escape_html(FILE *out, const char *text)
{
	uint32_t c;

	if (!text)
		return;
	for (size_t bytes; (bytes = escape_decode(text, &c)) > 0; text += bytes) {
		const char *entity = html_entity(c);

		if (entity)
			fputs(entity, out);
		else if (is_reordering(c))
			fprintf(out, "\\u%04x", c);
		else
			put_code_point(out, text, bytes, is_xml_character(c) ? c : REPLACEMENT);
	}
}

char *escape_utf8(const char *text)
{
	char *copy = malloc(3 * strlen(text) + 1);
	char *end = copy;
	uint32_t c;

	if (!copy)
		return NULL;
	for (size_t bytes; (bytes = escape_decode(text, &c)) > 0; text += bytes) {
		bool bad = c == REPLACEMENT;

		memcpy(end, bad ? "\xef\xbf\xbd" : text, bad ? 3 : bytes);
		end += bad ? 3 : bytes;
	}
	*end = '\0';
	return copy;
}
