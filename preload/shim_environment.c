/* SPDX-License-Identifier: MIT */
/*
 * shim_environment.c - the two variables that make a started program record itself, kept or taken away.
 *
 * The host's own environment is never touched: what exec gets is a copy of the pointers, in a mapping of its own
 * (a child of vfork has no heap and perhaps little stack). Safety class ANY, but environment_learn: BOOT.
 */
#include "wrap_process.h"

#include <sys/mman.h>

struct shim_environment shim_environment;

static const char preload_name[] = "LD_PRELOAD=";
static const char options_name[] = "THRUM_OPTIONS=";

extern char **environ;

static const char *value_of(const char *entry, const char *name)
{
	while (*name) {
		if (*entry++ != *name++) {
			return NULL;
		}
	}
	return entry;
}

static bool equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* How far `list` goes up to the next separator. */
static size_t element_bytes(const char *list)
{
	size_t n = 0;

	while (list[n] && list[n] != ':' && list[n] != ' ' && list[n] != '\t') {
		n++;
	}
	return n;
}

static bool is_library(const char *element, size_t bytes)
{
	const char *library = shim_environment.library;

	return bytes == __builtin_strlen(library) && !__builtin_memcmp(element, library, bytes);
}

static bool list_has_library(const char *list)
{
	while (*list) {
		size_t bytes = element_bytes(list);

		if (is_library(list, bytes)) {
			return true;
		}
		list += bytes + (list[bytes] != 0);
	}
	return false;
}

/* ---- at boot ---- */

struct text {
	char *at, *end;
};

static void append(struct text *t, const char *s, size_t bytes)
{
	for (size_t i = 0; i < bytes && t->at < t->end; i++) {
		*t->at++ = s[i];
	}
	*t->at = 0;
}

static void append_escaped(struct text *t, const char *s)
{
	for (; *s; s++) {
		append(t,
		       *s == ':'   ? "%3A"
		       : *s == '%' ? "%25"
				   : s,
		       *s == ':' || *s == '%' ? 3 : 1);
	}
}

static const char *find(char *const *e, const char *name)
{
	for (; e && *e; e++) {
		const char *value = value_of(*e, name);

		if (value) {
			return value;
		}
	}
	return NULL;
}

void environment_learn(const char *library)
{
	struct shim_environment *v = &shim_environment;
	struct text t = { v->options, v->options + sizeof(v->options) - 1 };
	const char *given = find(environ, options_name), *list = find(environ, preload_name);
	size_t bytes = given ? __builtin_strlen(given) : 0;

	v->options_given = "";
	append(&t, options_name, sizeof(options_name) - 1);
	if (bytes < sizeof(v->options) / 4) {
		static char copy[sizeof(v->options) / 4];

		append(&t, given ? given : "", bytes);
		__builtin_memcpy(copy, given ? given : "", bytes);
		v->options_given = copy;
	}
	if (shim_options.dir[0] != '/') { /* what we start may start in another directory */
		append(&t, ":dir=", 5);
		append_escaped(&t, directory_path());
	}
	t = (struct text){ v->library, v->library + sizeof(v->library) - 1 };
	append(&t, library, __builtin_strlen(library));
	if (!list || !list_has_library(list)) {
		v->library[0] = 0; /* /etc/ld.so.preload, or linked: it comes by itself */
	}
}

/* ---- what a started program gets ---- */

/* What is to be done with one entry. */
enum change { KEEP, REMOVE, REPLACE };

static enum change change_of(const char *entry, bool drop)
{
	const struct shim_environment *v = &shim_environment;
	const char *value = value_of(entry, options_name);

	if (value) {
		return drop ? REMOVE
		       : equal(value, v->options_given) &&
				       !equal(value, v->options + sizeof(options_name) - 1)
			       ? REPLACE
			       : KEEP;
	}
	value = value_of(entry, preload_name);
	if (value && v->library[0] && list_has_library(value) == drop) {
		return REPLACE;
	}
	return KEEP;
}

/* LD_PRELOAD=… with our library, or without it. */
static char *make_list(char *to, const char *list, bool drop)
{
	char *start = to;
	struct text t = { to, (char *)UINTPTR_MAX };
	bool first = true;

	append(&t, preload_name, sizeof(preload_name) - 1);
	if (!drop) {
		append(&t, shim_environment.library, __builtin_strlen(shim_environment.library));
		first = false;
	}
	while (*list) {
		size_t bytes = element_bytes(list);

		if (bytes && !is_library(list, bytes)) {
			append(&t, ":", first ? 0 : 1);
			append(&t, list, bytes);
			first = false;
		}
		list += bytes + (list[bytes] != 0);
	}
	return first ? NULL : start; /* nothing left of it: no variable */
}

struct needs {
	size_t count, bytes; /* entries there are; of new text */
	bool any, has_options, has_list;
};

static struct needs look(char *const *envp, bool drop)
{
	size_t library = __builtin_strlen(shim_environment.library) + 2;
	struct needs n = { 0 };

	for (; envp && envp[n.count]; n.count++) {
		const char *entry = envp[n.count];
		enum change change = change_of(entry, drop);

		n.has_options |= value_of(entry, options_name) != NULL;
		n.has_list |= value_of(entry, preload_name) != NULL;
		n.any |= change != KEEP;
		n.bytes += change == REPLACE ? __builtin_strlen(entry) + library : 0;
	}
	if (!drop) {
		n.any |= !n.has_options || (!n.has_list && shim_environment.library[0]);
	}
	n.bytes += sizeof(preload_name) + library;
	return n;
}

char *const *environment_for(char *const *envp, bool drop, struct environment_block *ret)
{
	struct needs n;
	char **to, *text;
	long p;

	*ret = (struct environment_block){ 0 };
	drop |= shim_options.drop;
	if (!shim_environment.options[0] && !drop) {
		return envp; /* nothing is recorded here */
	}
	n = look(envp, drop);
	if (!n.any) {
		return envp;
	}
	ret->bytes = (n.count + 3) * sizeof(*to) + n.bytes;
	p = sys6(SYS_mmap, 0, (long)ret->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	if (p < 0 && p > -4096) {
		return envp;
	}
	ret->memory = (void *)p;
	to = ret->memory;
	text = (char *)(to + n.count + 3);
	for (size_t i = 0; i < n.count; i++) {
		enum change change = change_of(envp[i], drop);
		const char *list = value_of(envp[i], preload_name);

		if (change == REPLACE && list) {
			char *made = make_list(text, list, drop);

			text += __builtin_strlen(text) + 1;
			if (made) {
				*to++ = made;
			}
		} else if (change == REPLACE) {
			*to++ = shim_environment.options;
		} else if (change == KEEP) {
			*to++ = envp[i];
		}
	}
	if (!drop && !n.has_options) {
		*to++ = shim_environment.options;
	}
	if (!drop && !n.has_list && shim_environment.library[0]) {
		*to++ = make_list(text, "", false);
	}
	*to = NULL;
	return ret->memory;
}

void environment_release(struct environment_block *b)
{
	if (b->memory) {
		sys2(SYS_munmap, b->memory, b->bytes);
	}
}
