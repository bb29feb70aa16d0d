/* SPDX-License-Identifier: MIT */
/*
 * elf_fixture.h - tests: fixtures compiled into a directory of their own, loaded, and described as a recorded
 * process would describe them. Every failure here fails the running test.
 */
#ifndef THRUM_TESTS_ELF_FIXTURE_H
#define THRUM_TESTS_ELF_FIXTURE_H

#include "analyzer/symbols.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIXTURE_IPS 64

/* A fresh directory below $TMPDIR or /tmp; removed with all in it by fixture_remove. */
char *fixture_directory(void);
void fixture_remove(char *directory);

/* Runs a shell command made from the format; false unless it exits with 0. */
__attribute__((format(printf, 1, 2))) bool fixture_try(const char *format, ...);
__attribute__((format(printf, 1, 2))) void fixture_command(const char *format, ...);
bool fixture_has_program(const char *name);

/* The path of a fixture's source, and the line of "LINE name" in it. */
const char *fixture_source(const char *source);
int fixture_line(const char *source, const char *name);

/* Writes `bytes` of `data` to `path`, and reads a file whole (malloc'ed). */
void fixture_write(const char *path, const void *data, size_t bytes);
void *fixture_read(const char *path, size_t *ret_bytes);

/* One process with one loaded module that can be changed at will, and stacks that probes recorded. */
struct recorded {
	void *handle; /* of dlopen */
	uint64_t ips[FIXTURE_IPS];
	uint8_t build_id[64], libc_build_id[64];
	char path[600], libc_path[600];
	struct trace_module modules[4];
	struct trace_stack stacks[2];
	struct trace_process process;
	struct symbols *symbols;
};

/* Loads `path` and fills in module 0 from what the loader says. */
void recorded_init(struct recorded *r, const char *path);
/* The same for libc, at `index` of the modules; it becomes the last one. */
void recorded_describe_libc(struct recorded *r, size_t index);
void recorded_release(struct recorded *r);
void *recorded_function(struct recorded *r, const char *name);

/*
 * Calls `function(probe)` of the module: stack 1 then holds the return addresses from the probe's caller on, as the
 * recorder would store them.
 */
void recorded_call(struct recorded *r, const char *function);

/* The same with a function that never returns: the probe jumps out of it. */
void recorded_call_leaving(struct recorded *r, const char *function);

/* Symbols of the process as it is now described; drops older ones. */
struct symbols *recorded_symbols(struct recorded *r);
struct frames recorded_frames(struct recorded *r);

#endif
