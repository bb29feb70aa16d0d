/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.c - keys of findings and the merge of equal ones.
 *
 * The key text of a finding is its rule id and its parties, sorted and each once: five philosophers
 * who run the same code are one party, so rings of different length through the same code are one
 * finding.
 */
#include "fingerprint.h"

#include "frame_class.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 512
/* Separates fields of a party; cannot occur in a name because the trace's strings end there. */
#define FIELD_END '\x1f'

struct text {
	char *data; /* owns */
	size_t used, bytes;
};

static void *must(void *memory)
{
	if (!memory)
		abort(); /* as finding_list_alloc: hosted code */
	return memory;
}

static void text_add(struct text *t, const char *data, size_t bytes)
{
	if (bytes == 0)
		return; /* then there may be no memory yet */
	if (t->bytes - t->used < bytes) {
		t->bytes = 2 * (t->bytes + bytes);
		t->data = must(realloc(t->data, t->bytes));
	}
	memcpy(t->data + t->used, data, bytes);
	t->used += bytes;
}

static void text_add_field(struct text *t, const char *field)
{
	const char end = FIELD_END;

	if (field)
		text_add(t, field, strlen(field));
	text_add(t, &end, 1);
}

/* ---- what is left of names ---- */

void function_key_name(const char *function, char *ret_name, size_t bytes)
{
	function_bare_name(function, ret_name, bytes);
	if (!*ret_name)
		strncat(ret_name, function, bytes - 1);
}

/* Length of a module's name that survives an update: "libfoo.so.1.2" counts up to ".so". */
static size_t module_class_bytes(const char *name)
{
	const char *so = strstr(name, ".so");

	return so && (so[3] == '.' || !so[3]) ? (size_t)(so + 3 - name) : strlen(name);
}

static void text_add_module(struct text *t, const struct frame *frame)
{
	const char *name = frame_module_name(frame);

	if (name)
		text_add(t, name, module_class_bytes(name));
	text_add_field(t, NULL);
}

/*
 * Length of a symbol without "+40" at its end; of "libfoo.so.1+0x1234" the module without version.
 */
static size_t symbol_bytes(const char *name)
{
	const char *plus = strrchr(name, '+'), *so = strstr(name, ".so");

	if (!plus || plus == name ||
	    strspn(plus + 1, "0123456789abcdefABCDEFx") != strlen(plus + 1))
		return strlen(name);
	return so && so < plus ? (size_t)(so + 3 - name) : (size_t)(plus - name);
}

/* What stands between brackets: an index, or a key of Python's, '"anna"'. */
static size_t item_bytes(const char *item)
{
	const char *end = *item == '"' ? strstr(item, "\"]") : NULL;

	return end ? (size_t)(end + 1 - item) : strspn(item, "0123456789");
}

void symbol_class(const char *name, char *ret_class, size_t bytes)
{
	const char *end = name + symbol_bytes(name);
	size_t used = 0;

	while (name < end && used + 1 < bytes) {
		ret_class[used++] = *name++;
		if (name[-1] == '[')
			name += item_bytes(name);
	}
	ret_class[used] = '\0';
}

static void text_add_symbol(struct text *t, const char *name)
{
	char class[NAME_BYTES] = "";

	if (name)
		symbol_class(name, class, sizeof(class));
	text_add_field(t, class);
}

/* ---- parties ---- */

static void text_add_frame(struct text *t, const struct frame *frame)
{
	char name[NAME_BYTES] = "";

	if (frame->function)
		function_key_name(frame->function, name, sizeof(name));
	text_add_field(t, name);
	text_add_module(t, frame);
}

/*
 * Where it happened, be it in a library, then the innermost frames of the program. Repeats are
 * recursion: their number differs from run to run.
 */
static void text_add_frames(struct text *t, const struct frames *frames)
{
	size_t count = frames_of_cause(frames);
	size_t taken = 0, last = 0, last_bytes = 0;

	for (size_t i = 0; i < count && taken < FINGERPRINT_FRAMES; i++) {
		enum frame_class class = frame_classify(&frames->frame[i]);
		size_t start = t->used;

		if (class == FRAME_PLUMBING || class == FRAME_RUNTIME ||
		    (class == FRAME_LIBRARY && taken))
			continue;
		text_add_frame(t, &frames->frame[i]);
		if (last_bytes == t->used - start &&
		    !memcmp(t->data + last, t->data + start, last_bytes)) {
			t->used = start;
			continue;
		}
		last = start;
		last_bytes = t->used - start;
		taken++;
	}
}

/* The parties of one finding, each a piece of `text`. */
struct parties {
	struct text text;
	struct piece {
		size_t start, bytes;
		const char *data; /* set once the text no longer moves */
	} * piece;		  /* owns */
	size_t count, capacity;
};

static void parties_end_piece(struct parties *p, size_t start)
{
	if (p->count == p->capacity) {
		p->capacity = p->capacity ? 2 * p->capacity : 16;
		p->piece = must(reallocarray(p->piece, p->capacity, sizeof(*p->piece)));
	}
	p->piece[p->count++] = (struct piece){ .start = start, .bytes = p->text.used - start };
}

