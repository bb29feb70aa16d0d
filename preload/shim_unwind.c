/* SPDX-License-Identifier: MIT */
/*
 * shim_unwind.c - return addresses of the calling thread from the DWARF call frame information
 * (.eh_frame).
 *
 * Why our own walk and not libunwind's: Debian 12's libunwind 1.6 has no position-independent
 * archive to link in; as a shared library it would put its own _Unwind_* in front of libgcc's in
 * hosts that throw; it takes the loader lock (dl_iterate_phdr), a pthread key, a mutex and two
 * signal mask system calls per miss. tests/unit/test_unwind.c holds this walk against libunwind's.
 * Only what a walk needs is interpreted: CFA, return address and rbp (DWARF 5, section 6.4; System
 * V ABI x86-64, table 3.36); a frame that needs more ends the stack.
 *
 * Each return address's rule is learnt once and kept in a lossy table of single 64-bit words, so
 * that concurrent learners need no lock and a torn entry cannot exist:
 *
 *    63            31 30    28 27     26 25       14 13         0
 *   +----------------+--------+---------+-----------+------------+
 *   | rest of the ip | kind   | rbp how | rbp off/8 | cfa off/8  |
 *   +----------------+--------+---------+-----------+------------+
 *
 * The ip is mixed by a multiplication that is a bijection on 47 bits; 14 of its bits choose the
 * entry, 33 stay as the tag.
 *
 * Safety class SLOW, and reentrant: no locks, no allocation, no system call on a known stack. On a
 * stack we do not know the bounds of (fibers, signal stacks), memory is read through the kernel, so
 * a wrong guess cannot fault.
 */
#include "shim.h"

enum rule_kind {
	RULE_NONE = 0,	/* empty entry */
	RULE_SP = 1,	/* CFA = rsp + off */
	RULE_BP = 2,	/* CFA = rbp + off */
	RULE_DEREF = 3, /* CFA = [rbp - off]: functions that realign their stack */
	RULE_SIGNAL = 4,
	RULE_END = 5,	/* outermost, or not understood */
	RULE_GUESS = 6, /* no information: believe a frame pointer if it leads into code */
};

enum bp_how { BP_SAME = 0, BP_AT_CFA = 1 /* [CFA - off] */, BP_AT_BP = 2 /* [rbp] */ };

struct rule {
	enum rule_kind kind;
	enum bp_how bp;
	uint32_t off;	 /* bytes */
	uint32_t bp_off; /* bytes */
};

enum { TABLE_BITS = 14, TABLE = 1 << TABLE_BITS };
static _Atomic uint64_t table[TABLE];

static const uint64_t ip_mask = ((uint64_t)1 << 47) - 1;

static uint64_t mix(uintptr_t ip)
{
	return (ip * 0x9e3779b97f4b7c15u) & ip_mask; /* odd: a bijection mod 2^47 */
}

static bool rule_lookup(uintptr_t ip, struct rule *ret)
{
	uint64_t m = mix(ip);
	uint64_t e = atomic_load_explicit(&table[m >> 33], memory_order_relaxed);

	if (!e || e >> 31 != (m & (((uint64_t)1 << 33) - 1))) {
		return false;
	}
	ret->kind = (enum rule_kind)(e >> 28 & 7);
	ret->bp = (enum bp_how)(e >> 26 & 3);
	ret->bp_off = (uint32_t)(e >> 14 & 0xfff) * 8;
	ret->off = (uint32_t)(e & 0x3fff) * 8;
	return true;
}

static void rule_store(uintptr_t ip, const struct rule *r)
{
	uint64_t m = mix(ip);

	if (r->off % 8 || r->bp_off % 8 || r->off / 8 > 0x3fff || r->bp_off / 8 > 0xfff ||
	    ip & ~ip_mask) {
		return; /* too large for the word: learnt anew each time */
	}
	atomic_store_explicit(&table[m >> 33],
			      (m & (((uint64_t)1 << 33) - 1)) << 31 | (uint64_t)r->kind << 28 |
				      (uint64_t)r->bp << 26 | (uint64_t)(r->bp_off / 8) << 14 |
				      r->off / 8,
			      memory_order_relaxed);
}

