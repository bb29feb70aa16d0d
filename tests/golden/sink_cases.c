/* SPDX-License-Identifier: MIT */
/*
 * sink_cases.c - builds findings the way checkers and symbolisation leave them.
 */
#include "sink_cases.h"

#include "analyzer/fingerprint.h"

#include <string.h>

#define PROGRAM "/srv/bank/bank"
#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"
#define EVENT_LIBRARY "/usr/lib/x86_64-linux-gnu/libevent-2.1.so.7.0.1"
#define BUILD_ID "8f2c1e0b7a6d5c4b3a29181716151413"

/* ---- frames ---- */

#define C_FRAME(function_, line_)                                                          \
	{                                                                                  \
		.function = function_, .file = "bank.c", .line = line_, .module = PROGRAM, \
		.offset = 0x1000 + line_ * 16, .build_id = BUILD_ID, .language = "c"       \
	}
#define INLINED(function_, line_)                                                          \
	{                                                                                  \
		.function = function_, .file = "bank.c", .line = line_, .module = PROGRAM, \
		.offset = 0x1000 + line_ * 16, .build_id = BUILD_ID, .inlined = true,      \
		.language = "c"                                                            \
	}
#define CPP_INLINED(function_, file_, line_)                                                       \
	{                                                                                          \
		.function = function_, .file = file_, .line = line_, .module = PROGRAM,            \
		.offset = 0x9000 + line_, .build_id = BUILD_ID, .inlined = true, .language = "c++" \
	}
#define LIBRARY_FRAME(function_, offset_)                                         \
	{                                                                         \
		.function = function_, .module = EVENT_LIBRARY, .offset = offset_ \
	}
#define THREAD_START                                                       \
	{ .function = "start_thread", .module = LIBC, .offset = 0x891f4 }, \
	{                                                                  \
		.function = "clone3", .module = LIBC, .offset = 0x10989c   \
	}
#define MAIN_START                                                                           \
	{ .function = "__libc_start_call_main", .module = LIBC, .offset = 0x271ca },         \
		{ .function = "__libc_start_main_impl", .module = LIBC, .offset = 0x27285 }, \
	{                                                                                    \
		.function = "_start", .module = PROGRAM, .offset = 0x1081                    \
	}

static struct frame in_transfer_outer[] = { INLINED("lock_account", 16), C_FRAME("transfer", 21),
					    C_FRAME("teller", 37), THREAD_START };
static struct frame in_transfer_inner[] = { INLINED("lock_account", 16), C_FRAME("transfer", 22),
					    C_FRAME("teller", 37), THREAD_START };
static struct frame in_audit_log[] = { C_FRAME("audit", 31), C_FRAME("auditor", 43), THREAD_START };
static struct frame in_audit_account[] = { INLINED("lock_account", 16), C_FRAME("audit", 32),
					   C_FRAME("auditor", 43), THREAD_START };
