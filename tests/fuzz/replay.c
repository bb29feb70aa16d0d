/* SPDX-License-Identifier: MIT */
/*
 * replay.c - runs a fuzz target over files and folders of inputs: the regression driver, with any
 * compiler.
 */
#include "fuzz_layout.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static unsigned inputs;

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	long size;

	if (!f) {
		perror(path);
		return 1;
	}
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	bytes = malloc((size_t)size + 1);
	if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size) {
		perror(path);
		abort();
	}
	fclose(f);
	LLVMFuzzerTestOneInput(bytes, (size_t)size);
	free(bytes);
	inputs++;
	return 0;
}

static int replay(const char *path)
{
	DIR *list = opendir(path);
	struct dirent *entry;
	char name[4096];
	int failed = 0;

	if (!list) {
		return replay_file(path);
	}
	while ((entry = readdir(list))) {
		if (entry->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
			failed |= replay_file(name);
		}
	}
	closedir(list);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		failed |= replay(argv[i]);
	}
	printf("%u inputs\n", inputs);
	return failed || !inputs; /* an empty corpus tests nothing */
}
