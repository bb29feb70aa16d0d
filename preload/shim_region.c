/* SPDX-License-Identifier: MIT */
/*
 * shim_region.c - the trace's files: the shared mapping that survives a SIGKILL, and the file of
 * sealed segments.
 *
 * - Segments of the map are allocated (fallocate, or zeros written) before they are mapped: a
 *   sparse mapping on a full disk would kill the host
 *   with SIGBUS. RLIMIT_FSIZE is looked at before any growth, so no SIGXFSZ.
 * - Descriptors are shim_directory.c's.
 * - Sealed segments go to places reserved by an atomic add, so threads need no lock and a failed
 *   write leaves a hole that a reader
 *   can step over.
 *
 * Safety class SLOW (region_open: BOOT). Nothing here touches errno.
 */
#include "shim_bounded.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

enum { WINDOW_BYTES = WINDOW_SEGMENTS * TF_SEGMENT_BYTES, FREE_FLOOR_BYTES = 32 << 20 };

uint64_t region_mono_ns(void)
{
	struct timespec t = { 0 };

	sys2(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t region_ticks_us(uint64_t ticks)
{
	const struct tf_process *p = shim->process;
	uint64_t past, ns;

	if (p->last_ticks - p->start_ticks <
	    1u << 26) { /* the longer, the better known is the clock */
		region_calibrate();
	}
	past = p->last_ticks - p->start_ticks;
	ns = p->last_mono_ns - p->start_mono_ns;
	if (past < 1u << 12) { /* too early: one at 2.5 GHz */
		past = 156;
		ns = 1000;
	}
	ticks = (uint64_t)((double)ticks * (double)ns / (double)past / 1000);
	return ticks < INT32_MAX ? ticks : INT32_MAX;
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
	int fd = w < WINDOWS ? kept_file_get(&shim->map_file) : -1;
	bool allocated = fd >= 0 && allocate(fd, offset, WINDOW_BYTES);

	if (allocated) {
		shim->window[w] = map_shared(fd, offset, WINDOW_BYTES);
	}
	if (fd >= 0) {
		kept_file_put(&shim->map_file, fd);
	}
	if (!allocated || !shim->window[w]) {
		return false;
	}
	shim->segments_allocated += WINDOW_SEGMENTS;
	__atomic_store_n(&shim->process->segments, shim->segments_allocated, __ATOMIC_RELEASE);
	return true;
}

/* The map may grow if all files together stay `spare` bytes below the limit; the first window is free. */
static bool limit_allows_window(uint64_t spare)
{
	const struct tf_process *p = shim->process;
	uint64_t bytes = TF_HEADER_BYTES + (uint64_t)p->segments * TF_SEGMENT_BYTES + WINDOW_BYTES +
			 p->written_bytes + spare;

	return !p->max_bytes || !p->segments || bytes <= p->max_bytes;
}

static struct tf_segment *new_segment(uint64_t spare)
{
	struct tf_segment *s = NULL;

	spin_lock(&shim->region_lock);
	if (shim->segments_used == shim->segments_allocated && !limit_allows_window(spare)) {
		goto out;
	}
	if (shim->segments_used < shim->segments_allocated || add_window()) {
		uint32_t i = shim->segments_used++;

		s = (void *)(shim->window[i / WINDOW_SEGMENTS] +
			     (size_t)(i % WINDOW_SEGMENTS) * TF_SEGMENT_BYTES);
	} else {
		shim->process->flags |= TF_PROCESS_DISK_FULL;
	}
out:
	spin_unlock(&shim->region_lock);
	return s;
}

struct tf_segment *region_new_segment(void)
{
	return new_segment(0);
}

/* ---- definitions ---- */

/* Definitions leave room for threads and for facts: a host may have any number of live locks. */
static bool next_meta(void)
{
	struct tf_segment *s = new_segment(shim->process->max_bytes / 8);

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

void *region_define(struct tf_def *def, size_t head_bytes, const void *tail, size_t tail_bytes,
		    const void *tail2, size_t tail2_bytes)
{
	size_t bytes = (head_bytes + tail_bytes + tail2_bytes + 7) & ~(size_t)7;
	uint8_t *p = NULL;

	def->bytes = (uint32_t)bytes;
	if (unlikely(shim->by_id != NULL)) {
		bounded_defined(def);
	}
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
	return p;
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

/* Full mode goes so far that a quarter of the limit, and a ring for each thread, are left for the other. */
static bool is_time_for_bounded(uint64_t written)
{
	const struct tf_process *p = shim->process;
	uint64_t map = TF_HEADER_BYTES + (uint64_t)p->segments * TF_SEGMENT_BYTES;

	return shim->facts && (map + written) > p->max_bytes / 4 * 3;
}

bool region_write(const struct tf_segment *segment)
{
	struct tf_process *p = shim->process;
	uint64_t bytes = TF_SEGMENT_HEADER_BYTES + segment->committed, offset;
	int fd = -1;

	if (p->flags & (TF_PROCESS_FULL | TF_PROCESS_DISK_FULL)) {
		goto lost;
	}
	offset = __atomic_fetch_add(&p->written_bytes, bytes, __ATOMIC_RELAXED);
	if (p->max_bytes && !(p->flags & TF_PROCESS_BOUNDED) &&
	    is_time_for_bounded(offset + bytes)) {
		__atomic_fetch_or(&p->flags, TF_PROCESS_BOUNDED, __ATOMIC_RELAXED);
	}
	if (p->max_bytes && offset + bytes > p->max_bytes) {
		__atomic_fetch_or(&p->flags, TF_PROCESS_FULL, __ATOMIC_RELAXED);
		goto lost;
	}
	fd = kept_file_get(&shim->events_file);
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
	kept_file_put(&shim->events_file, fd);
	return true;
lost:
	if (fd >= 0) {
		kept_file_put(&shim->events_file, fd);
	}
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

static void read_command(char *to, size_t room)
{
	long fd = proc_self_open("cmdline");

	if (fd >= 0) {
		long n = sys3(SYS_read, fd, to, room - 1);

		to[n > 0 ? n : 0] = 0;
		if (shim_options.redact_args && n > 0) {
			size_t name = 0;

			while (to[name]) {
				name++;
			}
			__builtin_memset(to + name, 0, room - name);
		}
		sys1(SYS_close, fd);
	} else {
		links_program(to, room);
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

/* This image's files, for a forked child: not wiped. */
static struct parent {
	struct kept_file map, events;
	uint32_t image;
} parent_of_child = { .map.fd = -1, .events.fd = -1 };

static bool is_open(const struct kept_file *f)
{
	int fd = atomic_load(&f->fd);
	struct stat st;

	return fd >= 0 && sys2(SYS_fstat, fd, &st) == 0 && st.st_dev == f->dev &&
	       st.st_ino == f->ino;
}

/* A child has its parent's descriptors: they would add up from generation to generation. */
static void close_inherited(void)
{
	struct kept_file *files[] = { &parent_of_child.map, &parent_of_child.events };

	for (unsigned i = 0; i < 2; i++) {
		if (is_open(files[i])) {
			sys1(SYS_close, atomic_load(&files[i]->fd));
		}
		atomic_store(&files[i]->fd, -1);
	}
}

void region_tell_parent(void)
{
	struct tf_process *p = NULL;

	if (is_open(&parent_of_child.map)) {
		p = map_shared(atomic_load(&parent_of_child.map.fd), 0, TF_HEADER_BYTES);
	}
	if (p) {
		__atomic_fetch_add(&p->unrecorded_children, 1, __ATOMIC_RELAXED);
		sys2(SYS_munmap, p, TF_HEADER_BYTES);
	}
	close_inherited();
}

static void make_name(char *to, size_t room, uint64_t pid, uint32_t image, const char *suffix)
{
	const char *end = to + room - 1;
	char *p = append_number(to, end, pid);

	p = append_text(p, end, ".");
	p = append_number(p, end, image);
	append_text(p, end, suffix);
}

/* Did image `image` of this pid make way for us by exec, or is the pid an old one used again? */
static bool was_replaced(uint64_t pid, uint32_t image)
{
	struct tf_process head;
	int parent = directory_get(), fd = -1;
	char name[40];
	bool replaced = false;

	_Static_assert(sizeof(head) < 1024, "on a small stack");
	make_name(name, sizeof(name), pid, image, ".map");
	if (parent >= 0) {
		fd = (int)sys4(SYS_openat, parent, name, O_RDONLY | O_CLOEXEC, 0);
		directory_put(parent);
	}
	if (fd >= 0) {
		replaced = sys4(SYS_pread64, fd, &head, sizeof(head), 0) == sizeof(head) &&
			   head.exit_kind == TRACE_EXIT_EXEC;
		sys1(SYS_close, fd);
	}
	return replaced;
}

bool region_parent_is_recorded(void)
{
	int parent = directory_get(), fd = -1;
	char name[40];

	make_name(name, sizeof(name), (uint64_t)sys0(SYS_getppid), 1, ".map");
	if (parent >= 0) {
		fd = (int)sys4(SYS_openat, parent, name, O_RDONLY | O_CLOEXEC, 0);
		directory_put(parent);
	}
	if (fd >= 0) {
		sys1(SYS_close, fd);
	}
	return fd >= 0;
}

/* The map, under the first number that is free for this pid; 0 = none. */
static uint32_t create_map(uint64_t pid)
{
	char name[40];

	for (uint32_t image = 1; image < 10000; image++) {
		int rc;

		make_name(name, sizeof(name), pid, image, ".map");
		rc = kept_file_create(&shim->map_file, name);
		if (rc == 0) {
			return image;
		}
		if (rc != -17) { /* EEXIST: an earlier image of this pid */
			return 0;
		}
	}
	return 0;
}

void *region_map(int fd, uint64_t offset, uint64_t bytes)
{
	return disk_has_room(fd, offset, bytes) && allocate(fd, offset, bytes)
		       ? map_shared(fd, offset, bytes)
		       : NULL;
}

void region_name(char *to, size_t room, const char *suffix)
{
	make_name(to, room, shim->process->pid, parent_of_child.image, suffix);
}

/* ThreadSanitizer's log of the image that exec replaced: this one's run time would begin it anew. */
static void keep_log(uint64_t pid, uint32_t image)
{
	char name[40], kept[40];
	const char *end = kept + sizeof(kept) - 1;
	int directory = directory_get();

	append_number(append_text(name, name + sizeof(name) - 1, TF_TSAN_LOG "."),
		      name + sizeof(name) - 1, pid);
	append_number(append_text(append_number(append_text(kept, end, TF_TSAN_LOG "."), end, pid),
				  end, "."),
		      end, image);
	if (directory >= 0) {
		sys4(SYS_renameat, directory, name, directory, kept);
		directory_put(directory);
	}
}

bool region_open(const char *dir)
{
	uint64_t pid = (uint64_t)sys0(SYS_getpid);
	uint32_t parent_image = parent_of_child.image, image;
	char name[40];
	bool ready;
	int fd;

	if (!directory_open(dir)) {
		return false;
	}
	image = create_map(pid);
	if (!image) {
		return false;
	}
	make_name(name, sizeof(name), pid, image, ".events");
	kept_file_create(&shim->events_file, name); /* without it the rings still tell */
	fd = kept_file_get(&shim->map_file);
	if (fd < 0) {
		return false;
	}
	if (allocate(fd, 0, TF_HEADER_BYTES)) {
		shim->process = map_shared(fd, 0, TF_HEADER_BYTES);
	}
	kept_file_put(&shim->map_file, fd);
	if (!shim->process) {
		return false;
	}
	fill_header(shim->process, parent_image);
	if (image > 1 && was_replaced(pid, image - 1)) {
		shim->process->exec_pid_image = image - 1;
		keep_log(pid, image - 1);
	}
	spin_lock(&shim->region_lock);
	ready = add_window();
	spin_unlock(&shim->region_lock);
	if (ready) {
		close_inherited();
		parent_of_child = (struct parent){ shim->map_file, shim->events_file, image };
	} else {
		shim->process->flags |= TF_PROCESS_DISK_FULL | TF_PROCESS_OFF;
	}
	return ready;
}

/* Pages from `from` up to `to`, as offsets in the map file. */
static void punch(int fd, uint64_t from, uint64_t to)
{
	enum { KEEP_SIZE = 1, PUNCH_HOLE = 2 };

	from = (from + 4095) & ~(uint64_t)4095;
	if (from < to) {
		sys4(SYS_fallocate, fd, KEEP_SIZE | PUNCH_HOLE, from, to - from);
	}
}

void region_untrim(void)
{
	int fd = kept_file_get(&shim->map_file);
	uint64_t bytes = TF_HEADER_BYTES + (uint64_t)shim->segments_allocated * TF_SEGMENT_BYTES;

	if (fd < 0 || !allocate(fd, 0, bytes)) {
		shim->process->flags |= TF_PROCESS_DISK_FULL | TF_PROCESS_OFF;
		atomic_store(&shim->state, SHIM_OFF);
	}
	kept_file_put(&shim->map_file, fd);
}

/*
 * Only what nobody writes to any more: segments never given out, and the rest of the newest segment of
 * definitions and of the only stream. A page that is written all the same is allocated then.
 */
void region_trim(void)
{
	int fd = kept_file_get(&shim->map_file);

	if (fd < 0) {
		return;
	}
	spin_lock(&shim->region_lock);
	for (uint32_t i = 0; i < shim->segments_allocated; i++) {
		uint64_t start = TF_HEADER_BYTES + (uint64_t)i * TF_SEGMENT_BYTES;
		const struct tf_segment *s =
			(const void *)(shim->window[i / WINDOW_SEGMENTS] +
				       (size_t)(i % WINDOW_SEGMENTS) * TF_SEGMENT_BYTES);
		uint64_t used = TF_SEGMENT_HEADER_BYTES + 2048;

		if (i >= shim->segments_used) {
			punch(fd, start, start + TF_SEGMENT_BYTES);
		} else if (s->kind == TF_SEGMENT_META ||
			   (s->kind == TF_SEGMENT_STREAM && shim->stream_count == 1)) {
			punch(fd, start + used + s->committed, start + TF_SEGMENT_BYTES);
		}
	}
	spin_unlock(&shim->region_lock);
	kept_file_put(&shim->map_file, fd);
}
