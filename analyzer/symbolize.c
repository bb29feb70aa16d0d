/* SPDX-License-Identifier: MIT */
/*
 * symbolize.c - walks the findings, asks each process's symbols, and copies the answers into the
 * list's memory.
 */
#include "symbolize.h"

#include "one_class.h"
#include "race_source.h"

#include "frame_class.h"
#include "symbols.h"
#include "symbols_file.h"
#include "trace/trace_format.h"

#include <stdlib.h>
#include <string.h>

/*
 * A string of a symbols object and its copy in the list. Symbols give one pointer per name:
 * pointers are the key.
 */
struct copied {
	const char *from, *to;
};

struct symbolizer {
	struct finding_list *list;
	const struct trace_reader *reader;
	struct symbols_files *files; /* owns */
	struct symbols **processes;  /* owns; by index, NULL = not yet */
	struct copied *copied;	     /* owns; open addressing */
	size_t copied_count, copied_slots;
};

static struct copied *find_copied(struct copied *slots, size_t count, const char *from)
{
	size_t index = (size_t)((uint64_t)(uintptr_t)from * 0x9e3779b97f4a7c15ull >> 24) &
		       (count - 1);

	while (slots[index].from && slots[index].from != from)
		index = (index + 1) & (count - 1);
	return &slots[index];
}

static void grow_copied(struct symbolizer *s)
{
	size_t count = s->copied_slots ? 2 * s->copied_slots : 1024;
	struct copied *slots = calloc(count, sizeof(*slots));

	if (!slots)
		abort();
	for (size_t i = 0; i < s->copied_slots; i++)
		if (s->copied[i].from)
			*find_copied(slots, count, s->copied[i].from) = s->copied[i];
	free(s->copied);
	s->copied = slots;
	s->copied_slots = count;
}

static const char *copy(struct symbolizer *s, const char *text)
{
	struct copied *slot;

	if (!text)
		return NULL;
	if (2 * s->copied_count >= s->copied_slots)
		grow_copied(s);
	slot = find_copied(s->copied, s->copied_slots, text);
	if (!slot->from) {
		slot->from = text;
		slot->to = finding_list_printf(s->list, "%s", text);
		s->copied_count++;
	}
	return slot->to;
}

/* NULL where the finding names no process of the trace. */
static struct symbols *get_symbols(struct symbolizer *s, size_t process)
{
	if (process >= trace_reader_process_count(s->reader))
		return NULL;
	if (!s->processes[process] &&
	    symbols_new_shared(trace_reader_get_process(s->reader, process), s->files,
			       &s->processes[process], NULL))
		return NULL;
	return s->processes[process];
}

static void fill_frames(struct symbolizer *s, struct symbols *symbols, uint32_t stack,
			uint64_t time_ns, struct frames *frames)
{
	struct frames found;

	if (frames->count)
		return;
	found = symbols_resolve_stack(symbols, stack, time_ns);
	if (!found.count)
		return;
	frames->frame = finding_list_alloc(s->list, found.count * sizeof(*frames->frame));
	frames->count = found.count;
	for (size_t i = 0; i < found.count; i++) {
		struct frame *frame = &frames->frame[i];

		*frame = found.frame[i];
		frame->function = copy(s, frame->function);
		frame->file = copy(s, frame->file);
		frame->module = copy(s, frame->module);
		frame->build_id = copy(s, frame->build_id);
		frame->language = copy(s, frame->language);
	}
}

/*
 * Only a function of the program says what a thread is for. One of a library (libstdc++'s, GLib's) is the same for all
 * threads, and where it has a name only with debug symbols, fingerprints would differ from machine to machine.
 */
static const char *start_function(struct symbolizer *s, struct symbols *symbols, uint64_t address)
{
	struct frame start = symbols_resolve_function(symbols, address, SYMBOLS_TIME_UNKNOWN);

	if (!start.function || frame_classify(&start) != FRAME_PROGRAM)
		return NULL;
	return copy(s, start.function);
}

