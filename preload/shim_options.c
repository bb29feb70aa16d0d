/* SPDX-License-Identifier: MIT */
/*
 * shim_options.c - THRUM_OPTIONS, read once per process image. Safety class BOOT: no libc, no
 * allocation.
 *
 * The variable is read from the environment as the kernel laid it out when `environ` is not there
 * yet. nginx empties its environment at start, so nothing is read later than boot.
 */
#include "shim.h"

#include <fcntl.h>

struct shim_options shim_options;

extern char **environ;

static bool starts_with(const char *s, const char *prefix)
{
	while (*prefix) {
		if (*s++ != *prefix++) {
			return false;
		}
	}
	return true;
}

static const char *find_value(char *buffer, size_t bytes)
{
	static const char name[] = "THRUM_OPTIONS=";

	if (environ) {
		for (char **e = environ; *e; e++) {
			if (starts_with(*e, name)) {
				return *e + sizeof(name) - 1;
			}
		}
		return NULL;
	}
	long fd = sys4(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC, 0);
	long n = fd < 0 ? -1 : sys3(SYS_read, fd, buffer, bytes - 1);

	if (fd >= 0) {
		sys1(SYS_close, fd);
	}
	for (long i = 0; i < n; i++) {
		if ((i == 0 || buffer[i - 1] == 0) && starts_with(buffer + i, name)) {
			buffer[n] = 0;
			return buffer + i + sizeof(name) - 1;
		}
	}
	return NULL;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/*
 * Copies one value up to ':' or the end, %XX decoded; returns where it stopped. Too long a value
 * becomes empty.
 */
static const char *copy_value(const char *from, char *to, size_t room)
{
	size_t n = 0;
	bool fits = true;

	while (*from && *from != ':') {
		char ch = *from++;

		if (ch == '%' && hex_digit(from[0]) >= 0 && hex_digit(from[1]) >= 0) {
			ch = (char)(hex_digit(from[0]) * 16 + hex_digit(from[1]));
			from += 2;
		}
		if (n + 1 < room) {
			to[n++] = ch;
		} else {
			fits = false;
		}
	}
	to[fits ? n : 0] = 0;
	return from;
}

static uint64_t parse_number(const char *s)
{
	uint64_t v = 0;

	for (; *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (uint64_t)(*s - '0');
	}
	return v;
}

static void print_help(void)
{
	static const char text[] = "THRUM_OPTIONS=key=value:key=value\n"
#define SHIM_OPTION(key, type, standard, doc) "  " #key "  " doc "\n"
#include "../spec/shim_options.def"
#undef SHIM_OPTION
		;

	sys3(SYS_write, 2, text, sizeof(text) - 1);
}

enum option_id {
#define SHIM_OPTION(key, type, standard, doc) OPTION_##key,
#include "../spec/shim_options.def"
#undef SHIM_OPTION
	OPTION_COUNT
};
static const char *const option_names[] = {
#define SHIM_OPTION(key, type, standard, doc) #key "=",
#include "../spec/shim_options.def"
#undef SHIM_OPTION
};

static void option_apply(enum option_id id, const char *value)
{
	switch (id) {
	case OPTION_dir:
		if (value[0]) {
			__builtin_memcpy(shim_options.dir, value, sizeof(shim_options.dir));
		}
		break;
	case OPTION_max_size:
		shim_options.max_size = parse_number(value);
		break;
	case OPTION_mode:
		shim_options.bounded = value[0] == 'b';
		break;
	case OPTION_flight:
		shim_options.flight = parse_number(value);
		break;
	case OPTION_follow_children:
		shim_options.follow_none = value[0] == 'n';
		break;
	case OPTION_redact:
		shim_options.redact_args = value[0] == 'a';
		break;
	case OPTION_python_races:
		shim_options.python_races = value[0] == '1';
		break;
	case OPTION_races:
		shim_options.races_off = value[0] == 'o' || value[0] == 'r';
		shim_options.races_forced = value[0] == 'f';
		shim_options.races_deep = value[0] == 'd';
		shim_options.memory = value[0] != 'r'			  ? MEMORY_NONE
				      : starts_with(value, "record-full") ? MEMORY_FULL
									  : MEMORY_SAMPLED;
		break;
	case OPTION_perturb:
		shim_options.perturb = value[0] != 0;
		shim_options.perturb_seed = parse_number(value);
		break;
	case OPTION_steer:
		shim_options.steer = value[0] == '1';
		break;
	case OPTION_help:
		if (value[0] == '1') {
			print_help();
		}
		break;
	case OPTION_COUNT:
		break;
	}
}

void options_read(void)
{
	static char buffer[65536], value[sizeof(shim_options.dir)];
	const char *p = shim_options.enabled ? NULL : find_value(buffer, sizeof(buffer));

	if (!p) {
		return;
	}
	shim_options.enabled = true;
	shim_options.flight = TF_PAYLOAD_BYTES;
	for (size_t i = 0; i < sizeof("thrum.data"); i++) {
		shim_options.dir[i] = "thrum.data"[i];
	}
	while (*p) {
		bool known = false;

		for (unsigned i = 0; i < OPTION_COUNT && !known; i++) {
			if (starts_with(p, option_names[i])) {
				while (*p++ != '=') {
				}
				p = copy_value(p, value, sizeof(value));
				option_apply((enum option_id)i, value);
				known = true;
			}
		}
		while (*p && *p != ':') { /* an unknown key: a newer launcher's, skipped */
			p++;
		}
		if (*p == ':') {
			p++;
		}
	}
}
