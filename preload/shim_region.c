/* SPDX-License-Identifier: MIT */
/*
 * shim_region.c - the trace's files: the shared mapping that survives a SIGKILL, and the file of
 * sealed segments.
 *
 * - Segments of the map are allocated (fallocate, or zeros written) before they are mapped: a
 *   sparse mapping on a full disk would kill the host
 *   with SIGBUS. RLIMIT_FSIZE is looked at before any growth, so no SIGXFSZ.
 * - Descriptors are kept high and close-on-exec; before each use fstat proves that the host has not
 *   closed them and got the number for
 *   something else; then the file is opened again by its path.
 * - Sealed segments go to places reserved by an atomic add, so threads need no lock and a failed
 *   write leaves a hole that a reader
 *   can step over.
 *
 * Safety class SLOW (region_open: BOOT). Nothing here touches errno.
 */
#include "shim.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

enum {
	FD_FLOOR = 512,
	WINDOW_BYTES = WINDOW_SEGMENTS * TF_SEGMENT_BYTES,
	FREE_FLOOR_BYTES = 32 << 20
};

uint64_t region_mono_ns(void)
{
	struct timespec t = { 0 };

	sys2(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void region_calibrate(void)
{
	shim->process->last_mono_ns = region_mono_ns();
	shim->process->last_ticks = arch_ticks();
}

void *shim_pages(size_t bytes)
{
	long p = sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p < 0 && p > -4096) {
		return NULL;
	}
	if (sys3(SYS_madvise, p, bytes, MADV_WIPEONFORK) <
	    0) { /* Linux before 4.14: a forked child could not be told apart */
		sys2(SYS_munmap, p, bytes);
		return NULL;
	}
	return (void *)p;
}

void *shim_alloc(size_t bytes)
{
	enum { ARENA_BYTES = 1 << 20 };
	void *p = NULL;

	bytes = (bytes + 15) & ~(size_t)15;
	spin_lock(&shim->region_lock);
	if ((size_t)(shim->arena_end - shim->arena) < bytes) {
		shim->arena = shim_pages(ARENA_BYTES);
		shim->arena_end = shim->arena ? shim->arena + ARENA_BYTES : NULL;
	}
	if (shim->arena && bytes <= ARENA_BYTES) {
		p = shim->arena;
		shim->arena += bytes;
	}
	spin_unlock(&shim->region_lock);
	return p;
}

/* ---- descriptors ---- */

static int keep_high(int fd)
{
	int high = (int)sys3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FD_FLOOR);

	if (high < 0) {
		high = (int)sys3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 100); /* a low RLIMIT_NOFILE */
	}
	if (high < 0) {
		return fd;
	}
	sys1(SYS_close, fd);
	return high;
}

