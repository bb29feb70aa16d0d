/* SPDX-License-Identifier: MIT */
/*
 * steer_calls.c - leads the real functions that take and give locks through steer_stand.c and steer_perturb.c, when asked for.
 *
 * Which these are, and what of their arguments is the lock, is in the tables of the wrappers. Not led: functions of libraries that are
 * loaded after the program's start, which may go before it ends.
 */
#include "../wrap_library.h"
#include "steer.h"

#define HERE ((uintptr_t)__builtin_frame_address(0))
#define ADDRESS(p) ((uintptr_t)(p))

uint32_t steer_is_on;

static void perturb(uintptr_t address, const struct steer_outside *outside)
{
	if (shim_options.perturb) {
		steer_perturb(address, outside);
	}
}

void steer_take_before(struct steer_call *c, uintptr_t address, unsigned mode, uintptr_t sp,
		       const struct steer_outside *outside)
{
	perturb(address, outside);
	if (mode & TRACE_MODE_TRY) {
		*c = (struct steer_call){ 0 };
		return;
	}
	steer_before(c, address, sp, !(mode & TRACE_MODE_TIMED), outside);
}

void steer_take_after(struct steer_call *c, uintptr_t address, unsigned mode, bool taken,
		      struct arch_caller caller)
{
	if (!(mode & TRACE_MODE_TRY)) {
		steer_after(c, taken);
	} else if (taken) {
		steer_tried(address, caller);
	}
}

void steer_given(uintptr_t address, const struct steer_outside *outside)
{
	steer_released(address);
	perturb(address, outside);
}

/* ---- what a row of the tables becomes ---- */

/* clang-format off */
#define STEER_LOCK(kind, ret, name, params, args, object, mode) \
	TAKES(ret, name, params, args, object, mode, rc == 0 || rc == EOWNERDEAD)
#define STEER_LOCK_CLOCKED STEER_LOCK
#define STEER_SEM_WAIT STEER_LOCK
#define STEER_SEM_WAIT_CLOCKED STEER_LOCK
#define STEER_UNLOCK(kind, ret, name, params, args, object, mode) GIVES(ret, name, params, args, object)
#define STEER_SEM_POST STEER_UNLOCK
#define STEER_COND_WAIT(kind, ret, name, params, args, object, mode) WAITS(ret, name, params, args)
#define STEER_LIBRARY_LOCK(kind, ret, name, params, args, object, mode) \
	TAKES_SURELY(name, params, args, object, mode)
#define STEER_LIBRARY_TRY(kind, ret, name, params, args, object, mode) \
	TAKES(ret, name, params, args, object, mode, rc)
#define STEER_LIBRARY_UNLOCK(kind, ret, name, params, args, object, mode) \
	GIVES_SURELY(name, params, args, object)
#define STEER_LIBRARY_WAIT(kind, ret, name, params, args, object, mode) WAITS_SURELY(name, params, args)
#define STEER_LIBRARY_TIMED_WAIT STEER_COND_WAIT
#define NOTHING(kind, ret, name, params, args, object, mode)
#define STEER_CUSTOM NOTHING
#define STEER_INIT NOTHING
#define STEER_DESTROY NOTHING
#define STEER_COND_WAKE NOTHING
#define STEER_LIBRARY_INIT NOTHING
#define STEER_LIBRARY_DESTROY NOTHING
#define STEER_LIBRARY_WAKE NOTHING

#undef PRIM
#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) \
	STEER_##shape(kind, ret, name, params, args, object, mode)
/* clang-format on */

#define NEXT(name) static __typeof__(real_##name) next_##name;

#define TAKES(ret, name, params, args, object, mode, is_taken)                          \
	NEXT(name)                                                                      \
	static ret steer_##name params                                                  \
	{                                                                               \
		unsigned how = (mode);                                                  \
		struct steer_call call;                                                 \
		ret rc;                                                                 \
                                                                                        \
		steer_take_before(&call, ADDRESS(object), how, HERE, NULL);             \
		rc = next_##name args;                                                  \
		steer_take_after(&call, ADDRESS(object), how, is_taken, ARCH_CALLER()); \
		return rc;                                                              \
	}
#define TAKES_SURELY(name, params, args, object, mode)                               \
	NEXT(name)                                                                   \
	static void steer_##name params                                              \
	{                                                                            \
		struct steer_call call;                                              \
                                                                                     \
		steer_take_before(&call, ADDRESS(object), mode, HERE, NULL);         \
		next_##name args;                                                    \
		steer_take_after(&call, ADDRESS(object), mode, true, ARCH_CALLER()); \
	}
#define GIVES(ret, name, params, args, object)   \
	NEXT(name)                               \
	static ret steer_##name params           \
	{                                        \
		ret rc;                          \
                                                 \
		steer_released(ADDRESS(object)); \
		rc = next_##name args;           \
		perturb(ADDRESS(object), NULL);  \
		return rc;                       \
	}
#define GIVES_SURELY(name, params, args, object) \
	NEXT(name)                               \
	static void steer_##name params          \
	{                                        \
		steer_released(ADDRESS(object)); \
		next_##name args;                \
		perturb(ADDRESS(object), NULL);  \
	}
#define WAITS(ret, name, params, args)                                  \
	NEXT(name)                                                      \
	static ret steer_##name params                                  \
	{                                                               \
		struct steer_call call;                                 \
		ret rc;                                                 \
                                                                        \
		perturb(ADDRESS(c), NULL);                              \
		steer_wait_before(&call, ADDRESS(c), ADDRESS(m), HERE); \
		rc = next_##name args;                                  \
		steer_after(&call, true);                               \
		return rc;                                              \
	}
#define WAITS_SURELY(name, params, args)                                \
	NEXT(name)                                                      \
	static void steer_##name params                                 \
	{                                                               \
		struct steer_call call;                                 \
                                                                        \
		perturb(ADDRESS(c), NULL);                              \
		steer_wait_before(&call, ADDRESS(c), ADDRESS(m), HERE); \
		next_##name args;                                       \
		steer_after(&call, true);                               \
	}
#include "steered.def"
#undef TAKES
#undef TAKES_SURELY
#undef GIVES
#undef GIVES_SURELY
#undef WAITS
#undef WAITS_SURELY

static const struct {
	void **real;
	void *steer;
	void **next;
} led[] = {
#define LEAD(name) { (void **)&real_##name, (void *)steer_##name, (void **)&next_##name },
#define TAKES(ret, name, params, args, object, mode, is_taken) LEAD(name)
#define TAKES_SURELY(name, params, args, object, mode) LEAD(name)
#define GIVES(ret, name, params, args, object) LEAD(name)
#define GIVES_SURELY(name, params, args, object) LEAD(name)
#define WAITS(ret, name, params, args) LEAD(name)
#define WAITS_SURELY(name, params, args) LEAD(name)
#include "steered.def"
};

/* Once: a forked child finds them led already. */
static void lead(void)
{
	for (size_t i = 0; i < sizeof(led) / sizeof(led[0]); i++) {
		if (shim_resolve_is_found(led[i].real)) {
			*led[i].next = *led[i].real;
			*led[i].real = led[i].steer;
		}
	}
}

void steer_arm(void)
{
	static bool is_led;
	bool wanted = shim_options.perturb;

	if (shim_options.steer && steer_plan_open() && steer_stand_arm()) {
		wanted = true;
	}
	if (wanted && !is_led) {
		lead();
		is_led = true;
		steer_is_on = 1;
	}
}