static void fill_thread(struct symbolizer *s, struct finding_thread *thread)
{
	struct symbols *created = get_symbols(s, thread->created_process);
	struct symbols *own = get_symbols(s, thread->process);

	if (created)
		fill_frames(s, created, thread->created_stack, SYMBOLS_TIME_UNKNOWN,
			    &thread->created_at);
	if (own && thread->start_routine && !thread->start_function)
		thread->start_function = start_function(s, own, thread->start_routine);
}

/* The standard streams by the names that programs use; glibc's own depend on whether its debug info is there. */
static const char *stream_name(const char *symbol)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };

	for (size_t i = 0; symbol && i < sizeof(streams) / sizeof(streams[0]); i++)
		if (!strncmp(symbol, "_IO_2_1_", 8) &&
		    !strncmp(symbol + 8, streams[i], strlen(streams[i])))
			return streams[i];
	return symbol;
}

/* Of a guard, the variable that it guards: its kind says what it is. */
static const char *guarded_name(const char *symbol)
{
	static const char prefix[] = "guard variable for ";

	return symbol && !strncmp(symbol, prefix, sizeof(prefix) - 1) ? symbol + sizeof(prefix) - 1
								      : symbol;
}

static bool is_stream(const struct trace_object *object)
{
	return object && object->kind == TRACE_OBJECT_MUTEX &&
	       (object->attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK) == TF_LIBRARY_STDIO;
}

static void name_by_address(struct symbolizer *s, struct symbols *symbols,
			    struct finding_lock *lock, uint64_t time_ns)
{
	const char *file = NULL;
	int line = 0;

	lock->name =
		copy(s, symbols_resolve_shared(symbols, lock->address, time_ns, &lock->sharing));
	if (lock->kind == TRACE_OBJECT_VARIABLE && lock->name &&
	    symbols_resolve_data_place(symbols, lock->address, time_ns, &file, &line)) {
		lock->declared_file = copy(s, file);
		lock->declared_line = line;
	}
}

static void fill_lock(struct symbolizer *s, struct finding_lock *lock)
{
	struct symbols *symbols = get_symbols(s, lock->process);
	const struct trace_process *process;
	const struct trace_object *object;
	uint64_t time_ns;

	if (!symbols)
		return;
	process = trace_reader_get_process(s->reader, lock->process);
	object = lock->object && lock->object < process->object_count
			 ? &process->objects[lock->object]
			 : NULL;
	time_ns = object && object->kind ? object->time_ns : SYMBOLS_TIME_UNKNOWN;
	fill_frames(s, symbols, lock->first_seen_stack, time_ns, &lock->first_seen);
	if (!lock->name && lock->address && (!object || object->where != TF_WHERE_STACK))
		name_by_address(s, symbols, lock, time_ns);
	if (is_stream(object))
		lock->name = stream_name(lock->name);
	if (lock->kind == TRACE_OBJECT_GUARD)
		lock->name = guarded_name(lock->name);
	if (!lock->name && object) /* of a file, or given to sem_open */
		lock->name = copy(s, object->name);
}

static void fill_task(struct symbolizer *s, struct finding_task *task)
{
	struct symbols *symbols = get_symbols(s, task->process);
	struct frames callback = { 0 };

	if (!symbols)
		return;
	fill_frames(s, symbols, task->created_stack, SYMBOLS_TIME_UNKNOWN, &task->created_at);
	fill_frames(s, symbols, task->callback_stack, SYMBOLS_TIME_UNKNOWN, &callback);
	if (callback.count && !task->callback)
		task->callback = callback.frame[callback.count - 1].function;
}

static bool is_script(const struct frame *frame)
{
	return frame->file && frame->module && !strcmp(frame->module, SYMBOLS_JIT);
}

static bool has_name(const struct frame *frame)
{
	return frame->function && strcmp(frame->function, SYMBOLS_ANONYMOUS) &&
	       frame_classify(frame) == FRAME_PROGRAM;
}

/* The outermost function of a script: what it called in turn may be an addon's. */
static const char *script_of(const struct frames *frames)
{
	for (size_t i = frames->count; i-- > 0;)
		if (is_script(&frames->frame[i]) && has_name(&frames->frame[i]))
			return frames->frame[i].function;
	return NULL;
}

