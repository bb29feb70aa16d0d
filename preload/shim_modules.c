/* SPDX-License-Identifier: MIT */
/*
 * shim_modules.c - which file is mapped where: a snapshot read from /proc/self/maps.
 *
 * Why not dl_iterate_phdr: it takes the loader lock, which a thread inside dlopen may hold while it
 * waits for us. The kernel's list needs no lock, and knows the vdso. Headers of modules are read
 * through the kernel as well (process_vm_readv), since another thread may unmap one meanwhile.
 * Snapshots are replaced as a whole and never freed (a scan happens only when modules came or
 * went), so readers need no lock. Safety class SLOW.
 */
#include "shim.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/uio.h>

enum {
	MAX_MODULES = 4096,
	MAX_PHDRS = 32,
	MAX_BUILD_ID = 64,
	MAX_LINKS = 512,
	SCAN_PAUSE_TICKS = 1 << 24, /* ~0.1 s */
	SCAN_SHARE = 8,		    /* of the time, for code that no file holds */
};

bool module_read(uintptr_t from, void *to, size_t bytes)
{
	struct iovec local = { to, bytes }, remote = { (void *)from, bytes };

	return sys6(SYS_process_vm_readv, sys0(SYS_getpid), (long)&local, 1, (long)&remote, 1, 0) ==
	       (long)bytes;
}

/*
 * Work space of a scan, under the module lock. Not on the stack: a scan may run on a thread that
 * has PTHREAD_STACK_MIN bytes in all, inside the dlopen that glibc makes in pthread_exit.
 */
static struct {
	char lines[8192];
	ElfW(Phdr) phdr[MAX_PHDRS];
	uint8_t notes[1024];
	struct link_place link[MAX_LINKS];
} work;

/* What one module's ELF header says. */
struct elf_facts {
	uintptr_t end, bias, eh_frame_hdr, data, data_end;
	uint8_t build_id[MAX_BUILD_ID];
	uint32_t build_id_bytes;
};

static void read_build_id(uintptr_t start, size_t bytes, struct elf_facts *f)
{
	uint8_t *notes = work.notes;
	size_t at = 0;

	bytes = bytes > sizeof(work.notes) ? sizeof(work.notes) : bytes;
	if (!module_read(start, notes, bytes)) {
		return;
	}
	while (at + sizeof(ElfW(Nhdr)) <= bytes) {
		const ElfW(Nhdr) *n = (const void *)(notes + at);
		size_t name = at + sizeof(*n), desc = name + ((n->n_namesz + 3) & ~3u);

		if (n->n_namesz > bytes || n->n_descsz > bytes || desc + n->n_descsz > bytes) {
			return;
		}
		if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 &&
		    !__builtin_memcmp(notes + name, "GNU", 4) && n->n_descsz <= MAX_BUILD_ID) {
			f->build_id_bytes = n->n_descsz;
			__builtin_memcpy(f->build_id, notes + desc, n->n_descsz);
			return;
		}
		at = desc + ((n->n_descsz + 3) & ~3u);
	}
}

/* Its writable segments, without what is read-only once it is relocated. */
static void read_data(const ElfW(Phdr) * p, unsigned count, struct elf_facts *f)
{
	uintptr_t relocated = 0;

	for (unsigned i = 0; i < count; i++) {
		uintptr_t start = f->bias + p[i].p_vaddr, end = start + p[i].p_memsz;

		if (p[i].p_type == PT_GNU_RELRO) {
			relocated = (end + 4095) & ~(uintptr_t)4095;
		} else if (p[i].p_type == PT_LOAD && p[i].p_flags & PF_W) {
			f->data = f->data && f->data < start ? f->data : start;
			f->data_end = f->data_end > end ? f->data_end : end;
		}
	}
	f->data = f->data < relocated && relocated < f->data_end ? relocated : f->data;
}

