/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_identity.c - what stays the same of a lock, a stack and a thread from run to run, as hashes.
 *
 * An address is its module's base name and build-id and the offset in it; a line of a script is function, file and line. Code that was
 * made at run time has no address that lasts: it counts as "somewhere".
 */
#include "lockgraph_collect.h"

#include <stdlib.h>
#include <string.h>

struct name {
	uint64_t id; /* 0 = none */
	enum lockgraph_identity identity;
	bool many;
};

struct lockgraph_names {
	const struct trace_process *process;
	uint64_t program;
	char *build_id;	 /* owned; NULL = none */
	uint64_t *stack; /* owned; by trace stack, 0 = not yet */
	size_t stack_count;
	struct name *lock; /* owned; by object */
};

/* So that a lock and a stack of the same parts have different ids. */
enum seed { SEED_PROGRAM = 1, SEED_STACK, SEED_ROLE, SEED_LOCK, SEED_SOMEWHERE };

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ---- addresses ---- */

static const struct trace_module *find_module(const struct trace_process *p, uint64_t address,
					      uint64_t time_ns)
{
	const struct trace_module *last = NULL;

	for (size_t i = 0; i < p->module_count; i++) {
		const struct trace_module *m = &p->modules[i];

		if (address < m->start || address >= m->end)
			continue;
		if (time_ns >= m->loaded_ns && time_ns < m->unloaded_ns)
			return m;
		last = m;
	}
	return last;
}

static uint64_t hash_module(uint64_t seed, const struct trace_module *m)
{
	const char *slash = strrchr(m->path, '/');

	seed = lockgraph_hash_text(seed, slash ? slash + 1 : m->path);
	for (uint32_t i = 0; i < m->build_id_bytes; i++)
		seed = lockgraph_hash_id(seed, m->build_id[i]);
	return seed;
}

static uint64_t hash_place(const struct trace_process *p, uint64_t seed, uint64_t number)
{
	const struct trace_code_place *place = number < p->place_count ? &p->places[number] : NULL;
	const char *slash = place && place->file ? strrchr(place->file, '/') : NULL;

	if (!place || !place->file)
		return lockgraph_hash_id(seed, SEED_SOMEWHERE);
	seed = lockgraph_hash_text(seed, place->function);
	seed = lockgraph_hash_text(seed, slash ? slash + 1 : place->file);
	return lockgraph_hash_id(seed, place->line);
}

static uint64_t hash_address(const struct trace_process *p, uint64_t seed, uint64_t address,
			     uint64_t time_ns)
{
	const struct trace_module *m;

	if (TF_IS_PLACE(address))
		return hash_place(p, seed, address - TF_PLACE);
	m = find_module(p, address, time_ns);
	if (!m)
		return lockgraph_hash_id(seed, SEED_SOMEWHERE);
	return lockgraph_hash_id(hash_module(seed, m), address - m->bias);
}

uint64_t lockgraph_name_stack(struct lockgraph_names *names, uint32_t stack)
{
	const struct trace_process *p = names->process;
	uint64_t hash = SEED_STACK;

	if (!stack || stack >= names->stack_count || !p->stacks[stack].frames)
		return 0;
	if (names->stack[stack])
		return names->stack[stack];
	for (uint32_t i = 0; i < p->stacks[stack].frames; i++) {
		uint64_t ip = p->stacks[stack].ip[i];
		const struct trace_module *m = TF_IS_PLACE(ip) ? NULL
							       : find_module(p, ip, UINT64_MAX - 1);

		if (!m || !m->is_thrum)
			hash = hash_address(p, hash, ip, UINT64_MAX - 1);
	}
	return names->stack[stack] = hash;
}

/* ---- programs and threads ---- */

static const char *next_word(const char *at)
{
	at = at ? strchr(at, ' ') : NULL;
	return at ? at + 1 : NULL;
}

/*
 * Python's options: -X and -W have a value, which may be the next word; after -c there is the program itself, to the end (a trace has 256
 * bytes of it all). NULL = there is no word that says what is interpreted.
 */
static const char *find_script(const char *command, bool *ret_is_code)
{
	const char *at = next_word(command);

	*ret_is_code = false;
	while (at && *at == '-') {
		size_t bytes = strcspn(at, " ");
		size_t letter = at[1] == '-' ? bytes : strcspn(at, " XWcm");
		char option = letter < bytes ? at[letter] : 0;
		bool is_joined = letter + 1 < bytes;

		if ((option == 'c' || option == 'm') && is_joined)
			return at;
		*ret_is_code = option == 'c';
		at = next_word(at);
		if (option == 'c' || option == 'm')
			return at;
		if (option && !is_joined)
			at = next_word(at);
	}
	return at;
}

/* "python3 -u job.py 7" and "python3 /srv/job.py 8" are one program: what is interpreted, whatever its arguments. */
static uint64_t hash_script(const struct trace_process *p, uint64_t seed)
{
	bool is_code;
	const char *at = find_script(p->command, &is_code);
	char word[256];
	size_t bytes;

	if (!at)
		return seed;
	if (is_code)
		return lockgraph_hash_text(seed, at);
	bytes = strcspn(at, " ");
	while (memchr(at, '/', bytes)) {
		at++;
		bytes--;
	}
	if (bytes >= sizeof(word))
		bytes = sizeof(word) - 1;
	memcpy(word, at, bytes);
	word[bytes] = '\0';
	return lockgraph_hash_text(seed, word);
}

