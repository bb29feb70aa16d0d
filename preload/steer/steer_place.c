/* SPDX-License-Identifier: MIT */
/*
 * steer_place.c - the plan of `thrum confirm`, and which of its places a stack is: by build-id and offset, never by address.
 */
#include "steer.h"

#include <fcntl.h>
#include <sys/mman.h>

enum {
	KNOWN_STACKS = 1 << 16, /* those above are compared each time */
	KNOWN_MODULES = 1024,
	NO_MODULE = 0xff,
	TEXT = 0xfe, /* a line of Python: STEER_TEXT */
	HOLD_MOST_MS = 60000,
};

struct steer_plan *steer_plan; /* the file; a forked child keeps it, and adds to the same counts */

/* In wiped memory: numbers of stacks and modules are of one image. */
static struct places_known {
	struct {
		uint8_t outer, inner, known;
	} stack[KNOWN_STACKS];
	uint8_t module[KNOWN_MODULES]; /* 1 + index in the plan, NO_MODULE; 0 = not looked at */
} * known;

static bool plan_is_usable(const struct steer_plan *p)
{
	if (p->magic != TF_STEER_MAGIC || p->edges < 2 || p->edges > STEER_EDGES ||
	    p->modules > STEER_MODULES || !p->hold_ms || p->hold_ms > HOLD_MOST_MS ||
	    p->late > p->edges) {
		return false;
	}
	for (uint32_t i = 0; i < p->edges; i++) {
		if (p->edge[i].outer.count > STEER_FRAMES || !p->edge[i].outer.count ||
		    p->edge[i].inner.count > STEER_FRAMES || !p->edge[i].inner.count) {
			return false;
		}
	}
	return true;
}

static struct steer_plan *plan_map(void)
{
	int directory = directory_get();
	struct steer_plan *p = NULL;
	long at, fd;

	if (directory < 0) {
		return NULL;
	}
	fd = sys4(SYS_openat, directory, TF_STEER, O_RDWR | O_CLOEXEC, 0);
	directory_put(directory);
	if (fd < 0) {
		return NULL;
	}
	if (sys3(SYS_lseek, fd, 0, 2 /* SEEK_END */) == (long)sizeof(*p)) {
		at = sys6(SYS_mmap, 0, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		p = at < 0 && at > -4096 ? NULL : (struct steer_plan *)at;
	}
	sys1(SYS_close, fd);
	return p;
}

bool steer_plan_open(void)
{
	if (!steer_plan) {
		steer_plan = plan_map();
	}
	if (!steer_plan) {
		return false;
	}
	known = shim_pages(sizeof(*known));
	if (!known || !plan_is_usable(steer_plan)) {
		__atomic_store_n(&steer_plan->unusable, 1, __ATOMIC_RELAXED);
		return false;
	}
	return true;
}

/* ---- modules ---- */

static uint8_t module_compare(const struct module *m)
{
	uint8_t id[STEER_BUILD_ID];
	uint32_t bytes = module_build_id(m, id, sizeof(id));

	for (uint32_t i = 0; bytes && i < steer_plan->modules; i++) {
		if (steer_plan->module[i].bytes == bytes &&
		    !__builtin_memcmp(steer_plan->module[i].build_id, id, bytes)) {
			return (uint8_t)(i + 1);
		}
	}
	return NO_MODULE;
}

/* 1 + index in the plan, or NO_MODULE. */
static uint8_t module_number(const struct module *m)
{
	if (m->id >= KNOWN_MODULES) {
		return module_compare(m);
	}
	if (!known->module[m->id]) {
		known->module[m->id] = module_compare(m);
	}
	return known->module[m->id];
}

/* ---- stacks ---- */

struct known_frame {
	uintptr_t offset; /* of the return address */
	uint8_t module;
};

static uint32_t stack_frames(const struct depot_entry *e, struct known_frame *ret)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < e->frames; i++) {
		const struct module *m = module_known(e->ip[i]);

		if (TF_IS_PLACE(e->ip[i])) {
			ret[count++] = (struct known_frame){ .offset = python_place_text(e->ip[i]),
							     .module = TEXT };
			continue;
		}
		if (!m || m->is_thrum) {
			continue;
		}
		ret[count++] = (struct known_frame){ .offset = e->ip[i] - m->bias,
						     .module = module_number(m) };
	}
	return count;
}

/* Reports name the call, which ends where the recorder's address begins. */
static bool frame_is(const struct known_frame *f, const struct steer_place *p, uint32_t i)
{
	return p->frame[i].module == STEER_TEXT
		       ? f->module == TEXT && f->offset == p->frame[i].offset
		       : f->module == p->frame[i].module + 1 && f->offset - p->frame[i].offset <= 1;
}

/* All frames of the place, in their order. Between them may be some that reports leave out. */
static bool place_is(const struct steer_place *p, const struct known_frame *frame, uint32_t count)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < count && found < p->count; i++) {
		found += frame_is(&frame[i], p, found);
	}
	return found == p->count;
}

static const struct depot_entry *stack_of_id(uint32_t id)
{
	for (uint32_t i = 0; i < DEPOT_BUCKETS; i++) {
		for (const struct depot_entry *e =
			     __atomic_load_n(&shim->depot[i], __ATOMIC_ACQUIRE);
		     e; e = e->next) {
			if (e->id == id) {
				return e;
			}
		}
	}
	return NULL;
}

static struct steer_match compare(uint32_t stack)
{
	const struct depot_entry *e = stack_of_id(stack);
	struct known_frame frame[TF_MAX_FRAMES]; /* Python stacks are deeper than CONTEXT_FRAMES */
	struct steer_match match = { 0, 0 };
	uint32_t count = e ? stack_frames(e, frame) : 0;

	for (uint32_t i = 0; i < steer_plan->edges; i++) {
		match.outer |= (uint32_t)place_is(&steer_plan->edge[i].outer, frame, count) << i;
		match.inner |= (uint32_t)place_is(&steer_plan->edge[i].inner, frame, count) << i;
	}
	return match;
}

/* Two threads may look at one stack at the same time: they find the same. */
struct steer_match steer_match_stack(uint32_t stack)
{
	struct steer_match match;

	if (stack < KNOWN_STACKS && __atomic_load_n(&known->stack[stack].known, __ATOMIC_ACQUIRE)) {
		return (struct steer_match){ known->stack[stack].outer, known->stack[stack].inner };
	}
	match = compare(stack);
	if (stack < KNOWN_STACKS) {
		known->stack[stack].outer = (uint8_t)match.outer;
		known->stack[stack].inner = (uint8_t)match.inner;
		__atomic_store_n(&known->stack[stack].known, 1, __ATOMIC_RELEASE);
	}
	return match;
}
