/* SPDX-License-Identifier: MIT */
/*
 * shim_seccomp.c - what a seccomp filter would do to our system calls, learnt by running it ourselves.
 *
 * A filter that kills for a call the program does not make may kill for one of ours. It is classic BPF over a
 * few words (number, architecture, arguments), so each of our calls is put to it before it is installed. Where
 * the answer is a signal or the end, recording ends before the filter begins. An error or "allowed" is fine: every
 * call of ours may fail. Filters that were there before this image (a service manager's) cannot be read:
 * docs/walks.md lists what they must allow. Safety class SLOW.
 */
#include "shim_races.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>

/* All that the recorder may call once it runs, shim_boot of a child included. */
static const int ours[] = {
	SYS_pwrite64,	   SYS_fallocate,      SYS_mmap,	SYS_munmap,
	SYS_madvise,	   SYS_fstat,	       SYS_fstatfs,	SYS_openat,
	SYS_read,	   SYS_pread64,	       SYS_close,	SYS_fcntl,
	SYS_clock_gettime, SYS_prlimit64,      SYS_getpid,	SYS_getppid,
	SYS_gettid,	   SYS_tgkill,	       SYS_sched_yield, SYS_process_vm_readv,
	SYS_readlinkat,	   SYS_rt_sigprocmask, SYS_getdents64,
};

enum { MOST_STEPS = BPF_MAXINSNS };

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	const struct seccomp_data *data;
};

/* Second operand of an arithmetic instruction or a jump. */
static uint32_t operand(const struct machine *m, const struct sock_filter *f)
{
	return BPF_SRC(f->code) == BPF_X ? m->x : f->k;
}

static void load(struct machine *m, const struct sock_filter *f, uint32_t *to)
{
	switch (BPF_MODE(f->code)) {
	case BPF_ABS:
		if (f->k <= sizeof(*m->data) - 4) {
			__builtin_memcpy(to, (const char *)m->data + f->k, 4);
		}
		break;
	case BPF_MEM:
		*to = m->memory[f->k % BPF_MEMWORDS];
		break;
	case BPF_LEN:
		*to = sizeof(*m->data);
		break;
	default:
		*to = f->k;
		break;
	}
}

static void compute(struct machine *m, const struct sock_filter *f)
{
	uint32_t b = operand(m, f);

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		m->a += b;
		break;
	case BPF_SUB:
		m->a -= b;
		break;
	case BPF_MUL:
		m->a *= b;
		break;
	case BPF_DIV:
		m->a = b ? m->a / b : 0;
		break;
	case BPF_MOD:
		m->a = b ? m->a % b : 0;
		break;
	case BPF_AND:
		m->a &= b;
		break;
	case BPF_OR:
		m->a |= b;
		break;
	case BPF_XOR:
		m->a ^= b;
		break;
	case BPF_LSH:
		m->a = b < 32 ? m->a << b : 0;
		break;
	case BPF_RSH:
		m->a = b < 32 ? m->a >> b : 0;
		break;
	case BPF_NEG:
		m->a = -m->a;
		break;
	default:
		break;
	}
}

/* How many instructions to skip. */
static uint32_t jump(const struct machine *m, const struct sock_filter *f)
{
	uint32_t b = operand(m, f);
	bool holds = false;

	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k;
	case BPF_JEQ:
		holds = m->a == b;
		break;
	case BPF_JGT:
		holds = m->a > b;
		break;
	case BPF_JGE:
		holds = m->a >= b;
		break;
	case BPF_JSET:
		holds = m->a & b;
		break;
	default:
		break;
	}
	return holds ? f->jt : f->jf;
}

/* The verdict on one call. Jumps only go forward, so this ends. */
static uint32_t run(const struct sock_filter *program, uint32_t count,
		    const struct seccomp_data *data)
{
	struct machine m = { .data = data };

	for (uint32_t at = 0; at < count; at++) {
		const struct sock_filter *f = &program[at];

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			load(&m, f, &m.a);
			break;
		case BPF_LDX:
			load(&m, f, &m.x);
			break;
		case BPF_ST:
			m.memory[f->k % BPF_MEMWORDS] = m.a;
			break;
		case BPF_STX:
			m.memory[f->k % BPF_MEMWORDS] = m.x;
			break;
		case BPF_ALU:
			compute(&m, f);
			break;
		case BPF_JMP:
			at += jump(&m, f);
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		case BPF_MISC:
			if (BPF_MISCOP(f->code) == BPF_TAX) {
				m.x = m.a;
			} else {
				m.a = m.x;
			}
			break;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static bool spares(uint32_t verdict)
{
	uint32_t action = verdict & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
	       action == SECCOMP_RET_ERRNO;
}

static bool program_spares_us(const struct sock_filter *program, uint32_t count)
{
	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		struct seccomp_data data = { .nr = ours[i], .arch = AUDIT_ARCH_X86_64 };

		if (ours[i] == SYS_mmap) {
			data.args[2] = PROT_READ | PROT_WRITE;
			data.args[3] = MAP_SHARED;
		}
		if (!spares(run(program, count, &data))) {
			return false;
		}
	}
	return true;
}

/* The caller's memory, which may be bad: the kernel says EFAULT then, and nothing happens. */
static bool filter_spares_us(const void *given)
{
	struct sock_fprog head;
	size_t bytes;
	long copy;
	bool spared = true;

	if (!module_read((uintptr_t)given, &head, sizeof(head)) || !head.len ||
	    head.len > MOST_STEPS) {
		return true;
	}
	bytes = head.len * sizeof(*head.filter);
	copy = sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (copy < 0 && copy > -4096) {
		return false;
	}
	if (module_read((uintptr_t)head.filter, (void *)copy, bytes)) {
		spared = program_spares_us((const void *)copy, head.len);
	}
	sys2(SYS_munmap, copy, bytes);
	return spared;
}

/* Other threads may be inside a hook, and open their guard after this: shim_seal looks again. */
static void mark_streams(uint8_t from, uint8_t to)
{
	for (uint32_t i = 1; i <= shim->stream_count; i++) {
		struct stream *s = shim->streams[i];

		if (s && (s == shim_stream || s->busy == from)) {
			s->busy = to;
		}
	}
}

bool seccomp_before(bool strict, const void *filter)
{
	bool stays = !strict && filter_spares_us(filter);

	races_end(TF_WATCH_CONFINED); /* its system calls are none of those that are asked about */

	__atomic_fetch_or(&shim->process->flags,
			  (uint32_t)TF_PROCESS_SECCOMP | (stays ? 0 : TF_PROCESS_OFF),
			  __ATOMIC_RELAXED);
	if (!stays) {
		region_calibrate();
		/* For good, in children and in what they start too. */
		shim_options.enabled = false;
		shim_options.drop = true;
		atomic_store(&shim->state, SHIM_OFF);
		mark_streams(BUSY_NOT, BUSY_OFF);
	}
	return !stays;
}

void seccomp_failed(bool was_stopped, uint32_t old_flags)
{
	shim->process->flags = old_flags;
	if (was_stopped) {
		shim_options.enabled = true;
		shim_options.drop = false;
		mark_streams(BUSY_OFF, BUSY_NOT);
		atomic_store(&shim->state, SHIM_LIVE);
	}
}