void unwind_forget(void)
{
	for (int i = 0; i < TABLE; i++) {
		atomic_store_explicit(&table[i], 0, memory_order_relaxed);
	}
}

/*
 * ---- reading .eh_frame: bounded by the module, which cannot go while its code is on our stack
 * ----
 */

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static uint8_t get8(struct reader *r)
{
	if (r->p >= r->end) {
		r->bad = true;
		return 0;
	}
	return *r->p++;
}

static uint64_t get_bytes(struct reader *r, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++) {
		v |= (uint64_t)get8(r) << (8 * i);
	}
	return v;
}

static uint64_t get_uleb(struct reader *r)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;

	do {
		b = get8(r);
		if (shift < 64) {
			v |= (uint64_t)(b & 0x7f) << shift;
		}
		shift += 7;
	} while (b & 0x80 && !r->bad);
	return v;
}

static int64_t get_sleb(struct reader *r)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;

	do {
		b = get8(r);
		if (shift < 64) {
			v |= (uint64_t)(b & 0x7f) << shift;
		}
		shift += 7;
	} while (b & 0x80 && !r->bad);
	if (shift < 64 && b & 0x40) {
		v |= ~(uint64_t)0 << shift;
	}
	return (int64_t)v;
}

/*
 * DW_EH_PE_*: the low nibble is the format, 0x10 relative to the place. Others are not used in FDEs
 * here.
 */
static uint64_t get_encoded(struct reader *r, uint8_t encoding)
{
	uint64_t place = (uint64_t)(uintptr_t)r->p, v;

	switch (encoding & 0x0f) {
	case 0x00:
	case 0x04:
	case 0x0c:
		v = get_bytes(r, 8);
		break;
	case 0x03:
		v = get_bytes(r, 4);
		break;
	case 0x0b:
		v = (uint64_t)(int64_t)(int32_t)get_bytes(r, 4);
		break;
	default:
		r->bad = true;
		return 0;
	}
	if ((encoding & 0x70) == 0x10) {
		v += place;
	} else if (encoding & 0x70) {
		r->bad = true;
	}
	return v;
}

/* One FDE with what its CIE says. */
struct frame_info {
	uintptr_t start, end;
	struct reader initial, program;
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding;
	bool is_signal;
};

static bool parse_cie(const uint8_t *cie, const struct module *m, struct frame_info *f,
		      bool *ret_augmented)
{
	struct reader r = { cie, (const uint8_t *)m->end, false };
	uint32_t length = (uint32_t)get_bytes(&r, 4);
	const char *augmentation;
	uint8_t version;

	if (length == 0xffffffff || length > (size_t)(r.end - r.p)) {
		return false;
	}
	r.end = r.p + length;
	if (get_bytes(&r, 4) != 0) {
		return false;
	}
	version = get8(&r);
	augmentation = (const char *)r.p;
	while (get8(&r) && !r.bad) {
	}
	if (version == 4) {
		get8(&r);
		get8(&r);
	}
	f->code_align = get_uleb(&r);
	f->data_align = get_sleb(&r);
	if ((version == 1 ? get8(&r) : get_uleb(&r)) != ARCH_DWARF_RA || r.bad) {
		return false;
	}
	f->encoding = 0;
	*ret_augmented = augmentation[0] == 'z';
	if (augmentation[0] == 'z') {
		uint64_t bytes = get_uleb(&r);
		struct reader a = { r.p, r.p + bytes, false };

		if (r.bad || bytes > (size_t)(r.end - r.p)) {
			return false;
		}
		r.p += bytes;
		for (const char *c = augmentation + 1; *c; c++) {
			uint8_t e;

			switch (*c) {
			case 'R':
				f->encoding = get8(&a);
				break;
			case 'L':
				get8(&a);
				break;
			case 'P':
				e = get8(&a);
				get_bytes(&a, (e & 0x0f) == 0x03 || (e & 0x0f) == 0x0b ? 4 : 8);
				break;
			case 'S':
				f->is_signal = true;
				break;
			default:
				return false;
			}
		}
	}
	f->initial = r;
	return !r.bad;
}

