/* SPDX-License-Identifier: MIT */
/*
 * tsan_openmp.c - the order that OpenMP keeps: teams, barriers, tasks. GCC's run-time library is not compiled with -fsanitize=thread
 * and waits by instructions of its own, so nothing of it is seen from outside but its entries, which the compiler calls. (libgomp of
 * gcc 12; older entries that it keeps for old programs are left alone.) Locks and critical sections are events: preload/wrap_openmp.c.
 *
 * Everything goes through to the library of the caller. A body that a team or a task runs is wrapped in one of ours, which says where
 * it begins and ends: for a team by a struct on the stack of who waits for it, for a task by a header before the copy of its data.
 * Too much order is harmless here, too little is a false alarm.
 */
#define _GNU_SOURCE
#include "tsan.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

/* Of the flags of GOMP_task and GOMP_taskloop. */
enum {
	TASK_DEPEND = 1 << 3,
	TASK_NOGROUP = 1 << 11,
	TASK_REDUCTION = 1 << 12,
	TASK_DETACH = 1 << 13
};

enum {
	FRONT = 3,	   /* words before a task's header that the library may write or read */
	TASK_BYTES = 2048, /* of a header and data; larger tasks are not wrapped */
	TASK_ALIGN_MOST = 64,
	DEPENDS =
		16, /* of one task; of more the first ones, and it is ordered with all that have more */
	TASK_KEYS = 1 << 16, /* then they are used again */
	SITES = 1024
};

/*
 * Addresses that nothing of a program lies at. MANY: of tasks with more depend clauses than there is room for, come before all that
 * have one; ANY: the other way round.
 */
#define KEY_TASKS (UINT64_C(1) << 47)
#define KEY_MANY (KEY_TASKS + 8 * (TASK_KEYS + 1))
#define KEY_ANY (KEY_MANY + 8)
#define KEY_DETACHED (KEY_MANY + 16)
#define KEY_DEPEND(address) ((uintptr_t)(address) | UINT64_C(3) << 46)

typedef void omp_body(void *data);

/* A team at work. Only the addresses of its words count, but for the first three. */
struct omp_team {
	void *first; /* what the library expects in front of the data: of reductions */
	omp_body *body;
	void *data;
	uint64_t begin, end, phase[2], tasks, copied, ordered;
};

/* What a thread is in: an implicit task of a team or an explicit one. On its stack. */
struct omp_here {
	struct omp_team *team;
	unsigned phase;	   /* barriers that it went through */
	uint64_t children; /* its address is what tasks that it made release */
};

static __thread struct omp_here *omp_now __attribute__((tls_model("initial-exec")));

#define HERE CALLER_PC(), CALLER_SP()
#define KEY(word) ((uintptr_t) & (word))

/* ---- the real ones ---- */

/* Where a call comes from, and what it means there: a process may have several copies of the library. Filled once. */
static struct {
	_Atomic uintptr_t key; /* 1 = being filled */
	void *real;
} sites[SITES];

/* SLOW: the first time at a place. */
static void *omp_search(const char *name, void *ours, uintptr_t pc)
{
	struct link_map *from;
	void *found = NULL, *scope;
	Dl_info info;

	if (dladdr1((void *)pc, &info, (void **)&from, RTLD_DL_LINKMAP) && from->l_name[0]) {
		scope = dlopen(from->l_name, RTLD_LAZY | RTLD_NOLOAD);
		found = scope ? dlsym(scope, name) : NULL;
		if (scope) {
			dlclose(scope);
		}
	}
	return found && found != ours ? found : tsan_real(name, "");
}

static void *omp_real(const char *name, void *ours, uintptr_t pc)
{
	uintptr_t key = pc ^ (uintptr_t)ours << 16, empty = 0;
	unsigned slot = (unsigned)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 54);
	int error = errno;
	void *real;

	if (likely(atomic_load_explicit(&sites[slot].key, memory_order_acquire) == key)) {
		return sites[slot].real;
	}
	real = omp_search(name, ours, pc);
	if (atomic_compare_exchange_strong(&sites[slot].key, &empty, 1)) {
		sites[slot].real = real;
		atomic_store_explicit(&sites[slot].key, key, memory_order_release);
	}
	errno = error;
	return real;
}

#define REAL(name) ((__typeof__(&(name)))omp_real(#name, (void *)&(name), CALLER_PC()))

/* ---- teams ---- */

static void team_body(void *data)
{
	struct omp_team *team = data;
	struct omp_here here = { .team = team }, *outer = omp_now;

	sync_acquire(KEY(team->begin), HERE);
	omp_now = &here;
	team->body(team->data);
	omp_now = outer;
	sync_release(KEY(team->end), HERE);
}

