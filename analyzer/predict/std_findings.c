/* SPDX-License-Identifier: MIT */
/*
 * std_findings.c - predictions in words.
 */
#include "std_findings.h"

#include "races.h"
#include "room.h"

#define PARTS_SHOWN 8u /* of a ring */

struct teller {
	struct predict_sequence *sequence; /* borrowed, like the next two */
	const struct acquires *acquires;
	struct finding_list *list;
	size_t process;
};

/* Pairs of places: the first one of each is told, the others count. */
struct race_book {
	struct teller *teller;
	struct names pairs;
	struct finding **finding; /* owns the array; by pair */
	size_t count, capacity;
};

struct std_findings {
	struct teller teller;
	uint64_t rules_off;
	struct race_book book;
	struct races *races;	     /* owns; NULL = not asked for */
	struct predictor *predictor; /* the same */
};

/* ---- words ---- */

static const char *word_of(const struct teller *t, const struct names *names, uint32_t id)
{
	size_t bytes;
	const char *word = names_get(names, id, &bytes);

	return finding_list_printf(t->list, "%.*s", bytes > 200 ? 200 : (int)bytes, word);
}

/* Threads that are numbers are called as most writers do. */
static const char *thread_word(const struct teller *t, uint32_t thread)
{
	const char *word = word_of(t, &t->sequence->threads, thread);

	return finding_list_printf(t->list, "%s%s", *word >= '0' && *word <= '9' ? "T" : "", word);
}

static const char *lock_word(const struct teller *t, uint32_t lock)
{
	return word_of(t, &t->sequence->locks, lock);
}

static const char *place_word(const struct teller *t, uint32_t place)
{
	return word_of(t, &t->sequence->places, place);
}

/* ---- parts of a finding: ids are the sequence's numbers + 1 ---- */

static void add_thread(const struct teller *t, struct finding *f, uint32_t thread)
{
	struct finding_thread *part = finding_add_thread(t->list, f, thread + 1);

	part->process = t->process;
	part->label = part->name = thread_word(t, thread);
}

static void add_lock(const struct teller *t, struct finding *f, uint32_t lock)
{
	struct finding_lock *part = finding_add_lock(t->list, f, lock + 1);

	part->process = t->process;
	part->word = "lock";
	part->name = lock_word(t, lock);
}

static struct finding_stack *add_stack(const struct teller *t, struct finding *f,
				       enum stack_role role, uint32_t thread, uint32_t object,
				       const char *place)
{
	struct finding_stack *stack =
		finding_add_stack(t->list, f, role, thread + 1, object + 1, 0);

	stack->process = t->process;
	stack->frames.frame = finding_list_alloc(t->list, sizeof(*stack->frames.frame));
	stack->frames.frame[0] = (struct frame){ .function = place };
	stack->frames.count = 1;
	return stack;
}

/* ---- deadlocks ---- */

static const struct acquire *ring_acquire(const struct teller *t, const struct predict_deadlock *d,
					  uint32_t index)
{
	return &t->acquires->acquire[d->acquire[index % d->length]];
}

/* Where the lock was acquired that the one before in the ring waits for: not always the newest that the thread has. */
static const struct acquire *giver_of(const struct teller *t, const struct acquire *a,
				      uint32_t lock)
{
	const struct acquire *outer = &t->acquires->acquire[a->outer];

	while (outer->lock != lock && outer->outer != ACQUIRES_NONE)
		outer = &t->acquires->acquire[outer->outer];
	return outer;
}

static const struct acquire *held_of(const struct teller *t, const struct predict_deadlock *d,
				     uint32_t index)
{
	const struct acquire *before = ring_acquire(t, d, index + d->length - 1);

	return giver_of(t, ring_acquire(t, d, index), before->lock);
}

static const char *part_words(const struct teller *t, const struct predict_deadlock *d,
			      uint32_t index)
{
	const struct acquire *a = ring_acquire(t, d, index), *held = held_of(t, d, index);

	return finding_list_printf(t->list, "%s takes lock %s, then lock %s",
				   thread_word(t, a->thread), lock_word(t, held->lock),
				   lock_word(t, a->lock));
}