/* Binary search in .eh_frame_hdr for the FDE that covers `pc`. */
static bool find_fde(const struct module *m, uintptr_t pc, struct frame_info *ret)
{
	const uint8_t *header = (const uint8_t *)m->eh_frame_hdr;
	const int32_t *entries;
	uint32_t low = 0, high;
	struct reader r;
	bool augmented;

	if (!header || header[0] != 1 || header[2] != 0x03 || header[3] != 0x3b ||
	    (header[1] & 0x0f) != 0x0b) {
		return false; /* only what ld, gold, lld and mold write */
	}
	high = *(const uint32_t *)(const void *)(header + 8);
	entries = (const int32_t *)(const void *)(header + 12);
	if (!high || (uintptr_t)(entries + 2 * (uint64_t)high) > m->end) {
		return false;
	}
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (m->eh_frame_hdr + (uintptr_t)(intptr_t)entries[2 * middle] <= pc) {
			low = middle;
		} else {
			high = middle;
		}
	}
	r = (struct reader){ header + entries[2 * low + 1], (const uint8_t *)m->end, false };
	if ((uintptr_t)r.p < m->start || (uintptr_t)r.p + 24 > m->end) {
		return false;
	}
	uint32_t length = (uint32_t)get_bytes(&r, 4);

	if (length < 12 || length > (size_t)(r.end - r.p)) {
		return false;
	}
	r.end = r.p + length;
	const uint8_t *place = r.p;
	uint32_t back = (uint32_t)get_bytes(&r, 4);

	if (!back || back > (uintptr_t)place - m->start ||
	    !parse_cie(place - back, m, ret, &augmented)) {
		return false;
	}
	ret->start = get_encoded(&r, ret->encoding);
	ret->end = ret->start + get_encoded(&r, ret->encoding & 0x0f);
	if (augmented) {
		uint64_t bytes = get_uleb(&r);

		if (bytes > (size_t)(r.end - r.p)) {
			return false;
		}
		r.p += bytes;
	}
	ret->program = r;
	return !r.bad && pc >= ret->start && pc < ret->end;
}

/* ---- the call frame program ---- */

struct row {
	uint64_t cfa_register;
	int64_t cfa_offset;
	const uint8_t *cfa_expression; /* NULL = register + offset */
	uint64_t cfa_expression_bytes;
	enum { SAVED_SAME, SAVED_AT_CFA, SAVED_EXPRESSION, SAVED_UNDEFINED, SAVED_OTHER } bp, ra;
	int64_t bp_offset, ra_offset;
	const uint8_t *bp_expression;
	uint64_t bp_expression_bytes;
};

static void set_saved(struct row *w, uint64_t reg, int how, int64_t offset)
{
	if (reg == ARCH_DWARF_BP) {
		w->bp = how;
		w->bp_offset = offset;
	} else if (reg == ARCH_DWARF_RA) {
		w->ra = how;
		w->ra_offset = offset;
	}
}

/*
 * Runs until `pc` is passed; false where an instruction is not understood. `first` is the row
 * DW_CFA_restore goes back to.
 */