static bool read_elf(uintptr_t start, struct elf_facts *f)
{
	ElfW(Ehdr) e;
	ElfW(Phdr) *p = work.phdr;
	uintptr_t lowest = UINTPTR_MAX, highest = 0;

	if (!module_read(start, &e, sizeof(e)) || __builtin_memcmp(e.e_ident, ELFMAG, SELFMAG) ||
	    e.e_phentsize != sizeof(p[0]) || !e.e_phnum) {
		return false;
	}
	e.e_phnum = e.e_phnum > MAX_PHDRS ? MAX_PHDRS : e.e_phnum;
	if (!module_read(start + e.e_phoff, p, e.e_phnum * sizeof(p[0]))) {
		return false;
	}
	*f = (struct elf_facts){ 0 };
	for (unsigned i = 0; i < e.e_phnum; i++) {
		if (p[i].p_type == PT_LOAD) {
			lowest = p[i].p_vaddr < lowest ? p[i].p_vaddr : lowest;
			highest = p[i].p_vaddr + p[i].p_memsz > highest
					  ? p[i].p_vaddr + p[i].p_memsz
					  : highest;
		}
	}
	if (highest == 0) {
		return false;
	}
	f->bias = start - (lowest & ~(uintptr_t)4095);
	f->end = f->bias + ((highest + 4095) & ~(uintptr_t)4095);
	read_data(p, e.e_phnum, f);
	for (unsigned i = 0; i < e.e_phnum; i++) {
		if (p[i].p_type == PT_GNU_EH_FRAME) {
			f->eh_frame_hdr = f->bias + p[i].p_vaddr;
		} else if (p[i].p_type == PT_NOTE && !f->build_id_bytes) {
			read_build_id(f->bias + p[i].p_vaddr, p[i].p_memsz, f);
		}
	}
	return true;
}

/* One line of /proc/self/maps. */
struct map_line {
	uintptr_t start, end;
	uint64_t offset;
	uint64_t dev, ino;
	bool readable;
	bool executable;
	bool is_shared;
	const char *path; /* ends at the newline, which is made NUL */
};

static const char *parse_hex(const char *p, uint64_t *ret)
{
	*ret = 0;
	for (;; p++) {
		int d = *p >= '0' && *p <= '9'	 ? *p - '0'
			: *p >= 'a' && *p <= 'f' ? *p - 'a' + 10
						 : -1;

		if (d < 0) {
			return p;
		}
		*ret = *ret << 4 | (unsigned)d;
	}
}

static void parse_line(char *line, struct map_line *m)
{
	const char *p = parse_hex(line, &m->start);
	uint64_t major, minor;

	p = parse_hex(p + 1, &m->end);
	m->readable = p[1] == 'r';
	m->executable = p[3] == 'x';
	m->is_shared = p[4] == 's';
	p = parse_hex(p + 6, &m->offset);
	p = parse_hex(p + 1, &major);
	p = parse_hex(p + 1, &minor);
	m->dev = major << 32 | minor;
	m->ino = 0;
	for (p++; *p >= '0' && *p <= '9'; p++) {
		m->ino = m->ino * 10 + (unsigned)(*p - '0');
	}
	while (*p == ' ') {
		p++;
	}
	m->path = p;
}

/*
 * Calls `each` for every line; lines longer than the buffer are cut. False when /proc is not there.
 * The caller holds the module lock.
 */
static bool read_maps(void (*each)(const struct map_line *, void *), void *context)
{
	char *buffer = work.lines;
	size_t have = 0, size = sizeof(work.lines);
	long fd = proc_self_open("maps"), n;

	if (fd < 0) {
		return false;
	}
	while ((n = sys3(SYS_read, fd, buffer + have, size - 1 - have)) > 0) {
		char *line = buffer, *newline;

		have += (size_t)n;
		buffer[have] = 0;
		while ((newline = __builtin_memchr(line, '\n', have - (size_t)(line - buffer)))) {
			struct map_line m;

			*newline = 0;
			parse_line(line, &m);
			each(&m, context);
			line = newline + 1;
		}
		have -= (size_t)(line - buffer);
		__builtin_memmove(buffer, line, have);
		if (have == size - 1) {
			have = 0;
		}
	}
	sys1(SYS_close, fd);
	return true;
}