static void name_program(struct lockgraph_names *names)
{
	const struct trace_process *p = names->process;
	const struct trace_module *main = p->module_count ? &p->modules[0] : NULL;

	names->program = main ? hash_module(SEED_PROGRAM, main)
			      : lockgraph_hash_text(SEED_PROGRAM, p->command);
	if (p->runtime)
		names->program = hash_script(p, names->program);
	if (!main || !main->build_id_bytes)
		return;
	names->build_id = must(malloc(2 * (size_t)main->build_id_bytes + 1));
	for (uint32_t i = 0; i < main->build_id_bytes; i++)
		sprintf(names->build_id + 2 * (size_t)i, "%02x", main->build_id[i]);
}

static bool is_main(const struct trace_process *p, uint32_t thread)
{
	return thread == 1 || (p->threads[thread].flags & TF_THREAD_MAIN);
}

uint64_t lockgraph_name_role(struct lockgraph_names *names, uint32_t thread)
{
	const struct trace_process *p = names->process;
	uint64_t hash = lockgraph_hash_id(SEED_ROLE, names->program);

	if (thread >= p->thread_count || is_main(p, thread))
		return lockgraph_hash_text(hash, "main");
	if (p->threads[thread].start_routine)
		hash = hash_address(p, hash, p->threads[thread].start_routine, UINT64_MAX - 1);
	return lockgraph_hash_id(hash, lockgraph_name_stack(names, p->threads[thread].stack));
}

/* ---- locks ---- */

static uint64_t name_static(struct lockgraph_names *names, const struct trace_object *o,
			    uint64_t seed, struct name *name)
{
	const struct trace_module *m = find_module(names->process, o->address, o->time_ns);

	/* A build-id says which variable the offset is. */
	name->identity = m && m->build_id_bytes ? LOCKGRAPH_STATIC : LOCKGRAPH_SITE;
	return m ? lockgraph_hash_id(hash_module(seed, m), o->address - m->bias) : 0;
}

static void name_object(struct lockgraph_names *names, uint32_t object)
{
	const struct trace_object *o = &names->process->objects[object];
	struct name *name = &names->lock[object];
	const char *text = o->given_name ? o->given_name : o->name;
	uint64_t seed = lockgraph_hash_id(lockgraph_hash_id(SEED_LOCK, names->program), o->kind);

	if (o->where == TF_WHERE_MODULE) {
		name->id = name_static(names, o, lockgraph_hash_text(seed, "static"), name);
	} else if (text && *text) {
		name->identity = LOCKGRAPH_NAMED;
		name->id = lockgraph_hash_text(lockgraph_hash_text(seed, "named"), text);
	} else {
		uint64_t stack = lockgraph_name_stack(names, o->stack);

		name->identity = LOCKGRAPH_SITE;
		name->id = stack ? lockgraph_hash_id(lockgraph_hash_text(seed, "site"), stack) : 0;
	}
}

struct life {
	uint64_t id;
	uint32_t object;
};

static int compare_lives(const void *left, const void *right)
{
	const struct life *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return (a->object > b->object) - (a->object < b->object);
}

/*
 * Objects with one id: a variable's are its lives one after the other, told apart by their number (S14: what was destroyed in between
 * joins nothing). Others are several.
 */
static void name_lives(struct lockgraph_names *names)
{
	size_t count = names->process->object_count, kept = 0;
	struct life *life = must(calloc(count + 1, sizeof(*life)));

	for (uint32_t i = 1; i < count; i++)
		if (names->lock[i].id)
			life[kept++] = (struct life){ names->lock[i].id, i };
	qsort(life, kept, sizeof(*life), compare_lives);
	for (size_t i = 0, first = 0; i < kept; i++) {
		struct name *name = &names->lock[life[i].object];
		bool same = i > first && life[i].id == life[first].id;

		if (!same)
			first = i;
		if (name->identity == LOCKGRAPH_STATIC)
			name->id = lockgraph_hash_id(name->id, i - first);
		else if (same)
			name->many = names->lock[life[first].object].many = true;
	}
	free(life);
}

struct lockgraph_names *lockgraph_names_new(const struct trace_process *process)
{
	struct lockgraph_names *names = must(calloc(1, sizeof(*names)));

	names->process = process;
	names->stack_count = process->stack_count;
	names->stack = must(calloc(process->stack_count + 1, sizeof(*names->stack)));
	names->lock = must(calloc(process->object_count + 1, sizeof(*names->lock)));
	name_program(names);
	for (uint32_t i = 1; i < process->object_count; i++)
		if (process->objects[i].kind)
			name_object(names, i);
	name_lives(names);
	return names;
}

void lockgraph_names_free(struct lockgraph_names *names)
{
	if (!names)
		return;
	free(names->build_id);
	free(names->stack);
	free(names->lock);
	free(names);
}

uint64_t lockgraph_name_program(const struct lockgraph_names *names)
{
	return names->program;
}

const char *lockgraph_name_build_id(const struct lockgraph_names *names)
{
	return names->build_id;
}

uint64_t lockgraph_name_lock(struct lockgraph_names *names, uint32_t object,
			     enum lockgraph_identity *ret_identity, bool *ret_many)
{
	static const struct name nothing;
	const struct name *name = object < names->process->object_count ? &names->lock[object]
									: &nothing;

	*ret_identity = name->identity;
	*ret_many = name->many;
	return name->id;
}