static void team_ended(struct omp_team *team, uintptr_t pc, uintptr_t sp)
{
	sync_acquire(KEY(team->end), pc, sp);
	sync_acquire(KEY(team->tasks), pc, sp);
}

/* All take a body and its data first, and then words: those that one does not have are not looked at. */
#define TEAM(type, name, front)                                                              \
	EXPORT type name(omp_body *body, void *data, long a, long b, long c, long d, long e, \
			 long f)                                                             \
	{                                                                                    \
		struct omp_team team = { .first = (front), .body = body, .data = data };     \
		type result;                                                                 \
                                                                                             \
		sync_release(KEY(team.begin), HERE);                                         \
		result = REAL(name)(team_body, &team, a, b, c, d, e, f);                     \
		team_ended(&team, HERE);                                                     \
		return result;                                                               \
	}

/* `long` where they return nothing: what is in the register is passed on. */
TEAM(long, GOMP_parallel, NULL)
TEAM(long, GOMP_parallel_loop_static, NULL)
TEAM(long, GOMP_parallel_loop_dynamic, NULL)
TEAM(long, GOMP_parallel_loop_guided, NULL)
TEAM(long, GOMP_parallel_loop_runtime, NULL)
TEAM(long, GOMP_parallel_loop_nonmonotonic_dynamic, NULL)
TEAM(long, GOMP_parallel_loop_nonmonotonic_guided, NULL)
TEAM(long, GOMP_parallel_loop_nonmonotonic_runtime, NULL)
TEAM(long, GOMP_parallel_loop_maybe_nonmonotonic_runtime, NULL)
TEAM(long, GOMP_parallel_sections, NULL)
TEAM(unsigned, GOMP_parallel_reductions, *(void **)data)
TEAM(long, GOMP_teams_reg, NULL)

/* ---- barriers ---- */

/* Two words in turn: who leaves this one late does not see what others did before the next. */
static uintptr_t barrier_reached(uintptr_t pc, uintptr_t sp)
{
	uintptr_t key;

	if (!omp_now) {
		return 0;
	}
	key = KEY(omp_now->team->phase[omp_now->phase++ % 2]);
	sync_release(key, pc, sp);
	return key;
}

static void barrier_left(uintptr_t key, uintptr_t pc, uintptr_t sp)
{
	if (key) {
		sync_acquire(key, pc, sp);
		sync_acquire(KEY(omp_now->team->tasks), pc, sp);
	}
}

#define BARRIER(type, name, params, args)              \
	EXPORT type name params                        \
	{                                              \
		uintptr_t key = barrier_reached(HERE); \
		type result = REAL(name) args;         \
                                                       \
		barrier_left(key, HERE);               \
		return result;                         \
	}

BARRIER(long, GOMP_barrier, (void), ())
BARRIER(long, GOMP_loop_end, (void), ())
BARRIER(long, GOMP_sections_end, (void), ())
BARRIER(long, GOMP_workshare_task_reduction_unregister, (bool cancelled), (cancelled))
BARRIER(bool, GOMP_barrier_cancel, (void), ())
BARRIER(bool, GOMP_loop_end_cancel, (void), ())
BARRIER(bool, GOMP_sections_end_cancel, (void), ())

/* ---- one after the other ---- */

#define BEFORE(word)                                          \
	if (omp_now) {                                        \
		sync_release(KEY(omp_now->team->word), HERE); \
	}
#define AFTER(word)                                           \
	if (omp_now) {                                        \
		sync_acquire(KEY(omp_now->team->word), HERE); \
	}

EXPORT void *GOMP_single_copy_start(void)
{
	void *data = REAL(GOMP_single_copy_start)();

	AFTER(copied)
	return data;
}

EXPORT void GOMP_single_copy_end(void *data)
{
	/* It waits for all others, after they have it. */
	uintptr_t key = omp_now ? KEY(omp_now->team->copied) : 0;

	if (key) {
		sync_release(key, HERE);
	}
	REAL(GOMP_single_copy_end)(data);
}

EXPORT void GOMP_ordered_start(void)
{
	REAL(GOMP_ordered_start)();
	AFTER(ordered)
}

EXPORT void GOMP_ordered_end(void)
{
	BEFORE(ordered)
	REAL(GOMP_ordered_end)();
}

EXPORT void GOMP_doacross_post(long *counts)
{
	BEFORE(ordered)
	REAL(GOMP_doacross_post)(counts);
}

