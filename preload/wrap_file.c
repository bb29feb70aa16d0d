/* SPDX-License-Identifier: MIT */
/*
 * wrap_file.c - file locks: flock, lockf and fcntl's, POSIX and of open file descriptions.
 *
 * One object for each (file, kind of lock, range). Its owner is the process (POSIX) or the open file
 * description, so any thread may release it, a lock that is held already is not taken again, and
 * close releases. What of that we cannot follow exactly (part of a range unlocked, a duplicate made
 * before the lock was, a description shared with a child) ends the hold in our books: a lock is
 * never said to be held that is not.
 *
 * A REQUEST is written after the wait, with the time it began: whether a file lock is contended
 * cannot be seen before. These are slow calls anyway; no path here is hot but fcntl's pass-through.
 */
#include "wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WAITED_TICKS = 100000 >> TF_TICK_SHIFT, /* some 30 us: longer than the call itself takes */
	KCMP_SAME_FILE = 0,
};

struct file_op {
	int fd;
	struct identity key;
	unsigned mode; /* enum trace_mode bits of an acquire */
	bool unlock;
};

struct file_call {
	struct call call;
	struct named *lock; /* NULL = nothing to record */
	uint64_t since;
	bool odd; /* unlocks what we do not know to be locked */
};

/* ---- what is held; under ipc_lock ---- */

/* Do both descriptors lead to one open file description? Yes where the kernel does not say. */
static bool same_description(int a, int b)
{
	long pid = sys0(SYS_getpid);

	return a == b || sys6(SYS_kcmp, pid, pid, KCMP_SAME_FILE, a, b, 0) <= 0;
}

static bool same_owner(struct file_hold *h, const struct file_op *op)
{
	int other = -1;

	if (op->key.space == TF_IDENTITY_POSIX_LOCK) {
		return true;
	}
	for (unsigned i = 0; i < HOLD_DESCRIPTORS; i++) {
		if (h->fd[i] == op->fd) {
			return true;
		}
		other = h->fd[i] >= 0 ? h->fd[i] : other;
	}
	return other >= 0 && same_description(other, op->fd);
}

static uint64_t range_end(const struct identity *key)
{
	return key->length ? key->offset + key->length : UINT64_MAX;
}

static bool same_file(const struct identity *a, const struct identity *b)
{
	return a->space == b->space && a->dev == b->dev && a->ino == b->ino;
}

static bool overlaps(const struct identity *a, const struct identity *b)
{
	return same_file(a, b) && a->offset < range_end(b) && b->offset < range_end(a);
}

static void hold_end(struct call *c, struct file_hold **link)
{
	struct file_hold *h = *link;

	*link = h->next;
	atomic_fetch_sub(&shim->file_hold_count, 1);
	if (!h->shared) {
		atomic_store(&h->lock->object.owner, 0);
	}
	if ((size_t)(c->s->limit - c->s->cursor) < ROOM) {
		shim_seal(c->s);
	}
	emit_o(c->s, TRACE_RELEASE, h->lock->object.id);
	h->next = shim->free_file_holds;
	shim->free_file_holds = h;
}

static void emit_taken(struct file_call *f, unsigned mode)
{
	struct object *o = &f->lock->object;
	struct stream *s = f->call.s;
	bool shared = mode & TRACE_MODE_SHARED;
	unsigned op = (mode & TRACE_MODE_TRY ? TRACE_ACQUIRE_TRY : TRACE_ACQUIRE) + shared;
	uint64_t seq = shared ? (o->last_stream == s->order_key ? 0 : o->seq) : lock_own(s, o);

	emit_os_seq(s, op, o->id, f->call.stack, seq);
}

/*
 * A conversion that waits: flock gives the old lock up first, the others keep it until they have the new one.
 * Of what only overlaps we do not know what will be left of it. True: `exact` is kept meanwhile.
 */
static bool before_conversion(struct file_call *f, const struct file_op *op,
			      struct file_hold *exact)
{
	struct call *c = &f->call;

	for (struct file_hold **p = &shim->file_holds; *p;) {
		struct file_hold *h = *p;
		bool kept = h == exact && op->key.space != TF_IDENTITY_FLOCK;

		if (!kept && (h == exact || op->key.space == TF_IDENTITY_OFD_LOCK) &&
		    overlaps(&h->lock->key, &op->key) && same_owner(h, op)) {
			hold_end(c, p);
		} else {
			p = &h->next;
		}
	}
	if (!exact || op->key.space == TF_IDENTITY_FLOCK) {
		return false;
	}
	if (exact->thread != c->s->thread && exact->shared) {
		emit_o(c->s, TRACE_RELEASE, exact->lock->object.id);
		emit_taken(f, TRACE_MODE_TRY | TRACE_MODE_SHARED);
		exact->thread = c->s->thread;
	}
	return true;
}