static bool run_program(struct reader r, const struct frame_info *f, uintptr_t pc, struct row *w,
			const struct row *first)
{
	struct row saved[8];
	unsigned depth = 0;
	uintptr_t at = f->start;

	while (r.p < r.end && !r.bad) {
		uint8_t op = get8(&r), low = op & 0x3f;
		uint64_t reg, bytes;
		int64_t offset;

		switch (op & 0xc0) {
		case 0x40: /* advance_loc */
			at += low * f->code_align;
			if (at > pc) {
				return true;
			}
			continue;
		case 0x80: /* offset */
			set_saved(w, low, SAVED_AT_CFA, (int64_t)get_uleb(&r) * f->data_align);
			continue;
		case 0xc0: /* restore */
			if (low == ARCH_DWARF_BP) {
				w->bp = first->bp;
				w->bp_offset = first->bp_offset;
			} else if (low == ARCH_DWARF_RA) {
				w->ra = first->ra;
				w->ra_offset = first->ra_offset;
			}
			continue;
		default:
			break;
		}
		switch (op) {
		case 0x00: /* nop */
			break;
		case 0x01: /* set_loc */
			at = get_encoded(&r, f->encoding);
			break;
		case 0x02:
			at += get_bytes(&r, 1) * f->code_align;
			break;
		case 0x03:
			at += get_bytes(&r, 2) * f->code_align;
			break;
		case 0x04:
			at += get_bytes(&r, 4) * f->code_align;
			break;
		case 0x05: /* offset_extended */
			reg = get_uleb(&r);
			set_saved(w, reg, SAVED_AT_CFA, (int64_t)get_uleb(&r) * f->data_align);
			break;
		case 0x06: /* restore_extended */
			get_uleb(&r);
			break;
		case 0x07: /* undefined */
			set_saved(w, get_uleb(&r), SAVED_UNDEFINED, 0);
			break;
		case 0x08: /* same_value */
			set_saved(w, get_uleb(&r), SAVED_SAME, 0);
			break;
		case 0x09: /* register */
			reg = get_uleb(&r);
			get_uleb(&r);
			set_saved(w, reg, SAVED_OTHER, 0);
			break;
		case 0x0a: /* remember_state */
			if (depth == 8) {
				return false;
			}
			saved[depth++] = *w;
			break;
		case 0x0b: /* restore_state */
			if (!depth) {
				return false;
			}
			*w = saved[--depth];
			break;
		case 0x0c: /* def_cfa */
			w->cfa_register = get_uleb(&r);
			w->cfa_offset = (int64_t)get_uleb(&r);
			w->cfa_expression = NULL;
			break;
		case 0x0d: /* def_cfa_register */
			w->cfa_register = get_uleb(&r);
			w->cfa_expression = NULL;
			break;
		case 0x0e: /* def_cfa_offset */
			w->cfa_offset = (int64_t)get_uleb(&r);
			break;
		case 0x0f: /* def_cfa_expression */
			bytes = get_uleb(&r);
			w->cfa_expression = r.p;
			w->cfa_expression_bytes = bytes;
			if (bytes > (size_t)(r.end - r.p)) {
				return false;
			}
			r.p += bytes;
			break;
		case 0x10: /* expression */
		case 0x16: /* val_expression */
			reg = get_uleb(&r);
			bytes = get_uleb(&r);
			if (bytes > (size_t)(r.end - r.p)) {
				return false;
			}
			if (reg == ARCH_DWARF_BP && op == 0x10) {
				w->bp_expression = r.p;
				w->bp_expression_bytes = bytes;
			}
			set_saved(w, reg, op == 0x10 ? SAVED_EXPRESSION : SAVED_OTHER, 0);
			r.p += bytes;
			break;
		case 0x11: /* offset_extended_sf */
			reg = get_uleb(&r);
			offset = get_sleb(&r);
			set_saved(w, reg, SAVED_AT_CFA, offset * f->data_align);
			break;
		case 0x12: /* def_cfa_sf */
			w->cfa_register = get_uleb(&r);
			w->cfa_offset = get_sleb(&r) * f->data_align;
			w->cfa_expression = NULL;
			break;
		case 0x13: /* def_cfa_offset_sf */
			w->cfa_offset = get_sleb(&r) * f->data_align;
			break;
		case 0x2e: /* GNU_args_size */
			get_uleb(&r);
			break;
		default:
			return false;
		}
		if (at > pc) {
			return true;
		}
	}
	return !r.bad;
}

/* CFA = [rbp + k]: DW_OP_breg6 k; DW_OP_deref, which gcc writes for realigned frames. */
static bool expression_is_deref_bp(const uint8_t *e, uint64_t bytes, int64_t *ret_offset)
{
	struct reader r = { e, e + bytes, false };

	if (get8(&r) != 0x76) {
		return false;
	}
	*ret_offset = get_sleb(&r);
	return get8(&r) == 0x06 && r.p == r.end && !r.bad;
}