static struct frame in_sem_wait[] = { C_FRAME("auditor", 44), THREAD_START };
static struct frame in_create_teller[] = { C_FRAME("main", 52), MAIN_START };
static struct frame in_create_auditor[] = { C_FRAME("main", 53), MAIN_START };
static struct frame in_join[] = { C_FRAME("main", 54), MAIN_START };
static struct frame nameless[] = {
	{ .module = "/opt/vendor/libsecret.so.3",
	  .offset = 0x4f10,
	  .build_id = "00112233445566778899aabbccddeeff" },
	{ .module = "/opt/vendor/libsecret.so.3",
	  .offset = 0x51c8,
	  .build_id = "00112233445566778899aabbccddeeff" },
	{ .function = "vendor_run",
	  .module = "/opt/vendor/libsecret.so.3",
	  .offset = 0x5500,
	  .build_id = "00112233445566778899aabbccddeeff" },
	{ .offset = 0x7ffff7 },
	{ 0 },
	{ .module = LIBC, .offset = 0x891f4 },
};
static struct frame in_event_loop[] = {
	CPP_INLINED("__gthread_mutex_lock(pthread_mutex_t*)",
		    "/usr/include/c++/12/bits/gthr-default.h", 749),
	CPP_INLINED("std::mutex::lock()", "/usr/include/c++/12/bits/std_mutex.h", 100),
	CPP_INLINED("std::lock_guard<std::mutex>::lock_guard(std::mutex&)",
		    "/usr/include/c++/12/bits/std_mutex.h", 229),
	{ .function =
		  "bank::Ledger::post(std::map<std::string, std::vector<bank::Entry>, std::less<std::string> > const&, bool)",
	  .file = "/srv/bank/ledger.cpp",
	  .line = 88,
	  .module = PROGRAM,
	  .offset = 0x4410,
	  .language = "c++" },
	{ .function = "bank::on_read(int, short, void*)",
	  .file = "/srv/bank/main.cpp",
	  .line = 17,
	  .module = PROGRAM,
	  .offset = 0x4600 },
	LIBRARY_FRAME("event_persist_closure", 0x1a00),
	LIBRARY_FRAME("event_process_active_single_queue", 0x1b10),
	LIBRARY_FRAME("event_process_active", 0x1c20),
	LIBRARY_FRAME(NULL, 0x1d30),
	LIBRARY_FRAME("event_base_loop", 0x1e40),
	LIBRARY_FRAME("event_base_dispatch", 0x1f50),
	{ .function = "bank::Server::run()",
	  .file = "/srv/bank/main.cpp",
	  .line = 60,
	  .module = PROGRAM,
	  .offset = 0x4700 },
	{ .function = "operator()",
	  .file = "/srv/bank/main.cpp",
	  .line = 71,
	  .module = PROGRAM,
	  .offset = 0x4790,
	  .inlined = true },
	CPP_INLINED(
		"void std::__invoke_impl<void, main::{lambda()#1}>(std::__invoke_other, main::{lambda()#1}&&)",
		"/usr/include/c++/12/bits/invoke.h", 61),
	{ .function =
		  "std::thread::_State_impl<std::thread::_Invoker<std::tuple<main::{lambda()#1}> > >::_M_run()",
	  .file = "/usr/include/c++/12/bits/std_thread.h",
	  .line = 211,
	  .module = PROGRAM,
	  .offset = 0x4800 },
	{ .function = "execute_native_thread_routine",
	  .module = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30",
	  .offset = 0xd44a3 },
	THREAD_START,
};

#define FRAMES(array) ((struct frames){ .frame = array, .count = sizeof(array) / sizeof(array[0]) })

/* ---- parts ---- */

static void add_thread(struct finding_list *list, struct finding *f, uint32_t id, const char *name,
		       struct frames created, const char *start)
{
	struct finding_thread *t = finding_add_thread(list, f, id);

	t->pid = 4242;
	t->tid = 4241 + id;
	t->name = name;
	t->label = id == 1 ? "main thread"
		   : name  ? finding_list_printf(list, "thread %u \"%s\"", id, name)
			   : finding_list_printf(list, "thread %u", id);
	t->created_at = created;
	t->start_function = start;
}

static void add_lock(struct finding_list *list, struct finding *f, uint32_t id, uint32_t kind,
		     const char *name)
{
	struct finding_lock *lock = finding_add_lock(list, f, id);

	lock->kind = kind;
	lock->name = name;
	lock->address = 0x55d0c2a04040 + 40 * id;
	lock->first_seen = name ? FRAMES(in_transfer_outer) : FRAMES(in_create_teller);
}

static struct finding_stack *add_stack(struct finding_list *list, struct finding *f,
				       enum stack_role role, uint32_t thread, uint32_t lock,
				       struct frames frames, const char *note)
{
	struct finding_stack *s = finding_add_stack(list, f, role, thread, lock, 1);

	s->frames = frames;
	s->note = note;
	s->time_ns = 1000000 * (uint64_t)(1 + thread);
	return s;
}

static void hold(struct finding_list *list, struct finding_stack *s, uint32_t lock)
{
	uint32_t *held = finding_list_alloc(list, (s->held_count + 1) * sizeof(*held));

	if (s->held_count)
		memcpy(held, s->held, s->held_count * sizeof(*held));
	held[s->held_count++] = lock;
	s->held = held;
}

static void add_teller_and_auditor(struct finding_list *list, struct finding *f)
{
	add_thread(list, f, 2, "teller", FRAMES(in_create_teller), "teller");
	add_thread(list, f, 3, "auditor", FRAMES(in_create_auditor), "auditor");
}

/* ---- cases ---- */