static void text_add_lock(struct text *t, const struct finding_lock *lock)
{
	const char kind = (char)('A' + (lock ? lock->kind % 26 : 25));

	text_add(t, &kind, 1);
	text_add_symbol(t, lock ? lock->name : NULL);
}

static void text_add_start(struct text *t, const struct finding_thread *thread)
{
	char name[NAME_BYTES] = "";

	if (thread && thread->start_function)
		function_key_name(thread->start_function, name, sizeof(name));
	text_add_field(t, name);
}

static void parties_add_stacks(struct parties *p, const struct finding *f)
{
	for (size_t i = 0; i < f->stack_count; i++) {
		struct frames frames = finding_stack_key(&f->stacks[i]);
		size_t start = p->text.used;

		if (f->stacks[i].beside)
			continue;
		text_add_field(&p->text, stack_role_name(f->stacks[i].role));
		text_add_lock(&p->text, finding_find_lock(f, f->stacks[i].lock));
		if (f->stacks[i].role ==
		    ROLE_CREATES) /* threads with different jobs, all made by main */
			text_add_start(&p->text, finding_find_thread(f, f->stacks[i].thread));
		text_add_frames(&p->text, &frames);
		parties_end_piece(p, start);
	}
}

static bool is_lock_in_stacks(const struct finding *f, uint32_t id)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].lock == id)
			return true;
	return false;
}

static bool is_thread_in_stacks(const struct finding *f, uint32_t id)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].thread == id)
			return true;
	return false;
}

static bool is_lock_held_in_stacks(const struct finding *f, uint32_t id)
{
	for (size_t i = 0; i < f->stack_count; i++)
		for (size_t k = 0; k < f->stacks[i].held_count; k++)
			if (f->stacks[i].held[k] == id)
				return true;
	return false;
}

/*
 * A lock that is only held beside the point is listed but is no party: it differs between equal
 * findings.
 */
static void parties_add_locks(struct parties *p, const struct finding *f)
{
	for (size_t i = 0; i < f->lock_count; i++) {
		size_t start = p->text.used;

		if (is_lock_in_stacks(f, f->locks[i].id) ||
		    is_lock_held_in_stacks(f, f->locks[i].id))
			continue;
		text_add_field(&p->text, "lock");
		text_add_lock(&p->text, &f->locks[i]);
		parties_end_piece(p, start);
	}
}

