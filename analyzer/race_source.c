/* SPDX-License-Identifier: MIT */
/*
 * race_source.c - a relaxed or acquiring load is a plain move in the binary; its name is still in the debug information.
 */
#include "race_source.h"

#include "symbols_sharing.h"

#include <string.h>

/* Functions whose accesses are atomic, as demangled: those of C++, of Rust, of libraries' own wrappers. */
static const char *const atomic_functions[] = {
	"std::atomic",
	"std::__atomic_",
	"std::__1::atomic",
	"std::__1::__cxx_atomic",
	"core::sync::atomic::",
	"boost::atomic",
	"__atomic_",
	"atomic_",
	"g_atomic_",
	"qAtomic",
	"QAtomic",
	"QBasicAtomic",
	"std::__1::__atomic_",
};

static bool is_atomic_function(const char *name)
{
	for (size_t i = 0; name && i < sizeof(atomic_functions) / sizeof(atomic_functions[0]); i++)
		if (!strncmp(name, atomic_functions[i], strlen(atomic_functions[i])))
			return true;
	return false;
}

/* In the function that has the instruction, or one that was inlined there. */
static bool is_in_atomic(const struct frames *frames)
{
	for (size_t i = 0; i < frames->count; i++) {
		if (is_atomic_function(frames->frame[i].function))
			return true;
		if (!frames->frame[i].inlined)
			return false;
	}
	return false;
}

static bool is_made_atomic(const struct finding *f)
{
	for (size_t i = 0; i < f->lock_count; i++)
		if (f->locks[i].sharing & SYMBOLS_ATOMIC)
			return true;
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == ROLE_ACCESSES && is_in_atomic(&f->stacks[i].frames))
			return true;
	return false;
}

static bool is_volatile(const struct finding *f)
{
	for (size_t i = 0; i < f->lock_count; i++)
		if (f->locks[i].sharing & SYMBOLS_VOLATILE)
			return true;
	return false;
}

void race_source_filter(struct finding_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct finding *f = finding_list_get(list, i);

		if (f->rule == RULE_DATA_RACE && !f->is_compiled_in && is_made_atomic(f))
			continue;
		if (f->rule == RULE_DATA_RACE && f->confidence == CONFIDENCE_POTENTIAL &&
		    is_volatile(f))
			finding_set_confidence(f, CONFIDENCE_HINT);
		finding_list_set(list, kept++, f);
	}
	finding_list_truncate(list, kept);
}