static const char *ring_words(const struct teller *t, const struct predict_deadlock *d)
{
	const char *text = part_words(t, d, 0);

	for (uint32_t i = 1; i < d->length && i < PARTS_SHOWN; i++)
		text = finding_list_printf(t->list, "%s; %s", text, part_words(t, d, i));
	return text;
}

static const char *step_words(const struct teller *t, const struct witness_step *step)
{
	if (step->count == 1)
		return finding_list_printf(t->list, "%s does one event, at %s",
					   thread_word(t, step->thread), place_word(t, step->last));
	return finding_list_printf(t->list, "%s does %zu events, from %s to %s",
				   thread_word(t, step->thread), step->count,
				   place_word(t, step->first), place_word(t, step->last));
}

static const char *witness_words(const struct teller *t, const struct predict_deadlock *d)
{
	const struct witness *w = &d->witness;
	const char *text = "";
	size_t shown = 0;

	for (uint32_t i = 0; i < w->steps; i++)
		shown += w->step[i].count;
	if (shown < w->events)
		text = finding_list_printf(t->list, "… after %zu events ", w->events - shown);
	for (uint32_t i = 0; i < w->steps; i++)
		text = finding_list_printf(t->list, "%s(%u) %s; ", text, i + 1,
					   step_words(t, &w->step[i]));
	for (uint32_t i = 0; i < d->length && i < PARTS_SHOWN; i++) {
		const struct acquire *a = ring_acquire(t, d, i);

		text = finding_list_printf(t->list, "%s%s%s waits for lock %s at %s", text,
					   i ? ", " : "then ", thread_word(t, a->thread),
					   lock_word(t, a->lock), place_word(t, a->place));
	}
	return text;
}

static const char *deadlock_message(const struct teller *t, const struct predict_deadlock *d)
{
	const char *ring = ring_words(t, d);

	if (d->observed)
		return finding_list_printf(
			t->list, "The trace ends with each waiting for the next: %s.", ring);
	if (d->proven)
		return finding_list_printf(
			t->list,
			"%s. This order of the trace's own events ends in it, all critical sections in it in the "
			"recorded order, all reads as recorded: %s. Take the locks in one order everywhere.",
			ring, witness_words(t, d));
	return finding_list_printf(
		t->list,
		"%s. When this happens at the same time, each waits for the next for ever. No thread starts or "
		"ends in between that rules it out%s. Take the locks in one order everywhere.",
		ring,
		t->sequence->variables.count
			? ", but no order of the trace's own events was found that ends in it"
			: "; the trace has no reads and writes, so nothing can be proven");
}

static void tell_deadlock(const struct teller *t, const struct predict_deadlock *d)
{
	struct finding *f = finding_begin(t->list,
					  d->observed ? RULE_DEADLOCK : RULE_LOCK_ORDER_INVERSION,
					  d->observed ? CONFIDENCE_OBSERVED
					  : d->proven ? CONFIDENCE_PROVEN
						      : CONFIDENCE_POTENTIAL,
					  t->process);

	f->count = d->patterns;
	for (uint32_t i = 0; i < d->length; i++) {
		add_thread(t, f, ring_acquire(t, d, i)->thread);
		add_lock(t, f, held_of(t, d, i)->lock);
	}
	for (uint32_t i = 0; i < d->length; i++) {
		const struct acquire *a = ring_acquire(t, d, i), *held = held_of(t, d, i);

		add_stack(t, f, ROLE_HOLDS, a->thread, held->lock, place_word(t, held->place));
		add_stack(t, f, d->observed ? ROLE_WAITS : ROLE_ACQUIRES, a->thread, a->lock,
			  place_word(t, a->place));
	}
	f->title = d->length > 4
			   ? finding_list_printf(t->list,
						 "%u locks are taken in a circle by %u threads",
						 d->length, d->length)
			   : ring_words(t, d);
	f->message = deadlock_message(t, d);
	finding_commit(t->list, f);
}

static int tell_deadlocks(struct std_findings *s, struct std_summary *summary, struct diag *diag)
{
	struct teller *t = &s->teller;
	struct predict_result result;
	int error = predictor_finish(s->predictor, t->sequence, &result, diag);

	t->acquires = &result.acquires;
	for (size_t i = 0; !error && i < result.count; i++) {
		const struct predict_deadlock *d = &result.deadlock[i];
		enum rule rule = d->observed ? RULE_DEADLOCK : RULE_LOCK_ORDER_INVERSION;

		if (!(s->rules_off >> rule & 1))
			tell_deadlock(t, d);
	}
	summary->ordered = result.counts.ordered;
	summary->spent = result.counts.graph.spent;
	predict_result_release(&result);
	return error;
}