EXPORT void GOMP_doacross_ull_post(unsigned long *counts)
{
	BEFORE(ordered)
	REAL(GOMP_doacross_ull_post)(counts);
}

/* Of any number of words: more than there are is harmless, they are on the caller's stack. */
#define DOACROSS_WAIT(name)                                                                      \
	EXPORT void name(long a, long b, long c, long d, long e, long f, long g, long h, long i, \
			 long j, long k, long l)                                                 \
	{                                                                                        \
		REAL(name)(a, b, c, d, e, f, g, h, i, j, k, l);                                  \
		AFTER(ordered)                                                                   \
	}
DOACROSS_WAIT(GOMP_doacross_wait)
DOACROSS_WAIT(GOMP_doacross_ull_wait)

/* ---- tasks ---- */

/* What a task writes and reads, by its depend clauses. */
struct omp_depends {
	uint32_t count, writes; /* the first `writes` of them are written */
	bool more;		/* than there is room for */
	uintptr_t address[DEPENDS];
};

/* Before the copy of a task's data. */
struct omp_task {
	void *front[FRONT];
	omp_body *body;
	void (*copy)(void *to, void *from);
	void *data; /* of who makes it */
	size_t bytes, data_at;
	unsigned flags;
	bool is_loop;
	uintptr_t key, children;
	struct omp_team *team;
	struct omp_depends depends;
};

/* The library's layout: the number, then how many are written, then addresses; or 0, the number, written, exclusive, read, and so on. */
static void depends_read(struct omp_depends *d, void **list)
{
	uintptr_t counts[4] = { 0 };
	size_t first = 2;

	d->count = d->writes = 0;
	d->more = false;
	if (!list) {
		return;
	}
	counts[0] = (uintptr_t)list[0];
	counts[1] = (uintptr_t)list[1];
	if (!counts[0]) {
		counts[0] = (uintptr_t)list[1];
		counts[1] = (uintptr_t)list[2] + (uintptr_t)list[3];
		/* Objects that say it themselves come last; what they mean is the library's. */
		d->more = counts[0] > counts[1] + (uintptr_t)list[4];
		counts[0] -= d->more ? counts[0] - counts[1] - (uintptr_t)list[4] : 0;
		first = 5;
	}
	for (size_t i = 0; i < counts[0] && i < DEPENDS; i++) {
		d->address[d->count++] = (uintptr_t)list[first + i];
		d->writes += i < counts[1];
	}
	d->more |= counts[0] > DEPENDS;
}

/* Two keys an address: who writes comes after all, who reads after who wrote. */
static void depends_begin(const struct omp_depends *d, uintptr_t pc, uintptr_t sp)
{
	for (uint32_t i = 0; i < d->count; i++) {
		sync_acquire(KEY_DEPEND(d->address[i] * 2), pc, sp);
		if (i < d->writes) {
			sync_acquire(KEY_DEPEND(d->address[i] * 2 + 1), pc, sp);
		}
	}
	if (d->count) {
		sync_acquire(KEY_MANY, pc, sp);
	}
	if (d->more) {
		sync_acquire(KEY_ANY, pc, sp);
	}
}

static void depends_end(const struct omp_depends *d, uintptr_t pc, uintptr_t sp)
{
	for (uint32_t i = 0; i < d->count; i++) {
		sync_release(KEY_DEPEND(d->address[i] * 2 + (i >= d->writes)), pc, sp);
	}
	if (d->count) {
		sync_release(KEY_ANY, pc, sp);
	}
	if (d->more) {
		sync_release(KEY_MANY, pc, sp);
	}
}

static void task_body(void *memory)
{
	struct omp_task *task = memory;
	struct omp_here here = { .team = task->team }, *outer = omp_now;
	void **data = (void **)((char *)memory + task->data_at);

	if (task->is_loop || task->flags & TASK_DETACH) {
		memcpy(data, task->front, task->is_loop ? 2 * sizeof(void *) : sizeof(void *));
	}
	sync_acquire(task->key, HERE);
	depends_begin(&task->depends, HERE);
	omp_now = &here;
	task->body(data);
	omp_now = outer;
	depends_end(&task->depends, HERE);
	sync_release(task->children, HERE);
	sync_release(KEY(task->team->tasks), HERE);
}

/* The library copies a task: the header, then as the program wants it. */
static void task_copy(void *to, void *from)
{
	struct omp_task *task = from;

	memcpy(to, from, sizeof(*task));
	task->copy((char *)to + task->data_at, task->data);
	sync_release(task->key, HERE);
}

