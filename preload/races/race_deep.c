/* SPDX-License-Identifier: MIT */
/*
 * race_deep.c - --races=deep: int3 in the program's text, to reach code that runs seldom.
 *
 * An execution breakpoint waits for one instruction at a time; a byte waits for nothing. Many are planted, each for one time: the thread
 * that comes there first puts the instruction back, and what follows is as at a breakpoint (race_trap.c). Only in the program and in its
 * own libraries that came with it, which are never unloaded, and only in functions that decode cleanly from their start to their end.
 *
 * A thread that has SIGTRAP blocked would be ended by such a byte. So before the first one all handlers and the mask are asked, and before
 * a call that would block it all of them are taken out, for good: masks stay as they are. Text is written through /proc/self/mem; where
 * that cannot be opened any more, to put a byte back, the page is made writable.
 *
 * The table is no part of struct shim: a forked child has the bytes, and takes them out at once.
 */
#include "races.h"

#include "../shim_process.h"
#include "../shim_races.h"

#include <fcntl.h>
#include <sys/mman.h>

enum {
	PLACES = 4096, /* in the table; a power of two */
	MOST = 2048,   /* in the text at once */
	MOST_EVER = PLACES / 4 * 3,
	FIRST = 64, /* at the beginning; doubled and halved as they are hit */
	FEWEST = 16,
	A_TURN = 4,
	RATE_MS = 250,
	HITS_LOW = 200, /* a second */
	HITS_HIGH = 1000,
	TRIES = 8,
	SIGNALS = 64,
	INT3 = 0xcc,
	PAGE = 4096,
	FROM_KERNEL = 0x80, /* si_code of int3 */
};

enum { NOWHERE, PLANTED, LIFTING, LIFTED };

static struct place {
	_Atomic uintptr_t at; /* 0 = free; stays for good, since a trap may be on its way */
	_Atomic uint8_t state;
	uint8_t byte; /* that belongs there */
} table[PLACES];

_Atomic uint32_t races_deep;
static _Atomic uint32_t planted, planter; /* planter: kernel id of the thread that is at it */
static spin_t page_lock;

/* Only by the thread that chooses. */
static uint32_t most, ever, hits_before;
static uint64_t rate_ns;
static _Atomic uint32_t hits;

/* ---- text ---- */

/* `fd`: /proc/self/mem, negative = it could not be opened. */
static bool write_text(int fd, uintptr_t at, uint8_t byte)
{
	return fd >= 0 && sys4(SYS_pwrite64, fd, &byte, 1, (long)at) == 1;
}

static int open_text(void)
{
	return proc_self_open_to("mem", O_RDWR);
}

/* It is never kept: the host may close any number, and use it anew. */
static void close_text(int fd)
{
	if (fd >= 0) {
		sys1(SYS_close, fd);
	}
}