/* ---- races ---- */

static void tell_race(struct race_book *b, const struct race_access *before, bool before_writes,
		      const struct predict_event *e)
{
	const struct teller *t = b->teller;
	uint32_t variable = e->object;
	bool writes = e->op == PREDICT_WRITE;
	const char *name = word_of(t, &t->sequence->variables, variable);
	struct finding *f = finding_begin(t->list, RULE_DATA_RACE, CONFIDENCE_OBSERVED, t->process);
	struct finding_lock *memory;
	struct finding_stack *stack;

	add_thread(t, f, before->thread);
	add_thread(t, f, e->thread);
	memory = finding_add_lock(t->list, f, variable + 1);
	memory->process = t->process;
	memory->word = "variable";
	memory->name = name;
	stack = add_stack(t, f, ROLE_ACCESSES, before->thread, variable,
			  place_word(t, before->place));
	stack->access = (struct finding_access){ .reads = !before_writes, .writes = before_writes };
	stack = add_stack(t, f, ROLE_ACCESSES, e->thread, variable, place_word(t, e->place));
	stack->access = (struct finding_access){ .reads = !writes, .writes = writes };
	f->title = finding_list_printf(t->list, "%s %s variable %s while %s %s it",
				       thread_word(t, before->thread),
				       before_writes ? "writes" : "reads", name,
				       thread_word(t, e->thread), writes ? "writes" : "reads");
	f->message = finding_list_printf(
		t->list,
		"Nothing in the trace orders the two accesses, and each can come right before the other "
		"with everything before them as recorded.");
	finding_commit(t->list, f);
	b->finding = room_for(b->finding, b->count, 1, &b->capacity, sizeof(*b->finding));
	b->finding[b->count++] = f;
}

static void on_race(void *cookie, const struct race_access *before, bool before_writes,
		    const struct predict_event *e, size_t index)
{
	struct race_book *b = cookie;
	uint32_t key[3] = { before->place, e->place,
			    (uint32_t)before_writes << 1 | (e->op == PREDICT_WRITE) };
	uint32_t pair = names_lookup_or_add(&b->pairs, (const char *)key, sizeof(key), sizeof(key));

	(void)index;
	if (pair < b->count)
		b->finding[pair]->count++;
	else
		tell_race(b, before, before_writes, e);
}

/* ---- the whole ---- */

struct std_findings *std_findings_new(struct predict_sequence *sequence, uint64_t rules_off,
				      size_t process, struct finding_list *list)
{
	struct std_findings *s = room_new(1, sizeof(*s));

	s->teller = (struct teller){ .sequence = sequence, .list = list, .process = process };
	s->rules_off = rules_off;
	s->book.teller = &s->teller;
	if (!(rules_off >> RULE_DATA_RACE & 1)) {
		s->races = races_new(RACES_SHB, on_race, &s->book);
		predict_sequence_hear(sequence, (struct predict_listener){ races_hear, s->races });
	}
	/* Also where nobody asks: without one who hears of them events would be kept. */
	s->predictor = predictor_new(NULL);
	if (!(rules_off >> RULE_DEADLOCK & rules_off >> RULE_LOCK_ORDER_INVERSION & 1) || !s->races)
		predict_sequence_hear(sequence,
				      (struct predict_listener){ predictor_hear, s->predictor });
	return s;
}

int std_findings_finish(struct std_findings *findings, struct std_summary *ret_summary,
			struct diag *diag)
{
	const struct predict_sequence *sequence = findings->teller.sequence;

	*ret_summary = (struct std_summary){ .events = sequence->count,
					     .threads = sequence->threads.count,
					     .locks = sequence->locks.count };
	return tell_deadlocks(findings, ret_summary, diag);
}

void std_findings_free(struct std_findings *findings)
{
	if (!findings)
		return;
	races_free(findings->races);
	predictor_free(findings->predictor);
	names_release(&findings->book.pairs);
	free(findings->book.finding);
	free(findings);
}