struct scan {
	struct module *found;
	uint32_t count;
	uintptr_t covered; /* end of the last module: its further lines are part of it */
	struct module_range code[CODE_RANGES]; /* that no file holds */
	uint32_t code_count;
};

static void define(struct module *m, unsigned type, const struct elf_facts *f, const char *path)
{
	struct tf_def_module def = { .def.type = (uint16_t)type,
				     .start = m->start,
				     .end = m->end,
				     .bias = m->bias,
				     .ticks = arch_ticks(),
				     .id = m->id,
				     .flags = m->is_thrum,
				     .build_id_bytes = f ? f->build_id_bytes : 0,
				     .path_bytes = path ? (uint32_t)__builtin_strlen(path) : 0 };

	region_define(&def.def, sizeof(def), f ? f->build_id : NULL, def.build_id_bytes,
		      path ? path : "", def.path_bytes + 1);
}

static const struct module *known(uintptr_t start, uintptr_t end)
{
	for (uint32_t i = 0; i < shim->module_count; i++) {
		if (shim->modules[i].start == start && shim->modules[i].end == end) {
			return &shim->modules[i];
		}
	}
	return NULL;
}

static bool begins_with(const char *path, const char *with)
{
	while (*with && *path == *with) {
		path++;
		with++;
	}
	return !*with;
}

/* By where it lies: distributions keep libraries there, and many a server's program too. */
static bool is_of_program(const char *path)
{
	static const char *const system[] = { "/lib", "/usr/lib" };
	char program[EXEC_PATH] = "";

	links_program(program, sizeof(program));
	if (path[0] != '/' || (program[0] && begins_with(path, program))) {
		return path[0] == '/';
	}
	for (unsigned i = 0; i < sizeof(system) / sizeof(system[0]); i++) {
		if (begins_with(path, system[i])) {
			return false;
		}
	}
	return true;
}

/* Code that a program made, mostly side by side. */
static void note_code(struct scan *s, const struct map_line *l)
{
	struct module_range *last = s->code_count ? &s->code[s->code_count - 1] : NULL;

	if (last && (last->end == l->start || s->code_count == CODE_RANGES)) {
		last->end = l->end;
	} else {
		s->code[s->code_count++] = (struct module_range){ l->start, l->end };
	}
}

static void scan_line(const struct map_line *l, void *context)
{
	struct scan *s = context;
	const struct module *old;
	struct elf_facts f;
	struct module *m;

	if (l->executable && l->start >= s->covered && l->path[0] != '/' &&
	    __builtin_memcmp(l->path, "[vsys", 5) != 0) {
		note_code(s, l);
	}
	if (!l->readable || l->offset || !l->path[0] || l->start < s->covered ||
	    s->count == MAX_MODULES || !read_elf(l->start, &f)) {
		return;
	}
	s->covered = f.end;
	m = &s->found[s->count++];
	old = known(l->start, f.end);
	if (old) {
		*m = *old;
		return;
	}
	*m = (struct module){ .start = l->start,
			      .end = f.end,
			      .bias = f.bias,
			      .eh_frame_hdr = f.eh_frame_hdr,
			      .data = f.data,
			      .data_end = f.data_end,
			      .id = ++shim->next_module,
			      .is_thrum =
				      ((uintptr_t)&shim >= l->start && (uintptr_t)&shim < f.end) ||
				      shim_resolve_in(f.bias, "thrum_tsan_is_here", true) };
	define(m, TF_DEF_MODULE, &f, l->path);
	shim_resolve_note_module(l->path);
	m->loops = m->is_thrum ? MODULE_NO_LOOPS : (uint8_t)shim_resolve_loops(l->path, f.bias);
	m->from_start = shim_resolve_from_start(f.bias);
	m->is_program = !m->is_thrum && is_of_program(l->path);
}

