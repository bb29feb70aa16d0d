/* SPDX-License-Identifier: MIT */
/*
 * function_name.c - a demangled name reduced to what its author called the function.
 *
 * One pass over the text with a stack of brackets. Nothing here knows a whole grammar: demanglers
 * differ, names are hostile, and any result is a valid key as long as it is the same for the same
 * input.
 */
#include "fingerprint.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define MAX_DEPTH 64

struct scan {
	const char *in;
	char *out;
	size_t used, bytes;
	char open[MAX_DEPTH]; /* brackets that are open, outermost first */
	unsigned depth;
	unsigned dropped;  /* depth at which dropping began, 0 = not dropping */
	size_t name_start; /* in out: where the name proper begins, behind a return type */
};

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static void put(struct scan *s, char c)
{
	if (!s->dropped && s->used + 1 < s->bytes)
		s->out[s->used++] = c;
}

static void put_text(struct scan *s, const char *text)
{
	while (*text)
		put(s, *text++);
}

static char closing(char open)
{
	switch (open) {
	case '(':
		return ')';
	case '<':
		return '>';
	case '[':
		return ']';
	default:
		return '}';
	}
}

static bool ends_with_scope(const struct scan *s)
{
	return s->used >= 2 && s->out[s->used - 1] == ':' && s->out[s->used - 2] == ':';
}

/*
 * "(anonymous namespace)" and Rust's leading "<T as Trait>" name things; other brackets hold
 * arguments.
 */
static bool is_naming_bracket(const struct scan *s)
{
	if (s->in[0] == '(')
		return starts(s->in, "(anonymous namespace)");
	return s->in[0] == '<' && (s->used == s->name_start || ends_with_scope(s)) &&
	       strstr(s->in, " as ");
}

/*
 * "operator" and its symbol, which may be made of brackets. Returns characters used, 0 = not an
 * operator.
 */
static size_t scan_operator(struct scan *s)
{
	static const char *const symbols[] = { "()", "[]", "<=>", "<<=", ">>=", "->*", "<<",
					       ">>", "<=", ">=",  "->",	 "<",	">" };
	const size_t word = strlen("operator");

	if (!starts(s->in, "operator") || is_word(s->in[word]) ||
	    (s->used && is_word(s->out[s->used - 1])))
		return 0;
	put_text(s, "operator");
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (starts(s->in + word, symbols[i])) {
			put_text(s, symbols[i]);
			return word + strlen(symbols[i]);
		}
	return word;
}

/*
 * "{lambda(int)#2}", "{closure#0}", "{{closure}}": the word only, numbers change with unrelated
 * edits.
 */
static size_t scan_braces(struct scan *s)
{
	const char *word = s->in + strspn(s->in, "{"), *end = s->in;
	unsigned depth = 0;

	do {
		depth += *end == '{';
		depth -= *end == '}';
		if (*end)
			end++;
	} while (*end && depth);
	put(s, '{');
	while (word < end && (is_word(*word) || *word == ' '))
		put(s, *word++);
	if (!depth)
		put(s, '}');
	return (size_t)(end - s->in);
}

static void open_bracket(struct scan *s)
{
	bool keep = is_naming_bracket(s);

	if (s->depth + 1 < MAX_DEPTH)
		s->open[s->depth] = *s->in;
	s->depth++;
	if (!keep && !s->dropped)
		s->dropped = s->depth;
	else
		put(s, *s->in);
}

static void close_bracket(struct scan *s)
{
	bool was_dropped = s->dropped == s->depth;

	if (!was_dropped)
		put(s, *s->in);
	s->depth--;
	if (was_dropped)
		s->dropped = 0;
}

static bool is_closing(const struct scan *s)
{
	return s->depth && s->depth < MAX_DEPTH && *s->in == closing(s->open[s->depth - 1]) &&
	       !(*s->in == '>' && s->in[-1] == '-');
}

/*
 * clang's "main::$_3" is GCC's "main::{lambda()#4}": the word for both. Returns characters used.
 */
static size_t scan_numbered(struct scan *s)
{
	if (!starts(s->in, "$_") || !isdigit((unsigned char)s->in[2]))
		return 0;
	put_text(s, "{lambda}");
	return 2 + strspn(s->in + 2, "0123456789");
}

/* Rust's legacy hash "::h" and 16 hex digits at the end of the name. */
static void cut_rust_hash(struct scan *s)
{
	const size_t hash = strlen("::h0123456789abcdef");
	const char *tail;

	if (s->used <= hash)
		return;
	tail = s->out + s->used - hash;
	if (starts(tail, "::h") && strspn(tail + 3, "0123456789abcdef") == 16)
		s->used -= hash;
}

/* ".constprop.0", ".isra.0", ".part.1", ".cold", ".llvm.123": compilers add them to C names. */
static void cut_clone_suffix(struct scan *s)
{
	char *dot = memchr(s->out, '.', s->used);

	if (dot && dot > s->out)
		s->used = (size_t)(dot - s->out);
}

/*
 * A blank outside brackets: what came before was a return type, unless the name is an operator such
 * as "operator new".
 */
static bool scan_blank(struct scan *s)
{
	const size_t word = strlen("operator");

	if (s->used == s->name_start)
		return true;
	if (s->used >= word && starts(s->out + s->used - word, "operator")) {
		put(s, ' ');
		return true;
	}
	if (starts(s->in, " [") || s->in[-1] == ')') /* " [clone .isra.0]", ") const" */
		return false;
	if (is_word(s->in[1]) || s->in[1] == '(' || s->in[1] == '<')
		s->used = s->name_start = 0;
	return true;
}

void function_bare_name(const char *function, char *ret_name, size_t bytes)
{
	struct scan s = { .in = function, .out = ret_name, .bytes = bytes };

	while (*s.in) {
		size_t used = s.depth ? 0 : scan_operator(&s);

		if (!used && !s.dropped && *s.in == '{')
			used = scan_braces(&s);
		if (!used && !s.depth)
			used = scan_numbered(&s);
		if (used) {
			s.in += used;
			continue;
		}
		if (is_closing(&s))
			close_bracket(&s);
		else if (*s.in == '(' || *s.in == '<' || *s.in == '[')
			open_bracket(&s);
		else if (*s.in != ' ' || s.depth)
			put(&s, *s.in);
		else if (!scan_blank(&s))
			break;
		s.in++;
	}
	s.out[s.used] = '\0';
	cut_rust_hash(&s);
	cut_clone_suffix(&s);
	while (s.used && s.out[s.used - 1] == ':') /* turbofish: "foo::<T>" */
		s.used--;
	s.out[s.used] = '\0';
}
