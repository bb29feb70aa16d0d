/* SPDX-License-Identifier: MIT */
/*
 * shim_descriptor.c - what a descriptor number leads to: can a read or write of it wait, and for
 * whom? Keeps count of the ends of pipes and socket pairs that this process has open.
 *
 * A number is looked at once, by fstat, at its first use, and forgotten when it is closed or
 * replaced. libc closes some behind our back (inside fclose's and popen's own code), so a pipe is
 * looked at again before a wait for it is believed. In a child of vfork the numbers are its own but
 * this table is the parent's: it is left alone. Safety class SLOW but where shim.h says otherwise.
 */
#include "shim_emit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>

enum {
	FAMILY_UNIX = 1,
	SCAN_LIMIT = 256, /* descriptors looked at when a process begins */
	UNNAMED_BYTES = 2 /* of a socket address that is only its family */
};

static bool in_vfork_child(void)
{
	return shim->process->pid != (uint32_t)sys0(SYS_getpid);
}

bool descriptor_path(int fd, char *path, size_t bytes)
{
	static const char deleted[] = " (deleted)";
	char link[40] = "/proc/self/fd/";
	char digits[12];
	unsigned n = 0, at = 14;
	long length;

	do {
		digits[n++] = (char)('0' + fd % 10);
		fd /= 10;
	} while (fd > 0);
	while (n) {
		link[at++] = digits[--n];
	}
	link[at] = 0;
	length = sys4(SYS_readlinkat, AT_FDCWD, link, path, bytes - 1);
	/* The kernel's remark on an unlinked file; what is really called so loses it too. */
	if (length > (long)sizeof(deleted) - 1 &&
	    !__builtin_memcmp(path + length - (sizeof(deleted) - 1), deleted,
			      sizeof(deleted) - 1)) {
		length -= (long)sizeof(deleted) - 1;
	}
	path[length > 0 ? length : 0] = 0;
	return length > 0;
}

bool descriptor_inode(int fd, uint64_t *ret_dev, uint64_t *ret_ino)
{
	struct stat st;

	if (sys2(SYS_fstat, fd, &st) < 0) {
		return false;
	}
	*ret_dev = st.st_dev;
	*ret_ino = st.st_ino;
	return true;
}

enum { INODE_TICKS = 1 << 17 }; /* about 1 ms */

bool descriptor_inode_soon(struct stream *s, int fd, uint64_t *ret_dev, uint64_t *ret_ino)
{
	uint32_t epoch = atomic_load(&shim->descriptor_epoch);
	uint64_t now = arch_ticks();

	if (s->inode_seen.epoch != epoch + 1 || s->inode_seen.fd != fd ||
	    now - s->inode_seen.ticks > INODE_TICKS) {
		s->inode_seen.epoch = 0;
		if (!descriptor_inode(fd, &s->inode_seen.dev, &s->inode_seen.ino)) {
			return false;
		}
		s->inode_seen.fd = fd;
		s->inode_seen.ticks = now;
		s->inode_seen.epoch = epoch + 1;
	}
	*ret_dev = s->inode_seen.dev;
	*ret_ino = s->inode_seen.ino;
	return true;
}

/* ---- learning ---- */

/* One end of a socketpair: neither side has a name. A connection to a server has one. */
static bool is_pair(int fd)
{
	uint8_t address[112];
	uint32_t bytes = sizeof(address);
	int domain = 0;
	uint32_t domain_bytes = sizeof(domain);

	if (sys6(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, (long)&domain, (long)&domain_bytes, 0) <
		    0 ||
	    domain != FAMILY_UNIX || sys3(SYS_getsockname, fd, address, &bytes) < 0 ||
	    bytes != UNNAMED_BYTES) {
		return false;
	}
	bytes = sizeof(address);
	return sys3(SYS_getpeername, fd, address, &bytes) == 0 && bytes == UNNAMED_BYTES;
}

struct learnt {
	unsigned class;
	unsigned ends;
	bool anonymous;	     /* an inode of no kind: an eventfd, perhaps */
	struct identity key; /* space 0: no channel */
};