static void build_deadlock_2(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);

	f->title =
		"Deadlock: thread 2 \"teller\" and thread 3 \"auditor\" wait for each other's locks";
	f->message =
		"Both have been blocked for 2.1 s, to the end of the recording. Neither can go on.";
	add_teller_and_auditor(list, f);
	add_lock(list, f, 7, TRACE_OBJECT_MUTEX, "g_log");
	add_lock(list, f, 5, TRACE_OBJECT_MUTEX, "accounts");
	hold(list, add_stack(list, f, ROLE_WAITS, 2, 7, FRAMES(in_transfer_inner), "since 0.4 s"),
	     5);
	add_stack(list, f, ROLE_HOLDS, 2, 5, FRAMES(in_transfer_outer), NULL);
	hold(list, add_stack(list, f, ROLE_WAITS, 3, 5, FRAMES(in_audit_account), "since 0.4 s"),
	     7);
	add_stack(list, f, ROLE_HOLDS, 3, 7, FRAMES(in_audit_log), NULL);
	finding_commit(list, f);
}

static void build_deadlock_ring(struct finding_list *list, uint32_t threads)
{
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);

	f->title = finding_list_printf(list, "Deadlock: %u threads wait for each other in a circle",
				       threads);
	for (uint32_t i = 0; i < threads; i++) {
		add_thread(list, f, 2 + i, finding_list_printf(list, "philosopher-%u", i + 1),
			   FRAMES(in_create_teller), "dine");
		add_lock(list, f, 1 + i, TRACE_OBJECT_MUTEX,
			 i ? finding_list_printf(list, "forks+%u", 40 * i) : "forks");
	}
	for (uint32_t i = 0; i < threads; i++) {
		add_stack(list, f, ROLE_WAITS, 2 + i, 1 + (i + 1) % threads,
			  FRAMES(in_transfer_inner), NULL);
		add_stack(list, f, ROLE_HOLDS, 2 + i, 1 + i, FRAMES(in_transfer_outer), NULL);
	}
	finding_commit(list, f);
}

static void build_deadlock_5(struct finding_list *list)
{
	build_deadlock_ring(list, 5);
}

static void build_deadlock_join(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_DEADLOCK, CONFIDENCE_OBSERVED, 0);
	struct finding_stack *s;

	f->title =
		"Deadlock: main thread joins thread 2 \"teller\" while holding a lock that it needs";
	add_thread(list, f, 1, NULL, (struct frames){ 0 }, NULL);
	add_thread(list, f, 2, "teller", FRAMES(in_create_teller), "teller");
	add_lock(list, f, 5, TRACE_OBJECT_RWLOCK, NULL);
	s = add_stack(list, f, ROLE_WAITS, 1, 0, FRAMES(in_join), NULL);
	s->for_thread = 2;
	add_stack(list, f, ROLE_HOLDS, 1, 5, FRAMES(in_create_teller), "for writing");
	add_stack(list, f, ROLE_WAITS, 2, 5, FRAMES(in_event_loop), "for reading");
	finding_commit(list, f);
}

static void build_inversion_2(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 0);

	f->title =
		"Lock order inversion: accounts and g_log are taken in both orders by thread 2 \"teller\" and thread 3 \"auditor\"";
	f->message =
		"If both get to the inner lock at the same time, neither goes on. Take the two locks in one order everywhere.";
	f->count = 12;
	add_teller_and_auditor(list, f);
	add_lock(list, f, 5, TRACE_OBJECT_MUTEX, "accounts");
	add_lock(list, f, 7, TRACE_OBJECT_MUTEX, "g_log");
	add_stack(list, f, ROLE_HOLDS, 2, 5, FRAMES(in_transfer_outer), NULL);
	hold(list, add_stack(list, f, ROLE_ACQUIRES, 2, 7, FRAMES(in_transfer_inner), NULL), 5);
	add_stack(list, f, ROLE_HOLDS, 3, 7, FRAMES(in_audit_log), NULL);
	hold(list, add_stack(list, f, ROLE_ACQUIRES, 3, 5, FRAMES(in_audit_account), NULL), 7);
	finding_commit(list, f);
}

static void build_inversion_3(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_POTENTIAL, 0);
	static const char *const names[] = { "g_config", "g_cache", NULL };

	f->title = "Lock order inversion: three locks are taken in a circle of orders";
	for (uint32_t i = 0; i < 3; i++) {
		add_thread(list, f, 2 + i, NULL, FRAMES(in_create_teller), NULL);
		add_lock(list, f, 1 + i, TRACE_OBJECT_MUTEX, names[i]);
	}
	for (uint32_t i = 0; i < 3; i++) {
		struct finding_stack *s = add_stack(list, f, ROLE_ACQUIRES, 2 + i, 1 + (i + 1) % 3,
						    FRAMES(in_transfer_inner), NULL);

		hold(list, s, 1 + i);
	}
	finding_commit(list, f);
}

