/* SPDX-License-Identifier: MIT */
/*
 * pack_write.c - gathers the files of a trace and the modules it names, and writes them as one archive.
 */
#include "pack.h"

#include "../analyzer/symbols_sources.h"
#include "../trace/trace_reader.h"
#include "run_dir.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST "thrum-pack.json"
#define COPY_BYTES (256u << 10)
#define ZSTD_LEVEL "6"

struct item {
	char *name;	 /* owned: in the archive */
	char *path;	 /* owned: on this machine */
	bool keeps_time; /* a module without a build-id is known by it */
};

struct packing {
	struct item *items; /* owned */
	size_t count, capacity;
	json_t *modules; /* owned: of the manifest */
	struct pack_summary summary;
	void (*missing)(const char *path);
	struct diag *diag;
};

static int no_memory(struct diag *diag)
{
	return diag_set(diag, THRUM_ENOMEM, "out of memory");
}

/* Takes both strings; NULL stands for memory that was not there. */
static int add_item(struct packing *p, char *name, char *path, bool keeps_time)
{
	struct item *grown = p->items;

	if (p->count == p->capacity) {
		p->capacity = 2 * p->capacity + 64;
		grown = reallocarray(p->items, p->capacity, sizeof(*p->items));
	}
	if (!grown || !name || !path) {
		free(name);
		free(path);
		return no_memory(p->diag);
	}
	p->items = grown;
	p->items[p->count++] = (struct item){ name, path, keeps_time };
	return 0;
}