static bool look(int fd, struct learnt *ret)
{
	struct stat st;
	long flags = sys2(SYS_fcntl, fd, F_GETFL);

	if (flags < 0 || sys2(SYS_fstat, fd, &st) < 0) {
		return false;
	}
	*ret = (struct learnt){ .class = DESCRIPTOR_PLAIN };
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode)) {
		ret->class = DESCRIPTOR_FILE;
		return true;
	}
	ret->anonymous = !(st.st_mode & S_IFMT);
	if (S_ISFIFO(st.st_mode)) {
		int access = (int)flags & O_ACCMODE;

		ret->key.space = TF_IDENTITY_PIPE;
		ret->key.kind = TRACE_OBJECT_PIPE;
		ret->ends = access == O_RDONLY	 ? END_READ
			    : access == O_WRONLY ? END_WRITE
						 : END_READ | END_WRITE;
	} else if (S_ISSOCK(st.st_mode) && is_pair(fd)) {
		ret->key.space = TF_IDENTITY_SOCKET;
		ret->key.kind = TRACE_OBJECT_SOCKET;
		ret->ends = END_READ;
	}
	if (ret->key.space) {
		ret->key.dev = st.st_dev;
		ret->key.ino = st.st_ino;
		ret->class = DESCRIPTOR_CHANNEL;
	}
	if (flags & O_NONBLOCK) {
		ret->class = DESCRIPTOR_QUICK;
	}
	return true;
}

static void count_ends(struct named *n, unsigned ends, uint32_t by)
{
	spin_lock(&shim->ipc_lock);
	n->read_ends += ends & END_READ ? by : 0;
	n->write_ends += ends & END_WRITE ? by : 0;
	spin_unlock(&shim->ipc_lock);
	named_tell_ends(n);
}

static void note_top(int fd)
{
	uint32_t top = atomic_load(&shim->descriptor_top);

	while (top <= (uint32_t)fd &&
	       !atomic_compare_exchange_weak(&shim->descriptor_top, &top, (uint32_t)fd + 1)) {
	}
}

/* The number means this from now on. Whoever comes second finds it done. */
static void assign(int fd, unsigned class, unsigned ends, struct named *n)
{
	struct descriptor *d = &shim->descriptor[fd];
	bool first;

	note_top(fd);
	spin_lock(&shim->ipc_lock);
	first = d->class == DESCRIPTOR_UNKNOWN;
	if (n) {
		atomic_store(&shim->bells.possible, 1);
	}
	if (first) {
		d->channel = n;
		d->ends = (uint8_t)ends;
		d->uses = 0;
		d->timed = 0;
		__atomic_store_n(&d->class, (uint8_t) class, __ATOMIC_RELEASE);
	}
	spin_unlock(&shim->ipc_lock);
	if (n && first) {
		count_ends(n, ends, 1);
	}
}

unsigned descriptor_learn(int fd)
{
	struct learnt l;
	struct named *n = NULL;

	if ((unsigned)fd >= DESCRIPTORS || !look(fd, &l)) {
		return DESCRIPTOR_PLAIN;
	}
	if (l.key.space && !(n = named_lookup_or_add(&l.key))) {
		return DESCRIPTOR_PLAIN;
	}
	assign(fd, l.class, l.ends, n);
	if (l.anonymous) {
		bell_recognise(fd);
	}
	return l.class;
}

void descriptor_forget(struct call *c, int fd)
{
	struct descriptor *d = &shim->descriptor[fd];
	struct named *n;
	unsigned ends;

	spin_lock(&shim->ipc_lock);
	n = d->channel;
	ends = d->ends;
	d->channel = NULL;
	bell_forget(fd);
	__atomic_store_n(&d->class, DESCRIPTOR_UNKNOWN, __ATOMIC_RELEASE);
	spin_unlock(&shim->ipc_lock);
	if (n) {
		count_ends(n, ends, UINT32_MAX);
		if (!n->read_ends && !n->write_ends) {
			named_retire(c, n, false);
		}
	}
}

