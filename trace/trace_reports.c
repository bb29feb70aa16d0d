/* SPDX-License-Identifier: MIT */
/*
 * trace_reports.c - the reports of ThreadSanitizer's runtime: those that its interface told the recorder are definitions, all
 * stand in its log. The two are joined by their numbers: the n-th report of the log is the one with number n.
 *
 * The log alone says which mutexes an access was made under. A definition has the return addresses whatever the log's format, the
 * thread, and the time.
 */
#include "trace_defs_walk.h"

#include "trace_tsan_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_LIMIT (UINT64_C(64) << 20)

/* ---- files ---- */

static char *read_log(int directory, const char *name, size_t *ret_bytes)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *text = NULL;

	if (fd < 0) {
		return NULL;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size) {
		size_t bytes = st.st_size < (off_t)LOG_LIMIT ? (size_t)st.st_size : LOG_LIMIT;

		text = malloc(bytes);
		*ret_bytes = text ? trace_pread(fd, text, bytes, 0) : 0;
	}
	close(fd);
	return text;
}

static bool has_later_image(const struct trace_dir *dir, const struct trace_image *image)
{
	for (size_t i = 0; i < dir->image_count; i++) {
		if (dir->images[i].pid == image->pid && dir->images[i].image > image->image) {
			return true;
		}
	}
	return false;
}

void trace_dir_read_logs(struct trace_dir *dir, int directory)
{
	for (size_t i = 0; i < dir->image_count; i++) {
		struct trace_image *image = &dir->images[i];
		char name[64];

		if (has_later_image(dir, image)) {
			snprintf(name, sizeof(name), "tsan.%u.%u", image->pid, image->image);
		} else {
			snprintf(name, sizeof(name), "tsan.%u", image->pid);
		}
		image->report_log = read_log(directory, name, &image->report_log_bytes);
	}
}

/* ---- definitions ---- */

void trace_def_report(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	struct tf_def_report d;
	uint32_t room;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = (def->bytes - (uint32_t)sizeof(d)) / (uint32_t)sizeof(struct tf_report_part);
	p->reports[p->report_count++] = (struct trace_report){
		.number = d.report,
		.kind = d.kind,
		.thread = d.thread < p->thread_count ? d.thread : 0,
		.time_ns = trace_clock_ns(&w->defs->clock, d.ticks),
		.parts = (const void *)(body + sizeof(d)), /* 8-aligned: see copy_meta */
		.part_count = d.parts < room ? d.parts : room,
	};
}

void trace_def_tid(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct tf_def_tid d;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	if (trace_def_id_ok(w, d.thread)) {
		w->defs->process.threads[d.thread].tid = d.tid;
	}
}

