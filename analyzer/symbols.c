/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - the modules of one process by address and time, and stacks put together from what
 * their files say.
 */
#include "symbols.h"

#include "frame_class.h"
#include "symbols_arena.h"
#include "symbols_file.h"
#include "symbols_perf_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_CHECKED 4096 /* more come only from damaged or hostile traces */

struct module {
	const struct trace_module *trace; /* borrowed from the process */
	struct symbols_file *file;	  /* borrowed from files; NULL = none that fits */
	bool looked_for;
	const char *build_id; /* hex; NULL = none; arena */
};

struct symbols {
	const struct trace_process *process; /* borrowed */
	struct symbols_files *files;
	bool owns_files;
	struct symbols_arena arena;
	struct module *modules; /* owns; as process->modules */
	bool reused;		/* some address belonged to two modules, so time matters */
	bool perf_map_read;
	struct perf_map *perf_map; /* owns; NULL = none */
	struct frames
		*memo; /* owns; by stack id, where time does not matter; frame NULL = not yet */
};

static bool ranges_meet(const struct trace_module *a, const struct trace_module *b)
{
	return a->start < b->end && b->start < a->end;
}

static bool any_range_reused(const struct trace_process *process)
{
	if (process->module_count > MODULES_CHECKED)
		return true;
	for (size_t i = 0; i < process->module_count; i++)
		for (size_t j = 0; j < i; j++)
			if (ranges_meet(&process->modules[i], &process->modules[j]))
				return true;
	return false;
}

static const char *hex(struct symbols_arena *arena, const uint8_t *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	char *text;

	if (!count)
		return NULL;
	text = symbols_arena_alloc(arena, 2 * count + 1);
	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return text;
}

int symbols_new_shared(const struct trace_process *process, struct symbols_files *files,
		       struct symbols **ret_symbols, struct diag *diag)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		goto out_of_memory;
	symbols_arena_init(&symbols->arena);
	symbols->process = process;
	symbols->files = files;
	symbols->modules = calloc(process->module_count + 1, sizeof(*symbols->modules));
	symbols->memo = calloc(process->stack_count + 1, sizeof(*symbols->memo));
	if (!symbols->modules || !symbols->memo)
		goto out_of_memory;
	for (size_t i = 0; i < process->module_count; i++) {
		const struct trace_module *trace = &process->modules[i];

		symbols->modules[i].trace = trace;
		symbols->modules[i].build_id =
			hex(&symbols->arena, trace->build_id, trace->build_id_bytes);
	}
	symbols->reused = any_range_reused(process);
	*ret_symbols = symbols;
	return 0;

out_of_memory:
	symbols_free(symbols);
	return diag_set(diag, THRUM_ENOMEM, "out of memory for the symbols of process %s",
			process->name);
}

int symbols_new(const struct trace_process *process, struct symbols **ret_symbols,
		struct diag *diag)
{
	struct symbols_files *files = symbols_files_new();
	int error = symbols_new_shared(process, files, ret_symbols, diag);

	if (error)
		symbols_files_free(files);
	else
		(*ret_symbols)->owns_files = true;
	return error;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	if (symbols->owns_files)
		symbols_files_free(symbols->files);
	symbols_arena_release(&symbols->arena);
	perf_map_free(symbols->perf_map);
	free(symbols->modules);
	free(symbols->memo);
	free(symbols);
}

/* ---- modules ---- */

/* `a` fits `time_ns` better than `b`; both have the address. */
static bool fits_better(const struct trace_module *a, const struct trace_module *b,
			uint64_t time_ns)
{
	bool a_there = a->loaded_ns <= time_ns && time_ns < a->unloaded_ns;
	bool b_there = b->loaded_ns <= time_ns && time_ns < b->unloaded_ns;

	if (a_there != b_there)
		return a_there;
	/*
	 * Neither: the snapshot that named the module may be later than the event. The first to
	 * come, else the last.
	 */
	if (!a_there && time_ns < a->loaded_ns && time_ns < b->loaded_ns)
		return a->loaded_ns < b->loaded_ns;
	return a->loaded_ns > b->loaded_ns;
}

static struct module *find_module(struct symbols *symbols, uint64_t address, uint64_t time_ns)
{
	struct module *best = NULL;

