/* SPDX-License-Identifier: MIT */
/*
 * hookable.c - from a command to the ELF file that runs in the end, and the verdict on it.
 */
#include "hookable.h"

#include "hookable_elf.h"
#include "hookable_libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_DEPTH 4 /* as the kernel: more is ELOOP */
#define SCRIPT_LINE 256

static const char *const verdict_names[HOOKABLE_VERDICT_COUNT] = {
#define HOOKABLE(NAME, id) [HOOKABLE_##NAME] = id,
#include "hookable_verdicts.def"
#undef HOOKABLE
};

const char *hookable_verdict_name(enum hookable_verdict verdict)
{
	return verdict_names[verdict];
}

__attribute__((format(printf, 3, 4))) static void
decide(struct hookable *h, enum hookable_verdict verdict, const char *format, ...)
{
	va_list args;

	h->verdict = verdict;
	h->ok = verdict == HOOKABLE_TRACEABLE;
	va_start(args, format);
	vsnprintf(h->why, sizeof(h->why), format, args);
	va_end(args);
}

/* ---- finding the file ---- */

static bool is_file(const char *path)
{
	struct stat stat_buffer;

	return !stat(path, &stat_buffer) && S_ISREG(stat_buffer.st_mode);
}

/* As execvp: the first executable file in $PATH, else the first file of the name. */
static bool find_command(const char *command, char ret_path[PATH_MAX])
{
	const char *element = getenv("PATH");
	char found[PATH_MAX] = "";

	if (strlen(command) >= PATH_MAX || !*command)
		return false;
	if (strchr(command, '/')) {
		strcpy(ret_path, command);
		return true;
	}
	for (element = element ? element : "/bin:/usr/bin"; element;
	     element = strchr(element, ':') ? strchr(element, ':') + 1 : NULL) {
		char path[PATH_MAX];
		int bytes = (int)strcspn(element, ":");
		int length = snprintf(path, sizeof(path), "%.*s%s%s", bytes, element,
				      bytes ? "/" : "./", command);

		if (length < 0 || length >= PATH_MAX || !is_file(path))
			continue;
		if (!access(path, X_OK)) {
			strcpy(ret_path, path);
			return true;
		}
		if (!*found)
			strcpy(found, path);
	}
	strcpy(ret_path, found);
	return *found;
}

/* Fills the verdict and returns false where there is nothing that could be run. */
static bool is_runnable(struct hookable *h, const char *path)
{
	struct stat stat_buffer;

	if (stat(path, &stat_buffer)) {
		decide(h, errno == EACCES ? HOOKABLE_NOT_EXECUTABLE : HOOKABLE_NOT_FOUND, "%s: %s",
		       path, strerror(errno));
		return false;
	}
	if (!S_ISREG(stat_buffer.st_mode)) {
		decide(h, HOOKABLE_NOT_EXECUTABLE, "%s is %s, not a program", path,
		       S_ISDIR(stat_buffer.st_mode) ? "a directory" : "a special file");
		return false;
	}
	if (access(path, X_OK)) {
		decide(h, HOOKABLE_NOT_EXECUTABLE, "%s is not executable for you; try chmod +x",
		       path);
		return false;
	}
	return true;
}

/* ---- scripts ---- */

/* Cuts the first word off; NULL = there is none. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");

	if (!*word)
		return NULL;
	*rest = word + strcspn(word, " \t");
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

/*
 * `env [-S] [-i] [NAME=VALUE]… PROGRAM`: env runs PROGRAM with what it was given, LD_PRELOAD
 * included.
 */
static const char *env_program(char *rest)
{
	char *word;

	while ((word = next_word(&rest))) {
		if (!strcmp(word, "-u") || !strcmp(word, "-C"))
			next_word(&rest);
		else if (!strncmp(word, "-S", 2) && word[2])
			return word + 2;
		else if (*word != '-' && !strchr(word, '='))
			return word;
	}
	return NULL;
}

/*
 * The interpreter of a script. Returns 1 = it is a script, `ret_path` filled; 0 = it is none; -1 =
 * verdict made.
 */