static void parties_add_threads(struct parties *p, const struct finding *f)
{
	for (size_t i = 0; i < f->thread_count; i++) {
		const struct finding_thread *thread = &f->threads[i];
		size_t start = p->text.used;

		if (is_thread_in_stacks(f, thread->id))
			continue;
		text_add_field(&p->text, "thread");
		text_add_start(&p->text, thread);
		text_add_frames(&p->text, &thread->created_at);
		parties_end_piece(p, start);
	}
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	int order = memcmp(x->data, y->data, x->bytes < y->bytes ? x->bytes : y->bytes);

	return order ? order : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static void parties_sort(struct parties *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->piece[i].data = p->text.data + p->piece[i].start;
	if (p->count)
		qsort(p->piece, p->count, sizeof(*p->piece), compare_pieces);
}

static XXH128_hash_t hash_parties(const struct parties *p, enum rule rule)
{
	const char end = '\n';
	struct text key = { 0 };
	XXH128_hash_t hash;

	text_add_field(&key, rule_id(rule));
	for (size_t i = 0; i < p->count; i++) {
		if (i && !compare_pieces(&p->piece[i - 1], &p->piece[i]))
			continue;
		text_add(&key, p->piece[i].data, p->piece[i].bytes);
		text_add(&key, &end, 1);
	}
	hash = XXH3_128bits(key.data, key.used);
	free(key.data);
	return hash;
}

/* Takes the parties. */
static const char *make_key(struct finding_list *list, struct parties *p, enum rule rule)
{
	XXH128_hash_t hash;

	parties_sort(p);
	hash = hash_parties(p, rule);
	free(p->text.data);
	free(p->piece);
	return finding_list_printf(list, "%016llx%016llx", (unsigned long long)hash.high64,
				   (unsigned long long)hash.low64);
}

static const char *make_fingerprint(struct finding_list *list, const struct finding *f)
{
	struct parties p = { 0 };

	parties_add_stacks(&p, f);
	parties_add_locks(&p, f);
	parties_add_threads(&p, f);
	return make_key(list, &p, f->rule);
}

/* Where its locks and threads came from, whatever the code between them is now. */
static const char *make_place(struct finding_list *list, const struct finding *f)
{
	struct parties p = { 0 };

	for (size_t i = 0; i < f->lock_count; i++) {
		size_t start = p.text.used;

		text_add_lock(&p.text, &f->locks[i]);
		if (!f->locks[i].name) /* a heap lock is what its creation site is */
			text_add_frames(&p.text, &f->locks[i].first_seen);
		parties_end_piece(&p, start);
	}
	for (size_t i = 0; i < f->thread_count; i++) {
		size_t start = p.text.used;

		text_add_start(&p.text, &f->threads[i]);
		text_add_frames(&p.text, &f->threads[i].created_at);
		parties_end_piece(&p, start);
	}
	return make_key(list, &p, f->rule);
}

/* ---- merge ---- */

static uint64_t time_of(const struct finding *f)
{
	return f->stack_count ? f->stacks[0].time_ns : 0;
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Where two runs tell the same story at the same moment: by what else is shown. */
static int compare_parts(const struct finding *a, const struct finding *b)
{
	int order = compare_numbers(a->thread_count, b->thread_count);

	if (!order)
		order = compare_numbers(a->lock_count, b->lock_count);
	if (!order)
		order = compare_numbers(a->stack_count, b->stack_count);
	for (size_t i = 0; !order && i < a->thread_count; i++) {
		order = compare_numbers(a->threads[i].pid, b->threads[i].pid);
		if (!order)
			order = compare_numbers(a->threads[i].tid, b->threads[i].tid);
	}
	for (size_t i = 0; !order && i < a->lock_count; i++)
		order = compare_numbers(a->locks[i].address, b->locks[i].address);
	for (size_t i = 0; !order && i < a->stack_count; i++)
		order = compare_numbers(a->stacks[i].time_ns, b->stacks[i].time_ns);
	return order;
}

/*
 * Which of two equal findings tells the story: the stronger, then the earlier. A total order over
 * what is shown, so that merging is associative and its order does not matter.
 */
static bool goes_before(const struct finding *a, const struct finding *b)
{
	int order;

	if (a->level != b->level)
		return a->level > b->level;
	if (a->confidence != b->confidence)
		return a->confidence > b->confidence;
	if (time_of(a) != time_of(b))
		return time_of(a) < time_of(b);
	order = compare_texts(a->title, b->title);
	if (!order)
		order = compare_texts(a->message, b->message);
	if (!order)
		order = compare_parts(a, b);
	return order < 0;
}

/* Known from the baseline or not: what is news in one part is news in all. */
static int news_rank(enum baseline_state state)
{
	static const int ranks[] = { [BASELINE_UNCHANGED] = 0,
				     [BASELINE_UPDATED] = 1,
				     [BASELINE_NONE] = 2,
				     [BASELINE_NEW] = 3 };

	return ranks[state];
}

/* What holds of both: of findings that come from reports that were gated by themselves. */
static void merge_into(struct finding *kept, const struct finding *other)
{
	kept->count += other->count;
	kept->confirmed |= other->confirmed;
	if (news_rank(other->baseline) > news_rank(kept->baseline))
		kept->baseline = other->baseline;
	/* Hidden only where it is hidden everywhere; by the entry that comes first. */
	if (!kept->suppressed_by || !other->suppressed_by) {
		kept->suppressed_by = kept->suppressed_reason = NULL;
	} else if (strcmp(other->suppressed_by, kept->suppressed_by) < 0) {
		kept->suppressed_by = other->suppressed_by;
		kept->suppressed_reason = other->suppressed_reason;
	}
}

/* Open addressing over the list's kept findings; a slot holds index + 1. */
struct merge_table {
	size_t *slot; /* owns */
	size_t slots; /* a power of two */
};

static size_t *merge_table_lookup(struct merge_table *table, const struct finding_list *list,
				  const struct finding *f)
{
	XXH64_hash_t hash = XXH3_64bits(f->fingerprint, strlen(f->fingerprint));

	for (size_t i = hash & (table->slots - 1);; i = (i + 1) & (table->slots - 1)) {
		size_t *slot = &table->slot[i];
		const struct finding *other = *slot ? finding_list_get(list, *slot - 1) : NULL;

		if (!other ||
		    (other->rule == f->rule && !strcmp(other->fingerprint, f->fingerprint)))
			return slot;
	}
}

static void merge_equals(struct finding_list *list)
{
	size_t count = finding_list_count(list), kept = 0;
	struct merge_table table = { .slots = 16 };

	while (table.slots < 2 * count)
		table.slots *= 2;
	table.slot = must(calloc(table.slots, sizeof(*table.slot)));
	for (size_t i = 0; i < count; i++) {
		struct finding *f = finding_list_get(list, i), *first;
		size_t *slot = merge_table_lookup(&table, list, f);

		if (!*slot) {
			finding_list_set(list, kept, f);
			*slot = ++kept;
			continue;
		}
		first = finding_list_get(list, *slot - 1);
		if (goes_before(f, first)) {
			merge_into(f, first);
			finding_list_set(list, *slot - 1, f);
		} else {
			merge_into(first, f);
		}
	}
	finding_list_truncate(list, kept);
	free(table.slot);
}

void findings_finish(struct finding_list *list)
{
	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct finding *f = finding_list_get(list, i);

		if (f->fingerprint) /* of a report that was read back */
			continue;
		f->fingerprint = make_fingerprint(list, f);
		f->place = make_place(list, f);
		f->suppression = finding_make_suppression(list, f);
	}
	merge_equals(list);
}
