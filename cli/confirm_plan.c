/* SPDX-License-Identifier: MIT */
/*
 * confirm_plan.c - places of a finding's stacks as build-id and offset, in the order of its circle; and the same looked for in a deadlock.
 */
#include "confirm_plan.h"

#include <stdlib.h>
#include <string.h>

/* ---- a module's number in the plan ---- */

static uint32_t hex_bytes(const char *text, uint8_t *ret, uint32_t room)
{
	uint32_t count = 0;
	char digits[3] = { 0 };

	while (text && text[0] && text[1] && count < room) {
		memcpy(digits, text, 2);
		ret[count++] = (uint8_t)strtoul(digits, NULL, 16);
		text += 2;
	}
	return count;
}

/* STEER_MODULES where it is not in the plan. */
static uint32_t find_module(const struct steer_plan *plan, const char *build_id)
{
	uint8_t id[STEER_BUILD_ID];
	uint32_t bytes = hex_bytes(build_id, id, sizeof(id));

	for (uint32_t i = 0; bytes && i < plan->modules; i++)
		if (plan->module[i].bytes == bytes && !memcmp(plan->module[i].build_id, id, bytes))
			return i;
	return STEER_MODULES;
}

static uint32_t lookup_or_add_module(struct steer_plan *plan, const char *build_id)
{
	uint32_t found = find_module(plan, build_id);

	if (found < STEER_MODULES || !build_id || !*build_id || plan->modules == STEER_MODULES)
		return found;
	found = plan->modules++;
	plan->module[found].bytes =
		hex_bytes(build_id, plan->module[found].build_id, STEER_BUILD_ID);
	return found;
}

static bool is_python(const struct frame *f)
{
	return f->language && !strcmp(f->language, "python") && f->function;
}

/* Module and offset as in a plan; STEER_MODULES: it has none there. */
static uint32_t place_of(const struct steer_plan *plan, const struct frame *f, uint64_t *ret_offset)
{
	*ret_offset = is_python(f) ? steer_text_place(f->function, f->file, (uint32_t)f->line)
				   : f->offset;
	return is_python(f) ? STEER_TEXT : find_module(plan, f->build_id);
}

/* ---- making it ---- */

/*
 * The calls that were inlined into another have its address: they are one. Frames without a module are skipped, but not the innermost:
 * that is code of an interpreter, or made at run time, and what is around it is at each of its calls.
 */
static void make_place(struct steer_plan *plan, const struct frames *frames,
		       struct steer_place *place)
{
	for (size_t i = 0; i < frames->count && place->count < STEER_FRAMES; i++) {
		const struct frame *f = &frames->frame[i];
		uint64_t offset;
		uint32_t module;

		if (f->build_id)
			lookup_or_add_module(plan, f->build_id);
		module = place_of(plan, f, &offset);

		if (module == STEER_MODULES && !i)
			break;
		if (module == STEER_MODULES)
			continue;
		if (place->count && place->frame[place->count - 1].module == module &&
		    place->frame[place->count - 1].offset == offset)
			continue;
		place->frame[place->count].module = module;
		place->frame[place->count++].offset = offset;
	}
}

static bool is_edge(const struct finding_stack *holds, const struct finding_stack *asks)
{
	return holds->role == ROLE_HOLDS && asks->role == ROLE_ACQUIRES &&
	       holds->thread == asks->thread && holds->lock != asks->lock;
}

/* Its number in the trace; of a report, which does not have it, its number there: most often it is the same. */
static uint32_t object_of(const struct finding *f, const struct finding_stack *stack)
{
	const struct finding_lock *lock = finding_find_lock(f, stack->lock);

	return !lock ? 0 : lock->object ? lock->object : lock->id;
}

static bool waits_in_time(const struct finding_stack *stack)
{
	return stack->note && !strcmp(stack->note, "with a timeout");
}

