/* SPDX-License-Identifier: MIT */
/*
 * finding.h - what a checker says: a value that sinks format and nobody changes after it was added.
 *
 * Invariants
 *  - Ids of threads, locks and stacks are local to the finding's process; a finding lists every
 *    thread and lock that its stacks mention, in the order they should be read. Where a finding
 *    spans processes the ids of threads and locks are numbers of the finding itself, and each
 *    thread, lock and stack names its process.
 *  - `title` and `message` name threads and locks by the same words as the lists do. The title is
 *    the first line an engineer reads: what is wrong, in words, without ids.
 *  - Everything a finding points to is owned by its finding_list (an arena) and dies with it.
 *  - The fingerprint holds no address, line number, pid, thread number or path (findings.c makes
 *    it).
 *
 * Not thread-safe: one list is filled by one thread.
 */
#ifndef THRUM_ANALYZER_FINDING_H
#define THRUM_ANALYZER_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_context_pair;

enum rule {
#define RULE(NAME, id, cap, bounded, title, help) RULE_##NAME,
#include "../spec/rules.def"
#undef RULE
	RULE_COUNT
};

enum level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_ERROR };
enum confidence { CONFIDENCE_HINT, CONFIDENCE_POTENTIAL, CONFIDENCE_PROVEN, CONFIDENCE_OBSERVED };

enum stack_role {
	ROLE_HOLDS,
	ROLE_WAITS,
	ROLE_ACQUIRES,
	ROLE_RELEASES,
	ROLE_CREATES,
	ROLE_ACCESSES,
	ROLE_BLOCKS,
	ROLE_DESTROYS,
	ROLE_SIGNALS,
	ROLE_AWAITS,
	ROLE_COUNT
};

/* Against the file of --baseline; as SARIF's baselineState. */
enum baseline_state {
	BASELINE_NONE, /* no baseline was given */
	BASELINE_NEW,
	BASELINE_UNCHANGED,
	BASELINE_UPDATED, /* known at this place by another fingerprint: the code around it moved */
};

/* One symbolised frame. Unknown parts are NULL or 0, never invented. */
struct frame {
	const char *function; /* demangled */
	const char *file;
	int line;
	const char *module;   /* path as loaded */
	uint64_t offset;      /* ELF virtual address inside the module */
	const char *build_id; /* hex */
	bool inlined;
	const char *language; /* "c", "c++", "rust"; NULL = unknown */
};

struct frames {
	struct frame *frame;
	size_t count;
};

struct finding_thread {
	uint32_t id;
	size_t process, created_process; /* index in the trace; of created_stack */
	uint32_t pid, tid;
	const char *name;	    /* NULL = unnamed */
	const char *label;	    /* "main thread", "thread 3 \"worker\"": used in texts */
	uint32_t created_stack;	    /* trace stack id, 0 = unknown */
	struct frames created_at;   /* filled by symbolisation */
	uint64_t start_routine;	    /* code address from the trace, 0 = unknown */
	const char *start_function; /* its name, NULL = unknown; filled by symbolisation */
};

/* Of memory that two accesses met at: what was there before the second one, and after it. */
struct finding_value {
	uint32_t bytes; /* at most 8; 0 = not known */
	uint64_t before, after;
};

struct finding_lock {
	uint32_t id;
	size_t process;	  /* index in the trace: one that has it … */
	uint32_t object;  /* … as this id of its table; 0 = not known */
	uint32_t kind;	  /* enum trace_object_kind */
	const char *word; /* what its kind is called; NULL = by the kind */
	const char *name; /* symbol+offset, NULL = unnamed; filled by symbolisation */
	unsigned sharing; /* enum symbols_sharing; of memory, filled by symbolisation */
	/* Of a variable: where it is declared, NULL and 0 = not known; filled by symbolisation. */
	const char *declared_file;
	int declared_line;
	uint64_t address;
	uint32_t first_seen_stack;
	struct frames first_seen;
	struct finding_value value;
};

/* "mutex", "queue.Queue"; "lock" where nothing is known. `lock` may be NULL. */
const char *finding_lock_word(const struct finding_lock *lock);

/* A task of a loop or pool: spec/tasks.def. */
struct finding_task {
	uint32_t id;
	uint32_t loop; /* object id of its loop or pool, 0 = not known */
	size_t process;
	const char *kind, *library, *state; /* words; state NULL = not known */
	uint32_t callback_stack;	    /* one frame: what is called; 0 = not known */
	/* That function, or an annotated task's name; NULL = unknown. Filled by symbolisation */
	const char *callback;
	/* Whose work it does: trace_reader.h; borrowed from the trace */
	const struct trace_context_pair *context;
	size_t context_count;
	uint32_t created_stack; /* where it was made or posted, 0 = unknown */
	struct frames created_at;
};

/* What a thread does with memory. Neither reads nor writes = not known. */
struct finding_access {
	uint64_t address; /* 0 = not known */
	uint32_t bytes;	  /* the same */
	bool reads, writes, is_atomic;
};