/*
 * The same without /proc. What the loader's list does not have (other namespaces, the vdso) stays while its header is there.
 */
static bool read_links(struct scan *s)
{
	uint32_t count = links_find(work.link, MAX_LINKS);
	struct link_place last = { 0, 0 };

	for (uint32_t i = 0; i < shim->module_count && count < MAX_LINKS; i++) {
		work.link[count++] = (struct link_place){ shim->modules[i].start, UINTPTR_MAX };
	}
	for (uint32_t done = 0; done < count; done++) {
		struct link_place *next = NULL;

		/* Upwards, as the lines of /proc/self/maps; of two at one place the one with the better name. */
		for (uint32_t i = 0; i < count; i++) {
			struct link_place *l = &work.link[i];

			if (l->start > last.start &&
			    (!next || l->start < next->start ||
			     (l->start == next->start && l->name < next->name))) {
				next = l;
			}
		}
		if (!next) {
			break;
		}
		last = *next;
		work.lines[0] = '?';
		work.lines[1] = 0;
		if (last.name != UINTPTR_MAX) {
			links_name(&last, work.lines, sizeof(work.lines));
		}
		scan_line(&(struct map_line){ .start = last.start,
					      .readable = true,
					      .path = work.lines },
			  s);
	}
	return count != 0;
}

uint32_t module_build_id(const struct module *m, uint8_t *ret, uint32_t room)
{
	struct elf_facts f = { 0 };
	uint32_t bytes = 0;

	spin_lock(&shim->module_lock);
	if (read_elf(m->start, &f)) {
		bytes = f.build_id_bytes < room ? f.build_id_bytes : room;
		__builtin_memcpy(ret, f.build_id, bytes);
	}
	spin_unlock(&shim->module_lock);
	return bytes;
}

uint32_t module_scan(struct module_range *ret_gone, uint32_t max)
{
	uint32_t gone_count = 0;
	struct scan s = { 0 };
	const struct module *old = shim->modules;
	uint32_t old_count = shim->module_count;

	spin_lock(&shim->module_lock);
	atomic_store_explicit(&shim->modules_stale, 0, memory_order_relaxed);
	shim->last_scan_ticks = arch_ticks();
	s.found = shim_pages(MAX_MODULES * sizeof(struct module)); /* touched as far as used */
	if (s.found && (read_maps(scan_line, &s) || read_links(&s))) {
		for (uint32_t i = 0; i < old_count; i++) {
			bool stays = false;

			for (uint32_t k = 0; k < s.count && !stays; k++) {
				stays = s.found[k].id == old[i].id;
			}
			if (!stays) {
				struct module gone = old[i];

				define(&gone, TF_DEF_UNLOAD, NULL, NULL);
				if (gone_count < max) {
					ret_gone[gone_count] =
						(struct module_range){ gone.start, gone.end };
				}
				gone_count++;
			}
		}
		__atomic_store_n(&shim->module_count, 0,
				 __ATOMIC_RELEASE); /* never a long count with a short table */
		__atomic_store_n(&shim->modules, s.found, __ATOMIC_RELEASE);
		__atomic_store_n(&shim->module_count, s.count, __ATOMIC_RELEASE);
		__atomic_store_n(&shim->code_count, 0, __ATOMIC_RELEASE);
		__builtin_memcpy(shim->code, s.code, sizeof(s.code));
		__atomic_store_n(&shim->code_count, s.code_count, __ATOMIC_RELEASE);
	}
	shim->scan_cost_ticks = arch_ticks() - shim->last_scan_ticks;
	spin_unlock(&shim->module_lock);
	return gone_count;
}

enum { HINTS = 16, HINT_SHIFT = 16 }; /* by the 64 KiB that an address is in */

/* Calls come from few modules: where the last one of such an address was found is tried first. Any number is safe here. */
static _Atomic uint32_t hint[HINTS];

