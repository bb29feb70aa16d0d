/* SPDX-License-Identifier: MIT */
/*
 * verb_pack.c - `thrum pack`: a trace and what it takes to read it elsewhere, in one file.
 */
#include "cli.h"
#include "options.h"
#include "pack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void say_missing(const char *path)
{
	say("not packed, because it is not here any more or is another file now: %s", path);
}

static void say_size(const char *file, const struct pack_summary *summary)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double size = (double)summary->bytes;
	unsigned unit = 0;

	for (; size >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		size /= 1024;
	say("packed into %s: %.*f %s, %u modules, %u of them with separate debug symbols, %u missing",
	    file, unit ? 1 : 0, size, units[unit], summary->modules, summary->debug,
	    summary->missing);
}

int verb_pack(const struct options *options)
{
	const char *dir = options->operand_count ? options->operands[0] : "thrum.data";
	size_t bytes = strlen(dir);
	char *file = NULL;
	struct pack_summary summary;
	struct diag diag;
	struct stat st;
	int error;

	if (!stat(dir, &st) && S_ISREG(st.st_mode)) {
		say("%s is a file; name the directory of a trace", dir);
		return STATUS_USAGE;
	}
	while (bytes > 1 && dir[bytes - 1] == '/')
		bytes--;
	if (!options->pack_file && asprintf(&file, "%.*s.thrum-pack", (int)bytes, dir) < 0) {
		say("out of memory");
		return STATUS_INTERNAL;
	}
	error = pack_write(dir, options->pack_file ? options->pack_file : file,
			   options->quiet ? NULL : say_missing, &summary, &diag);
	if (error)
		say("%s", diag.message);
	else if (!options->quiet)
		say_size(options->pack_file ? options->pack_file : file, &summary);
	free(file);
	if (!error)
		return STATUS_OK;
	return summary.was_read ? STATUS_INTERNAL : status_of_error(error);
}
