/* SPDX-License-Identifier: MIT */
/*
 * py_race_hand.c - --python-races: what hands objects from thread to thread without a lock that is seen: SimpleQueue, deque.
 */
#include "py_race.h"

#include "py_task.h"

static struct py_patched queue_put, queue_get, queue_get_now, deque_append, deque_append_left,
	deque_pop, deque_pop_left;

/* The library's own: a loop's list of what is ready hands nothing to another thread. By address of the code, a few of which are remembered. */
static bool is_librarys_own(void)
{
	static struct {
		uintptr_t code;
		bool own;
	} seen[64];
	const uint8_t *frame = py_frame_now();
	uintptr_t code = frame ? py_frame_code(frame) : 0;
	unsigned i = (unsigned)((code >> 4) * 0x9e3779b97f4a7c15u >> 58);

	if (code && seen[i].code != code) {
		seen[i].code = code;
		seen[i].own = py_code_kind(code) == TF_PLACE_LIBRARY;
	}
	return code && seen[i].own;
}

static PyObject *handed(struct arch_caller caller, const struct py_patched *p, bool obtain, void *a,
			void *b, void *c, void *d, void *e)
{
	PyObject *result;

	if (p != &queue_put && p != &queue_get && p != &queue_get_now && is_librarys_own()) {
		return p->call(a, b, c, d, e);
	}
	if (!obtain) {
		py_variable_publish(caller, a, false);
	}
	result = p->call(a, b, c, d, e);
	if (obtain && result) {
		py_variable_publish(caller, a, true);
	}
	return result;
}

#define HANDS(name, obtain)                                                      \
	static PyObject *our_##name(void *a, void *b, void *c, void *d, void *e) \
	{                                                                        \
		return handed(ARCH_CALLER(), &name, obtain, a, b, c, d, e);      \
	}
HANDS(queue_put, false)
HANDS(queue_get, true)
HANDS(queue_get_now, true)
HANDS(deque_append, false)
HANDS(deque_append_left, false)
HANDS(deque_pop, true)
HANDS(deque_pop_left, true)

static void patch_handing(PyObject *queue, PyObject *deque)
{
	if (queue) {
		py_patch_method(queue, "put", our_queue_put, &queue_put);
		py_patch_method(queue, "get", our_queue_get, &queue_get);
		py_patch_method(queue, "get_nowait", our_queue_get_now, &queue_get_now);
	}
	if (deque) {
		py_patch_method(deque, "append", our_deque_append, &deque_append);
		py_patch_method(deque, "appendleft", our_deque_append_left, &deque_append_left);
		py_patch_method(deque, "pop", our_deque_pop, &deque_pop);
		py_patch_method(deque, "popleft", our_deque_pop_left, &deque_pop_left);
	}
}

/* Those that the program has imported by now. */
void py_races_look(void)
{
	static bool queue_done, deque_done;
	PyObject *module;

	module = queue_done ? NULL : py_module("_queue");
	if (module) {
		PyObject *queue = py_get(module, "SimpleQueue");

		queue_done = true;
		patch_handing(queue, NULL);
		py_drop(queue);
	}
	module = deque_done ? NULL : py_module("_collections");
	if (module) {
		PyObject *deque = py_get(module, "deque");

		deque_done = true;
		patch_handing(NULL, deque);
		py_drop(deque);
	}
}
