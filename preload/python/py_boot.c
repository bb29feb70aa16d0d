/* SPDX-License-Identifier: MIT */
/*
 * py_boot.c - finds the interpreter, and waits for the moment between its start and the program's first line.
 *
 * An audit hook may be registered before the interpreter is initialised; no switch turns it off (-I, -E, -S). The interpreter raises
 * cpython.run_* when it is about to run the program, the GIL held. An embedded interpreter does not: there the first import after its
 * initialisation is the moment. Modules that the program imports later (asyncio) are looked at when their import is announced.
 */
#include "py_name.h"
#include "py_race.h"
#include "py_thread.h"

#define PY(ret, name, params) ret(*py_##name) params;
#define PY_DATA(name) void *py_data_##name;
#include "../../spec/python_api.def"
#undef PY
#undef PY_DATA

struct py_state py;

static const struct {
	const char *name;
	void **place;
	bool is_data;
} wanted[] = {
#define PY(ret, name, params) { #name, (void **)&py_##name, false },
#define PY_DATA(name) { #name, &py_data_##name, true },
#include "../../spec/python_api.def"
#undef PY
#undef PY_DATA
};

/* "3.11.2 (main, …": 0x030b02; 0 = something else. */
static uint32_t parse_version(const char *text)
{
	uint32_t part[3] = { 0 };

	for (int i = 0; i < 3; i++) {
		if (*text < '0' || *text > '9') {
			return 0;
		}
		for (; *text >= '0' && *text <= '9'; text++) {
			part[i] = part[i] * 10 + (uint32_t)(*text - '0');
		}
		if (i < 2 && *text++ != '.') {
			return 0;
		}
	}
	return part[0] << 16 | part[1] << 8 | (part[2] & 255);
}

bool py_text_has(const char *text, const char *word)
{
	for (; *text; text++) {
		size_t i = 0;

		while (word[i] && text[i] == word[i]) {
			i++;
		}
		if (!word[i]) {
			return true;
		}
	}
	return false;
}