static char *join(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* ---- the trace ---- */

static int add_trace(struct packing *p, const char *dir)
{
	DIR *list = opendir(dir);
	struct dirent *entry;
	int error = 0;

	if (!list)
		return diag_set(p->diag, THRUM_EIO, "cannot read %s: %s", dir, strerror(errno));
	while (!error && (entry = readdir(list))) {
		size_t bytes = strlen(entry->d_name);

		if (!run_dir_is_trace_file(entry->d_name) ||
		    (bytes > 4 && !strcmp(entry->d_name + bytes - 4, ".tmp")))
			continue;
		error = add_item(p, join("trace", entry->d_name), join(dir, entry->d_name), false);
	}
	closedir(list);
	return error;
}

/* ---- modules ---- */

static void hex_of(const uint8_t *bytes, size_t count, char *to)
{
	*to = '\0';
	for (size_t i = 0; i < count; i++)
		to += sprintf(to, "%02x", bytes[i]);
}

/* Where symbols_files_add_directory looks for it. */
static char *source_name(const struct symbols_source *source, enum symbols_source_kind kind)
{
	char hex[2 * sizeof(source->build_id) + 1], *name;

	if (source->build_id_bytes < 2)
		return kind == SOURCE_MODULE ? join("symbols", source->path + 1) : NULL;
	hex_of(source->build_id, source->build_id_bytes, hex);
	return asprintf(&name, "symbols/.build-id/%.2s/%s%s", hex, hex + 2,
			kind == SOURCE_MODULE ? "" : ".debug") < 0
		       ? NULL
		       : name;
}

static int add_sources(struct packing *p, struct symbols_sources *sources)
{
	int error = 0;

	for (int kind = 0; kind < SOURCE_KINDS && !error; kind++) {
		struct symbols_source *source = &sources->source[kind];
		char *name;

		if (!source->path)
			continue;
		name = source_name(source, (enum symbols_source_kind)kind);
		if (!name) /* a debug file that only its checksum ties to the module */
			continue;
		error = add_item(p, name, strdup(source->path), !source->build_id_bytes);
	}
	return error;
}

static bool is_seen(const struct packing *p, const char *path, const char *build_id)
{
	json_t *module;
	size_t i;

	json_array_foreach(
		p->modules, i,
		module) if (!strcmp(json_string_value(json_object_get(module, "path")), path) &&
			    !strcmp(json_string_value(json_object_get(module, "build_id")),
				    build_id)) return true;
	return false;
}

static int add_module(struct packing *p, const struct trace_process *process,
		      const struct trace_module *module)
{
	struct symbols_sources sources;
	char *build_id;
	json_t *row;
	int error;

	/* Ours has no frames in a report; [vdso] and the like have no file. */
	if (module->is_thrum || module->path[0] != '/')
		return 0;
	build_id = malloc(2 * module->build_id_bytes + 1);
	if (!build_id)
		return no_memory(p->diag);
	hex_of(module->build_id, module->build_id_bytes, build_id);
	row = json_pack("{ss ss}", "path", module->path, "build_id", build_id);
	/* A path that is no UTF-8 makes no row, and is looked up each time it comes. */
	if (row && is_seen(p, module->path, build_id)) {
		json_decref(row);
		free(build_id);
		return 0;
	}
	symbols_sources_find(module->path, module->build_id, module->build_id_bytes,
			     process->start_real_ns + module->loaded_ns, &sources);
	json_object_set_new(row, "packed", json_boolean(sources.source[SOURCE_MODULE].path));
	json_object_set_new(row, "debug", json_boolean(sources.source[SOURCE_DEBUG].path));
	json_array_append_new(p->modules, row);
	if (sources.source[SOURCE_MODULE].path)
		p->summary.modules++;
	else
		p->summary.missing++;
	p->summary.debug += sources.source[SOURCE_DEBUG].path != NULL;
	if (!sources.source[SOURCE_MODULE].path && p->missing)
		p->missing(module->path);
	error = add_sources(p, &sources);
	symbols_sources_release(&sources);
	free(build_id);
	return error;
}

static int add_modules(struct packing *p, const char *dir)
{
	struct trace_reader *reader;
	int error = trace_reader_open(dir, &reader, p->diag);

	if (error)
		return error;
	for (size_t i = 0; i < trace_reader_process_count(reader) && !error; i++) {
		const struct trace_process *process = trace_reader_get_process(reader, i);

		for (size_t k = 0; k < process->module_count && !error; k++)
			error = add_module(p, process, &process->modules[k]);
	}
	trace_reader_free(reader);
	return error;
}

static int compare_items(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	bool a_trace = !strncmp(a->name, "trace/", 6), b_trace = !strncmp(b->name, "trace/", 6);

	return a_trace != b_trace ? b_trace - a_trace : strcmp(a->name, b->name);
}

/* Files of one build-id are one file, whatever their paths. */
static void sort_items(struct packing *p)
{
	size_t kept = 0;

	qsort(p->items, p->count, sizeof(*p->items), compare_items);
	for (size_t i = 0; i < p->count; i++) {
		if (kept && !strcmp(p->items[kept - 1].name, p->items[i].name)) {
			free(p->items[i].name);
			free(p->items[i].path);
		} else {
			p->items[kept++] = p->items[i];
		}
	}
	p->count = kept;
}

/* ---- the archive ---- */

static int archive_failure(struct packing *p, struct archive *archive)
{
	const char *why = archive_error_string(archive);

	return diag_set(p->diag, THRUM_EIO, "cannot write the pack: %s",
			why ? why : "unknown error");
}

static int write_header(struct packing *p, struct archive *archive, const char *name, int64_t size,
			const struct stat *times)
{
	struct archive_entry *entry = archive_entry_new();
	int error;

	if (!entry)
		return no_memory(p->diag);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_size(entry, size);
	archive_entry_set_mtime(entry, times ? times->st_mtim.tv_sec : 0,
				times ? times->st_mtim.tv_nsec : 0);
	error = archive_write_header(archive, entry) == ARCHIVE_OK ? 0
								   : archive_failure(p, archive);
	archive_entry_free(entry);
	return error;
}

/* Exactly `size` bytes: what grew meanwhile is cut, what shrank is filled up with zeros, as a reader of the trace expects. */
static int write_content(struct packing *p, struct archive *archive, int fd, int64_t size)
{
	char *buffer = malloc(COPY_BYTES);
	int error = buffer ? 0 : no_memory(p->diag);

	while (size && !error) {
		size_t want = size < COPY_BYTES ? (size_t)size : COPY_BYTES;
		ssize_t got = read(fd, buffer, want);

		if (got <= 0) {
			memset(buffer, 0, want);
			got = (ssize_t)want;
		}
		if (archive_write_data(archive, buffer, (size_t)got) != got)
			error = archive_failure(p, archive);
		size -= got;
	}
	free(buffer);
	return error;
}

static int write_map(struct packing *p, struct archive *archive, int fd, int64_t size)
{
	char *map = pack_copy_map(fd, (uint64_t)size);
	int error = map ? 0 : no_memory(p->diag);

	for (int64_t done = 0; done < size && !error;) {
		size_t want = size - done < COPY_BYTES ? (size_t)(size - done) : COPY_BYTES;

		if (archive_write_data(archive, map + done, want) != (la_ssize_t)want)
			error = archive_failure(p, archive);
		done += (int64_t)want;
	}
	free(map);
	return error;
}

static bool is_map(const char *name)
{
	size_t length = strlen(name);

	return !strncmp(name, "trace/", 6) && length > 4 && !strcmp(name + length - 4, ".map");
}

static int write_item(struct packing *p, struct archive *archive, const struct item *item)
{
	int fd = open(item->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW * !item->keeps_time), error;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		error = diag_set(p->diag, THRUM_EIO, "cannot pack %s: %s", item->path,
				 fd < 0 ? strerror(errno) : "not a regular file");
		if (fd >= 0)
			close(fd);
		return error;
	}
	error = write_header(p, archive, item->name, st.st_size, item->keeps_time ? &st : NULL);
	if (!error)
		error = is_map(item->name) ? write_map(p, archive, fd, st.st_size)
					   : write_content(p, archive, fd, st.st_size);
	close(fd);
	return error;
}

