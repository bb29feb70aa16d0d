/* SPDX-License-Identifier: MIT */
/*
 * trace_steer.h - the plan of `thrum confirm`: the file TF_STEER in the trace directory, which the launcher writes before the program
 * starts and the recorder maps, shared.
 *
 * A plan is a circle: whoever plays edge i holds a lock that was taken at `outer` and asks at `inner` for the lock that whoever plays
 * edge i + 1 holds. Places are build-id and offset, so a plan holds for any load address.
 *
 * The launcher and the recorder are of one build: there is no version, but the size of the file must be that of the struct.
 */
#ifndef THRUM_TRACE_STEER_H
#define THRUM_TRACE_STEER_H

#include <stdint.h>

#define TF_STEER "steer.plan"
#define TF_STEER_MAGIC 0x72656574736d7274u

enum {
	STEER_EDGES = 8,
	STEER_MODULES = 16,
	STEER_FRAMES = 8,
	STEER_BUILD_ID = 32, /* bytes that count of a build-id */
};

/* As a module: a line of a Python program, whose offset is steer_text_place(). */
#define STEER_TEXT 0xffffu

static inline uint64_t steer_text_place(const char *function, const char *file, uint32_t line)
{
	const char *const words[] = { function, file };
	uint64_t hash = 0xcbf29ce484222325u ^ line;

	for (unsigned i = 0; i < 2; i++) {
		for (const char *at = words[i]; at && *at; at++) {
			hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
		}
		hash = (hash ^ '\n') * 0x100000001b3u;
	}
	return hash;
}

/* The innermost frames of a call stack, libthrum's left out; others may lie between them. */
struct steer_place {
	uint32_t count;
	struct {
		uint32_t module; /* index in steer_plan.module, or STEER_TEXT */
		uint32_t unused;
		uint64_t offset; /* ELF virtual address of the call, or of what follows it */
	} frame[STEER_FRAMES];
};

struct steer_edge {
	struct steer_place outer, inner;
	uint32_t outer_object,
		inner_object; /* what the locks' numbers were in the finding's trace; 0 = not known */
	/* What was reached, written by the recorder, atomically. */
	uint32_t reached; /* times that a thread stood at `inner` with the outer lock */
	uint32_t let_go;  /* of those, how often its time was up before the others came */
	uint32_t
		passed; /* times that `inner` was passed by threads that did not hold the outer lock */
};

struct steer_plan {
	uint64_t magic;
	uint32_t edges, modules;
	uint32_t hold_ms; /* how long a thread is held back at most */
	uint32_t seed;	  /* of what is left to chance; 0 = nothing is */
	/*
	 * The program is expected to number its locks as it did: only the finding's own are steered. Of those who play, that one is kept
	 * from its outer lock until the others stand (1 = the first, 0 = none).
	 */
	uint32_t exact, late;
	uint32_t most; /* as many edges were played at the same time, at most; by the recorder */
	uint32_t met;  /* times that all were there; by the recorder */
	uint32_t unusable; /* the recorder could not use the plan */
	struct {
		uint32_t bytes;
		uint8_t build_id[STEER_BUILD_ID];
	} module[STEER_MODULES];
	struct steer_edge edge[STEER_EDGES];
};

#endif
