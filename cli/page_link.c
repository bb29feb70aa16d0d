/* SPDX-License-Identifier: MIT */
/*
 * page_link.c - see page_link.h.
 */
#include "page_link.h"

static bool get_frames(void *context, size_t process, uint32_t stack, struct frames *ret_frames)
{
	return frame_source_resolve(context, process, stack, SYMBOLS_TIME_UNKNOWN, ret_frames);
}

int page_link_open(struct page_link *link, const struct options *options,
		   const struct inputs *inputs, struct diag *diag)
{
	const struct input *only = inputs->count == 1 ? &inputs->input[0] : NULL;
	struct page_source source = { .frames = get_frames,
				      .variable = frame_source_data,
				      .context = &link->frames };

	*link = (struct page_link){ .is_open = only && only->reader };
	if (!link->is_open)
		return 0;
	frame_source_init(&link->frames, options, &only->place, only->reader);
	source.reader = only->reader;
	source.scan.end_real_ns = only->run.end_real_ns;
	return page_new(&source, &link->page, diag);
}

const struct report_view *page_link_view(const struct page_link *link)
{
	return link->page ? page_get_view(link->page) : NULL;
}

void page_link_release(struct page_link *link)
{
	page_free(link->page);
	if (link->is_open)
		frame_source_release(&link->frames);
}