static uintptr_t new_key(void)
{
	static _Atomic uint32_t next;

	return KEY_TASKS + 8 * (atomic_fetch_add(&next, 1) % TASK_KEYS);
}

struct omp_making {
	void *data;
	void (*copy)(void *to, void *from);
	long bytes, align;
};

/* False: it goes to the library as it is. `memory`: TASK_BYTES. */
static bool task_make(struct omp_task *task, struct omp_making *m, omp_body *body, bool is_loop,
		      unsigned flags, uintptr_t pc, uintptr_t sp)
{
	size_t align = m->align < 16 ? 16 : (size_t)m->align;

	if (!omp_now || m->bytes < 0 || align > TASK_ALIGN_MOST ||
	    (size_t)m->bytes + sizeof(*task) + align > TASK_BYTES) {
		return false;
	}
	memset(task->front, 0, sizeof(task->front));
	if (flags & TASK_REDUCTION && m->bytes >= (long)sizeof(task->front)) {
		memcpy(task->front, m->data, sizeof(task->front));
	}
	task->body = body;
	task->copy = m->copy;
	task->data = m->data;
	task->bytes = (size_t)m->bytes;
	task->data_at = (sizeof(*task) + align - 1) / align * align;
	task->flags = flags;
	task->is_loop = is_loop;
	task->key = new_key();
	task->children = KEY(omp_now->children);
	task->team = omp_now->team;
	task->depends = (struct omp_depends){ 0 };
	if (!m->copy) {
		memcpy((char *)task + task->data_at, m->data, task->bytes);
		sync_release(task->key, pc, sp);
	}
	*m = (struct omp_making){ task, m->copy ? task_copy : NULL, (long)task->data_at + m->bytes,
				  (long)align };
	return true;
}

#define TASK_MEMORY __attribute__((aligned(TASK_ALIGN_MOST))) char memory[TASK_BYTES]

EXPORT void GOMP_task(omp_body *body, void *data, void (*copy)(void *, void *), long bytes,
		      long align, bool deferred, unsigned flags, void **depend, int priority,
		      void *detach)
{
	TASK_MEMORY;
	struct omp_task *task = (struct omp_task *)memory;
	struct omp_making m = { data, copy, bytes, align };

	if (task_make(task, &m, body, false, flags, HERE)) {
		depends_read(&task->depends, flags & TASK_DEPEND ? depend : NULL);
		body = task_body;
	}
	REAL(GOMP_task)
	(body, m.data, m.copy, m.bytes, m.align, deferred, flags, depend, priority, detach);
}

#define TASKLOOP(name, number)                                                                 \
	EXPORT void name(omp_body *body, void *data, void (*copy)(void *, void *), long bytes, \
			 long align, unsigned flags, unsigned long tasks, int priority,        \
			 number start, number end, number step)                                \
	{                                                                                      \
		TASK_MEMORY;                                                                   \
		struct omp_making m = { data, copy, bytes, align };                            \
                                                                                               \
		if (task_make((struct omp_task *)memory, &m, body, true, flags, HERE)) {       \
			body = task_body;                                                      \
		}                                                                              \
		REAL(name)                                                                     \
		(body, m.data, m.copy, m.bytes, m.align, flags, tasks, priority, start, end,   \
		 step);                                                                        \
		if (!(flags & TASK_NOGROUP)) {                                                 \
			AFTER(tasks)                                                           \
		}                                                                              \
	}
TASKLOOP(GOMP_taskloop, long)
TASKLOOP(GOMP_taskloop_ull, unsigned long)

EXPORT void GOMP_taskwait(void)
{
	REAL(GOMP_taskwait)();
	if (omp_now) {
		sync_acquire(KEY(omp_now->children), HERE);
		sync_acquire(KEY_DETACHED, HERE);
	}
}

EXPORT void GOMP_taskwait_depend(void **depend)
{
	struct omp_depends d;

	REAL(GOMP_taskwait_depend)(depend);
	depends_read(&d, depend);
	depends_begin(&d, HERE);
}

EXPORT void GOMP_taskgroup_end(void)
{
	REAL(GOMP_taskgroup_end)();
	AFTER(tasks)
}

/* A task that somebody else completes. */
#define FULFIL(name, type)                                             \
	EXPORT void name(type event)                                   \
	{                                                              \
		sync_release(KEY_DETACHED, HERE);                      \
		if (omp_now) {                                         \
			sync_release(KEY(omp_now->team->tasks), HERE); \
		}                                                      \
		REAL(name)(event);                                     \
	}
FULFIL(omp_fulfill_event, uintptr_t)
FULFIL(omp_fulfill_event_, uintptr_t *)
