/* SPDX-License-Identifier: MIT */
/*
 * wrap_sysv.c - System V semaphores: one SEM object for each semaphore of a set.
 *
 * An operation of -n is n acquires, one of +n is n posts, in the order of the array; a wait for zero
 * is a blocking call and nothing else. Posts alone are recorded before the call, as sem_post is; with
 * acquires in the same call all are recorded after it, when they have happened at once. What does not
 * succeed changes nothing.
 */
#include "wrap_block.h"

#include <stdarg.h>
#include <sys/sem.h>

enum {
	UNITS_LIMIT = 64,  /* records of one operation */
	OPS_LIMIT = 32,	   /* of one call that is recorded; there are rarely more than two */
	INDEX_LIMIT = 256, /* semaphores of a set that SETALL and IPC_RMID look at */
};

union semaphore_argument {
	int value;
	struct semid_ds *status;
	unsigned short *all;
};

static uint32_t value_of(int id, unsigned index)
{
	long value = sys4(SYS_semctl, id, index, GETVAL, 0);

	return value > 0 ? (uint32_t)value : 0;
}

static struct identity key_of(int id, unsigned index)
{
	return (struct identity){ .space = TF_IDENTITY_SYSV_SEM,
				  .kind = TRACE_OBJECT_SEM,
				  .ino = (uint32_t)id,
				  .offset = index };
}

static uint32_t attributes_of(uint32_t value, bool undo)
{
	return (value & 0xffff) | TF_LIBRARY_SYSV << TF_LIBRARY_SHIFT |
	       (undo ? (uint32_t)TF_SEM_UNDO : 0) | TF_COUNT_SHARED;
}

/* Its object, known from now on. `undo`: the operation at hand is undone at the end of the process. */
static struct named *semaphore(struct call *c, int id, unsigned index, bool undo)
{
	struct identity key = key_of(id, index);
	struct named *n = named_find(&key);

	if (likely(n && named_is_defined(n))) {
		return n;
	}
	if (!n) {
		struct semid_ds status;

		if (sys4(SYS_semctl, id, 0, IPC_STAT, &status) == 0) {
			key.dev = (uint32_t)status.sem_perm.__key;
		}
		n = named_lookup_or_add(&key);
	}
	if (n) {
		n->object.attributes = attributes_of(value_of(id, index), undo);
		named_define(c, n, NULL, 0);
	}
	return n;
}

struct sysv_call {
	struct call call;
	struct sembuf op[OPS_LIMIT];
	size_t count;
	int id;
	unsigned mode;
	uint32_t object; /* in the wait slot */
	bool takes, waits_for_zero, held;
};

static void seal_if_full(struct stream *s)
{
	if ((size_t)(s->limit - s->cursor) < ROOM) {
		shim_seal(s);
	}
}

static void emit_units(struct sysv_call *f, const struct sembuf *op)
{
	struct stream *s = f->call.s;
	struct named *n = semaphore(&f->call, f->id, op->sem_num, op->sem_flg & SEM_UNDO);
	unsigned units = (unsigned)(op->sem_op < 0 ? -op->sem_op : op->sem_op);
	unsigned take = f->mode & TRACE_MODE_TRY     ? TRACE_ACQUIRE_TRY
			: f->mode & TRACE_MODE_TIMED ? TRACE_ACQUIRE_TIMED
						     : TRACE_ACQUIRE;

	for (unsigned i = 0; n && i < units && i < UNITS_LIMIT; i++) {
		seal_if_full(s);
		if (op->sem_op < 0) {
			emit_sem_taken(s, take, n->object.id, f->call.stack);
		} else {
			emit_os_seq(s, TRACE_POST, n->object.id, f->call.stack, 0);
		}
	}
}

static void emit_all(struct sysv_call *f)
{
	for (size_t i = 0; i < f->count; i++) {
		emit_units(f, &f->op[i]);
	}
}

/* The operation that would wait now; else the first that may. */
static const struct sembuf *blocking_op(const struct sysv_call *f, bool *ret_now)
{
	const struct sembuf *first = NULL;

	*ret_now = false;
	for (size_t i = 0; i < f->count; i++) {
		const struct sembuf *op = &f->op[i];
		uint32_t value;

		if (op->sem_op > 0) {
			continue;
		}
		first = first ? first : op;
		value = value_of(f->id, op->sem_num);
		if (op->sem_op ? value < (uint32_t)-op->sem_op : value != 0) {
			*ret_now = true;
			return op;
		}
	}
	return first;
}

static void set_slot(struct sysv_call *f)
{
	struct call *c = &f->call;
	bool now;
	const struct sembuf *op = blocking_op(f, &now);
	struct named *n = semaphore(c, f->id, op->sem_num, op->sem_flg & SEM_UNDO);

	f->object = n ? n->object.id : 0;
	if (op->sem_op == 0) {
		f->waits_for_zero = true;
		f->held = c->s->held != 0;
		if (f->held) {
			emit_osa_seq(c->s, TRACE_BLOCK, f->object, c->stack, TRACE_CALL_SEM_ZERO,
				     0);
		}
		wait_set(c, TRACE_WAIT_CALL, f->object, TRACE_CALL_SEM_ZERO, f->mode, arch_ticks());
		return;
	}
	if (now) {
		emit_request(c->s, f->object, c->stack, f->mode, 0);
	}
	wait_set(c, TRACE_WAIT_SEM, f->object, (uint32_t)-op->sem_op, f->mode, arch_ticks());
}