static int script_interpreter(struct hookable *h, const char *path, char ret_path[PATH_MAX])
{
	char line[SCRIPT_LINE] = "", *rest, *word;
	const char *name;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t bytes;

	if (fd < 0)
		return 0;
	bytes = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (bytes < 2 || memcmp(line, "#!", 2) != 0)
		return 0;
	line[strcspn(line, "\n")] = '\0';
	rest = line + 2;
	word = next_word(&rest);
	if (!word) {
		decide(h, HOOKABLE_SCRIPT,
		       "%s begins with #! but names no interpreter; write one there", path);
		return -1;
	}
	name = strrchr(word, '/');
	if (!strcmp(name ? name + 1 : word, "env")) {
		const char *program = env_program(rest);

		if (program && find_command(program, ret_path))
			return 1;
		decide(h, HOOKABLE_SCRIPT, "%s is run by env, and %s is not in PATH", path,
		       program ? program : "its interpreter");
		return -1;
	}
	snprintf(ret_path, PATH_MAX, "%s", word);
	if (!is_file(ret_path)) {
		decide(h, HOOKABLE_SCRIPT, "%s is run by %s, which is not there", path, ret_path);
		return -1;
	}
	return 1;
}

/* Follows #! from `path` to an ELF file, or makes the verdict and returns false. */
static bool follow_scripts(struct hookable *h, char path[PATH_MAX])
{
	size_t capacity = 0;
	const char **scripts = NULL;
	bool found = false;

	for (int depth = 0;; depth++) {
		char next[PATH_MAX];
		int script;

		if (!is_runnable(h, path))
			break;
		script = script_interpreter(h, path, next);
		if (script <= 0) {
			found = !script;
			break;
		}
		if (depth == SCRIPT_DEPTH) {
			decide(h, HOOKABLE_SCRIPT,
			       "%s: more than %d scripts run one another; the kernel refuses that",
			       path, SCRIPT_DEPTH);
			break;
		}
		scripts = symbols_array_grow(scripts, h->script_count, &capacity, sizeof(*scripts));
		scripts[h->script_count++] = symbols_arena_copy(&h->arena, path);
		strcpy(path, next);
	}
	if (h->script_count) {
		h->scripts = symbols_arena_alloc(&h->arena, h->script_count * sizeof(*scripts));
		memcpy(h->scripts, scripts, h->script_count * sizeof(*scripts));
	}
	free(scripts);
	return found;
}

/* ---- the verdict on an ELF file ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * What makes the kernel set AT_SECURE for this user: NULL = nothing. The same conditions as in the
 * kernel's bprm_creds (5.10 to 6.12): no privilege is gained where the ids are ours, on nosuid
 * mounts, or with no_new_privs.
 */
static const char *gained_privilege(const char *path)
{
	struct statvfs mount;
	struct stat stat_buffer;

	if (getuid() != geteuid() || getgid() != getegid())
		return "is run with an effective user or group that is not your real one";
	if (stat(path, &stat_buffer) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	    (!statvfs(path, &mount) && mount.f_flag & ST_NOSUID))
		return NULL;
	if (stat_buffer.st_mode & S_ISUID && stat_buffer.st_uid != getuid())
		return "is set-user-id";
	if (stat_buffer.st_mode & S_ISGID && stat_buffer.st_mode & S_IXGRP &&
	    stat_buffer.st_gid != getgid())
		return "is set-group-id";
	if (getuid() && getxattr(path, "security.capability", NULL, 0) > 0)
		return "has file capabilities";
	return NULL;
}

static void decide_foreign(struct hookable *h, const char *path, const struct hookable_elf *elf)
{
	char theirs[32], ours[32];
	const char *machine = hookable_machine_name(elf->machine, theirs, sizeof(theirs));

	if (elf->machine == EM_X86_64 && elf->class_ == ELFCLASS32)
		machine = "x32";
	decide(h, HOOKABLE_ARCH, "%s is a program for %s; this thrum records programs for %s only",
	       path, machine, hookable_machine_name(hookable_own_machine(), ours, sizeof(ours)));
}