static bool has_timeout(int fd, int option)
{
	struct timeval t = { 0, 0 };
	uint32_t bytes = sizeof(t);

	return sys6(SYS_getsockopt, fd, SOL_SOCKET, option, (long)&t, (long)&bytes, 0) == 0 &&
	       (t.tv_sec || t.tv_usec);
}

/* The channel is what it was, or is looked up anew. */
static struct named *verify(struct call *c, int fd)
{
	struct descriptor *d = &shim->descriptor[fd];
	struct named *n = d->channel;
	uint64_t dev, ino;

	if (!n || !descriptor_inode(fd, &dev, &ino)) {
		return NULL;
	}
	if (ino != n->key.ino || dev != n->key.dev) { /* closed unseen, and used again */
		descriptor_forget(c, fd);
		descriptor_learn(fd);
		n = d->channel;
	}
	if (n && n->key.space == TF_IDENTITY_SOCKET) {
		d->timed = (uint8_t)((has_timeout(fd, SO_RCVTIMEO) ? END_READ : 0) |
				     (has_timeout(fd, SO_SNDTIMEO) ? END_WRITE : 0));
	}
	return n;
}

struct named *descriptor_channel(struct call *c, int fd, bool *ret_timed, bool reads)
{
	struct descriptor *d = &shim->descriptor[fd];
	struct named *n = d->uses++ % VERIFY_EVERY ? d->channel : verify(c, fd);

	*ret_timed = d->timed & (reads ? END_READ : END_WRITE);
	if (n && unlikely(!named_is_defined(n))) {
		char path[256];

		named_define(c, n,
			     descriptor_path(fd, path, sizeof(path)) && path[0] == '/' ? path
										       : NULL,
			     TF_NAME_PATH);
	}
	return n;
}

/* ---- what changes the numbers ---- */