/* False: nothing more to record. */
static bool before(struct sysv_call *f, struct arch_caller caller, int id, const struct sembuf *op,
		   size_t count, unsigned mode)
{
	f->id = id;
	f->count = count;
	f->mode = mode;
	f->object = 0;
	f->takes = f->waits_for_zero = f->held = false;
	/* Read through the kernel: a bad address is the host's affair, and gives EFAULT. */
	if (!count || count > OPS_LIMIT ||
	    !module_read((uintptr_t)op, f->op, count * sizeof(*op)) ||
	    !shim_enter_with(&f->call, caller, ROOM_EARLY)) {
		return false;
	}
	f->call.stack = stack_id(&f->call);
	for (size_t i = 0; i < f->count; i++) {
		f->takes |= f->op[i].sem_op <= 0;
		f->mode |= f->op[i].sem_flg & IPC_NOWAIT ? TRACE_MODE_TRY : 0;
	}
	if (!f->takes) {
		emit_all(f);
	} else if (!(f->mode & TRACE_MODE_TRY)) {
		set_slot(f);
	}
	shim_leave(&f->call);
	return f->takes;
}

static void emit_failure(struct sysv_call *f, int rc)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->op[i].sem_op < 0) {
			struct named *n = semaphore(&f->call, f->id, f->op[i].sem_num,
						    f->op[i].sem_flg & SEM_UNDO);

			if (n) {
				emit_osar(f->call.s, TRACE_ACQUIRE_FAIL, n->object.id,
					  f->call.stack, f->mode, rc);
			}
			return;
		}
	}
}

static void after(struct sysv_call *f, int rc)
{
	struct call *c = &f->call;

	if (!c->s->segment) {
		return; /* a child that was forked meanwhile */
	}
	shim_reenter(c);
	if (!(f->mode & TRACE_MODE_TRY)) {
		wait_clear(c);
	}
	if (f->held) {
		emit_plain(c->s, TRACE_UNBLOCK, 2, TRACE_CALL_SEM_ZERO, encode_zigzag(rc), 0);
	}
	if (rc == 0) {
		emit_all(f);
	} else {
		emit_failure(f, rc);
	}
	shim_leave(c);
}

EXPORT int semop(int id, struct sembuf *o, size_t n)
{
	struct sysv_call f;
	int rc;

	if (!before(&f, ARCH_CALLER(), id, o, n, 0)) {
		return real_semop(id, o, n);
	}
	rc = real_semop(id, o, n);
	after(&f, rc ? errno : 0);
	return rc;
}

EXPORT int semtimedop(int id, struct sembuf *o, size_t n, const struct timespec *t)
{
	struct sysv_call f;
	int rc;

	if (!before(&f, ARCH_CALLER(), id, o, n, t ? TRACE_MODE_TIMED : 0)) {
		return real_semtimedop(id, o, n, t);
	}
	rc = real_semtimedop(id, o, n, t);
	after(&f, rc ? errno : 0);
	return rc;
}

/* ---- semctl ---- */

static void forget(struct call *c, int id, unsigned index)
{
	struct identity key = key_of(id, index);
	struct named *n = named_find(&key);

	if (n) {
		seal_if_full(c->s);
		named_retire(c, n, true);
	}
}

/* A new value is a new life. */
static void renew(struct call *c, int id, unsigned index)
{
	struct named *n;

	forget(c, id, index);
	n = semaphore(c, id, index, false);
	if (n) {
		seal_if_full(c->s);
		emit_osar(c->s, TRACE_INIT, n->object.id, c->stack, n->object.attributes, 0);
	}
}

static unsigned set_size(int id)
{
	struct semid_ds status;

	if (sys4(SYS_semctl, id, 0, IPC_STAT, &status) != 0) {
		return 0;
	}
	return status.sem_nsems < INDEX_LIMIT ? (unsigned)status.sem_nsems : INDEX_LIMIT;
}

EXPORT int semctl(int id, int i, int cmd, ...)
{
	typedef int semctl4(int, int, int, union semaphore_argument);
	union semaphore_argument argument;
	struct call call;
	unsigned size;
	va_list list;
	int rc;

	va_start(list, cmd);
	argument = va_arg(list, union semaphore_argument); /* as glibc does: there may be none */
	va_end(list);
	shim_resolve_once();
	if ((cmd != SETVAL && cmd != SETALL && cmd != IPC_RMID) || !shim_enter(&call)) {
		return ((semctl4 *)real_semctl)(id, i, cmd, argument);
	}
	call.stack = stack_id(&call);
	size = cmd == SETVAL ? 0 : set_size(id);
	shim_leave(&call);
	rc = ((semctl4 *)real_semctl)(id, i, cmd, argument);
	if (rc < 0 || !call.s->segment) {
		return rc;
	}
	shim_reenter(&call);
	if (cmd == SETVAL) {
		renew(&call, id, (unsigned)i);
	}
	for (unsigned k = 0; k < size; k++) {
		if (cmd == IPC_RMID) {
			forget(&call, id, k);
		} else {
			renew(&call, id, k);
		}
	}
	shim_leave(&call);
	return rc;
}
