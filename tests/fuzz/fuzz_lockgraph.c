/* SPDX-License-Identifier: MIT */
/*
 * fuzz_lockgraph.c - a lock graph of any bytes: the reader stays inside and names the line where it stops; what it took is written and
 * read again as the same, merging it with itself changes nothing, and the search for rings ends.
 */
#include "fuzz_check.h"

#include "analyzer/fleet/lockgraph.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *write_all(struct lockgraph *g, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);
	struct diag diag;

	check(out != NULL && !lockgraph_write(g, out, &diag));
	fclose(out);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_text input = fuzz_text_new(data, size);
	struct finding_list *findings = finding_list_new();
	struct lockgraph *g = lockgraph_new();
	size_t first_size, second_size;
	char *first, *second;
	struct diag diag = { "" };

	if (lockgraph_read_text(g, input.text, size, &diag)) {
		check(!strncmp(diag.message, "line ", 5) ||
		      !strncmp(diag.message, "the lock graph has schema ", 26));
	}
	first = write_all(g, &first_size);
	check(!lockgraph_read_text(g, first, first_size, &diag));
	second = write_all(g, &second_size);
	check(first_size == second_size && !memcmp(first, second, first_size));
	lockgraph_findings(g, findings, 0);
	finding_list_free(findings);
	lockgraph_free(g);
	free(first);
	free(second);
	free(input.memory);
	return 0;
}