static int write_manifest(struct packing *p, struct archive *archive)
{
	json_t *root = json_pack("{ss s{ss ss} sO}", "schema", "thrum-pack/1", "tool", "name",
				 "thrum", "version", THRUM_VERSION, "modules", p->modules);
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	int error = text ? write_header(p, archive, MANIFEST, (int64_t)strlen(text), NULL)
			 : no_memory(p->diag);

	if (!error && archive_write_data(archive, text, strlen(text)) != (la_ssize_t)strlen(text))
		error = archive_failure(p, archive);
	free(text);
	json_decref(root);
	return error;
}

static int write_archive(struct packing *p, int fd)
{
	struct archive *archive = archive_write_new();
	int error = 0;

	if (!archive)
		return no_memory(p->diag);
	if (archive_write_set_format_pax_restricted(archive) != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(archive) != ARCHIVE_OK ||
	    archive_write_set_filter_option(archive, "zstd", "compression-level", ZSTD_LEVEL) !=
		    ARCHIVE_OK ||
	    archive_write_open_fd(archive, fd) != ARCHIVE_OK)
		error = archive_failure(p, archive);
	if (!error)
		error = write_manifest(p, archive);
	for (size_t i = 0; i < p->count && !error; i++)
		error = write_item(p, archive, &p->items[i]);
	if (!error && archive_write_close(archive) != ARCHIVE_OK)
		error = archive_failure(p, archive);
	archive_write_free(archive);
	return error;
}

/* To a name of its own first: a pack that is there stays until the new one is whole. */
static int write_file(struct packing *p, const char *file)
{
	struct stat st;
	char *temporary;
	int fd, error;

	if (asprintf(&temporary, "%s.XXXXXX", file) < 0)
		return no_memory(p->diag);
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600: a trace is private */
	if (fd < 0) {
		error = diag_set(p->diag, THRUM_EIO, "cannot write %s: %s", file, strerror(errno));
		free(temporary);
		return error;
	}
	error = write_archive(p, fd);
	if (!error && fstat(fd, &st) == 0)
		p->summary.bytes = (uint64_t)st.st_size;
	if (close(fd) && !error)
		error = diag_set(p->diag, THRUM_EIO, "cannot write %s: %s", file, strerror(errno));
	if (!error && rename(temporary, file))
		error = diag_set(p->diag, THRUM_EIO, "cannot write %s: %s", file, strerror(errno));
	if (error)
		unlink(temporary);
	free(temporary);
	return error;
}

int pack_write(const char *dir, const char *file, void (*missing)(const char *path),
	       struct pack_summary *ret_summary, struct diag *diag)
{
	struct packing p = { .modules = json_array(), .missing = missing, .diag = diag };
	int error = add_modules(&p, dir); /* first: says whether it is a trace */

	if (!error)
		error = add_trace(&p, dir);
	if (!error) {
		p.summary.was_read = true;
		sort_items(&p);
		error = write_file(&p, file);
	}
	for (size_t i = 0; i < p.count; i++) {
		free(p.items[i].name);
		free(p.items[i].path);
	}
	free(p.items);
	json_decref(p.modules);
	*ret_summary = p.summary;
	return error;
}