static bool is_ours(int fd, uint64_t dev, uint64_t ino)
{
	struct stat st;

	return fd >= 0 && sys2(SYS_fstat, fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int reopen(int *fd, const char *path, uint64_t dev, uint64_t ino)
{
	if (!is_ours(*fd, dev, ino)) {
		int again = (int)sys4(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);

		if (again >= 0 && !is_ours(again, dev, ino)) {
			sys1(SYS_close, again);
			again = -1;
		}
		*fd = again < 0 ? -1 : keep_high(again);
	}
	return *fd;
}

static bool may_grow_to(uint64_t bytes)
{
	struct rlimit limit;

	return sys4(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit) < 0 ||
	       limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes;
}

/* ---- the map ---- */

static bool allocate(int fd, uint64_t offset, uint64_t bytes)
{
	static const char zeros[4096];
	long r;

	if (!may_grow_to(offset + bytes)) {
		return false;
	}
	r = sys4(SYS_fallocate, fd, 0, offset, bytes);
	if (r == 0) {
		return true;
	}
	if (r != -95 && r != -38) { /* EOPNOTSUPP, ENOSYS: a file system without it */
		return false;
	}
	for (uint64_t done = 0; done < bytes;) {
		uint64_t n = bytes - done < sizeof(zeros) ? bytes - done : sizeof(zeros);

		r = sys4(SYS_pwrite64, fd, zeros, n, offset + done);
		if (r <= 0) {
			return false;
		}
		done += (uint64_t)r;
	}
	return true;
}

static void *map_shared(int fd, uint64_t offset, uint64_t bytes)
{
	long p = sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      (long)offset);

	if (p < 0 && p > -4096) {
		return NULL;
	}
	sys3(SYS_madvise, p, bytes, MADV_DONTFORK);
	return (void *)p;
}

static bool add_window(void)
{
	uint32_t w = shim->segments_allocated / WINDOW_SEGMENTS;
	uint64_t offset = TF_HEADER_BYTES + (uint64_t)w * WINDOW_BYTES;
	int fd = reopen(&shim->map_fd, shim->map_path, shim->map_dev, shim->map_ino);

	if (w >= WINDOWS || fd < 0 || !allocate(fd, offset, WINDOW_BYTES)) {
		return false;
	}
	shim->window[w] = map_shared(fd, offset, WINDOW_BYTES);
	if (!shim->window[w]) {
		return false;
	}
	shim->segments_allocated += WINDOW_SEGMENTS;
	__atomic_store_n(&shim->process->segments, shim->segments_allocated, __ATOMIC_RELEASE);
	return true;
}

struct tf_segment *region_new_segment(void)
{
	struct tf_segment *s = NULL;

	spin_lock(&shim->region_lock);
	if (shim->segments_used < shim->segments_allocated || add_window()) {
		uint32_t i = shim->segments_used++;

		s = (void *)(shim->window[i / WINDOW_SEGMENTS] +
			     (size_t)(i % WINDOW_SEGMENTS) * TF_SEGMENT_BYTES);
	} else {
		shim->process->flags |= TF_PROCESS_DISK_FULL;
	}
	spin_unlock(&shim->region_lock);
	return s;
}

/* ---- definitions ---- */

static bool next_meta(void)
{
	struct tf_segment *s = region_new_segment();

	if (!s) {
		return false;
	}
	s->stream = shim->meta_stream;
	s->chunk = shim->meta ? shim->meta->chunk + 1 : 0;
	s->base_ticks = arch_ticks();
	s->base_mono_ns = region_mono_ns();
	__atomic_store_n(&s->kind, TF_SEGMENT_META, __ATOMIC_RELEASE);
	shim->meta = s;
	return true;
}

void region_define(struct tf_def *def, size_t head_bytes, const void *tail, size_t tail_bytes,
		   const void *tail2, size_t tail2_bytes)
{
	size_t bytes = (head_bytes + tail_bytes + tail2_bytes + 7) & ~(size_t)7;
	uint8_t *p;

	def->bytes = (uint32_t)bytes;
	spin_lock(&shim->meta_lock);
	if (bytes > TF_PAYLOAD_BYTES ||
	    ((!shim->meta || shim->meta->committed + bytes > TF_PAYLOAD_BYTES) && !next_meta())) {
		shim->process->lost_defs++;
	} else {
		p = (uint8_t *)shim->meta + TF_SEGMENT_HEADER_BYTES + shim->meta->committed;
		__builtin_memcpy(p, def, head_bytes);
		if (tail_bytes) {
			__builtin_memcpy(p + head_bytes, tail, tail_bytes);
		}
		if (tail2_bytes) {
			__builtin_memcpy(p + head_bytes + tail_bytes, tail2, tail2_bytes);
		}
		shim->meta->events++;
		__atomic_store_n(&shim->meta->committed, shim->meta->committed + (uint32_t)bytes,
				 __ATOMIC_RELEASE);
	}
	spin_unlock(&shim->meta_lock);
}

/* ---- sealed segments ---- */

/* Each time the file passes 16 MiB more: does the disk have room left for others? */
static bool disk_has_room(int fd, uint64_t offset, uint64_t bytes)
{
	struct statfs st;

	if (offset >> 24 == (offset + bytes) >> 24 || sys2(SYS_fstatfs, fd, &st) < 0) {
		return true;
	}
	return (uint64_t)st.f_bavail * (uint64_t)st.f_bsize > FREE_FLOOR_BYTES;
}

bool region_write(const struct tf_segment *segment)
{
	struct tf_process *p = shim->process;
	uint64_t bytes = TF_SEGMENT_HEADER_BYTES + segment->committed, offset;
	int fd;

	if (p->flags & (TF_PROCESS_FULL | TF_PROCESS_DISK_FULL)) {
		goto lost;
	}
	offset = __atomic_fetch_add(&p->written_bytes, bytes, __ATOMIC_RELAXED);
	if (p->max_bytes && offset + bytes > p->max_bytes) {
		__atomic_fetch_or(&p->flags, TF_PROCESS_FULL, __ATOMIC_RELAXED);
		goto lost;
	}
	fd = reopen(&shim->events_fd, shim->events_path, shim->events_dev, shim->events_ino);
	if (fd < 0 || !may_grow_to(offset + bytes) || !disk_has_room(fd, offset, bytes)) {
		__atomic_fetch_or(&p->flags, TF_PROCESS_DISK_FULL, __ATOMIC_RELAXED);
		goto lost;
	}
	for (uint64_t done = 0; done < bytes;) {
		long n = sys4(SYS_pwrite64, fd, (const uint8_t *)segment + done, bytes - done,
			      offset + done);

		if (n == -4) { /* EINTR */
			continue;
		}
		if (n <= 0) {
			__atomic_fetch_or(&p->flags, TF_PROCESS_DISK_FULL, __ATOMIC_RELAXED);
			goto lost;
		}
		done += (uint64_t)n;
	}
	return true;
lost:
	__atomic_fetch_add(&p->lost_chunks, 1, __ATOMIC_RELAXED);
	return false;
}

/* ---- opening ---- */

static char *append_text(char *to, const char *end, const char *text)
{
	while (*text && to < end) {
		*to++ = *text++;
	}
	*to = 0;
	return to;
}

static char *append_number(char *to, const char *end, uint64_t v)
{
	char digits[24];
	size_t n = sizeof(digits) - 1;

	digits[n] = 0;
	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return append_text(to, end, digits + n);
}

/* Absolute, since the host may chdir. */
static bool make_directory(const char *dir, char *ret_path, size_t room)
{
	char *p = ret_path, *end = ret_path + room - 64;

	if (dir[0] != '/') {
		long n = sys2(SYS_getcwd, ret_path, room - 64);

		if (n <= 0) {
			return false;
		}
		p += n - 1;
		p = append_text(p, end, "/");
	}
	p = append_text(p, end, dir);
	if (p >= end) {
		return false;
	}
	sys3(SYS_mkdirat, AT_FDCWD, ret_path, 0700);
	return true;
}

static int create_file(const char *path, uint64_t *ret_dev, uint64_t *ret_ino)
{
	struct stat st;
	int fd = (int)sys4(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		return fd;
	}
	fd = keep_high(fd);
	if (sys2(SYS_fstat, fd, &st) < 0) {
		return -1;
	}
	*ret_dev = st.st_dev;
	*ret_ino = st.st_ino;
	return fd;
}

static void read_command(char *to, size_t room)
{
	long fd = sys4(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);

	if (fd >= 0) {
		long n = sys3(SYS_read, fd, to, room - 1);

		to[n > 0 ? n : 0] = 0;
		sys1(SYS_close, fd);
	}
}

static void fill_header(struct tf_process *p, uint32_t parent_image)
{
	struct timespec real = { 0 };

	sys2(SYS_clock_gettime, CLOCK_REALTIME, &real);
	p->major = TF_MAJOR;
	p->minor = TF_MINOR;
	p->header_bytes = TF_HEADER_BYTES;
	p->segment_bytes = TF_SEGMENT_BYTES;
	p->pid = (uint32_t)sys0(SYS_getpid);
	p->ppid = (uint32_t)sys0(SYS_getppid);
	p->parent_image = parent_image;
	p->start_ticks = p->last_ticks = arch_ticks();
	p->start_mono_ns = p->last_mono_ns = region_mono_ns();
	p->start_real_ns = (uint64_t)real.tv_sec * 1000000000u + (uint64_t)real.tv_nsec;
	p->max_bytes = shim_options.max_size;
	for (unsigned i = 0; i < TF_OPS; i++) {
		p->op_fields[i] = 0xff;
	}
/* Juxtaposed field letters count themselves: O S A -> +0x41 +1 +1. */
#define O +0x41 /* bit 6: the first field is O */
#define P +1
#define S +1
#define A +1
#define R +1
#define EVENT(num, NAME, word, fields, doc) p->op_fields[num] = (uint8_t)(0 fields_count(fields));
#define fields_count(...) TF_STRIP(__VA_ARGS__)
#define TF_STRIP(...) __VA_ARGS__
#include "../spec/events.def"
#undef EVENT
#undef O
#undef P
#undef S
#undef A
#undef R
	read_command(p->command, sizeof(p->command));
	__builtin_memcpy(p->magic, TF_MAGIC, 8);
}

bool region_open(const char *dir)
{
	static uint32_t last_image; /* not wiped by fork: a child learns its parent's */
	uint32_t parent_image = last_image;
	uint64_t pid = (uint64_t)sys0(SYS_getpid);
	static char base[4096];
	int fd = -1;

	if (!make_directory(dir, base, sizeof(base))) {
		return false;
	}
	for (uint32_t image = 1; image < 10000; image++) {
		char *end = shim->map_path + sizeof(shim->map_path) - 1;
		char *p = append_text(shim->map_path, end, base);
		char *stem;

		p = append_text(p, end, "/");
		p = append_number(p, end, pid);
		p = append_text(p, end, ".");
		stem = append_number(p, end, image);
		append_text(stem, end, ".map");
		fd = create_file(shim->map_path, &shim->map_dev, &shim->map_ino);
		if (fd >= 0) {
			size_t n = (size_t)(stem - shim->map_path);

			__builtin_memcpy(shim->events_path, shim->map_path, n);
			append_text(shim->events_path + n,
				    shim->events_path + sizeof(shim->events_path) - 1, ".events");
			last_image = image;
			break;
		}
		if (fd != -17) { /* EEXIST: an earlier image of this pid */
			return false;
		}
	}
	if (fd < 0) {
		return false;
	}
	shim->map_fd = fd;
	shim->events_fd = create_file(shim->events_path, &shim->events_dev, &shim->events_ino);
	if (!allocate(fd, 0, TF_HEADER_BYTES)) {
		return false;
	}
	shim->process = map_shared(fd, 0, TF_HEADER_BYTES);
	if (!shim->process) {
		return false;
	}
	fill_header(shim->process, parent_image);
	spin_lock(&shim->region_lock);
	bool ready = add_window();

	spin_unlock(&shim->region_lock);
	return ready;
}