/* What `module` called of the program, as a stack of a callback of that module shows: the outermost function with a name. */
static const char *called_by(const struct frames *frames, const char *module)
{
	const char *last = NULL;

	for (size_t i = 0; i < frames->count; i++) {
		const struct frame *frame = &frames->frame[i];
		bool inside = frame->module && !strcmp(frame->module, module);

		if (last && inside)
			return last;
		if (!inside && has_name(frame))
			last = frame->function;
	}
	return NULL;
}

/*
 * A library that lets its loop call a function of its own, and that one the program's (GIO's answers do), or a run time that calls
 * a script: the stack of what held up the loop names the latter.
 */
static void look_behind_library(struct symbolizer *s, struct finding *f)
{
	struct finding_task *task = f->tasks;
	struct symbols *symbols = f->task_count == 1 ? get_symbols(s, task->process) : NULL;
	struct frames callback = { 0 };
	const char *function = NULL;
	bool is_program;

	if (!symbols)
		return;
	fill_frames(s, symbols, task->callback_stack, SYMBOLS_TIME_UNKNOWN, &callback);
	if (!callback.count || !callback.frame[0].module)
		return;
	is_program = callback.frame[0].function &&
		     frame_classify(&callback.frame[0]) == FRAME_PROGRAM;
	for (size_t i = 0; i < f->stack_count && !function; i++) {
		const struct frames *frames = &f->stacks[i].frames;

		if (f->stacks[i].role != ROLE_BLOCKS)
			continue;
		function = script_of(frames);
		if (!function && !is_program)
			function = called_by(frames, callback.frame[0].module);
	}
	if (function)
		task->callback = function;
}

static void fill_step(struct symbolizer *s, const struct finding *f, struct finding_step *step)
{
	struct symbols *symbols = get_symbols(s, f->process);

	if (!symbols)
		return;
	fill_frames(s, symbols, step->from_stack, step->from_ns, &step->from);
	fill_frames(s, symbols, step->to_stack, step->to_ns, &step->to);
}

static void fill_finding(struct symbolizer *s, struct finding *f)
{
	for (size_t i = 0; i < f->task_count; i++)
		fill_task(s, &f->tasks[i]);
	for (size_t i = 0; i < f->thread_count; i++)
		fill_thread(s, &f->threads[i]);
	for (size_t i = 0; i < f->lock_count; i++)
		fill_lock(s, &f->locks[i]);
	for (size_t i = 0; i < f->stack_count; i++) {
		struct symbols *symbols = get_symbols(s, f->stacks[i].process);

		if (symbols)
			fill_frames(s, symbols, f->stacks[i].stack, f->stacks[i].time_ns,
				    &f->stacks[i].frames);
	}
	for (size_t i = 0; i < f->step_count; i++)
		fill_step(s, f, &f->steps[i]);
	look_behind_library(s, f);
}

void symbolize_findings(struct finding_list *list, const struct trace_reader *reader,
			const struct symbolize_options *options)
{
	size_t processes = trace_reader_process_count(reader);
	struct symbolizer s = {
		.list = list,
		.reader = reader,
		.files = symbols_files_new(),
		.processes = calloc(processes + 1, sizeof(*s.processes)),
	};

	if (!s.processes)
		abort();
	for (const char *const *directory = options ? options->directories : NULL;
	     directory && *directory; directory++)
		symbols_files_add_directory(s.files, *directory);
	for (size_t i = 0; i < processes; i++)
		symbols_files_add_process(s.files, trace_reader_get_process(reader, i));
	for (size_t i = 0; i < finding_list_count(list); i++)
		fill_finding(&s, finding_list_get(list, i));
	race_source_filter(list);
	one_class_filter(list);
	if (options && options->say)
		symbols_files_explain(s.files, options->say, options->cookie);
	for (size_t i = 0; i < processes; i++)
		symbols_free(s.processes[i]);
	symbols_files_free(s.files);
	free(s.processes);
	free(s.copied);
}