static const struct module *search(uintptr_t address)
{
	uint32_t count = __atomic_load_n(&shim->module_count, __ATOMIC_ACQUIRE);
	const struct module *m = __atomic_load_n(&shim->modules, __ATOMIC_ACQUIRE);
	_Atomic uint32_t *slot = &hint[(address >> HINT_SHIFT) % HINTS];
	uint32_t low = atomic_load_explicit(slot, memory_order_relaxed), high = count;

	if (likely(low < count && m[low].start <= address && address < m[low].end)) {
		return &m[low];
	}
	low = 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (m[middle].start <= address) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (!low || address >= m[low - 1].end) {
		return NULL;
	}
	atomic_store_explicit(slot, low - 1, memory_order_relaxed);
	return &m[low - 1];
}

const struct module *module_known(uintptr_t address)
{
	return search(address);
}

const struct module *module_find(uintptr_t address)
{
	const struct module *m = search(address);

	/*
	 * Unknown code: a library that came since, or code that no file holds (JIT); look again,
	 * but not for each call.
	 */
	if (!m && (atomic_load_explicit(&shim->modules_stale, memory_order_relaxed) ||
		   arch_ticks() - shim->last_scan_ticks > SCAN_PAUSE_TICKS)) {
		module_scan(NULL, 0);
		m = search(address);
	}
	return m;
}

static bool is_made_at_run_time(uintptr_t address)
{
	uint32_t count = __atomic_load_n(&shim->code_count, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < count; i++) {
		if (address >= shim->code[i].start && address < shim->code[i].end) {
			return true;
		}
	}
	return false;
}

bool module_is_code(uintptr_t address, bool *ret_may_be)
{
	uint64_t scan = shim->last_scan_ticks;

	if (is_made_at_run_time(address) || module_find(address) || is_made_at_run_time(address)) {
		return true;
	}
	/* A new function's code comes on new pages: worth more looks, as long as they are a small part of the time. */
	if (shim->last_scan_ticks == scan &&
	    arch_ticks() - scan > SCAN_SHARE * shim->scan_cost_ticks) {
		module_scan(NULL, 0);
		if (is_made_at_run_time(address)) {
			return true;
		}
	}
	*ret_may_be = shim->last_scan_ticks == scan;
	return false;
}

struct find_mapping {
	uintptr_t address, low, high;
};

static void mapping_line(const struct map_line *l, void *context)
{
	struct find_mapping *f = context;

	if (f->address >= l->start && f->address < l->end) {
		f->low = l->start;
		f->high = l->end;
	}
}

bool module_mapping(uintptr_t address, uintptr_t *ret_low, uintptr_t *ret_high)
{
	struct find_mapping f = { .address = address };
	bool read;

	spin_lock(&shim->module_lock);
	read = read_maps(mapping_line, &f);
	spin_unlock(&shim->module_lock);
	if (!read || !f.high) {
		return false;
	}
	*ret_low = f.low;
	*ret_high = f.high;
	return true;
}

/*
 * The numbers of System V segments are their ids, which may equal the inode number of another
 * shared mapping.
 */
static const uint64_t sysv_segment = (uint64_t)1 << 63;

static void mapping_of_line(const struct map_line *l, void *context)
{
	struct mapping *m = context;

	/* `end` holds the address asked for until its line is found, then start is set. */
	if (!m->start && m->end >= l->start && m->end < l->end) {
		bool sysv = !__builtin_memcmp(l->path, "/SYSV", 5);

		*m = (struct mapping){ .start = l->start,
				       .end = l->end,
				       .dev = l->dev | (sysv ? sysv_segment : 0),
				       .ino = l->ino,
				       .offset = l->offset,
				       .epoch = m->epoch,
				       .is_shared = l->is_shared };
	}
}

bool module_mapping_of(uintptr_t address, struct mapping *ret)
{
	struct mapping m = { .end = address, .epoch = ret->epoch };
	bool read;

	spin_lock(&shim->module_lock);
	read = read_maps(mapping_of_line, &m);
	spin_unlock(&shim->module_lock);
	if (!read || !m.start) {
		return false;
	}
	*ret = m;
	return true;
}