/* Why a finding of that rule cannot be steered to; NULL = it may be. */
static const char *find_obstacle(const struct finding *f)
{
	const struct finding_stack *first = f->stack_count ? f->stacks : NULL;
	bool is_one_thread = true, is_one_process = true;

	for (size_t i = 0; i < f->stack_count; i++) {
		const struct finding_thread *a = finding_find_thread(f, first->thread);
		const struct finding_thread *b = finding_find_thread(f, f->stacks[i].thread);

		is_one_thread &= f->stacks[i].thread == first->thread;
		is_one_process &= !a || !b || a->pid == b->pid;
		if (waits_in_time(&f->stacks[i]))
			return "has a wait that gives up after its timeout: it ends by itself, and is no deadlock";
	}
	if (is_one_thread)
		return "is about tasks of one thread: to hold one of them back would hold back their loop, and with it the task it "
		       "is to meet; confirm steers threads only";
	if (!is_one_process)
		return "goes through several processes; confirm steers the threads of one only";
	return NULL;
}

int confirm_plan_make(const struct finding *f, struct steer_plan *ret_plan, struct diag *diag)
{
	const char *obstacle;

	*ret_plan = (struct steer_plan){ .magic = TF_STEER_MAGIC };
	if (f->rule != RULE_LOCK_ORDER_INVERSION)
		return diag_set(
			diag, THRUM_EINVAL,
			"%s is a finding of %s; confirm takes those of lock-order-inversion",
			f->fingerprint, rule_id(f->rule));
	obstacle = find_obstacle(f);
	if (obstacle)
		return diag_set(diag, THRUM_EINVAL, "%s %s", f->fingerprint, obstacle);
	for (size_t i = 0; i + 1 < f->stack_count; i += 2) {
		struct steer_edge *edge = &ret_plan->edge[ret_plan->edges];

		if (!is_edge(&f->stacks[i], &f->stacks[i + 1]) || ret_plan->edges == STEER_EDGES)
			break;
		make_place(ret_plan, &f->stacks[i].frames, &edge->outer);
		make_place(ret_plan, &f->stacks[i + 1].frames, &edge->inner);
		edge->outer_object = object_of(f, &f->stacks[i]);
		edge->inner_object = object_of(f, &f->stacks[i + 1]);
		if (!edge->outer.count || !edge->inner.count)
			return diag_set(
				diag, THRUM_EINVAL,
				"%s has a lock call in code without a build-id, which cannot be found again",
				f->fingerprint);
		ret_plan->edges++;
	}
	if (ret_plan->edges < 2 || ret_plan->edges * 2 != f->stack_count)
		return diag_set(
			diag, THRUM_EINVAL,
			"%s is no circle of 2 to %d threads that each hold one lock and ask for the next; confirm "
			"cannot steer to it yet",
			f->fingerprint, STEER_EDGES);
	return 0;
}

/* ---- was it that? ---- */

/* All frames of the place, in their order, as the recorder compares them. */
static bool is_place(const struct steer_plan *plan, const struct steer_place *place,
		     const struct frames *frames)
{
	uint32_t found = 0;

	for (size_t i = 0; i < frames->count && found < place->count; i++) {
		uint64_t offset;
		uint32_t module = place_of(plan, &frames->frame[i], &offset);

		found += module == place->frame[found].module &&
			 offset == place->frame[found].offset;
	}
	return found == place->count;
}

/* From that edge on, with stacks that no edge before has taken: several edges may be at one place. */
static bool match_edges(const struct steer_plan *plan, const struct finding *f, uint32_t edge,
			const struct finding_stack **taken)
{
	if (edge == plan->edges)
		return true;
	for (size_t i = 0; i < f->stack_count; i++) {
		const struct finding_stack *stack = &f->stacks[i];
		bool is_taken = false;

		for (uint32_t k = 0; k < edge; k++)
			is_taken |= taken[k]->thread == stack->thread;
		if (stack->role != ROLE_WAITS || is_taken ||
		    !is_place(plan, &plan->edge[edge].inner, &stack->frames))
			continue;
		taken[edge] = stack;
		if (match_edges(plan, f, edge + 1, taken))
			return true;
	}
	return false;
}

bool confirm_plan_happened(const struct steer_plan *plan, const struct finding *f)
{
	const struct finding_stack *taken[STEER_EDGES];

	return f->rule == RULE_DEADLOCK && f->confidence == CONFIDENCE_OBSERVED &&
	       match_edges(plan, f, 0, taken);
}
