/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.c - keys of findings, the merge of equal ones, and the suppression line.
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

static void bare_or_raw_name(const char *function, char *ret_name, size_t bytes)
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

/* What names a lock's class: "accounts" of "accounts+40", "node[].lock" of "node[17].lock". */
static void symbol_class(const char *name, char *ret_class, size_t bytes)
{
	const char *end = name + symbol_bytes(name);
	size_t used = 0;

	while (name < end && used + 1 < bytes) {
		ret_class[used++] = *name++;
		if (name[-1] == '[')
			name += strspn(name, "0123456789");
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
		bare_or_raw_name(frame->function, name, sizeof(name));
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
		bare_or_raw_name(thread->start_function, name, sizeof(name));
	text_add_field(t, name);
}

static void parties_add_stacks(struct parties *p, const struct finding *f)
{
	for (size_t i = 0; i < f->stack_count; i++) {
		size_t start = p->text.used;

		text_add_field(&p->text, stack_role_name(f->stacks[i].role));
		text_add_lock(&p->text, finding_find_lock(f, f->stacks[i].lock));
		if (f->stacks[i].role ==
		    ROLE_CREATES) /* threads with different jobs, all made by main */
			text_add_start(&p->text, finding_find_thread(f, f->stacks[i].thread));
		text_add_frames(&p->text, &f->stacks[i].frames);
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

static const char *make_fingerprint(struct finding_list *list, const struct finding *f)
{
	struct parties p = { 0 };
	XXH128_hash_t hash;

	parties_add_stacks(&p, f);
	parties_add_locks(&p, f);
	parties_add_threads(&p, f);
	parties_sort(&p);
	hash = hash_parties(&p, f->rule);
	free(p.text.data);
	free(p.piece);
	return finding_list_printf(list, "%016llx%016llx", (unsigned long long)hash.high64,
				   (unsigned long long)hash.low64);
}

/* ---- suppression ---- */

/* The function a reader would name: of the program where there is one. NULL = nothing is known. */
static const struct frame *find_telling_frame(const struct frames *frames)
{
	size_t count = frames_of_cause(frames);
	const struct frame *fallback = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct frame *frame = &frames->frame[i];
		enum frame_class class = frame_classify(frame);

		if (class == FRAME_PROGRAM && frame->function)
			return frame;
		if (!fallback && class != FRAME_PLUMBING && (frame->function || frame->module))
			fallback = frame;
	}
	return fallback;
}

static void telling_name(const struct frames *frames, char *ret_name, size_t bytes)
{
	const struct frame *frame = find_telling_frame(frames);

	*ret_name = '\0';
	if (frame && frame->function)
		bare_or_raw_name(frame->function, ret_name, bytes);
	else if (frame && frame->module)
		strncat(ret_name, frame_module_name(frame), bytes - 1);
}

/* What would end the line or the pattern. */
static void clean_pattern(char *pattern)
{
	for (; *pattern; pattern++)
		if ((unsigned char)*pattern < ' ' || *pattern == '#')
			*pattern = '?';
}

const char *finding_make_suppression(struct finding_list *list, const struct finding *f)
{
	char best[NAME_BYTES] = "", name[NAME_BYTES];

	/*
	 * Among stacks of the first one's role, so that the rotation of a cycle does not change the
	 * line. One that only joins the others is not what it is about.
	 */
	for (size_t i = 0; i < f->stack_count; i++) {
		const struct finding_thread *thread = finding_find_thread(f, f->stacks[i].thread);

		if (f->stacks[i].role != f->stacks[0].role ||
		    (f->stacks[i].for_thread && !f->stacks[0].for_thread))
			continue;
		telling_name(&f->stacks[i].frames, name, sizeof(name));
		if (f->stacks[i].role == ROLE_CREATES && thread && thread->start_function)
			bare_or_raw_name(thread->start_function, name, sizeof(name));
		if (*name && (!*best || strcmp(name, best) < 0))
			memcpy(best, name, sizeof(best));
	}
	for (size_t i = 0; i < f->thread_count && !*best; i++) {
		telling_name(&f->threads[i].created_at, best, sizeof(best));
		if (f->threads[i].start_function)
			bare_or_raw_name(f->threads[i].start_function, best, sizeof(best));
	}
	for (size_t i = 0; i < f->lock_count && !*best; i++)
		if (f->locks[i].name)
			symbol_class(f->locks[i].name, best, sizeof(best));
	clean_pattern(best);
	return finding_list_printf(list, "%s:%s  # reason, expires=YYYY-MM-DD", rule_id(f->rule),
				   *best ? best : "*");
}

/* ---- merge ---- */

static bool is_stronger(const struct finding *a, const struct finding *b)
{
	return a->level != b->level ? a->level > b->level : a->confidence > b->confidence;
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
		if (is_stronger(f, first)) {
			f->count += first->count;
			finding_list_set(list, *slot - 1, f);
		} else {
			first->count += f->count;
		}
	}
	finding_list_truncate(list, kept);
	free(table.slot);
}

void findings_finish(struct finding_list *list)
{
	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct finding *f = finding_list_get(list, i);

		f->fingerprint = make_fingerprint(list, f);
		f->suppression = finding_make_suppression(list, f);
	}
	merge_equals(list);
}