	for (size_t i = 0; i < symbols->process->module_count; i++) {
		struct module *module = &symbols->modules[i];

		if (address < module->trace->start || address >= module->trace->end)
			continue;
		if (!best || fits_better(module->trace, best->trace, time_ns))
			best = module;
		if (!symbols->reused)
			break;
	}
	return best;
}

static struct symbols_file *module_get_file(struct symbols *symbols, struct module *module)
{
	const struct trace_module *trace = module->trace;

	if (!module->looked_for) {
		module->looked_for = true;
		if (trace->path)
			module->file = symbols_files_find(
				symbols->files, trace->path, trace->build_id, trace->build_id_bytes,
				symbols->process->start_real_ns + trace->loaded_ns);
	}
	return module->file;
}

/* ---- stacks ---- */

/* Frames under construction; inlined calls make more of them than the stack has addresses. */
struct builder {
	struct frame *frame; /* owns */
	size_t count, capacity;
};

static struct frame *builder_add(struct builder *builder)
{
	struct frame *frame;

	builder->frame = symbols_array_grow(builder->frame, builder->count, &builder->capacity,
					    sizeof(*builder->frame));
	frame = &builder->frame[builder->count++];
	memset(frame, 0, sizeof(*frame));
	return frame;
}

static void add_frames(struct symbols *symbols, struct builder *builder, struct module *module,
		       uint64_t address)
{
	struct symbols_file *file = module_get_file(symbols, module);
	uint64_t offset = address - module->trace->bias;
	const struct symbols_calls *calls = file ? symbols_file_resolve(file, offset) : NULL;
	size_t count = calls && calls->count ? calls->count : 1;

	for (size_t i = 0; i < count; i++) {
		struct frame *frame = builder_add(builder);

		frame->module = module->trace->path;
		frame->build_id = module->build_id;
		frame->offset = offset;
		if (!calls || !calls->count)
			continue;
		frame->function = calls->call[i].function;
		frame->file = calls->call[i].file;
		frame->line = calls->call[i].line;
		frame->inlined = calls->call[i].inlined;
		frame->language = calls->call[i].language;
	}
}

/*
 * The kernel enters a handler as if it had been called from the trampoline: that "return address"
 * is its first byte.
 */
static bool is_signal_frame(struct symbols *symbols, uint64_t ip, uint64_t time_ns)
{
	struct module *module = find_module(symbols, ip, time_ns);
	struct symbols_file *file =
		module && !module->trace->is_thrum ? module_get_file(symbols, module) : NULL;

	return file && symbols_file_is_signal_frame(file, ip - module->trace->bias);
}

/* The name that the program's own compiler gave to code outside all modules. */
static const char *jit_name(struct symbols *symbols, uint64_t address)
{
	const char *name;

	if (!symbols->perf_map_read) {
		char path[64];

		symbols->perf_map_read = true;
		snprintf(path, sizeof(path), "/tmp/perf-%u.map", symbols->process->pid);
		symbols->perf_map = perf_map_read(path, symbols->process->start_real_ns);
	}
	name = symbols->perf_map ? perf_map_find(symbols->perf_map, address) : NULL;
	return name ? symbols_arena_copy(&symbols->arena, name) : NULL;
}

static void add_place(struct symbols *symbols, struct builder *builder, uint64_t ip)
{
	static const char *const module[] = { [TF_PLACE_PROGRAM] = SYMBOLS_PYTHON,
					      [TF_PLACE_PACKAGE] = SYMBOLS_PYTHON_PACKAGE,
					      [TF_PLACE_LIBRARY] = SYMBOLS_PYTHON_LIBRARY };
	uint64_t number = ip - TF_PLACE;
	struct frame *frame = builder_add(builder);
	const struct trace_code_place *place;

	frame->module = SYMBOLS_PYTHON;
	frame->language = "python";
	if (number >= symbols->process->place_count)
		return;
	place = &symbols->process->places[number];
	if (place->kind < sizeof(module) / sizeof(module[0]))
		frame->module = module[place->kind];
	frame->function = place->function;
	frame->file = place->file;
	frame->line = place->file ? (int)place->line : 0;
}

/* A script's function has a place as well. */
static void name_jit(struct symbols *symbols, struct frame *frame, uint64_t address)
{
	const char *name = jit_name(symbols, address);
	struct perf_map_part function, file;

	frame->function = name;
	frame->module = name ? SYMBOLS_JIT : SYMBOLS_NO_MODULE;
	frame->offset = address;
	if (!name || !perf_map_split(name, &function, &file, &frame->line))
		return;
	frame->function = function.length ? symbols_arena_printf(&symbols->arena, "%.*s",
								 function.length, function.text)
					  : SYMBOLS_ANONYMOUS;
	frame->file = symbols_arena_printf(&symbols->arena, "%.*s", file.length, file.text);
	frame->language = "javascript";
}

