/* SPDX-License-Identifier: MIT */
/*
 * wrap_block.c - the blocking calls: nearly all rows are generic (wrap_block.h).
 */
#include "wrap_block.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/poll.h>
#include <sys/time.h>

enum { SOCKET_DONTWAIT = 0x40 }; /* MSG_DONTWAIT */

/* A lookup's own error numbers, and a sleep's rest, count as success: nobody reads more of them. */
static inline int result_of(long rc)
{
	return rc == -1 ? errno : 0;
}
#define RESULT(rc) result_of((long)(rc))

/*
 * A stream that reads ahead waits when its buffer is empty. glibc's public struct _IO_FILE says so without a call; where another
 * thread changes it meanwhile, one wait is noted or not.
 */
static hot_inline bool stream_has_data(const FILE *f)
{
	return f->_IO_read_ptr < f->_IO_read_end;
}

#define ON_STREAM(f) ON_FD((f)->_fileno)

#include "../spec/primitives/block.def"

bool turn_awaits_answer_poll(uintptr_t array, unsigned long count)
{
	struct pollfd one;
	int given;

	if (likely(!shim_stream || !shim_stream->given)) {
		return false;
	}
	given = shim_stream->given;
	shim_stream->given = 0;
	return count == 1 && module_read(array, &one, sizeof(one)) && one.fd == given;
}

bool turn_awaits_answer_select(int count, uintptr_t readable)
{
	unsigned long word[FD_SETSIZE / (8 * sizeof(long))] = { 0 };
	const unsigned bits = 8 * sizeof(long);
	int given, found = 0;

	if (likely(!shim_stream || !shim_stream->given)) {
		return false;
	}
	given = shim_stream->given;
	shim_stream->given = 0;
	if (given < 0 || given >= count || count > FD_SETSIZE ||
	    !module_read(readable, word, ((size_t)count + bits - 1) / bits * sizeof(long)) ||
	    !(word[(unsigned)given / bits] >> ((unsigned)given % bits) & 1)) {
		return false;
	}
	for (int i = 0; i < count; i++) {
		found += (int)(word[(unsigned)i / bits] >> ((unsigned)i % bits) & 1);
	}
	return found == 1;
}

struct block_on block_polled(uintptr_t array)
{
	enum { DATA = POLLIN | POLLRDNORM, ROOM_ = POLLOUT | POLLWRNORM };
	struct pollfd one;

	if (!module_read(array, &one, sizeof(one)) || one.fd < 0 || one.fd >= DESCRIPTORS ||
	    (!(one.events & DATA) == !(one.events & ROOM_))) {
		return ON_NOTHING;
	}
	return (struct block_on){ one.events & DATA ? BLOCK_POLLED_DATA : BLOCK_POLLED_ROOM,
				  one.fd };
}

static struct named *queue_of(const struct block_on *on)
{
	struct identity key = { .space = TF_IDENTITY_QUEUE, .kind = TRACE_OBJECT_QUEUE };

	if (on->subject == BLOCK_SYSV_QUEUE) {
		key.dev = UINT64_MAX;
		key.ino = (uint32_t)on->id;
	} else if (!descriptor_inode(on->id, &key.dev, &key.ino)) {
		return NULL;
	}
	return named_lookup_or_add(&key);
}

uint32_t block_object(struct call *c, struct block_on on, unsigned *mode)
{
	struct named *n;
	bool timed;

	if (on.subject == BLOCK_DESCRIPTOR) {
		n = descriptor_channel(c, on.id, &timed, *mode & TRACE_MODE_SHARED);
		*mode |= timed ? TRACE_MODE_TIMED : 0;
		return n ? n->object.id : 0;
	}
	if (on.subject >= BLOCK_POLLED_DATA) {
		if (descriptor_class(on.id) == DESCRIPTOR_UNKNOWN) {
			descriptor_learn(on.id);
		}
		*mode |= on.subject == BLOCK_POLLED_DATA ? TRACE_MODE_SHARED : 0;
		n = descriptor_channel(c, on.id, &timed, true);
		return n ? n->object.id : 0;
	}
	n = queue_of(&on);
	if (n && !named_is_defined(n)) {
		char path[256];

		named_define(c, n,
			     on.subject == BLOCK_QUEUE && descriptor_path(on.id, path, sizeof(path))
				     ? path
				     : NULL,
			     TF_NAME_LIBC);
	}
	return n ? n->object.id : 0;
}

/* The number of a new connection may have been another thing whose close nobody saw. */
static int accepted(struct arch_caller caller, int fd)
{
	if (fd >= 0) {
		descriptor_closing(caller, fd);
	}
	return fd;
}

EXPORT int accept(int f, __SOCKADDR_ARG a, socklen_t *restrict l)
{
	struct call call;
	uint64_t note;
	int rc;

	if (!block_before(&call, ARCH_CALLER(), TRACE_CALL_ACCEPT, ON_FD(f), TRACE_MODE_SHARED,
			  &note)) {
		return accepted(ARCH_CALLER(), real_accept(f, a, l));
	}
	rc = real_accept(f, a, l);
	block_after(&call, note, note == 1 ? RESULT(rc) : 0, UINT64_MAX);
	return accepted(ARCH_CALLER(), rc);
}

EXPORT int accept4(int f, __SOCKADDR_ARG a, socklen_t *restrict l, int flags)
{
	struct call call;
	uint64_t note;
	int rc;

	if (!block_before(&call, ARCH_CALLER(), TRACE_CALL_ACCEPT, ON_FD(f), TRACE_MODE_SHARED,
			  &note)) {
		return accepted(ARCH_CALLER(), real_accept4(f, a, l, flags));
	}
	rc = real_accept4(f, a, l, flags);
	block_after(&call, note, note == 1 ? RESULT(rc) : 0, UINT64_MAX);
	return accepted(ARCH_CALLER(), rc);
}

EXPORT int pclose(FILE *f)
{
	struct call call;
	uint64_t note;
	int rc;

	if (f && f->_fileno >= 0) {
		descriptor_closing(ARCH_CALLER(), f->_fileno);
	}
	if (!block_before(&call, ARCH_CALLER(), TRACE_CALL_WAIT_CHILD, ON_NOTHING, 0, &note)) {
		return real_pclose(f);
	}
	rc = real_pclose(f);
	block_after(&call, note, note == 1 ? RESULT(rc) : 0, UINT64_MAX);
	return rc;
}