/* rbp saved at [rbp + 0]: DW_OP_breg6 0. */
static bool expression_is_bp(const uint8_t *e, uint64_t bytes)
{
	struct reader r = { e, e + bytes, false };

	return get8(&r) == 0x76 && get_sleb(&r) == 0 && r.p == r.end && !r.bad;
}

static struct rule row_to_rule(const struct row *w)
{
	struct rule r = { .kind = RULE_END };
	int64_t offset;

	if (w->ra != SAVED_AT_CFA || w->ra_offset != -8) {
		return r;
	}
	if (w->bp == SAVED_AT_CFA && w->bp_offset <= 0) {
		r.bp = BP_AT_CFA;
		r.bp_off = (uint32_t)-w->bp_offset;
	} else if (w->bp == SAVED_EXPRESSION &&
		   expression_is_bp(w->bp_expression, w->bp_expression_bytes)) {
		r.bp = BP_AT_BP;
	} else if (w->bp != SAVED_SAME) {
		return r;
	}
	if (w->cfa_expression) {
		if (expression_is_deref_bp(w->cfa_expression, w->cfa_expression_bytes, &offset) &&
		    offset <= 0) {
			r.kind = RULE_DEREF;
			r.off = (uint32_t)-offset;
		}
	} else if (w->cfa_offset >= 0 && w->cfa_offset < 1 << 28) {
		r.kind = w->cfa_register == ARCH_DWARF_SP   ? RULE_SP
			 : w->cfa_register == ARCH_DWARF_BP ? RULE_BP
							    : RULE_END;
		r.off = (uint32_t)w->cfa_offset;
	}
	return r;
}

/*
 * What the kernel makes a handler return to, when nothing describes it: mov $15, %rax; syscall. Programs that make
 * the system call themselves bring their own.
 */
static bool is_sigreturn(const struct module *m, uintptr_t ip)
{
	static const uint8_t code[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };

	return m && ip >= m->start && ip + sizeof(code) <= m->end &&
	       !__builtin_memcmp((const void *)ip, code, sizeof(code));
}

static struct rule rule_learn(uintptr_t ip, bool exact)
{
	const struct module *m = module_find(ip);
	struct frame_info f = { 0 };
	struct row w = { .ra = SAVED_AT_CFA, .ra_offset = -8 }, first;
	uintptr_t pc = exact ? ip : ip - 1;

	if (!m || !find_fde(m, pc, &f)) {
		if (!exact && is_sigreturn(m, ip)) {
			return (struct rule){ .kind = RULE_SIGNAL };
		}
		return (struct rule){ .kind = RULE_GUESS, .bp = BP_AT_BP };
	}
	if (f.is_signal) {
		return (struct rule){ .kind = RULE_SIGNAL };
	}
	if (!run_program(f.initial, &f, UINTPTR_MAX, &w, &w)) {
		return (struct rule){ .kind = RULE_END };
	}
	first = w;
	if (!run_program(f.program, &f, pc, &w, &first)) {
		return (struct rule){ .kind = RULE_END };
	}
	return row_to_rule(&w);
}

bool unwind_bounds(uintptr_t ip, uintptr_t *ret_start, uintptr_t *ret_end)
{
	const struct module *m = module_find(ip);
	struct frame_info f = { 0 };

	if (!m || !find_fde(m, ip - 1, &f)) {
		return false;
	}
	*ret_start = f.start;
	*ret_end = f.end;
	return true;
}

uintptr_t unwind_function(uintptr_t ip)
{
	uintptr_t start, end;

	return unwind_bounds(ip, &start, &end) ? start : 0;
}

/* ---- the walk ---- */

struct walk {
	uintptr_t ip, sp, bp;
	uintptr_t low, high; /* stack bounds; high 0 = unknown, read through the kernel */
	bool exact;	     /* ip is where a signal interrupted, not a return address */
	bool cut;	     /* ended where code may be that no scan has seen yet */
	uintptr_t context;   /* of the innermost signal frame passed, or tried; 0 = none */
};

static bool load(const struct walk *w, uintptr_t address, uintptr_t *ret)
{
	if (address & 7) {
		return false;
	}
	if (w->high) {
		if (address < w->low || address > w->high - 8) {
			return false;
		}
		*ret = *(const uintptr_t *)address;
		return true;
	}
	return module_read(address, ret, sizeof(*ret));
}

