/* SPDX-License-Identifier: MIT */
/*
 * shim_state.h - all that a process has of ours: struct shim, in memory that a forked child finds wiped;
 * and the spin locks in it. Included by shim.h only.
 */
#ifndef THRUM_SHIM_STATE_H
#define THRUM_SHIM_STATE_H

/* ---- process-wide state, in wiped-on-fork memory ---- */

typedef _Atomic uint32_t spin_t;

enum {
	WINDOW_SEGMENTS = 4,
	WINDOWS = 16384,
	OBJECT_BUCKETS = 1 << 18,
	OBJECT_LOCKS = 256,
	DEPOT_BUCKETS = 16384,
	THREAD_BUCKETS = 4096,
	BY_ID = 1 << 22,
	PAGE_FILTER_BITS = 20,
	PAGE_HINT_BITS = 15,
	G_POOLS = 64, /* of GLib, that are seen */
};

struct thread_entry {
	uintptr_t handle;
	struct thread_entry *next;
	uint32_t id;
	_Atomic uint32_t state; /* enum thread_state */
	struct stream *stream;
};

/* [start, end) of a module, or of code that no module holds. */
struct module_range {
	uintptr_t start, end;
};
enum { CODE_RANGES = 16 };

struct module {
	uintptr_t start, end, bias;
	uintptr_t eh_frame_hdr;	  /* 0 = none */
	uintptr_t data, data_end; /* variables that can be written */
	uint32_t id;
	bool is_thrum;
	bool gone;
	uint8_t loops;	 /* enum module_loops */
	bool from_start; /* loaded with the program: its symbols go before those of what came later */
	bool is_program; /* the program or a library of its own, none of the system's */
};

/* libevent and libev, which export the same names with other structs. */
enum module_loops { MODULE_NO_LOOPS, MODULE_EVENT, MODULE_EV };

struct shim {
	_Atomic uint32_t state; /* enum shim_state */
	spin_t annotation_lock; /* the annotations below; only meta and region are taken under it */
	spin_t region_lock, meta_lock, depot_lock, thread_lock, module_lock;
	spin_t object_lock[OBJECT_LOCKS];

	/* region */
	struct tf_process *process;
	uint8_t *window[WINDOWS];
	uint32_t segments_used, segments_allocated;
	struct kept_file map_file, events_file;
	struct tf_segment *meta;
	uint32_t meta_stream;

	/* streams */
	struct stream *streams[65536];
	uint32_t stream_count;
	struct stream *free_streams;
	_Atomic uint32_t ended_streams;

	/* arena for objects, depot, threads */
	uint8_t *arena, *arena_end;
	struct object *free_objects;
	struct thread_start *free_starts;

	/* what other processes can reach (shim_ipc.h) */
	spin_t ipc_lock;
	_Atomic uint32_t mapping_epoch, mapping_next;
	struct mapping mappings[MAPPINGS];
	struct identity *identities[IDENTITY_BUCKETS], *free_identities;
	struct named *free_named;
	struct descriptor descriptor[DESCRIPTORS];
	_Atomic uint32_t descriptor_epoch; /* changes with every close, not 0 */
	_Atomic uint32_t descriptor_top;   /* above the highest number ever in use here */
	_Atomic uint32_t file_hold_count;
	struct file_hold *file_holds, *free_file_holds;
	struct bells bells;

	/* accesses to memory: shim_memory.c */
	spin_t memory_lock; /* making the file: region, meta and depot may be taken under it */
	bool memory_failed;
	struct tm_header *memory; /* NULL = no file */
	char memory_name[40];

	/* bounded mode: shim_bounded.c */
	struct facts *facts;	       /* NULL in full mode without a size limit */
	struct story **by_id;	       /* by object id, BY_ID entries */
	struct task_slots *task_slots; /* NULL = none yet */

	_Atomic uint32_t reports; /* of ThreadSanitizer, so far: wrap_report.c */

	/* ids */
	_Atomic uint32_t next_thread, next_object, next_task;
	struct annotation *annotations; /* NULL = none wait for their object */
	struct lock_class *lock_classes;
	uint32_t next_stack, next_module;

	struct places *places;	     /* of Python frames, NULL = none yet */
	struct variables *variables; /* of --python-races, NULL = none yet */
	struct races *races;	     /* memory that is watched, NULL = nothing begun */

	/* modules */
	struct module *modules; /* sorted by start; replaced as a whole, never freed */
	uint32_t module_count;
	struct module_range
		code[CODE_RANGES]; /* made at run time; a word may be of an older scan */
	uint32_t code_count;
	_Atomic uint32_t modules_stale; /* a dlopen may have added some */
	uint64_t last_scan_ticks, scan_cost_ticks;
	uint8_t library_copies[5];    /* of OpenMP, Qt, GLib, libevent and libev, libsystemd */
	spin_t g_pool_locks[G_POOLS]; /* wrap_gtask.c */
	bool many_copies;	      /* of one of them */

	struct object *objects[OBJECT_BUCKETS];
	struct depot_entry *depot[DEPOT_BUCKETS];
	struct thread_entry *threads[THREAD_BUCKETS];
	/*
	 * a bit per hashed page that ever held a live object: lets free() of anything else go at
	 * once
	 */
	uint8_t page_filter[(1 << PAGE_FILTER_BITS) / 8];
	/* The same, coarser: 4 KiB that stay in the first-level cache. Asked first. */
	uint8_t page_hint[(1 << PAGE_HINT_BITS) / 8];
};

extern struct shim *shim; /* NULL until boot */

static inline void spin_lock(spin_t *l)
{
	uint32_t spins = 0;

	while (atomic_exchange_explicit(l, 1, memory_order_acquire)) {
		while (atomic_load_explicit(l, memory_order_relaxed)) {
			if (++spins % 64 == 0) {
				sys0(SYS_sched_yield); /* the holder may wait for this processor */
			}
			__builtin_ia32_pause();
		}
	}
}
static inline void spin_unlock(spin_t *l)
{
	atomic_store_explicit(l, 0, memory_order_release);
}

/*
 * SLOW: zeroed memory that lives as long as the process and is wiped in a forked child; NULL when
 * there is none.
 */
void *shim_pages(size_t bytes);
/* SLOW: the same in small pieces; the caller holds no lock of rank region or below. */
void *shim_alloc(size_t bytes);

#endif
