/* SPDX-License-Identifier: MIT */
/*
 * page_payload.c - the payload of page_data.h as text in a page.
 */
#include "page_data.h"

#include "packed.h"
#include "page_parts.h"

#include <inttypes.h>
#include <stdlib.h>

static void add_packed(void *cookie, const void *bytes, size_t count)
{
	packed_add(cookie, bytes, count);
}

/* Its bytes before it. */
static void pack_json(struct packed *packed, const char *json, size_t bytes)
{
	uint8_t head[4];

	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(bytes >> 8 * i);
	packed_add(packed, head, sizeof(head));
	packed_add(packed, json, bytes);
}

/* The first data as text. NULL = out of memory. */
static char *make_head(const struct page *page, const struct report *report, size_t *ret_bytes)
{
	char *json = NULL, *text = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&json, &bytes), *out = open_memstream(&text, ret_bytes);
	struct packed *packed = out ? packed_new(out) : NULL;
	bool ok = memory && packed && !page_model_put(page, report, memory);

	if (memory)
		ok = !fclose(memory) && ok;
	if (ok) {
		pack_json(packed, json, bytes);
		page_parts_head(page, add_packed, packed);
	}
	ok = packed_finish(packed) && ok;
	if (out)
		ok = !fclose(out) && ok;
	free(json);
	if (ok)
		return text;
	free(text);
	return NULL;
}

int page_data_put(const struct page *page, const struct report *report, FILE *out,
		  struct diag *diag)
{
	uint64_t most = page->source.most_bytes ? page->source.most_bytes : PAGE_MOST_BYTES;
	size_t bytes;
	char *text = make_head(page, report, &bytes);
	int error = 0;

	if (!text)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	if (bytes + page_parts_bytes(page->parts) > most)
		error = diag_set(
			diag, THRUM_EINVAL,
			"the page would be larger than %" PRIu64
			" MB, which browsers do not open; use `thrum view TRACE`, which serves it",
			most >> 20);
	else
		fwrite(text, 1, bytes, out);
	free(text);
	return error;
}