static void decide_unloaded(struct hookable *h, const char *path, const struct hookable_elf *elf)
{
	bool is_program = elf->type == ET_EXEC || elf->is_pie ||
			  (elf->type == ET_DYN && elf->entry && !elf->soname);

	if (elf->soname && !strncmp(elf->soname, "ld-linux", 8)) {
		decide(h, HOOKABLE_TRACEABLE,
		       "%s is the dynamic loader itself: what it starts is recorded", path);
		return;
	}
	if (!is_program) {
		decide(h, HOOKABLE_NOT_PROGRAM,
		       "%s is %s, not a program; name the program that uses it", path,
		       elf->type == ET_DYN    ? "a shared library"
		       : elf->type == ET_REL  ? "an object file"
		       : elf->type == ET_CORE ? "a core file"
					      : "an ELF file of an unknown type");
		return;
	}
	decide(h, elf->type == ET_EXEC ? HOOKABLE_STATIC : HOOKABLE_STATIC_PIE,
	       elf->is_go
		       ? "%s is a statically linked Go program: goroutines use neither pthreads nor a dynamic "
			 "loader; use go's own -race"
		       : "%s is statically linked, so nothing can be preloaded into it; link it without -static",
	       path);
}

static void decide_program(struct hookable *h, const char *path, const struct hookable_elf *elf)
{
	const char *loader = elf->loader ? base_name(elf->loader) : NULL;
	const char *privilege = gained_privilege(path);

	if (elf->type != ET_EXEC && elf->type != ET_DYN) {
		decide_unloaded(h, path, elf);
		return;
	}
	if (!loader) {
		decide_unloaded(h, path, elf);
	} else if (!strncmp(loader, "ld-musl", 7)) {
		decide(h, HOOKABLE_MUSL,
		       "%s uses musl (%s), whose locks thrum does not know yet; build it against glibc",
		       path, elf->loader);
	} else if (strncmp(loader, "ld-linux", 8) != 0 && strncmp(loader, "ld.so", 5) != 0 &&
		   strncmp(loader, "ld-2.", 5) != 0 && strncmp(loader, "ld64.so", 7) != 0) {
		decide(h, HOOKABLE_LOADER,
		       "%s uses the loader %s, which is not glibc's; build it against glibc", path,
		       elf->loader);
	} else if (access(elf->loader, F_OK)) {
		decide(h, HOOKABLE_LOADER, "%s needs the loader %s, which is not there; install it",
		       path, elf->loader);
	} else if (privilege) {
		decide(h, HOOKABLE_SETUID,
		       "%s %s: the loader then ignores LD_PRELOAD; record a copy (cp makes one without the mark), "
		       "or record as its user",
		       path, privilege);
	} else {
		decide(h, HOOKABLE_TRACEABLE, "%s is dynamically linked with glibc's loader", path);
	}
}

static void decide_elf(struct hookable *h, const char *path, enum hookable_elf_state state,
		       const struct hookable_elf *elf)
{
	switch (state) {
	case HOOKABLE_ELF_OK:
		decide_program(h, path, elf);
		return;
	case HOOKABLE_ELF_OTHER:
		decide(h, HOOKABLE_NOT_ELF,
		       "%s is neither an ELF program nor a script with #!; if it is a shell script, run sh %s",
		       path, path);
		return;
	case HOOKABLE_ELF_FOREIGN:
		decide_foreign(h, path, elf);
		return;
	case HOOKABLE_ELF_DAMAGED:
		decide(h, HOOKABLE_DAMAGED,
		       "%s is a damaged ELF file, cut short or overwritten; build or install it again",
		       path);
		return;
	case HOOKABLE_ELF_IO:
		if (errno != EACCES)
			decide(h, HOOKABLE_NOT_FOUND, "%s: %s", path, strerror(errno));
		else /* may be run, but not read: the loader is not asked either */
			decide(h, HOOKABLE_TRACEABLE,
			       "%s cannot be read, only run; nothing more is known of it", path);
		return;
	}
}

