/* SPDX-License-Identifier: MIT */
/*
 * shim_stack.h - the number of the stack that leads to a hook: contexts that still hold, else the walk.
 * Included by shim.h only.
 */
#ifndef THRUM_SHIM_STACK_H
#define THRUM_SHIM_STACK_H

/* ---- stacks ---- */

/* HOT mostly: with the Python frames in the place of the interpreter's; `native`: of the walk. */
uint32_t stack_id_python(struct call *c, const struct depot_entry *native);
/* HOT mostly: the same for a method of ours that the interpreter called: no native frame tells anything. 0 = it is none. */
uint32_t stack_id_of_method(struct call *c);
/* SLOW: what a line of Python, which that synthetic address is, has in every run: steer_text_place(). 0 = unknown. */
uint64_t python_place_text(uintptr_t ip);
/* SLOW: the walk, for a stack that no context of `set` holds. */
uint32_t stack_id_slow(struct call *c, struct context *set);
/* SLOW: the one entry of these frames and flags of a tf_def_stack; NULL when memory is out. */
const struct depot_entry *depot_intern(const uintptr_t *ip, uint32_t frames, uint16_t signal);
/* SLOW: the same stack as stack_id gives, with its frames; NULL when memory is out. */
const struct depot_entry *stack_entry(struct call *c);

static hot_inline struct frame_size *frame_size_of(struct stream *s, uintptr_t ip)
{
	return &s->frame_sizes[(ip * 0x9e3779b97f4a7c15u) >> 55];
}

/*
 * HOT: the key is where the call came from and, where earlier walks tell how, the next two return
 * addresses.
 */
static hot_inline struct context *context_set(struct stream *s, uintptr_t ip, uintptr_t sp)
{
	uint64_t h = ip ^ sp * 0x9e3779b97f4a7c15u;

	for (int i = 0; i < 2; i++) {
		const struct frame_size *f = frame_size_of(s, ip);
		uintptr_t slot = sp + f->words * 8;

		if (f->ip != ip || slot >= s->stack_high - 8 || sp < s->stack_low) {
			break;
		}
		ip = *(const uintptr_t *)slot;
		sp = slot + 8;
		h = (h ^ ip) * 0x9e3779b97f4a7c15u;
	}
	return s->contexts[(h * 0xd6e8feb86659fd93u) >> 55];
}

static hot_inline bool context_holds(const struct context *x, const struct call *c)
{
	const uintptr_t *base = (const uintptr_t *)c->caller.sp;
	uintptr_t diff = 0;

	if (x->ip != c->caller.ip || x->sp != c->caller.sp || x->epoch != c->s->epoch) {
		return false;
	}
	for (uint32_t i = 1; i < x->frames; i++) {
		diff |= base[x->offset[i - 1]] ^ x->stack->ip[i];
	}
	return !diff;
}

/* Not 0: threads may have frames of an interpreter (preload/python/). */
/*
 * ANY, the guard open: a thread is about to wait at epoll descriptor `fd`. Where it runs a Python loop and nothing comes for a while, what
 * its tasks wait for is recorded; `*ms` is what is left of the timeout. False: a signal came meanwhile, errno is EINTR.
 */
bool python_rest(struct arch_caller caller, int fd, int *ms);
extern uint32_t python_frames __attribute__((visibility("hidden")));

/* HOT on a hit, SLOW on a miss: id of the stack that leads to the caller. */
static hot_inline uint32_t stack_id(struct call *c)
{
	uint32_t python = unlikely(python_frames) ? stack_id_of_method(c) : 0;
	struct context *set;

	if (unlikely(python)) {
		return python;
	}
	set = context_set(c->s, c->caller.ip, c->caller.sp);

	for (int way = 0; way < CONTEXT_WAYS; way++) {
		if (likely(context_holds(&set[way], c))) {
			c->context = &set[way];
			if (unlikely(python_frames)) {
				return stack_id_python(c, set[way].stack);
			}
			return set[way].stack->id;
		}
	}
	return stack_id_slow(c, set);
}

/* Where the innermost signal handler of a stack begins. */
struct signal_frame {
	uint32_t frames; /* ip[0] … ip[frames - 1] belong to the handler; 0 = no handler runs */
	uintptr_t
		context; /* address of the kernel's ucontext_t on the stack, siginfo_t behind it */
	bool cut; /* the walk ended at what may be new code (JIT): to be walked again next time */
};
/*
 * SLOW: return addresses and the addresses of their slots, innermost first. `low`..`high` bound the
 * stack. The slot of interrupted code's address lies in the frame that the kernel wrote.
 */
uint32_t unwind(struct arch_caller caller, uintptr_t low, uintptr_t high, uintptr_t *ret_ip,
		uintptr_t *ret_slot, uint32_t max, struct signal_frame *ret_signal);
/* SLOW: the same from where the thread was interrupted, with the registers it had there. */
uint32_t unwind_from(struct arch_caller caller, bool is_exact, uintptr_t low, uintptr_t high,
		     uintptr_t *ret_ip, uintptr_t *ret_slot, uint32_t max,
		     struct signal_frame *ret_signal);
/* SLOW: the function around the instruction in front of ip. False: unknown. */
bool unwind_bounds(uintptr_t ip, uintptr_t *ret_start, uintptr_t *ret_end);
/* SLOW: c->caller is where a signal interrupted the thread: its stack. The frames, at most CONTEXT_FRAMES; or its number, with
 * `is_done` of what has just been done there, else of what is about to be; `max` of its frames, 0 where there are fewer. */
uint32_t unwind_interrupted(struct call *c, uintptr_t *ret_ip);
uint32_t stack_id_interrupted(struct call *c, bool is_done, bool *ret_in_handler, uintptr_t *ret_ip,
			      uint32_t max);
/* SLOW: forgets all learnt frame rules (a module went). */
void unwind_forget(void);
/* SLOW: start of the function around ip, 0 = unknown. */
uintptr_t unwind_function(uintptr_t ip);

#endif