static int compare_numbers(const void *left, const void *right)
{
	const struct trace_report *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

/* ---- the log ---- */

struct logged {
	struct walk *w;
	const struct trace_log *log;
	size_t parts, ips; /* so far */
};

/* The j-th part of a kind; NULL = there is none. */
static const struct tf_report_part *nth_part(const struct trace_report *report, uint32_t kind,
					     size_t j)
{
	for (size_t i = 0; report && i < report->part_count; i++) {
		if (report->parts[i].kind == kind && !j--) {
			return &report->parts[i];
		}
	}
	return NULL;
}

static bool is_module(const struct trace_module *m, const struct trace_log_frame *frame)
{
	size_t bytes = strlen(m->path);

	/* The log has the last component of the path, or all of it. */
	return bytes >= frame->module_bytes && frame->module_bytes &&
	       !memcmp(m->path + bytes - frame->module_bytes, frame->module, frame->module_bytes) &&
	       (bytes == frame->module_bytes || m->path[bytes - frame->module_bytes - 1] == '/');
}

/* A return address: the log's offset is that of a byte in the call. */
static uint64_t ip_of(const struct trace_process *p, const struct trace_log_frame *frame)
{
	for (size_t i = 0; !frame->ip && frame->module && i < p->module_count; i++) {
		if (p->modules[i].path && is_module(&p->modules[i], frame)) {
			return p->modules[i].bias + frame->offset + 1;
		}
	}
	return frame->ip;
}

/* A number for the stack of a part; 0 = it has none. Room was made. */
static uint32_t add_stack(struct logged *l, const struct trace_log_part *part)
{
	struct trace_process *p = &l->w->defs->process;
	uint64_t *ip = l->w->defs->report_ips + l->ips;
	uint32_t frames = 0;

	for (size_t i = 0; i < part->frames; i++) {
		uint64_t address = ip_of(p, &l->log->frames[part->first_frame + i]);

		if (address && !TF_IS_PLACE(address)) {
			ip[frames++] = address;
		}
	}
	if (!frames || p->stack_count >= UINT32_MAX) {
		return 0;
	}
	l->ips += frames;
	p->stacks[p->stack_count] = (struct trace_stack){ .frames = frames, .ip = ip };
	return (uint32_t)p->stack_count++;
}

static void join(struct logged *l, struct trace_report *report, const struct trace_log_report *from,
		 bool is_new)
{
	struct trace_report told = *report;
	struct tf_report_part *parts = l->w->defs->report_parts + l->parts;
	size_t of_kind[TF_PART_STACK + 1] = { 0 };

	for (size_t i = 0; i < from->parts; i++) {
		const struct trace_log_part *part = &l->log->parts[from->first_part + i];
		uint32_t kind = part->part.kind;
		const struct tf_report_part *same = is_new ? NULL
							   : nth_part(&told, kind, of_kind[kind]);

		of_kind[kind]++;
		parts[i] = part->part;
		parts[i].stack = same && same->stack ? same->stack : add_stack(l, part);
	}
	l->parts += from->parts;
	report->parts = parts;
	report->part_count = from->parts;
	report->is_logged = true;
	report->title = trace_text_add(&l->w->defs->text, from->title, from->title_bytes);
	l->w->no_memory |= !report->title;
}

static bool make_room(struct walk *w, const struct trace_log *log)
{
	struct trace_process *p = &w->defs->process;
	size_t parts = log->part_count + 1;
	size_t reports = p->report_count + log->report_count + 1;
	size_t stacks = p->stack_count + log->part_count + 1;
	struct trace_report *report = reallocarray(p->reports, reports, sizeof(*report));
	struct trace_stack *stack = reallocarray(p->stacks, stacks, sizeof(*stack));

	p->reports = report ? report : p->reports;
	p->stacks = stack ? stack : p->stacks;
	for (size_t i = 0; i < p->report_count; i++) {
		parts += p->reports[i].part_count; /* of bytes in the file */
	}
	w->defs->report_parts = calloc(parts, sizeof(struct tf_report_part));
	w->defs->report_ips = calloc(log->frame_count + 1, sizeof(uint64_t));
	return report && stack && w->defs->report_parts && w->defs->report_ips;
}

/* The reports of definitions are sorted by number. */
static struct trace_report *find_told(struct trace_process *p, size_t told, uint32_t number)
{
	struct trace_report key = { .number = number };

	return bsearch(&key, p->reports, told, sizeof(key), compare_numbers);
}

/* The parts of definitions, with stacks that there are. */
static void copy_told(struct logged *l)
{
	struct trace_process *p = &l->w->defs->process;

	for (size_t i = 0; i < p->report_count; i++) {
		struct trace_report *report = &p->reports[i];
		struct tf_report_part *parts = l->w->defs->report_parts + l->parts;

		memcpy(parts, report->parts, report->part_count * sizeof(*parts));
		for (size_t k = 0; k < report->part_count; k++) {
			parts[k].stack = parts[k].stack < p->stack_count ? parts[k].stack : 0;
		}
		report->parts = parts;
		l->parts += report->part_count;
	}
}

static size_t count_accesses(const struct trace_log *log, const struct trace_log_report *report)
{
	size_t count = 0;

	for (size_t i = 0; i < report->parts; i++) {
		count += log->parts[report->first_part + i].part.kind == TF_PART_ACCESS;
	}
	return count;
}

static void add_log(struct walk *w, const struct trace_log *log)
{
	struct trace_process *p = &w->defs->process;
	struct logged l = { .w = w, .log = log };
	size_t told = p->report_count;

	if (!make_room(w, log)) {
		w->no_memory = true;
		return;
	}
	copy_told(&l);
	for (size_t i = 0; i < log->report_count; i++) {
		const struct trace_log_report *from = &log->reports[i];
		struct trace_report *report = find_told(p, told, (uint32_t)i + 1);
		bool is_new = !report;

		if (report && report->kind != from->kind) {
			continue; /* not the same after all: the definition counts */
		}
		if (is_new) {
			report = &p->reports[p->report_count++];
			*report = (struct trace_report){
				.number = (uint32_t)i + 1,
				.kind = from->kind,
				.time_ns = p->end_ns, /* the log has no times */
			};
		} else if (nth_part(report, TF_PART_ACCESS, count_accesses(log, from))) {
			continue; /* the log is cut here */
		}
		join(&l, report, from, is_new);
	}
}

void trace_defs_add_logged(struct walk *w)
{
	struct trace_process *p = &w->defs->process;
	struct trace_log log = { 0 };

	if (p->report_count) {
		qsort(p->reports, p->report_count, sizeof(*p->reports), compare_numbers);
	}
	if (w->image->report_log &&
	    trace_log_parse(w->image->report_log, w->image->report_log_bytes, &log)) {
		w->no_memory = true;
	} else if (p->report_count || log.report_count) {
		add_log(w, &log);
	}
	trace_log_release(&log);
	if (p->report_count) {
		qsort(p->reports, p->report_count, sizeof(*p->reports), compare_numbers);
	}
}