/* See hookable.minds_preloads. */
static bool minds_preloads(const struct hookable_elf *elf)
{
	bool has_asan = false, defined;

	for (size_t i = 0; i < elf->needed_count; i++)
		has_asan |= !strncmp(elf->needed[i], "libasan.so", 10) ||
			    !strncmp(elf->needed[i], "libclang_rt.asan", 16);
	for (size_t i = 0; i < elf->symbol_count && has_asan; i++) {
		const char *name = hookable_elf_get_symbol(elf, i, &defined);

		if (name && defined && !strcmp(name, "__asan_default_options"))
			return true;
	}
	return false;
}

struct tsan_search {
	bool any, found;
};

/* Goes on until the function is found. */
static bool is_not_tsan(const char *name, void *cookie)
{
	struct tsan_search *search = cookie;

	search->any = true;
	search->found |= !strcmp(name, "__tsan_init");
	return !search->found;
}

static enum hookable_tsan find_tsan(const struct hookable_elf *elf)
{
	struct tsan_search search = { 0 };
	bool has_runtime = false, defined;

	for (size_t i = 0; i < elf->needed_count; i++)
		if (!strncmp(elf->needed[i], "libtsan.so", 10) ||
		    !strncmp(elf->needed[i], "libclang_rt.tsan", 16))
			return HOOKABLE_TSAN_LIBRARY;
	for (size_t i = 0; i < elf->symbol_count; i++) {
		const char *name = hookable_elf_get_symbol(elf, i, &defined);

		if (name && defined && !strcmp(name, "__tsan_init"))
			return HOOKABLE_TSAN_LINKED_IN;
		/* What every run time that is linked in asks for. */
		has_runtime |= name && !defined && !strcmp(name, "__sanitizer_symbolize_code");
	}
	if (!has_runtime)
		return HOOKABLE_TSAN_NONE;
	hookable_elf_each_function(elf, is_not_tsan, &search);
	return search.found || !search.any ? HOOKABLE_TSAN_LINKED_IN : HOOKABLE_TSAN_NONE;
}

/* ---- the two questions ---- */

static int inspect(const char *command, const char *const *hooked, bool full, struct hookable *h)
{
	char path[PATH_MAX];
	enum hookable_elf_state state;
	struct hookable_elf elf;

	memset(h, 0, sizeof(*h));
	symbols_arena_init(&h->arena);
	if (!find_command(command, path)) {
		decide(h, HOOKABLE_NOT_FOUND, "%s: command not found", command);
		return 0;
	}
	if (!follow_scripts(h, path))
		return 0;
	strcpy(h->program, path);
	state = hookable_elf_open(path, &elf);
	decide_elf(h, path, state, &elf);
	if (state == HOOKABLE_ELF_OK && elf.loader)
		snprintf(h->loader, sizeof(h->loader), "%s", elf.loader);
	h->minds_preloads = state == HOOKABLE_ELF_OK && minds_preloads(&elf);
	h->tsan = state == HOOKABLE_ELF_OK ? find_tsan(&elf) : HOOKABLE_TSAN_NONE;
	hookable_elf_close(&elf);
	if (full && state == HOOKABLE_ELF_OK)
		hookable_read_libraries(h, hooked);
	return 0;
}

int hookable_check(const char *command, struct hookable *ret_hookable, struct diag *diag)
{
	int error = inspect(command, NULL, false, ret_hookable);

	(void)diag;
	hookable_release(ret_hookable);
	return error;
}

int hookable_inspect(const char *command, const char *const *hooked, struct hookable *ret_hookable,
		     struct diag *diag)
{
	(void)diag;
	return inspect(command, hooked, true, ret_hookable);
}

void hookable_release(struct hookable *hookable)
{
	symbols_arena_release(&hookable->arena);
	hookable->scripts = NULL;
	hookable->modules = NULL;
	hookable->notes = NULL;
	hookable->script_count = hookable->module_count = hookable->note_count = 0;
}
