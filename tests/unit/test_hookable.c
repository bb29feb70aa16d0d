/* SPDX-License-Identifier: MIT */
/*
 * test_hookable.c - each kind of program that cannot be recorded is told by its file, and what a recording would miss
 * is listed; no damage to a file harms.
 */
#include "analyzer/hookable.h"
#include "elf_fixture.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const hooked[] = { "pthread_mutex_lock", "pthread_mutex_unlock",
				      "pthread_create", "__cxa_guard_acquire", NULL };

static char *directory;

static const char *in_directory(const char *name)
{
	static char path[4][600];
	static unsigned next;
	char *result = path[next++ % 4];

	snprintf(result, sizeof(path[0]), "%s/%s", directory, name);
	return result;
}

/* Compiles C source text into the directory. */
static const char *compile(const char *name, const char *flags, const char *source)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.c", name);
	fixture_write(in_directory(file), source, strlen(source));
	fixture_command("cd '%s' && cc -w -o '%s' '%s' -pthread %s", directory, name, file, flags);
	return in_directory(name);
}

#define LOCKING                  \
	"#include <pthread.h>\n" \
	"pthread_mutex_t m;\n"   \
	"int main(void) { pthread_mutex_lock(&m); return pthread_mutex_unlock(&m); }\n"

static void expect(const char *command, enum hookable_verdict verdict, const char *word)
{
	struct hookable h;

	assert_int_equal(hookable_check(command, &h, NULL), 0);
	if (h.verdict != verdict)
		fail_msg("%s: %s: %s", command, hookable_verdict_name(h.verdict), h.why);
	assert_int_equal(h.ok, verdict == HOOKABLE_TRACEABLE);
	if (!strstr(h.why, word))
		fail_msg("\"%s\" is not in \"%s\"", word, h.why);
	assert_null(strchr(h.why, '\n'));
}

static bool has_note(const struct hookable *h, enum hookable_note_kind kind, const char *module,
		     const char *word)
{
	for (size_t i = 0; i < h->note_count; i++)
		if (h->notes[i].kind == kind && !strcmp(h->notes[i].module, module) &&
		    strstr(h->notes[i].text, word))
			return true;
	return false;
}

static const struct hookable_module *module_of(const struct hookable *h, const char *name)
{
	for (size_t i = 0; i < h->module_count; i++)
		if (!strcmp(h->modules[i].name, name))
			return &h->modules[i];
	return NULL;
}

static bool imports(const struct hookable_module *module, const char *name)
{
	for (size_t i = 0; module && i < module->hooked_count; i++)
		if (!strcmp(module->hooked[i], name))
			return true;
	return false;
}

/* ---- verdicts ---- */

static void test_dynamic_programs_are_traceable(void **state)
{
	(void)state;
	expect(compile("dynamic", "", LOCKING), HOOKABLE_TRACEABLE, "glibc");
	expect(compile("nopie", "-no-pie", LOCKING), HOOKABLE_TRACEABLE, "glibc");
	expect("sh", HOOKABLE_TRACEABLE, "/sh");
	expect("/lib64/ld-linux-x86-64.so.2", HOOKABLE_TRACEABLE, "loader");
}

static void test_static_programs_are_not(void **state)
{
	(void)state;
	expect(compile("static", "-static", LOCKING), HOOKABLE_STATIC, "without -static");
	expect(compile("staticpie", "-static-pie", LOCKING), HOOKABLE_STATIC_PIE,
	       "without -static");
}