static void build_self_deadlock(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_SELF_DEADLOCK, CONFIDENCE_OBSERVED, 0);

	f->title = "Self deadlock: thread 2 \"teller\" waits for a mutex that it holds itself";
	add_thread(list, f, 2, "teller", FRAMES(in_create_teller), "teller");
	add_lock(list, f, 5, TRACE_OBJECT_MUTEX, "accounts");
	hold(list, add_stack(list, f, ROLE_WAITS, 2, 5, FRAMES(in_transfer_inner), NULL), 5);
	add_stack(list, f, ROLE_HOLDS, 2, 5, FRAMES(in_transfer_outer), NULL);
	finding_commit(list, f);
}

static void build_stuck_wait(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED, 0);

	f->title =
		"Stuck wait: thread 3 \"auditor\" waits for a semaphore that nobody is left to post";
	f->message =
		"Stuck wait: thread 3 \"auditor\" waits for a semaphore that nobody is left to post. The semaphore was never posted.\nThe only other thread ended before it could.";
	add_thread(list, f, 3, "auditor", FRAMES(in_create_auditor), "auditor");
	add_lock(list, f, 9, TRACE_OBJECT_SEM, "ready");
	add_stack(list, f, ROLE_WAITS, 3, 9, FRAMES(in_sem_wait), "since 2.1 s");
	finding_commit(list, f);
}

static void build_misuse(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_UNLOCK_NOT_OWNED, CONFIDENCE_OBSERVED, 0);

	f->title = "thread 3 \"auditor\" unlocks mutex accounts, which thread 2 \"teller\" holds";
	add_teller_and_auditor(list, f);
	add_lock(list, f, 5, TRACE_OBJECT_MUTEX, "accounts");
	add_stack(list, f, ROLE_RELEASES, 3, 5, FRAMES(in_audit_account), NULL);
	add_stack(list, f, ROLE_HOLDS, 2, 5, FRAMES(in_transfer_outer), NULL);
	finding_commit(list, f);
	f = finding_begin(list, RULE_DESTROY_LOCKED, CONFIDENCE_OBSERVED, 0);
	f->title = "main thread destroys mutex g_log while thread 3 \"auditor\" holds it";
	add_thread(list, f, 1, NULL, (struct frames){ 0 }, NULL);
	add_thread(list, f, 3, "auditor", FRAMES(in_create_auditor), "auditor");
	add_lock(list, f, 7, TRACE_OBJECT_MUTEX, "g_log");
	add_stack(list, f, ROLE_DESTROYS, 1, 7, FRAMES(in_join), NULL);
	add_stack(list, f, ROLE_HOLDS, 3, 7, FRAMES(in_audit_log), NULL);
	finding_commit(list, f);
}

static void build_leak(struct finding_list *list)
{
	for (uint32_t id = 2; id < 5; id++) {
		struct finding *f = finding_begin(list, RULE_LEAKED_THREAD, CONFIDENCE_OBSERVED, 0);

		f->title = finding_list_printf(
			list, "thread %u \"teller\" ended and was neither joined nor detached", id);
		f->message = "Its stack and descriptor are kept until the process ends.";
		add_thread(list, f, id, "teller", FRAMES(in_create_teller), "teller");
		add_stack(list, f, ROLE_CREATES, id, 0, FRAMES(in_create_teller), NULL);
		finding_commit(list, f);
	}
}

static void build_unknown_symbols(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED, 0);

	f->title = "Stuck wait: thread 2 waits for a signal that nobody is left to send";
	finding_add_thread(list, f, 2);
	finding_add_lock(list, f, 3)->kind = TRACE_OBJECT_COND;
	add_stack(list, f, ROLE_WAITS, 2, 3, FRAMES(nameless), NULL);
	add_stack(list, f, ROLE_SIGNALS, 4, 3, (struct frames){ 0 },
		  "the last signal, when nobody waited");
	finding_commit(list, f);
}

#define HOSTILE \
	"<script>alert(1)</script> \"'&amp; \x1b[31mred\x07 \xff\xfe\xc3 \xed\xa0\x80 \xe2\x80\xaeklat\xc2\x9b tab\t line\n\xf0\x9f\x90\xb1 \xef\xbf\xbd"