static bool step_signal(struct walk *w)
{
	uintptr_t ip, sp, bp;

	if (!load(w, w->sp + ARCH_SIGFRAME_IP, &ip) || !load(w, w->sp + ARCH_SIGFRAME_SP, &sp) ||
	    !load(w, w->sp + ARCH_SIGFRAME_BP, &bp)) {
		return false;
	}
	w->ip = ip;
	w->sp = sp;
	w->bp = bp;
	w->exact = true;
	return true;
}

/* To the caller's frame; `ret_slot` gets where its return address was read from. */
static bool step(struct walk *w, uintptr_t *ret_slot)
{
	struct rule r;
	uintptr_t cfa, ip, bp = w->bp;

	if (w->exact || !rule_lookup(w->ip, &r)) {
		r = rule_learn(w->ip, w->exact);
		if (!w->exact && r.kind != RULE_GUESS) {
			rule_store(
				w->ip,
				&r); /* a guess may become knowledge: its library is being loaded */
		}
	}
	switch (r.kind) {
	case RULE_SP:
		cfa = w->sp + r.off;
		break;
	case RULE_BP:
		cfa = w->bp + r.off;
		break;
	case RULE_DEREF:
		if (!load(w, w->bp - r.off, &cfa)) {
			return false;
		}
		break;
	case RULE_GUESS:
		cfa = w->bp + 16;
		break;
	case RULE_SIGNAL:
		*ret_slot = w->sp + ARCH_SIGFRAME_IP;
		w->context = w->context ? w->context : w->sp;
		return step_signal(w);
	case RULE_NONE:
	case RULE_END:
	default:
		return false;
	}
	if (cfa <= w->sp || !load(w, cfa - 8, &ip) || !ip) {
		return false; /* stacks grow down: a frame that does not rise is a wrong guess */
	}
	if ((r.bp == BP_AT_CFA && !load(w, cfa - r.bp_off, &bp)) ||
	    (r.bp == BP_AT_BP && !load(w, w->bp, &bp)) ||
	    (r.kind == RULE_GUESS && !module_is_code(ip, &w->cut))) {
		return false;
	}
	w->ip = ip;
	w->sp = cfa;
	w->bp = bp;
	w->exact = false;
	*ret_slot = cfa - 8;
	return true;
}

uint32_t unwind_from(struct arch_caller caller, bool is_exact, uintptr_t low, uintptr_t high,
		     uintptr_t *ret_ip, uintptr_t *ret_slot, uint32_t max,
		     struct signal_frame *ret_signal)
{
	struct walk w = { .ip = caller.ip, .sp = caller.sp, .bp = caller.bp, .exact = is_exact };
	uint32_t n = 0;
	bool on;

	if (caller.sp >= low && caller.sp < high) {
		w.low = caller.sp - 8;
		w.high = high;
	}
	*ret_signal = (struct signal_frame){ 0 };
	ret_ip[n] = w.ip + is_exact; /* as if it were behind a call: in the same instruction */
	ret_slot[n++] = w.sp - 8;
	do {
		on = n < max && step(&w, &ret_slot[n]);
		if (unlikely(w.context != ret_signal->context)) {
			/* Also when what was interrupted cannot be walked. */
			*ret_signal = (struct signal_frame){ .frames = n, .context = w.context };
		}
		if (!on || (w.ip >= (uintptr_t)__start_thrum_trampoline &&
			    w.ip < (uintptr_t)__stop_thrum_trampoline)) {
			break; /* the start of the thread: what lies outside is the C library's */
		}
		ret_ip[n++] = w.ip;
	} while (true);
	ret_signal->cut = w.cut;
	return n;
}

uint32_t unwind(struct arch_caller caller, uintptr_t low, uintptr_t high, uintptr_t *ret_ip,
		uintptr_t *ret_slot, uint32_t max, struct signal_frame *ret_signal)
{
	return unwind_from(caller, false, low, high, ret_ip, ret_slot, max, ret_signal);
}
