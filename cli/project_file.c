/* SPDX-License-Identifier: MIT */
/*
 * project_file.c - looks for `.thrum` upwards, and reads it into lines.
 */
#include "project_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME ".thrum"
#define MAX_FILE_BYTES (1u << 20)

struct project_file {
	char *name;
	char *folder; /* with a slash at its end; "" = the current one */
	char *text;   /* the lines' strings point here */
	struct project_line *line;
	size_t count, capacity;
	char **path; /* what project_file_path made */
	size_t path_count;
};

static void *must(void *memory)
{
	if (!memory)
		abort(); /* as finding_list_alloc: hosted code */
	return memory;
}

void project_file_free(struct project_file *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < file->path_count; i++)
		free(file->path[i]);
	free(file->path);
	free(file->line);
	free(file->text);
	free(file->folder);
	free(file->name);
	free(file);
}

/* ---- looking for it ---- */

/* Is `name` there, in the folder that is `up` ("../../", or "") from here? */
static bool is_there(const char *up, const char *name, struct stat *ret_st)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s%s", up, name) >= sizeof(path))
		return false;
	return !stat(path, ret_st);
}

/* The folder beyond which a file is no longer this project's. */
static bool is_last(const char *up)
{
	static const char *const roots[] = { ".git", ".hg", ".svn", ".jj" };
	const char *home = getenv("HOME");
	struct stat here, other;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (is_there(up, roots[i], &other))
			return true;
	if (!is_there(up, ".", &here) || !is_there(up, "..", &other))
		return true;
	if (here.st_dev == other.st_dev && here.st_ino == other.st_ino)
		return true;
	return home && !stat(home, &other) && here.st_dev == other.st_dev &&
	       here.st_ino == other.st_ino;
}

static bool is_trusted_owner(uid_t owner)
{
	struct stat here;

	return owner == geteuid() || !owner || (!stat(".", &here) && owner == here.st_uid);
}

/* A link decides which file counts and where its paths lead: its owner too. */
static bool is_trusted(const char *path, const struct stat *file)
{
	struct stat link;

	return is_trusted_owner(file->st_uid) && !lstat(path, &link) &&
	       is_trusted_owner(link.st_uid);
}

/* Where the file is; "" = nowhere. */
static int look_for(char *ret_path, size_t bytes, struct diag *diag)
{
	char up[1024] = "";
	struct stat st;

	*ret_path = '\0';
	while (strlen(up) + sizeof("../") < sizeof(up)) {
		if (is_there(up, FILE_NAME, &st) && S_ISREG(st.st_mode)) {
			snprintf(ret_path, bytes, "%s" FILE_NAME, up);
			if (is_trusted(ret_path, &st))
				return THRUM_OK;
			return diag_set(diag, THRUM_EINVAL,
					"%s belongs to another user; give --config %s to use it, "
					"--config /dev/null to go without",
					ret_path, ret_path);
		}
		if (is_last(up))
			break;
		strcat(up, "../");
	}
	return THRUM_OK;
}

/* ---- reading ---- */

static char *read_text(const char *path, size_t *ret_bytes, struct diag *diag)
{
	FILE *in = fopen(path, "re");
	char *text;

	if (!in) {
		diag_set(diag, THRUM_EINVAL, "cannot read the options of %s: %s", path,
			 strerror(errno));
		return NULL;
	}
	text = must(malloc(MAX_FILE_BYTES + 2));
	*ret_bytes = fread(text, 1, MAX_FILE_BYTES + 1, in);
	text[*ret_bytes] = '\0';
	if (ferror(in))
		diag_set(diag, THRUM_EINVAL, "cannot read the options of %s: %s", path,
			 strerror(errno));
	else if (*ret_bytes > MAX_FILE_BYTES || memchr(text, '\0', *ret_bytes))
		diag_set(diag, THRUM_EINVAL, "%s is no file of options", path);
	else
		goto out;
	free(text);
	text = NULL;
out:
	fclose(in);
	return text;
}

static char *trim(char *from, char *end)
{
	while (end > from && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*from))
		from++;
	return from;
}

/* `text` is one line without its end. */
static void take_line(struct project_file *file, unsigned number, char *text)
{
	char *name = trim(text, text + strlen(text)), *value;

	if (!*name || *name == '#')
		return;
	if (!strncmp(name, "--", 2))
		name += 2;
	value = name + strcspn(name, "= \t");
	if (*value) {
		char *rest = value + strspn(value, " \t");

		rest += *rest == '=';
		*value = '\0';
		value = rest + strspn(rest, " \t");
	}
	if (file->count == file->capacity) {
		file->capacity = 2 * file->capacity + 16;
		file->line = must(reallocarray(file->line, file->capacity, sizeof(*file->line)));
	}
	file->line[file->count++] =
		(struct project_line){ .number = number, .name = name, .value = value };
}

static void take_lines(struct project_file *file)
{
	unsigned number = 0;
	char *next = file->text, *line;

	while ((line = strsep(&next, "\n")))
		take_line(file, ++number, line);
}

int project_file_open(const char *path, struct project_file **ret_file, struct diag *diag)
{
	struct project_file *file;
	char found[2048], *text;
	const char *slash;
	size_t bytes;
	int error;

	*ret_file = NULL;
	if (!path) {
		error = look_for(found, sizeof(found), diag);
		if (error || !*found)
			return error;
		path = found;
	}
	text = read_text(path, &bytes, diag);
	if (!text)
		return THRUM_EINVAL;
	slash = strrchr(path, '/');
	file = must(calloc(1, sizeof(*file)));
	file->name = must(strdup(path));
	file->folder = must(strndup(path, slash ? (size_t)(slash + 1 - path) : 0));
	file->text = text;
	if (!strncmp(text, "\xef\xbb\xbf", 3)) /* some editors begin UTF-8 so */
		memset(text, ' ', 3);
	take_lines(file);
	*ret_file = file;
	return THRUM_OK;
}

/* ---- what it says ---- */

const char *project_file_name(const struct project_file *file)
{
	return file->name;
}

const struct project_line *project_file_line(const struct project_file *file, size_t index)
{
	return index < file->count ? &file->line[index] : NULL;
}

const char *project_file_path(struct project_file *file, const char *value, const char *path)
{
	char *made;

	if (*path == '/' || !*path || !*file->folder)
		return value;
	if (asprintf(&made, "%.*s%s%s", (int)(path - value), value, file->folder, path) < 0)
		abort();
	file->path = must(reallocarray(file->path, file->path_count + 1, sizeof(*file->path)));
	file->path[file->path_count++] = made;
	return made;
}