/* Ends what this owner holds in the range: all of it, or only what is not `mode`. True: any. */
static bool end_overlapping(struct call *c, const struct file_op *op, bool all)
{
	bool shared = op->mode & TRACE_MODE_SHARED, any = false;

	for (struct file_hold **p = &shim->file_holds; *p;) {
		struct file_hold *h = *p;

		if (overlaps(&h->lock->key, &op->key) && same_owner(h, op) &&
		    (all || h->shared != shared)) {
			hold_end(c, p);
			any = true;
		} else {
			p = &h->next;
		}
	}
	return any;
}

static struct file_hold **find_exact(const struct file_op *op, const struct named *lock)
{
	struct file_hold **p = &shim->file_holds;

	while (*p && !((*p)->lock == lock && same_owner(*p, op))) {
		p = &(*p)->next;
	}
	return p;
}

static void hold_begin(struct call *c, const struct file_op *op, struct named *lock, bool shared)
{
	struct file_hold *h = shim->free_file_holds;

	if (h) {
		shim->free_file_holds = h->next;
	} else if (!(h = shim_alloc(sizeof(*h)))) {
		return;
	}
	h->lock = lock;
	h->shared = shared;
	h->thread = c->s->thread;
	h->fd[0] = op->fd;
	for (unsigned i = 1; i < HOLD_DESCRIPTORS; i++) {
		h->fd[i] = -1;
	}
	h->next = shim->file_holds;
	shim->file_holds = h;
	atomic_fetch_add(&shim->file_hold_count, 1);
}

void file_locks_closing(struct call *c, int fd)
{
	uint64_t dev, ino;
	bool known = descriptor_inode(fd, &dev, &ino);

	spin_lock(&shim->ipc_lock);
	for (struct file_hold **p = &shim->file_holds; known && *p;) {
		struct file_hold *h = *p;
		const struct identity *key = &h->lock->key;
		unsigned left = 0;

		if (key->space == TF_IDENTITY_POSIX_LOCK) {
			left = key->dev != dev || key->ino != ino;
		}
		for (unsigned i = 0; i < HOLD_DESCRIPTORS && key->space != TF_IDENTITY_POSIX_LOCK;
		     i++) {
			h->fd[i] = h->fd[i] == fd ? -1 : h->fd[i];
			left += h->fd[i] >= 0;
		}
		if (left) {
			p = &h->next;
		} else {
			hold_end(c, p);
		}
	}
	spin_unlock(&shim->ipc_lock);
}

void file_locks_duplicated(int from, int to)
{
	spin_lock(&shim->ipc_lock);
	for (struct file_hold *h = shim->file_holds; h; h = h->next) {
		bool leads = false;

		for (unsigned i = 0; i < HOLD_DESCRIPTORS; i++) {
			leads |= h->fd[i] == from;
		}
		for (unsigned i = 0; leads && i < HOLD_DESCRIPTORS; i++) {
			if (h->fd[i] < 0) {
				h->fd[i] = to;
				break;
			}
		}
	}
	spin_unlock(&shim->ipc_lock);
}

/* ---- one call ---- */

static bool before_unlock(struct file_call *f, const struct file_op *op)
{
	bool any;

	spin_lock(&shim->ipc_lock);
	any = end_overlapping(&f->call, op, true);
	spin_unlock(&shim->ipc_lock);
	if (any || op->key.space == TF_IDENTITY_POSIX_LOCK) {
		return false;
	}
	/* A description that we share with our parent, perhaps: then its hold ends here. */
	f->odd = true;
	return true;
}

static struct named *lock_of(struct call *c, const struct file_op *op)
{
	struct named *n = named_lookup_or_add(&op->key);

	if (n && !named_is_defined(n)) {
		char path[256];

		named_define(c, n, descriptor_path(op->fd, path, sizeof(path)) ? path : NULL,
			     TF_NAME_PATH);
	}
	return n;
}