bool py_text_is(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static struct tf_def_runtime *runtime_def; /* the newest of this image */

static uint16_t at_most(uint32_t n)
{
	return (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
}

void py_races_counted(void)
{
	if (runtime_def && shim_options.python_races) {
		runtime_def->watched_functions = at_most(py_race_codes);
		runtime_def->watched_classes = at_most(py_race_classes);
	}
}

static void define_runtime(void)
{
	struct tf_def_runtime def = { .def.type = TF_DEF_RUNTIME,
				      .kind = TF_RUNTIME_CPYTHON,
				      .version = py.version,
				      .features = py.features,
				      .why = py.why,
				      .wanted = PY_STACKS | PY_LOCKS | PY_TASKS | PY_AWAITS |
						PY_FINALISERS |
						(shim_options.python_races ? PY_RACES : 0) };

	runtime_def = region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
	py_races_counted();
}

/* Borrowed; NULL = the program has not imported it. Nothing is imported for our sake: a program may have a module of that name. */
PyObject *py_module(const char *name)
{
	PyObject *modules = py_is_finalizing() ? NULL : py_PyImport_GetModuleDict();

	return modules ? py_PyDict_GetItemString(modules, name) : NULL;
}

/* The directory that the package `encodings` lies in, which starts every interpreter: what is below it and not in a directory of packages is
 * the interpreter's own. */
static void learn_library(void)
{
	PyObject *encodings = py_module("encodings");
	PyObject *file = encodings ? py_PyObject_GetAttrString(encodings, "__file__") : NULL;
	intptr_t bytes = 0;
	const char *text = file && file->type == py_data_PyUnicode_Type
				   ? py_PyUnicode_AsUTF8AndSize(file, &bytes)
				   : NULL;

	for (int level = 0; text && level < 2; level++) {
		for (bytes -= bytes > 0; bytes > 0 && text[bytes - 1] != '/'; bytes--) {
		}
	}
	if (text && bytes > 1 && (size_t)bytes < sizeof(py.library)) {
		__builtin_memcpy(py.library, text, (size_t)bytes);
		py.library_bytes = (uint32_t)bytes;
	}
	if (file) {
		py_Py_DecRef(file);
	}
	if (py_PyErr_Occurred()) {
		py_PyErr_Clear();
	}
}

enum { NOT_YET, UNDER_WAY, DONE };
static _Atomic uint32_t core_state;

static void install_core(void)
{
	uint32_t expected = NOT_YET;
	PyObject *type, *value, *trace;

	if (!atomic_compare_exchange_strong(&core_state, &expected, UNDER_WAY)) {
		return;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	py.why = TF_RUNTIME_ENTERED;
	learn_library();
	py.features |= py_frames_install() ? PY_STACKS : 0;
	py.features |= py_locks_install() ? PY_LOCKS : 0;
	py_queues_install();
	if (!(py.features & PY_LOCKS)) {
		py_native_semaphores(true);
	}
	if (shim_options.python_races && !shim_options.bounded) {
		py.features |= py_races_install() ? PY_RACES : 0;
	}
	py_PyErr_Clear();
	py_PyErr_Restore(type, value, trace);
	atomic_store(&core_state, DONE);
	define_runtime();
}

static void drop_module(PyObject *module)
{
	if (module) {
		py_Py_DecRef(module);
	}
	py_PyErr_Clear();
}

#define GEVENT(name)                                                    \
	static void install_gevent_##name(void)                         \
	{                                                               \
		py_greenlet_install();                                  \
		drop_module(py_PyImport_ImportModule("gevent." #name)); \
		py_gevent_install();                                    \
	}
GEVENT(hub)
GEVENT(lock)
GEVENT(event)
GEVENT(queue)
#undef GEVENT

/* What is looked at when the program imports it: the module is imported from inside the hook, which the interpreter then finds done. */
static struct extension {
	const char *module;
	void (*install)(void);
	_Atomic uint32_t state;
} extensions[] = {
	{ "asyncio.unix_events", py_tasks_install,
	  NOT_YET }, /* the last one that asyncio imports */
	{ "uvloop.loop", py_uvloop_install, NOT_YET },
	{ "trio", py_trio_install, NOT_YET },
	{ "greenlet", py_greenlet_install, NOT_YET },
	{ "gevent", install_gevent_hub, NOT_YET }, /* which it imports itself */
	{ "gevent.lock", install_gevent_lock, NOT_YET },
	{ "gevent.event", install_gevent_event, NOT_YET },
	{ "gevent.queue", install_gevent_queue, NOT_YET },
};

static void install(struct extension *x)
{
	uint32_t expected = NOT_YET;
	PyObject *type, *value, *trace;

	if (!atomic_compare_exchange_strong(&x->state, &expected, UNDER_WAY)) {
		return;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	x->install();
	py_PyErr_Clear();
	py_PyErr_Restore(type, value, trace);
	atomic_store(&x->state, DONE);
	define_runtime();
}

void py_say_runtime(void)
{
	define_runtime();
}

/* A forked child has a trace of its own. */
void python_new_image(void)
{
	if (py.version) {
		py_names_new_image();
		py_threads_new_image();
		py_fail_new_image();
		py_gil_new_image();
		define_runtime();
	}
}

/* What is replaced belongs to one interpreter; the others of the process have its built-in types in common with it. */
static bool is_main_interpreter(void)
{
	return !py_PyInterpreterState_Get || !py_PyInterpreterState_Main ||
	       py_PyInterpreterState_Get() == py_PyInterpreterState_Main();
}

static void on_import(PyObject *args)
{
	PyObject *name = py_PyTuple_Size(args) > 0 ? py_PyTuple_GetItem(args, 0) : NULL;
	const char *text = name && name->type == py_data_PyUnicode_Type
				   ? py_PyUnicode_AsUTF8AndSize(name, NULL)
				   : NULL;

	if (!text) {
		return;
	}
	py_module_announced(text);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (text[0] == extensions[i].module[0] && py_text_is(text, extensions[i].module)) {
			install_core();
			install(&extensions[i]);
			return;
		}
	}
	if (atomic_load(&core_state) == NOT_YET &&
	    (py_text_is(text, "threading") || py_text_is(text, "multiprocessing"))) {
		install_core();
	}
}

static bool begins(const char *text, const char *with)
{
	while (*with && *text == *with) {
		text++;
		with++;
	}
	return !*with;
}

/* Code of a module, or of exec(), is about to run. */
static void on_exec(PyObject *args)
{
	PyObject *code = py_PyTuple_Size(args) > 0 ? py_PyTuple_GetItem(args, 0) : NULL;
	PyObject *type, *value, *trace;

	if (code && code->type == py_data_PyCode_Type && shim_stream && !py_is_finalizing() &&
	    is_main_interpreter()) {
		py_PyErr_Fetch(&type, &value, &trace);
		py_races_look();
		if (py_code_kind((uintptr_t)code) == TF_PLACE_PROGRAM) {
			py_race_learn(code);
			py_races_counted();
		}
		py_PyErr_Clear();
		py_PyErr_Restore(type, value, trace);
	}
}

static int on_audit(const char *event, PyObject *args, void *cookie)
{
	(void)cookie;
	if (event[0] == 'i' && py_text_is(event, "import")) {
		if (py_Py_IsInitialized() && shim_stream && !py_is_finalizing() &&
		    is_main_interpreter()) {
			on_import(args);
		}
	} else if (event[0] == 'e' && py.features & PY_RACES && py_text_is(event, "exec")) {
		on_exec(args);
	} else if (event[0] == 'c' && begins(event, "cpython.")) {
		if (begins(event + 8, "run_")) {
			install_core();
		} else if (py_text_is(event + 8, "_PySys_ClearAuditHooks")) {
			py.over = 1;
			py_audit_ends();
		}
	}
	return 0;
}

static bool find_all(uintptr_t bias)
{
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		*wanted[i].place = shim_resolve_in(bias, wanted[i].name, wanted[i].is_data);
	}
	return py_Py_GetVersion && py_Py_IsInitialized && py_PyGILState_GetThisThreadState &&
	       py_PySys_AddAuditHook;
}

static const struct py_layout *find_layout(void)
{
	if (py_text_has(py_Py_GetVersion(), "free-threading")) {
		py.why = TF_RUNTIME_FREE_THREADED;
		return NULL;
	}
	for (size_t i = 0; i < py_layout_count; i++) {
		if (py.version >> 16 == 3 && py_layouts[i].minor == (py.version >> 8 & 255)) {
			py.why = py_layout_fits(&py_layouts[i]) ? TF_RUNTIME_NOT_YET
								: TF_RUNTIME_OTHER_LAYOUT;
			return py.why == TF_RUNTIME_NOT_YET ? &py_layouts[i] : NULL;
		}
	}
	py.why = TF_RUNTIME_UNKNOWN_VERSION;
	return NULL;
}

/* A version that we do not know keeps to itself: no hook, the native layer only. */
void python_arm(void)
{
	const struct module *m;
	uintptr_t bias;
	bool found;

	if (py.version || !shim_resolve_home("Py_GetVersion", &bias)) {
		return;
	}
	found = find_all(bias);
	py.version = py_Py_GetVersion ? parse_version(py_Py_GetVersion()) : 0;
	m = py.version ? module_find((uintptr_t)py_Py_GetVersion) : NULL;
	if (!m) {
		return;
	}
	py.module_start = m->start;
	py.module_end = m->end;
	py.bias = bias;
	py_native_mutexes();
	py.runtime = (uintptr_t)py_data__PyRuntime;
	py.runtime_end = py.runtime + shim_resolve_size(bias, "_PyRuntime");
	py.layout = find_layout();
	if (py.layout && (!found || !py_audit_register(on_audit))) {
		py.why = TF_RUNTIME_UNKNOWN_VERSION;
		py.layout = NULL;
	}
	if (py.layout) {
		py_native_semaphores(false);
	}
	define_runtime();
}