static struct frame hostile_frames[] = {
	{ .function = HOSTILE,
	  .file = HOSTILE,
	  .line = 3,
	  .module = HOSTILE,
	  .offset = 1,
	  .build_id = HOSTILE,
	  .language = HOSTILE },
	{ .function = "ok", .file = "/dev/zero", .line = 1, .module = "../../etc/passwd" },
	{ .function = "ok2", .file = ".", .line = 1, .module = HOSTILE },
	{ .function = "negative", .file = "bank.c", .line = -5 },
	{ .function = "far", .file = "bank.c", .line = 2147483647 },
};

static void build_hostile(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_USE_AFTER_DESTROY, CONFIDENCE_OBSERVED, 0);

	f->title = "A thread named " HOSTILE;
	f->message = HOSTILE;
	add_thread(list, f, 2, HOSTILE, FRAMES(hostile_frames), HOSTILE);
	add_lock(list, f, 3, 4711, HOSTILE);
	hold(list, add_stack(list, f, ROLE_WAITS, 2, 3, FRAMES(hostile_frames), HOSTILE), 3);
	hold(list, add_stack(list, f, ROLE_HOLDS, 2, 3, FRAMES(hostile_frames), HOSTILE), 999);
	finding_commit(list, f);
}

static void build_nothing(struct finding_list *list)
{
	(void)list;
}

static void build_many(struct finding_list *list)
{
	struct finding *f;

	build_leak(list);
	build_inversion_2(list);
	f = finding_begin(list, RULE_LOCK_CONTENTION, CONFIDENCE_OBSERVED, 1);
	f->title = "Contended: threads waited 1.2 s in 3,400 waits for mutex g_log";
	add_lock(list, f, 7, TRACE_OBJECT_MUTEX, "g_log");
	finding_commit(list, f);
	build_deadlock_2(list);
	build_deadlock_2(list);
	f = finding_begin(list, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_HINT, 1);
	f->title = "Lock order inversion that a timeout ends";
	add_thread(list, f, 2, "teller", FRAMES(in_create_teller), NULL);
	hold(list, add_stack(list, f, ROLE_ACQUIRES, 2, 7, FRAMES(in_event_loop), NULL), 5);
	finding_commit(list, f);
}

static void build_race(struct finding_list *list)
{
	struct finding *f = finding_begin(list, RULE_DATA_RACE, CONFIDENCE_OBSERVED, 0);
	struct finding_stack *s;
	struct finding_lock *memory;

	f->title =
		"thread 2 \"teller\" and thread 3 \"auditor\" use variable g_bank.total at the same time";
	f->message =
		"thread 2 \"teller\" stood still in front of its access: nothing kept the two apart.";
	add_teller_and_auditor(list, f);
	add_lock(list, f, 9, TRACE_OBJECT_VARIABLE, "g_bank.total");
	memory = &f->locks[0];
	memory->declared_file = "bank.c";
	memory->declared_line = 9;
	memory->value = (struct finding_value){ .bytes = 8, .before = 0x12, .after = 0x13 };
	add_lock(list, f, 5, TRACE_OBJECT_MUTEX, "accounts");
	s = add_stack(list, f, ROLE_ACCESSES, 2, 9, FRAMES(in_transfer_inner), "changes it");
	s->access = (struct finding_access){
		.address = memory->address, .bytes = 8, .reads = true, .writes = true
	};
	hold(list, s, 5);
	s = add_stack(list, f, ROLE_ACCESSES, 3, 9, FRAMES(in_audit_log), "reads it");
	s->access = (struct finding_access){
		.address = f->locks[0].address, .bytes = 8, .reads = true, .is_atomic = true
	};
	finding_commit(list, f);
}

const struct sink_case sink_cases[] = {
	{ .name = "deadlock-2", .what = "two threads", .build = build_deadlock_2 },
	{ .name = "deadlock-5", .what = "five threads in a ring", .build = build_deadlock_5 },
	{ .name = "deadlock-join",
	  .what = "a join in the ring, a long C++ stack",
	  .build = build_deadlock_join,
	  .options.timed_out = true },
	{ .name = "inversion-2", .what = "two locks", .build = build_inversion_2 },
	{ .name = "inversion-3", .what = "three locks", .build = build_inversion_3 },
	{ .name = "self-deadlock", .what = "a ring of one", .build = build_self_deadlock },
	{ .name = "stuck-wait",
	  .what = "one side only",
	  .build = build_stuck_wait,
	  .options.timed_out = true },
	{ .name = "misuse", .what = "two misuse findings", .build = build_misuse },
	{ .name = "leak", .what = "three equal leaks become one", .build = build_leak },
	{ .name = "unknown-symbols",
	  .what = "frames without names",
	  .build = build_unknown_symbols },
	{ .name = "race", .what = "two accesses of one variable", .build = build_race },
	{ .name = "hostile", .what = "strings that attack each format", .build = build_hostile },
	{ .name = "empty", .what = "nothing found", .build = build_nothing },
	{ .name = "incomplete",
	  .what = "nothing found in a torn trace",
	  .build = build_nothing,
	  .killed = true },
	{ .name = "timeout",
	  .what = "ended by --timeout, unexplained",
	  .build = build_nothing,
	  .options.timed_out = true },
	{ .name = "untraced",
	  .what = "nothing recorded",
	  .build = build_nothing,
	  .options.untraced = true },
	{ .name = "many",
	  .what = "order, gate, merge, two processes",
	  .build = build_many,
	  .two_processes = true,
	  .killed = true },
	{ .name = "verbose",
	  .what = "all frames, pruned cycles, colour",
	  .build = build_deadlock_join,
	  .verbose = true,
	  .color = true },
	{ .name = "quiet", .what = "first lines only", .build = build_many, .quiet = true },
	{ 0 },
};