struct finding_stack {
	enum stack_role role;
	size_t process;	 /* index in the trace: of `stack` */
	uint32_t thread; /* finding_thread.id, 0 = none; of ROLE_CREATES the thread that was made */
	uint32_t lock;	 /* finding_lock.id, 0 = none */
	uint32_t stack;	 /* trace stack id, 0 = unknown */
	uint32_t *held;	 /* lock ids held there */
	size_t held_count;
	uint64_t time_ns;
	struct finding_access access; /* of ROLE_ACCESSES */
	const char *note;     /* one phrase: "since 2.1 s", "acquired for reading"; may be NULL */
	struct frames frames; /* filled by symbolisation */
	bool beside;	      /* differs between equal findings: no part of the fingerprint */
	bool is_chain; /* coroutines, of which only the outermost is always the same: the fingerprint has that one */
	uint32_t for_thread; /* WAITS: finding_thread.id joined, or expected to signal; 0 = none */
};

/* Of a witness: the thread does its next `events` events, from the first place to the other; nobody else does anything. */
struct finding_step {
	uint32_t thread;   /* id; often of one that is not in the finding otherwise */
	const char *label; /* "main thread", "thread 3 \"worker\"" */
	uint64_t events;
	uint32_t from_stack, to_stack; /* trace stack ids */
	uint64_t from_ns, to_ns;
	struct frames from, to; /* filled by symbolisation */
};

struct finding {
	enum rule rule;
	enum confidence confidence;
	enum level level;
	bool gated, confirmed;
	bool is_compiled_in; /* a data race that the compiler's own calls showed: which access is atomic is known */
	/* Only if its locks are elements of one variable: decided when they have names, see one_class.h. */
	bool of_one_class;
	size_t process; /* index in the trace */
	uint64_t count;
	const char *title;
	const char *message;
	const char *fingerprint; /* 32 hex digits */
	const char *place;	 /* looser key, 32 hex digits: see fingerprint.h */
	enum baseline_state baseline;
	const char *suppressed_by;     /* "FILE:LINE" of the entry that hides it; NULL = listed */
	const char *suppressed_reason; /* that entry's; NULL = it gives none */
	const char *suppression;       /* ready to paste */
	struct finding_thread *threads;
	size_t thread_count;
	struct finding_lock *locks;
	size_t lock_count;
	struct finding_task *tasks;
	size_t task_count;
	struct finding_stack *stacks;
	size_t stack_count;
	struct finding_step *steps; /* of a proven one: the run that ends in it */
	size_t step_count;
	uint64_t events_before; /* of that run, before the first step */
};

/* Ids and words of the tables. */
const char *rule_id(enum rule rule);
const char *rule_title(enum rule rule);
const char *rule_help(enum rule rule);
enum level rule_cap(enum rule rule);
int rule_find(const char *id); /* -1 = no such rule */
const char *level_name(enum level level);
const char *confidence_name(enum confidence confidence);
const char *stack_role_name(enum stack_role role);
const char *baseline_state_name(enum baseline_state state); /* NULL for NONE */

/* ---- building ---- */

struct finding_list;

struct finding_list *finding_list_new(void);
void finding_list_free(struct finding_list *list); /* takes NULL */

/*
 * Memory that lives as long as the list. Never NULL: a failed allocation ends the program (hosted
 * code only).
 */
void *finding_list_alloc(struct finding_list *list, size_t bytes);
__attribute__((format(printf, 2, 3))) char *finding_list_printf(struct finding_list *list,
								const char *format, ...);

/*
 * A finding under construction: `finding_begin` returns it zeroed with its rule, default confidence
 * level and the rule's cap applied and count 1; add parts; `finding_commit` appends it to the list.
 *
 * The arrays of a finding may move while parts are added: fill the part that was returned before
 * adding the next one of its kind, or index the array again. Adding a thread or lock id a second
 * time returns the first entry.
 */
struct finding *finding_begin(struct finding_list *list, enum rule rule, enum confidence confidence,
			      size_t process);
/* It turned out to be as sure as that: the level with it. */
void finding_set_confidence(struct finding *f, enum confidence confidence);
struct finding_thread *finding_add_thread(struct finding_list *list, struct finding *f,
					  uint32_t id);
struct finding_lock *finding_add_lock(struct finding_list *list, struct finding *f, uint32_t id);
struct finding_task *finding_add_task(struct finding_list *list, struct finding *f, uint32_t id);
struct finding_stack *finding_add_stack(struct finding_list *list, struct finding *f,
					enum stack_role role, uint32_t thread, uint32_t lock,
					uint32_t stack);
struct finding_step *finding_add_step(struct finding_list *list, struct finding *f);
void finding_commit(struct finding_list *list, struct finding *f);

size_t finding_list_count(const struct finding_list *list);
struct finding *finding_list_get(const struct finding_list *list, size_t index);

/*
 * For findings_finish(), which merges equals: puts `f` at `index`; drops what lies at `count` and
 * beyond.
 */
void finding_list_set(struct finding_list *list, size_t index, struct finding *f);
void finding_list_truncate(struct finding_list *list, size_t count);

/* Its threads are of more than one process. */
bool finding_spans_processes(const struct finding *f);

/* Parts by id; NULL where the finding does not list it (and for id 0). */
const struct finding_thread *finding_find_thread(const struct finding *f, uint32_t id);
/* What of a stack is the same in every run: borrowed. */
struct frames finding_stack_key(const struct finding_stack *stack);
const struct finding_lock *finding_find_lock(const struct finding *f, uint32_t id);
/* "mutex g_accounts"; with its number in the finding's list where it has no name, or that of another one there: "mutex #2". */
void finding_lock_text(const struct finding *f, const struct finding_lock *lock, char *buffer,
		       size_t bytes);

#endif