bool descriptor_begin(struct call *c, struct arch_caller caller)
{
	if (!shim || atomic_load(&shim->state) != SHIM_LIVE ||
	    !shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	if (in_vfork_child()) {
		shim_leave(c);
		return false;
	}
	c->stack = 0;
	c->context = NULL;
	return true;
}

void descriptor_closing(struct arch_caller caller, int fd)
{
	struct call c;
	bool locks;

	if (!shim || fd < 0) {
		return;
	}
	atomic_fetch_add_explicit(&shim->descriptor_epoch, 1, memory_order_relaxed);
	if ((unsigned)fd >= DESCRIPTORS) {
		return;
	}
	locks = atomic_load_explicit(&shim->file_hold_count, memory_order_relaxed) != 0;
	if (likely(!locks && !shim->descriptor[fd].channel && !bell_is_known(fd))) {
		__atomic_store_n(&shim->descriptor[fd].class, DESCRIPTOR_UNKNOWN, __ATOMIC_RELAXED);
		return;
	}
	if (descriptor_begin(&c, caller)) {
		if (locks) {
			file_locks_closing(&c, fd);
		}
		descriptor_forget(&c, fd);
		shim_leave(&c);
	}
}

void descriptor_closing_range(struct arch_caller caller, unsigned from, unsigned to)
{
	unsigned top = shim ? atomic_load(&shim->descriptor_top) : 0;

	if (shim) {
		atomic_fetch_add(&shim->descriptor_epoch, 1);
	}
	if (shim && atomic_load(&shim->file_hold_count)) {
		top = DESCRIPTORS; /* a lock's descriptor need not have been read or written */
	}
	for (unsigned fd = from; fd <= to && fd < top; fd++) {
		descriptor_closing(caller, (int)fd);
	}
}

void descriptor_duplicated(struct arch_caller caller, int from, int to)
{
	struct descriptor copy;
	struct call c;
	bool locks;

	if (!shim || (unsigned)to >= DESCRIPTORS || from == to) {
		return;
	}
	atomic_fetch_add_explicit(&shim->descriptor_epoch, 1, memory_order_relaxed);
	locks = atomic_load_explicit(&shim->file_hold_count, memory_order_relaxed) != 0;
	if (!locks &&
	    ((unsigned)from >= DESCRIPTORS ||
	     (!shim->descriptor[from].channel && !bell_is_known(from))) &&
	    !shim->descriptor[to].channel && !bell_is_known(to)) {
		__atomic_store_n(&shim->descriptor[to].class, DESCRIPTOR_UNKNOWN, __ATOMIC_RELAXED);
		return;
	}
	if (!descriptor_begin(&c, caller)) {
		return;
	}
	descriptor_forget(&c, to);
	if ((unsigned)from < DESCRIPTORS) {
		spin_lock(&shim->ipc_lock);
		copy = shim->descriptor[from];
		spin_unlock(&shim->ipc_lock);
		if (copy.channel) {
			assign(to, copy.class, copy.ends, copy.channel);
		}
		spin_lock(&shim->ipc_lock);
		bell_duplicate(from, to);
		spin_unlock(&shim->ipc_lock);
	}
	if (locks) {
		file_locks_duplicated(from, to);
	}
	shim_leave(&c);
}

/* F_SETFL may have made it blocking or the other way, setsockopt gave it a timeout. */
void descriptor_changed(struct arch_caller caller, int fd)
{
	if (!shim || (unsigned)fd >= DESCRIPTORS) {
		return;
	}
	if (!shim->descriptor[fd].channel) {
		__atomic_store_n(&shim->descriptor[fd].class, DESCRIPTOR_UNKNOWN, __ATOMIC_RELAXED);
		return;
	}
	struct learnt l;
	struct call c;

	if (descriptor_begin(&c, caller)) {
		shim->descriptor[fd].uses = 0;
		if (look(fd, &l) && l.key.space) {
			__atomic_store_n(&shim->descriptor[fd].class, (uint8_t)l.class,
					 __ATOMIC_RELAXED);
		}
		shim_leave(&c);
	}
}

void descriptor_pair_made(struct arch_caller caller, const int *fd, unsigned count)
{
	struct named *n[2] = { NULL, NULL };
	struct call c;

	if (!descriptor_begin(&c, caller)) {
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		if ((unsigned)fd[i] < DESCRIPTORS) {
			descriptor_forget(&c, fd[i]);
			descriptor_learn(fd[i]);
			n[i] = shim->descriptor[fd[i]].channel;
		}
		if (n[i]) {
			n[i]->object.attributes = TF_CHANNEL_MADE_HERE;
		}
	}
	if (n[0] && n[1] && n[0] != n[1]) {
		n[0]->key.length = n[1]->key.ino;
		n[1]->key.length = n[0]->key.ino;
	}
	shim_leave(&c);
}

void descriptor_before_fork(struct call *c)
{
	unsigned top = atomic_load(&shim->descriptor_top);
	bool timed;

	for (unsigned fd = 0; fd < top; fd++) {
		struct named *n = shim->descriptor[fd].channel;

		if (n && !named_is_defined(n)) {
			descriptor_channel(c, (int)fd, &timed, true);
		}
	}
}

/* ---- what a new process has open ---- */

struct entry { /* as getdents64 writes it */
	uint64_t ino;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static int parse_number(const char *p)
{
	int n = 0;

	if (*p < '0' || *p > '9') {
		return -1;
	}
	for (; *p >= '0' && *p <= '9' && n < DESCRIPTORS; p++) {
		n = n * 10 + (*p - '0');
	}
	return n;
}

void descriptor_scan(void)
{
	_Alignas(8) char buffer[512]; /* stacks may be tiny */
	struct call c = { .s = shim_stream };
	unsigned seen = 0;
	bool timed;
	long own =
		sys4(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long n;

	if (own < 0) {
		return;
	}
	while (seen < SCAN_LIMIT && (n = sys3(SYS_getdents64, own, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n && seen < SCAN_LIMIT;) {
			const struct entry *e = (const void *)(buffer + at);
			int fd = parse_number(e->name);

			at += e->bytes;
			if (fd >= 0 && fd < DESCRIPTORS && fd != own) {
				seen++;
				descriptor_learn(fd);
				descriptor_channel(&c, fd, &timed, true);
			}
		}
	}
	sys1(SYS_close, own);
}