/* ---- the run around them ---- */

static struct trace_thread threads[6];
static struct trace_object objects[9];

static void describe_process(struct trace_process *process, uint32_t pid, char *command)
{
	for (size_t i = 1; i < 5; i++)
		threads[i].defined = true;
	for (size_t i = 1; i < 9; i++)
		objects[i].kind = i < 6 ? TRACE_OBJECT_MUTEX : TRACE_OBJECT_COND;
	*process = (struct trace_process){
		.name = "4242.0",
		.pid = pid,
		.ppid = 4200,
		.command = command,
		.complete = true,
		.events = 1234567,
		.threads = threads,
		.thread_count = 6,
		.objects = objects,
		.object_count = 9,
	};
}

struct finding_list *sink_case_build(const struct sink_case *c, struct report *ret_report)
{
	static const char *const argv[] = { "./bank", "--accounts", "2 of them" };
	static const char *reasons[] = { "one thread only", "a gate lock is held on both sides" };
	static uint64_t pruned[] = { 2, 1 };
	static char command[] = "./bank --accounts 2 of them", child[] = "./auditd";
	static const struct tf_def_watches watched = { .slots = 2,
						       .samples = 420,
						       .choices = 300,
						       .traps = 60,
						       .sites = 41,
						       .private_ = 2,
						       .pauses = 9,
						       .residents = 30,
						       .conflicts = 1,
						       .paused_us = 9100,
						       .spent_us = 4200,
						       .deep = TF_DEEP_BLOCKED |
							       300 << TF_DEEP_SHIFT };
	static const struct tf_def_watches refused = { .state = TF_WATCH_REFUSED, .detail = 13 };
	static struct trace_process process[2];
	static struct report_process processes[2];
	struct finding_list *list = finding_list_new();

	describe_process(&process[0], 4242, command);
	describe_process(&process[1], 4250, child);
	if (c->killed) {
		process[0].complete = false;
		strcpy(process[0].why,
		       "the process was killed; the last record of 1 stream is torn");
		process[0].lost_events = 1200;
		process[0].lost_chunks = 3;
	}
	processes[0] = (struct report_process){
		.process = &process[0], .has_exit = true, .exit_status = 3, .argv = argv, .argc = 3
	};
	processes[1] = (struct report_process){ .process = &process[1] };
	if (c->two_processes) {
		process[0].watches = &watched;
		process[1].watches = &refused;
		process[1].memory = (struct trace_memory_look){ .is_there = true,
								.bytes = 131072,
								.left_out = 77 };
	} else if (c->options.timed_out) {
		process[0].watches = &refused;
	}
	*ret_report = (struct report){
		.version = "0.1.0",
		.trace_path = "thrum.data",
		.processes = processes,
		.process_count = c->options.untraced ? 0
				 : c->two_processes  ? 2
						     : 1,
		.color = c->color,
		.verbose = c->verbose,
		.quiet = c->quiet,
		.pruned_reason = reasons,
		.pruned_count = pruned,
		.pruned_kinds = 2,
		.has_program_status = !c->options.untraced,
		.program_status = c->options.timed_out ? 137 : 3,
	};
	if (c->options.untraced)
		ret_report->incomplete_why =
			"it is statically linked: nothing can be preloaded into it";
	c->build(list);
	findings_finish(list);
	struct report_options options = c->options;
	options.fail_on = options.fail_on ? options.fail_on : LEVEL_ERROR;
	report_build(ret_report, list, &options);
	return list;
}
