/* SPDX-License-Identifier: MIT */
/*
 * trace_place.c - unpacks packs into a directory of their own and sees to it that this goes away again.
 */
#include "trace_place.h"

#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_DIRECTORIES 16 /* of nftw */

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* Waits until thrum closes the pipe or is gone. */
__attribute__((noreturn)) static void remover_main(int fd, const char *directory)
{
	sigset_t all;
	char none;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* The readers of thrum's output must see its end when thrum ends. */
	if (dup2(fd, 0) < 0)
		_exit(1);
	close_range(1, ~0u, 0);
	while (read(0, &none, 1) < 0 && errno == EINTR)
		;
	nftw(directory, remove_entry, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	_exit(0);
}

static int remover_start(struct trace_place *place, struct diag *diag)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC))
		return diag_set(diag, THRUM_EIO, "cannot make a pipe: %s", strerror(errno));
	place->remover = fork();
	if (place->remover == 0) {
		close(pair[1]);
		remover_main(pair[0], place->temporary);
	}
	close(pair[0]);
	place->remover_fd = pair[1];
	return place->remover > 0
		       ? 0
		       : diag_set(diag, THRUM_EIO, "cannot start a process: %s", strerror(errno));
}

static int temporary_make(struct trace_place *place, struct diag *diag)
{
	const char *roots[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		if (!roots[i] || !*roots[i] ||
		    asprintf(&place->temporary, "%s/thrum-pack-XXXXXX", roots[i]) < 0)
			continue;
		if (mkdtemp(place->temporary)) /* mode 0700 */
			return remover_start(place, diag);
		free(place->temporary);
		place->temporary = NULL;
	}
	return diag_set(diag, THRUM_EIO,
			"cannot make a directory to unpack in: %s; name one in TMPDIR",
			strerror(errno));
}

static int unpack(const char *file, struct trace_place *place, struct diag *diag)
{
	int error = temporary_make(place, diag);

	if (!error)
		error = pack_extract(file, place->temporary, diag);
	if (!error && (asprintf(&place->dir, "%s/trace", place->temporary) < 0 ||
		       asprintf(&place->symbols, "%s/symbols", place->temporary) < 0))
		error = diag_set(diag, THRUM_ENOMEM, "out of memory");
	return error;
}

int trace_place_open(const char *operand, struct trace_place *ret_place, struct diag *diag)
{
	struct stat st;

	*ret_place = (struct trace_place){ .remover_fd = -1 };
	if (!stat(operand, &st) && S_ISREG(st.st_mode))
		return unpack(operand, ret_place, diag);
	ret_place->dir = strdup(operand);
	return ret_place->dir ? 0 : diag_set(diag, THRUM_ENOMEM, "out of memory");
}

void trace_place_release(struct trace_place *place)
{
	if (place->remover > 0) {
		close(place->remover_fd);
		while (waitpid(place->remover, NULL, 0) < 0 && errno == EINTR)
			;
	} else if (place->temporary) {
		nftw(place->temporary, remove_entry, OPEN_DIRECTORIES,
		     FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
	free(place->dir);
	free(place->symbols);
	free(place->temporary);
	*place = (struct trace_place){ .remover_fd = -1 };
}