static void test_what_is_no_program_is_told(void **state)
{
	(void)state;
	expect(in_directory("nothing"), HOOKABLE_NOT_FOUND, "No such file");
	expect("thrum-has-no-such-command", HOOKABLE_NOT_FOUND, "not found");
	expect("", HOOKABLE_NOT_FOUND, "not found");
	expect(directory, HOOKABLE_NOT_EXECUTABLE, "directory");
	fixture_write(in_directory("text"), "echo hello\n", 11);
	expect(in_directory("text"), HOOKABLE_NOT_EXECUTABLE, "chmod");
	assert_int_equal(chmod(in_directory("text"), 0755), 0);
	expect(in_directory("text"), HOOKABLE_NOT_ELF, "sh ");
	fixture_write(in_directory("empty"), "", 0);
	assert_int_equal(chmod(in_directory("empty"), 0755), 0);
	expect(in_directory("empty"), HOOKABLE_NOT_ELF, "neither");
	expect(compile("library.so", "-shared -fPIC -Wl,-soname,library.so",
		       "int f(void) { return 1; }"),
	       HOOKABLE_NOT_PROGRAM, "shared library");
	compile("object.o", "-c", LOCKING);
	assert_int_equal(chmod(in_directory("object.o"), 0755), 0);
	expect(in_directory("object.o"), HOOKABLE_NOT_PROGRAM, "object file");
	assert_int_equal(mkfifo(in_directory("pipe"), 0755), 0);
	expect(in_directory("pipe"), HOOKABLE_NOT_EXECUTABLE, "special");
}

static void write_header(const char *name, unsigned char class_, unsigned char order,
			 unsigned machine)
{
	unsigned char header[64] = { 0x7f, 'E', 'L', 'F', class_, order, EV_CURRENT };

	header[order == ELFDATA2LSB ? 16 : 17] = ET_EXEC;
	header[order == ELFDATA2LSB ? 18 : 19] = (unsigned char)machine;
	fixture_write(in_directory(name), header, sizeof(header));
	assert_int_equal(chmod(in_directory(name), 0755), 0);
}

static void test_other_processors_are_told(void **state)
{
	(void)state;
	write_header("i386", ELFCLASS32, ELFDATA2LSB, EM_386);
	expect(in_directory("i386"), HOOKABLE_ARCH, "32-bit x86");
	write_header("x32", ELFCLASS32, ELFDATA2LSB, EM_X86_64);
	expect(in_directory("x32"), HOOKABLE_ARCH, "x32");
	write_header("aarch64", ELFCLASS64, ELFDATA2LSB, EM_AARCH64);
	expect(in_directory("aarch64"), HOOKABLE_ARCH, "aarch64");
	write_header("s390", ELFCLASS64, ELFDATA2MSB, EM_S390);
	expect(in_directory("s390"), HOOKABLE_ARCH, "s390");
}