/* Adds what lies at `ip`; returns whether the next outer address is exact. */
static bool add_address(struct symbols *symbols, struct builder *builder, uint64_t ip, bool exact,
			uint64_t time_ns)
{
	if (TF_IS_PLACE(ip)) {
		add_place(symbols, builder, ip);
		return false;
	}
	bool is_signal = is_signal_frame(symbols, ip, time_ns);
	uint64_t address = exact || is_signal ? ip : ip - 1;
	struct module *module = find_module(symbols, address, time_ns);
	size_t before = builder->count;

	if (!module) {
		name_jit(symbols, builder_add(builder), address);
	} else if (!module->trace->is_thrum) {
		add_frames(symbols, builder, module, address);
		if (is_signal)
			builder->frame[before].function = FRAME_SIGNAL;
	}
	return is_signal;
}

static struct frames build_stack(struct symbols *symbols, const struct trace_stack *stack,
				 uint64_t time_ns)
{
	struct builder builder = { NULL, 0, 0 };
	struct frames frames;
	bool exact = false;

	for (uint32_t i = 0; i < stack->frames; i++)
		if (stack->ip[i])
			exact = add_address(symbols, &builder, stack->ip[i], exact, time_ns);
	frames.count = builder.count;
	frames.frame =
		symbols_arena_alloc(&symbols->arena, (builder.count + 1) * sizeof(*frames.frame));
	if (builder.count)
		memcpy(frames.frame, builder.frame, builder.count * sizeof(*frames.frame));
	free(builder.frame);
	return frames;
}

struct frames symbols_resolve_stack(struct symbols *symbols, uint32_t stack, uint64_t time_ns)
{
	struct frames frames;

	if (!stack || stack >= symbols->process->stack_count)
		return (struct frames){ NULL, 0 };
	if (!symbols->reused && symbols->memo[stack].frame)
		return symbols->memo[stack];
	frames = build_stack(symbols, &symbols->process->stacks[stack], time_ns);
	if (!symbols->reused)
		symbols->memo[stack] = frames;
	return frames;
}

/* ---- single addresses ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *symbols_resolve_data(struct symbols *symbols, uint64_t address, uint64_t time_ns)
{
	unsigned how;

	return symbols_resolve_shared(symbols, address, time_ns, &how);
}

const char *symbols_resolve_shared(struct symbols *symbols, uint64_t address, uint64_t time_ns,
				   unsigned *ret_how)
{
	struct module *module = find_module(symbols, address, time_ns);
	struct symbols_file *file = module ? module_get_file(symbols, module) : NULL;
	const char *name = NULL;
	uint64_t offset;

	*ret_how = 0;
	if (!module || !module->trace->path)
		return NULL;
	offset = address - module->trace->bias;
	if (file) {
		if (!symbols_file_covers(file, offset))
			return NULL;
		name = symbols_file_name_data(file, offset, ret_how);
	}
	if (!name)
		name = symbols_arena_printf(&symbols->arena, "%s+0x%llx",
					    base_name(module->trace->path),
					    (unsigned long long)offset);
	return name;
}

bool symbols_resolve_data_place(struct symbols *symbols, uint64_t address, uint64_t time_ns,
				const char **ret_file, int *ret_line)
{
	struct module *module = find_module(symbols, address, time_ns);
	struct symbols_file *file = module ? module_get_file(symbols, module) : NULL;

	return file &&
	       symbols_file_place_data(file, address - module->trace->bias, ret_file, ret_line);
}

struct frame symbols_resolve_function(struct symbols *symbols, uint64_t address, uint64_t time_ns)
{
	struct module *module = find_module(symbols, address, time_ns);
	struct symbols_file *file = module ? module_get_file(symbols, module) : NULL;
	struct frame found = { .module = module ? module->trace->path : NULL };
	const struct symbols_calls *calls;

	if (!file)
		return found;
	calls = symbols_file_resolve(file, address - module->trace->bias);
	if (calls->count)
		found.function = calls->call[calls->count - 1].function;
	return found;
}