/* False: nothing more to record. The guard is open either way. */
static bool before(struct file_call *f, struct arch_caller caller, struct file_op *op)
{
	struct call *c = &f->call;
	struct file_hold **held;
	bool again, kept = false;

	*f = (struct file_call){ .lock = NULL };
	if (!shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	if (!descriptor_inode_soon(c->s, op->fd, &op->key.dev, &op->key.ino)) {
		shim_leave(c);
		return false;
	}
	op->key.kind = TRACE_OBJECT_FILE_LOCK;
	c->stack = stack_id(c);
	if (op->unlock && !before_unlock(f, op)) {
		shim_leave(c);
		return false;
	}
	f->lock = lock_of(c, op);
	if (!f->lock || f->odd) {
		shim_leave(c);
		return f->lock != NULL;
	}
	spin_lock(&shim->ipc_lock);
	held = find_exact(op, f->lock);
	again = *held && (*held)->shared == ((op->mode & TRACE_MODE_SHARED) != 0);
	if (!again) {
		kept = before_conversion(f, op, *held);
	}
	spin_unlock(&shim->ipc_lock);
	if (!again && !(op->mode & TRACE_MODE_TRY)) {
		f->since = arch_ticks();
		wait_set(c, TRACE_WAIT_LOCK, f->lock->object.id, kept, op->mode, f->since);
	}
	shim_leave(c);
	return !again;
}

static void emit_late_request(struct stream *s, const struct file_call *f, unsigned mode,
			      uint32_t holder)
{
	uint32_t id = f->lock->object.id;
	uint8_t *p = emit_head(s, TRACE_REQUEST, f->since);

	s->last_object = id;
	p = encode_varint(p, id);
	p = encode_varint(p, f->call.stack);
	p = encode_varint(p, mode);
	emit_commit(s, encode_varint(p, holder));
	emit_note(s, .op = TRACE_REQUEST, .object = id, .other = holder, .stack = f->call.stack,
		  .a = mode);
}

static void after(struct file_call *f, const struct file_op *op, int rc)
{
	struct call *c = &f->call;
	bool waited = false;
	uint32_t holder;

	if (!c->s->segment) {
		return; /* a child that was forked meanwhile */
	}
	shim_reenter(c);
	if (f->odd) {
		emit_osar(c->s, TRACE_RELEASE_ODD, f->lock->object.id, c->stack, UINT32_MAX, rc);
		shim_leave(c);
		return;
	}
	if (!(op->mode & TRACE_MODE_TRY)) {
		wait_clear(c);
		waited = rc == EDEADLK || arch_ticks() - f->since > WAITED_TICKS;
	}
	holder = atomic_load(&f->lock->object.owner);
	spin_lock(&shim->ipc_lock);
	if (rc == 0) {
		end_overlapping(c, op, false);
		hold_begin(c, op, f->lock, op->mode & TRACE_MODE_SHARED);
	}
	if (waited) {
		emit_late_request(c->s, f, op->mode, holder);
	}
	if (rc == 0) {
		emit_taken(f, op->mode);
	} else {
		emit_osar(c->s, TRACE_ACQUIRE_FAIL, f->lock->object.id, c->stack, op->mode, rc);
	}
	spin_unlock(&shim->ipc_lock);
	shim_leave(c);
}

/* ---- flock ---- */

EXPORT int flock(int fd, int op)
{
	struct file_op o = { .fd = fd, .key.space = TF_IDENTITY_FLOCK };
	struct file_call f;
	int rc;

	o.unlock = (op & ~LOCK_NB) == LOCK_UN;
	o.mode = ((op & ~LOCK_NB) == LOCK_SH ? TRACE_MODE_SHARED : 0) |
		 (op & LOCK_NB ? TRACE_MODE_TRY : 0);
	if (!before(&f, ARCH_CALLER(), &o)) {
		return real_flock(fd, op);
	}
	rc = real_flock(fd, op);
	after(&f, &o, rc ? errno : 0);
	return rc;
}

/* ---- fcntl and lockf ---- */

/* Absolute start and length; false when they make no sense, then the call fails as well. */
static bool resolve_range(int fd, const struct flock *l, struct identity *key)
{
	int64_t start = l->l_start, length = l->l_len;
	struct stat st;
	long at;

	if (l->l_whence == SEEK_CUR) {
		at = sys3(SYS_lseek, fd, 0, SEEK_CUR);
		start += at < 0 ? 0 : at;
	} else if (l->l_whence == SEEK_END) {
		if (sys2(SYS_fstat, fd, &st) < 0) {
			return false;
		}
		start += st.st_size;
	}
	if (length < 0) {
		start += length;
		length = -length;
	}
	key->offset = (uint64_t)start;
	key->length = (uint64_t)length;
	return start >= 0;
}

/* False: not a lock command that is to be recorded. */
static bool file_op_of(int fd, int cmd, const struct flock *l, struct file_op *ret)
{
	bool wait = cmd == F_SETLKW || cmd == F_OFD_SETLKW;
	bool description = cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;

	*ret = (struct file_op){ .fd = fd,
				 .key.space = description ? TF_IDENTITY_OFD_LOCK
							  : TF_IDENTITY_POSIX_LOCK };
	if (!resolve_range(fd, l, &ret->key)) {
		return false;
	}
	ret->unlock = l->l_type == F_UNLCK;
	ret->mode = (l->l_type == F_RDLCK ? TRACE_MODE_SHARED : 0) | (wait ? 0 : TRACE_MODE_TRY);
	return true;
}

typedef int fcntl3(int, int, void *);

/*
 * Through the kernel, since a bad address is the host's affair and gives EFAULT; what lies on the thread's own stack
 * is read as it is.
 */
static bool read_range(struct arch_caller caller, const void *from, struct flock *ret)
{
	uintptr_t p = (uintptr_t)from;

	if (shim_stream && p >= caller.sp && caller.sp >= shim_stream->stack_low &&
	    p + sizeof(*ret) <= shim_stream->stack_high && p % _Alignof(struct flock) == 0) {
		*ret = *(const struct flock *)from;
		return true;
	}
	return module_read(p, ret, sizeof(*ret));
}

static int set_lock(struct arch_caller caller, fcntl3 *real, int fd, int cmd, void *argument)
{
	struct file_call f;
	struct file_op o;
	struct flock l;
	int rc;

	if (!read_range(caller, argument, &l) || !file_op_of(fd, cmd, &l, &o) ||
	    !before(&f, caller, &o)) {
		return real(fd, cmd, argument);
	}
	rc = real(fd, cmd, argument);
	after(&f, &o, rc ? errno : 0);
	return rc;
}

static hot_inline int pass_fcntl(struct arch_caller caller, fcntl3 *real, int fd, int cmd,
				 void *argument)
{
	int rc;

	switch (cmd) {
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return set_lock(caller, real, fd, cmd, argument);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		rc = real(fd, cmd, argument);
		if (rc >= 0) {
			descriptor_duplicated(caller, fd, rc);
		}
		return rc;
	case F_SETFL:
		rc = real(fd, cmd, argument);
		descriptor_changed(caller, fd);
		return rc;
	default:
		return real(fd, cmd, argument);
	}
}

EXPORT int fcntl(int fd, int cmd, ...)
{
	va_list list;
	void *argument;

	va_start(list, cmd);
	argument = va_arg(list, void *); /* as glibc does: there may be none */
	va_end(list);
	shim_resolve_once();
	return pass_fcntl(ARCH_CALLER(), (fcntl3 *)real_fcntl, fd, cmd, argument);
}

EXPORT int fcntl64(int fd, int cmd, ...)
{
	va_list list;
	void *argument;

	va_start(list, cmd);
	argument = va_arg(list, void *);
	va_end(list);
	shim_resolve_once();
	return pass_fcntl(ARCH_CALLER(), (fcntl3 *)real_fcntl64, fd, cmd, argument);
}

static int lock_from_here(struct arch_caller caller, int (*real)(int, int, off_t), int fd, int cmd,
			  off_t n)
{
	struct flock l = { .l_type = cmd == F_ULOCK ? F_UNLCK : F_WRLCK,
			   .l_whence = SEEK_CUR,
			   .l_len = n };
	struct file_call f;
	struct file_op o;
	int rc;

	if ((cmd != F_LOCK && cmd != F_TLOCK && cmd != F_ULOCK) ||
	    !file_op_of(fd, cmd == F_LOCK ? F_SETLKW : F_SETLK, &l, &o) ||
	    !before(&f, caller, &o)) {
		return real(fd, cmd, n);
	}
	rc = real(fd, cmd, n);
	after(&f, &o, rc ? errno : 0);
	return rc;
}

EXPORT int lockf(int fd, int cmd, off_t n)
{
	return lock_from_here(ARCH_CALLER(), real_lockf, fd, cmd, n);
}

EXPORT int lockf64(int fd, int cmd, off_t n)
{
	return lock_from_here(ARCH_CALLER(), real_lockf64, fd, cmd, n);
}