static void test_other_loaders_are_told(void **state)
{
	(void)state;
	expect(compile("musl", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1", LOCKING),
	       HOOKABLE_MUSL, "musl");
	expect(compile("bionic", "-Wl,--dynamic-linker=/system/bin/linker64", LOCKING),
	       HOOKABLE_LOADER, "linker64");
	expect(compile("gone", "-Wl,--dynamic-linker=/nowhere/ld-linux-x86-64.so.2", LOCKING),
	       HOOKABLE_LOADER, "not there");
}

static void test_setuid_matters_only_where_it_changes_the_user(void **state)
{
	const char *path = compile("setuid", "", LOCKING);

	(void)state;
	assert_int_equal(chmod(path, 04755), 0);
	expect(path, HOOKABLE_TRACEABLE, "glibc"); /* our own file */
	if (getuid())
		skip(); /* nobody else can make a file of another user */
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_int_equal(chmod(path, 04755), 0);
	expect(path, HOOKABLE_SETUID, "set-user-id");
	assert_int_equal(chmod(path, 02755), 0);
	expect(path, HOOKABLE_SETUID, "set-group-id");
	assert_int_equal(chmod(path, 0755), 0);
	expect(path, HOOKABLE_TRACEABLE, "glibc");
}

static void write_script(const char *name, const char *text)
{
	fixture_write(in_directory(name), text, strlen(text));
	assert_int_equal(chmod(in_directory(name), 0755), 0);
}

static void test_scripts_lead_to_their_interpreter(void **state)
{
	struct hookable h;
	char text[700];

	(void)state;
	compile("interpreter", "-static", LOCKING);
	write_script("sh1", "#! /bin/sh -e\n");
	expect(in_directory("sh1"), HOOKABLE_TRACEABLE, "/bin/sh");
	write_script("env", "#!/usr/bin/env -S A=1 sh -e\n");
	expect(in_directory("env"), HOOKABLE_TRACEABLE, "/sh");
	snprintf(text, sizeof(text), "#!%s\n", in_directory("interpreter"));
	write_script("static1", text);
	expect(in_directory("static1"), HOOKABLE_STATIC, "interpreter");
	snprintf(text, sizeof(text), "#!%s", in_directory("sh1"));
	write_script("sh2", text);
	assert_int_equal(hookable_inspect(in_directory("sh2"), hooked, &h, NULL), 0);
	assert_int_equal(h.verdict, HOOKABLE_TRACEABLE);
	assert_int_equal(h.script_count, 2);
	assert_string_equal(h.scripts[0], in_directory("sh2"));
	assert_string_equal(h.program, "/bin/sh");
	hookable_release(&h);

	write_script("none", "#!\n");
	expect(in_directory("none"), HOOKABLE_SCRIPT, "names no interpreter");
	write_script("lost", "#!/nowhere/perl\n");
	expect(in_directory("lost"), HOOKABLE_SCRIPT, "/nowhere/perl");
	snprintf(text, sizeof(text), "#!%s\n", in_directory("loop"));
	write_script("loop", text);
	expect(in_directory("loop"), HOOKABLE_SCRIPT, "4 scripts");
}

/* ---- libraries and notes ---- */

static void test_libraries_and_their_imports_are_listed(void **state)
{
	struct hookable h;
	const struct hookable_module *module;

	(void)state;
	compile("libinner.so", "-shared -fPIC -Wl,-soname,libinner.so",
		"#include <pthread.h>\npthread_t t; void *f(void *p) { return p; }\n"
		"void inner(void) { pthread_create(&t, 0, f, 0); }\n");
	compile("libouter.so",
		"-shared -fPIC -Wl,-soname,libouter.so -L. -linner '-Wl,-rpath,$ORIGIN'",
		"void inner(void); void outer(void) { inner(); }\n");
	compile("linked",
		"-L. -louter -Wl,-rpath-link,. '-Wl,-rpath,${ORIGIN}/.' -Wl,--disable-new-dtags",
		"#include <pthread.h>\npthread_mutex_t m; void outer(void);\n"
		"int main(void) { outer(); return pthread_mutex_lock(&m); }\n");
	assert_int_equal(hookable_inspect(in_directory("linked"), hooked, &h, NULL), 0);
	assert_true(h.ok);
	assert_string_equal(h.modules[0].name, "linked");
	assert_null(h.modules[0].needed_by);
	assert_true(imports(&h.modules[0], "pthread_mutex_lock"));
	assert_false(imports(&h.modules[0], "pthread_create"));
	module = module_of(&h, "libouter.so");
	assert_non_null(module);
	assert_non_null(module->path);
	assert_int_equal(module->hooked_count, 0);
	module = module_of(&h, "libinner.so");
	assert_non_null(module);
	assert_string_equal(module->needed_by, "libouter.so");
	assert_true(imports(module, "pthread_create"));
	module = module_of(&h, "libc.so.6");
	assert_non_null(module);
	assert_non_null(module->path); /* by the cache */
	assert_true(module->is_libc);
	hookable_release(&h);

	fixture_command("rm '%s/libinner.so'", directory);
	assert_int_equal(hookable_inspect(in_directory("linked"), hooked, &h, NULL), 0);
	assert_null(module_of(&h, "libinner.so")->path);
	assert_true(has_note(&h, HOOKABLE_NOTE_PROBLEM, "libinner.so", "not found"));
	hookable_release(&h);
}

static void test_ways_round_the_shim_are_noted(void **state)
{
	struct hookable h;

	(void)state;
	compile("plain", "", LOCKING);
	assert_int_equal(hookable_inspect(in_directory("plain"), hooked, &h, NULL), 0);
	assert_int_equal(h.note_count, 0);
	hookable_release(&h);

	compile("inline", "",
		"int word; int main(void) { long r; __asm__ volatile(\"syscall\" : \"=a\"(r) : \"0\"(202L), "
		"\"D\"(&word), \"S\"(129L), \"d\"(1L) : \"rcx\", \"r11\", \"memory\"); return r; }\n");
	assert_int_equal(hookable_inspect(in_directory("inline"), hooked, &h, NULL), 0);
	assert_true(has_note(&h, HOOKABLE_NOTE_MISSED, "inline", "inline instructions"));
	assert_true(has_note(&h, HOOKABLE_NOTE_INFO, "inline", "little to see"));
	hookable_release(&h);

	compile("direct", "-O1",
		"#include <unistd.h>\n#include <sys/syscall.h>\nint word;\n"
		"int main(void) { return syscall(SYS_futex, &word, 129, 1, 0, 0, 0); }\n");
	assert_int_equal(hookable_inspect(in_directory("direct"), hooked, &h, NULL), 0);
	assert_true(has_note(&h, HOOKABLE_NOTE_MISSED, "direct", "syscall()"));
	hookable_release(&h);

	compile("gettid", "-O1",
		"#include <unistd.h>\n#include <sys/syscall.h>\nint main(void) { return syscall(SYS_gettid); }\n");
	assert_int_equal(hookable_inspect(in_directory("gettid"), hooked, &h, NULL), 0);
	assert_false(has_note(&h, HOOKABLE_NOTE_MISSED, "gettid", "syscall()"));
	assert_true(has_note(&h, HOOKABLE_NOTE_INFO, "gettid", "syscall()"));
	hookable_release(&h);
}

static void test_bindings_inside_a_file_are_noted(void **state)
{
	static const char own[] = "int pthread_mutex_lock(void *m) { return m != 0; }\n"
				  "int use(void *m) { return pthread_mutex_lock(m); }\n"
				  "int main(void) { return use(0); }\n";
	struct hookable h;

	(void)state;
	compile("exported", "-rdynamic", own);
	assert_int_equal(hookable_inspect(in_directory("exported"), hooked, &h, NULL), 0);
	assert_true(has_note(&h, HOOKABLE_NOTE_MISSED, "exported",
			     "defines pthread_mutex_lock itself"));
	hookable_release(&h);

	compile("hidden", "-fvisibility=hidden", own);
	assert_int_equal(hookable_inspect(in_directory("hidden"), hooked, &h, NULL), 0);
	assert_true(
		has_note(&h, HOOKABLE_NOTE_MISSED, "hidden", "its own copy of pthread_mutex_lock"));
	hookable_release(&h);

	compile("libsymbolic.so", "-shared -fPIC -Wl,-Bsymbolic -Wl,-soname,libsymbolic.so", own);
	compile("libnormal.so", "-shared -fPIC -Wl,-soname,libnormal.so", own);
	compile("symbolic", "-L. -lsymbolic -lnormal -Wl,-rpath,'$ORIGIN' -Wl,--no-as-needed",
		"int use(void *); int pthread_mutex_lock(void *); int main(void) { return use(0); }\n");
	fixture_command(
		"cd '%s' && cc -w -o symbolic symbolic.c -Wl,--no-as-needed -L. -lsymbolic -lnormal "
		"'-Wl,-rpath,$ORIGIN'",
		directory);
	assert_int_equal(hookable_inspect(in_directory("symbolic"), hooked, &h, NULL), 0);
	assert_true(has_note(&h, HOOKABLE_NOTE_MISSED, "libsymbolic.so", "-Bsymbolic"));
	assert_false(has_note(&h, HOOKABLE_NOTE_MISSED, "libnormal.so", "-Bsymbolic"));
	hookable_release(&h);
}

static void test_missing_unwind_tables_are_noted(void **state)
{
	struct hookable h;

	(void)state;
	compile("bare", "-nostartfiles -fno-asynchronous-unwind-tables -Wl,--no-eh-frame-hdr",
		"void _start(void) { for (;;) ; }\n");
	assert_int_equal(hookable_inspect(in_directory("bare"), hooked, &h, NULL), 0);
	assert_true(has_note(&h, HOOKABLE_NOTE_MISSED, "bare", "eh_frame"));
	hookable_release(&h);
}

/* The library stands in for ASan's; what counts is its name and who answers its question. */
static void test_asan_with_default_options_of_the_program(void **state)
{
	struct hookable h;
	const char *libraries = "-rdynamic -Wl,--no-as-needed -L. -l:libasan.so.8 -Wl,-rpath,.";

	(void)state;
	compile("libasan.so.8", "-shared -fPIC -Wl,-soname,libasan.so.8",
		"__attribute__((weak)) const char *__asan_default_options(void) { return 0; }\n");
	compile("asked", "",
		"int main(void) { return 0; }\n"
		"const char *__asan_default_options(void) { return 0; }\n");
	compile("usual", libraries, "int main(void) { return 0; }\n");
	compile("answers", libraries,
		"int main(void) { return 0; }\n"
		"const char *__asan_default_options(void) { return \"detect_leaks=0\"; }\n");
	assert_int_equal(hookable_check(in_directory("asked"), &h, NULL), 0);
	assert_false(h.minds_preloads);
	assert_int_equal(hookable_check(in_directory("usual"), &h, NULL), 0);
	assert_false(h.minds_preloads);
	assert_int_equal(hookable_check(in_directory("answers"), &h, NULL), 0);
	assert_true(h.minds_preloads);
}

/* ---- damage ---- */

static void inspect_only(const char *path)
{
	struct hookable h;

	assert_int_equal(hookable_inspect(path, hooked, &h, NULL), 0);
	assert_true(h.verdict < HOOKABLE_VERDICT_COUNT);
	assert_true(h.why[0] != '\0');
	hookable_release(&h);
}

static void test_file_cut_anywhere_does_no_harm(void **state)
{
	struct hookable h;
	size_t bytes;
	unsigned char *data = fixture_read(compile("whole", "", LOCKING), &bytes);

	(void)state;
	write_script("cut", "");
	for (size_t length = 0; length < bytes; length += length < 1200 ? 1 : 61) {
		fixture_write(in_directory("cut"), data, length);
		inspect_only(in_directory("cut"));
	}
	fixture_write(in_directory("cut"), data, 900);
	assert_int_equal(hookable_check(in_directory("cut"), &h, NULL), 0);
	assert_int_equal(h.verdict, HOOKABLE_DAMAGED);
	free(data);
}

static void test_changed_bytes_do_no_harm(void **state)
{
	size_t bytes;
	unsigned char *original = fixture_read(compile("sound", "", LOCKING), &bytes),
		      *data = malloc(bytes);
	uint64_t random = 7;

	(void)state;
	assert_non_null(data);
	write_script("changed", "");
	for (int round = 0; round < 600; round++) {
		memcpy(data, original, bytes);
		for (int change = 0; change < 6; change++) {
			size_t range = change % 2 ? bytes
						  : 1024; /* the headers are the interesting part */

			random = random * 6364136223846793005u + 1442695040888963407u;
			data[4 + (size_t)(random >> 24) % (range - 4)] =
				(unsigned char)(random >> 56);
		}
		fixture_write(in_directory("changed"), data, bytes);
		inspect_only(in_directory("changed"));
	}
	free(data);
	free(original);
}

static int set_up(void **state)
{
	(void)state;
	directory = fixture_directory();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_remove(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dynamic_programs_are_traceable),
		cmocka_unit_test(test_static_programs_are_not),
		cmocka_unit_test(test_what_is_no_program_is_told),
		cmocka_unit_test(test_other_processors_are_told),
		cmocka_unit_test(test_other_loaders_are_told),
		cmocka_unit_test(test_setuid_matters_only_where_it_changes_the_user),
		cmocka_unit_test(test_scripts_lead_to_their_interpreter),
		cmocka_unit_test(test_libraries_and_their_imports_are_listed),
		cmocka_unit_test(test_ways_round_the_shim_are_noted),
		cmocka_unit_test(test_bindings_inside_a_file_are_noted),
		cmocka_unit_test(test_missing_unwind_tables_are_noted),
		cmocka_unit_test(test_asan_with_default_options_of_the_program),
		cmocka_unit_test(test_file_cut_anywhere_does_no_harm),
		cmocka_unit_test(test_changed_bytes_do_no_harm),
	};

	return cmocka_run_group_tests_name("hookable", tests, set_up, tear_down);
}
