/* SPDX-License-Identifier: MIT */
/*
 * symbols_sources.c - asks libdwfl where the files of one module are.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include "symbols_sources.h"

#include "symbols_find.h"

#include <elfutils/libdwelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELETED " (deleted)"

static char debuginfo_directories[] = ":.debug:/usr/lib/debug";
static char *debuginfo_path = debuginfo_directories;

static const Dwfl_Callbacks callbacks = {
	.find_debuginfo = symbols_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};

static void set(struct symbols_source *source, const char *path, const void *build_id,
		ssize_t build_id_bytes)
{
	source->path = strdup(path);
	if (build_id_bytes <= 0 || (size_t)build_id_bytes > sizeof(source->build_id))
		return;
	memcpy(source->build_id, build_id, (size_t)build_id_bytes);
	source->build_id_bytes = (size_t)build_id_bytes;
}

static void find_supplement(Dwarf *dwarf, const char *beside, struct symbols_source *ret_source)
{
	const char *name;
	const void *build_id;
	char *path = NULL;
	ssize_t bytes;
	int fd = symbols_find_supplement(dwarf, beside, NULL, &path);

	if (fd < 0)
		return;
	bytes = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &build_id);
	set(ret_source, path, build_id, bytes);
	close(fd);
	free(path);
}

static void find_debug(Dwfl_Module *module, const char *main_path, struct symbols_sources *sources)
{
	const struct symbols_source *main_source = &sources->source[SOURCE_MODULE];
	const char *debug_path = NULL;
	Dwarf_Addr bias;
	Dwarf *dwarf = dwfl_module_getdwarf(module, &bias);

	if (!dwarf)
		return;
	dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, &debug_path);
	if (debug_path && strcmp(debug_path, main_path))
		set(&sources->source[SOURCE_DEBUG], debug_path, main_source->build_id,
		    (ssize_t)main_source->build_id_bytes);
	else
		debug_path = main_path;
	find_supplement(dwarf, debug_path, &sources->source[SOURCE_SUPPLEMENT]);
}

void symbols_sources_find(const char *path, const uint8_t *build_id, size_t build_id_bytes,
			  uint64_t loaded_real_ns, struct symbols_sources *ret_sources)
{
	struct symbols_identity identity = { build_id, build_id_bytes, loaded_real_ns };
	size_t length = strlen(path), deleted = strlen(DELETED);
	enum symbols_absence absence;
	Dwfl_Module *module;
	char *plain;
	Dwfl *dwfl;
	int fd;

	memset(ret_sources, 0, sizeof(*ret_sources));
	if (length > deleted && build_id_bytes && !strcmp(path + length - deleted, DELETED))
		length -= deleted;
	plain = strndup(path, length);
	fd = plain && plain[0] == '/' ? symbols_find_open(plain, &identity, &absence) : -1;
	if (fd < 0) {
		free(plain);
		return;
	}
	set(&ret_sources->source[SOURCE_MODULE], plain, build_id, (ssize_t)build_id_bytes);
	dwfl = dwfl_begin(&callbacks);
	if (dwfl) {
		dwfl_report_begin(dwfl);
		module = dwfl_report_elf(dwfl, plain, plain, fd, 0, true);
		if (module)
			fd = -1; /* dwfl closes it */
		dwfl_report_end(dwfl, NULL, NULL);
		if (module)
			find_debug(module, plain, ret_sources);
		dwfl_end(dwfl);
	}
	if (fd >= 0)
		close(fd);
	free(plain);
}

void symbols_sources_release(struct symbols_sources *sources)
{
	for (int i = 0; i < SOURCE_KINDS; i++)
		free(sources->source[i].path);
	memset(sources, 0, sizeof(*sources));
}