/* Other threads run in that page meanwhile. Signals are blocked, or the guard is held: nobody comes back here. */
static bool write_page(uintptr_t at, uint8_t byte)
{
	void *page = (void *)(at & ~(uintptr_t)(PAGE - 1));
	bool done;

	spin_lock(&page_lock);
	done = sys3(SYS_mprotect, page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
	if (done) {
		*(volatile uint8_t *)at = byte;
		sys3(SYS_mprotect, page, PAGE, PROT_READ | PROT_EXEC);
	}
	spin_unlock(&page_lock);
	return done;
}

/* ---- the table ---- */

static struct place *place_of(uintptr_t at, bool add)
{
	uint32_t i = (uint32_t)(at * 0x9e3779b97f4a7c15u >> 40);

	for (uint32_t n = 0; n < PLACES; n++, i++) {
		struct place *p = &table[i % PLACES];
		uintptr_t there = atomic_load(&p->at);

		if (there == at) {
			return p;
		}
		if (!there) {
			return add ? p : NULL;
		}
	}
	return NULL;
}

static bool put_back(int fd, const struct place *p)
{
	return write_text(fd, atomic_load(&p->at), p->byte) ||
	       write_page(atomic_load(&p->at), p->byte);
}

/* True: this thread put it back. */
static bool lift(int fd, struct place *p)
{
	uint8_t expected = PLANTED;
	bool done;

	if (!atomic_compare_exchange_strong(&p->state, &expected, LIFTING)) {
		return false;
	}
	done = put_back(fd, p);
	atomic_store(&p->state, done ? LIFTED : PLANTED);
	if (done) {
		atomic_fetch_sub(&planted, 1);
	}
	return done;
}

void race_deep_original(uint8_t *text, uintptr_t start, uintptr_t end)
{
	if (!atomic_load(&planted)) {
		return;
	}
	for (uint32_t i = 0; i < PLACES; i++) {
		uintptr_t at = atomic_load_explicit(&table[i].at, memory_order_relaxed);

		if (at >= start && at < end && text[at - start] == INT3) {
			text[at - start] = table[i].byte;
		}
	}
}

/* As code_before, which it is where nothing can be planted. Only the first byte of an instruction ever is. */
bool race_before(uintptr_t ip, struct code_instruction *ret, uintptr_t *ret_pc)
{
	uint8_t code[CODE_MOST_BYTES];
	uintptr_t start, end;

	if (!unwind_bounds(ip, &start, &end)) {
		return false;
	}
	if (!atomic_load(&planted)) {
		return code_before(start, ip, ret, ret_pc);
	}
	for (uintptr_t pc = start; pc < ip; pc += ret->length) {
		size_t bytes = ip - pc < sizeof(code) ? ip - pc : sizeof(code);
		const struct place *p;

		for (size_t i = 0; i < bytes; i++) {
			code[i] = ((const volatile uint8_t *)pc)[i];
		}
		p = code[0] == INT3 ? place_of(pc, false) : NULL;
		code[0] = p ? p->byte : code[0];
		if (!code_decode(code, bytes, pc, ret)) {
			return false;
		}
		if (pc + ret->length == ip) {
			*ret_pc = pc;
			return true;
		}
	}
	return false;
}

/* ---- the end ---- */

void races_deep_end(uint32_t why)
{
	uint32_t tid = (uint32_t)sys0(SYS_gettid), other;
	int fd;

	if (!atomic_exchange(&races_deep, 0)) {
		return;
	}
	if (shim && shim->races && shim->races->told) {
		struct tf_def_watches *told = shim->races->told;

		told->deep = (told->deep & ~(uint32_t)TF_DEEP_MASK) | why;
	}
	/* Who plants looks at races_deep after each one. It may be this very thread, interrupted. */
	while ((other = atomic_load(&planter)) != 0 && other != tid) {
		sys0(SYS_sched_yield);
	}
	fd = open_text();
	for (uint32_t i = 0; i < PLACES; i++) {
		lift(fd, &table[i]);
	}
	close_text(fd);
}

void race_deep_in_child(void)
{
	int fd;

	atomic_store(&races_deep, 0);
	atomic_store(&planter, 0);
	atomic_store(&page_lock, 0);
	if (!atomic_load(&planted)) {
		return;
	}
	fd = open_text();
	for (uint32_t i = 0; i < PLACES; i++) {
		struct place *p = &table[i];

		if (atomic_load(&p->at) && atomic_load(&p->state) != LIFTED) {
			put_back(fd, p);
			atomic_store(&p->state, LIFTED);
		}
	}
	close_text(fd);
	atomic_store(&planted, 0);
}

/* ---- who would be ended by it ---- */

void races_masks_slow(const void *mask)
{
	uint64_t word;

	if (mask && module_read((uintptr_t)mask, &word, sizeof(word)) && RACES_BLOCKS(word)) {
		races_deep_end(TF_DEEP_BLOCKED);
	}
}

static bool is_blocked_somewhere(void)
{
	if (RACES_BLOCKS(signal_mask_now())) {
		return true;
	}
	for (int n = 1; n <= SIGNALS; n++) {
		struct sigaction a;
		uint64_t blocks;

		if (n == SIGTRAP || real_sigaction(n, NULL, &a) || a.sa_handler == SIG_DFL ||
		    a.sa_handler == SIG_IGN) {
			continue;
		}
		__builtin_memcpy(&blocks, &a.sa_mask, sizeof(blocks));
		if (RACES_BLOCKS(blocks)) {
			return true;
		}
	}
	return false;
}

void race_deep_begin(struct races *r)
{
	int fd;

	if (is_blocked_somewhere()) {
		r->told->deep = TF_DEEP_BLOCKED;
		return;
	}
	fd = open_text();
	if (fd < 0) {
		r->told->deep = TF_DEEP_NO_MEMORY;
		return;
	}
	close_text(fd);
	most = FIRST;
	r->told->deep = TF_DEEP_ON;
	atomic_store(&races_deep, 1);
}

/* ---- planting ---- */

static bool is_place(const struct module *m)
{
	return m->is_program && m->from_start && !m->gone && m->end > m->start;
}

/* One of the modules, then one of its addresses, which most often lies in a function: a long one more likely than a short one. */
static uintptr_t any_address(struct races *r)
{
	const struct module *chosen = NULL;
	uint32_t seen = 0;

	for (uint32_t i = 0; i < shim->module_count; i++) {
		if (is_place(&shim->modules[i]) && race_random(r) % ++seen == 0) {
			chosen = &shim->modules[i];
		}
	}
	return chosen ? chosen->start +
				((uint64_t)race_random(r) << 8) % (chosen->end - chosen->start)
		      : 0;
}

static bool plant(struct races *r, int fd, uintptr_t at)
{
	struct place *p = place_of(at, true);
	bool is_new = p && !atomic_load(&p->at);

	if (!p || atomic_load(&p->state) == PLANTED || atomic_load(&p->state) == LIFTING ||
	    (is_new && ever == MOST_EVER)) {
		return true;
	}
	if (is_new) {
		if (!module_read(at, &p->byte, 1) || p->byte == INT3) {
			return true;
		}
		atomic_store(&p->at, at);
		ever++;
	}
	atomic_store(&p->state, PLANTED);
	atomic_fetch_add(&planted, 1);
	if (!write_text(fd, at, INT3)) {
		lift(fd, p);
		return false;
	}
	/* A handler of the host's that came between may have ended it, and taken out what was not in yet. */
	if (!atomic_load(&races_deep)) {
		put_back(fd, p);
		return true;
	}
	r->told->deep += 1u << TF_DEEP_SHIFT;
	return true;
}

/* Those that are hit at once say that the code is not cold. */
static void look_at_rate(uint64_t now_ns)
{
	uint32_t now = atomic_load(&hits), rate;

	if (now_ns - rate_ns < RATE_MS * UINT64_C(1000000)) {
		return;
	}
	rate = (now - hits_before) * (1000 / RATE_MS);
	if (rate > HITS_HIGH) {
		most = most / 2 > FEWEST ? most / 2 : FEWEST;
	} else if (rate < HITS_LOW) {
		most = most * 2 < MOST ? most * 2 : MOST;
	}
	hits_before = now;
	rate_ns = now_ns;
}

void race_deep_turn(struct races *r, uint64_t now_ns)
{
	bool done = true;
	int fd = -1;

	look_at_rate(now_ns);
	atomic_store(&planter, (uint32_t)sys0(SYS_gettid));
	for (int i = 0, left = A_TURN; i < TRIES && left && done; i++) {
		uintptr_t address = any_address(r), at;

		if (!atomic_load(&races_deep) || atomic_load(&planted) >= most) {
			break;
		}
		at = address ? race_choose_in(r, address, now_ns) : 0;
		if (at) {
			fd = fd < 0 ? open_text() : fd;
			done = plant(r, fd, at);
			left--;
		}
	}
	close_text(fd);
	atomic_store(&planter, 0);
	if (!done) {
		races_deep_end(TF_DEEP_NO_MEMORY);
	}
}

/* ---- the trap ---- */

bool race_deep_trap(const siginfo_t *info, ucontext_t *u, bool *ret_first)
{
	uintptr_t at = (uintptr_t)u->uc_mcontext.gregs[REG_RIP] - 1;
	struct place *p = info->si_code == FROM_KERNEL ? place_of(at, false) : NULL;
	int fd;

	if (!p) {
		return false;
	}
	fd = open_text();
	u->uc_mcontext.gregs[REG_RIP] = (greg_t)at;
	*ret_first = lift(fd, p);
	close_text(fd);
	atomic_fetch_add(&hits, *ret_first);
	return true;
}
