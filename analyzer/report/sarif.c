/* SPDX-License-Identifier: MIT */
/*
 * sarif.c - locations, stacks and graphs of SARIF results.
 */
#include "sarif.h"

#include "json_put.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

/* Path to URI reference: RFC 3986, everything but unreserved characters and '/' escaped. */
static json_t *uri_value(const char *prefix, const char *path, const char *suffix)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	size_t bytes = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);
	json_t *value;

	if (!out)
		return NULL;
	fputs(prefix, out);
	for (; *path; path++) {
		if (strchr(plain, *path))
			fputc(*path, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*path);
	}
	fputs(suffix, out);
	fclose(out);
	value = text ? json_string(text) : NULL;
	free(text);
	return value;
}

json_t *sarif_directory(const char *path)
{
	json_t *value = json_object();
	size_t bytes = strlen(path);

	json_put(value, "uri",
		 uri_value("file://", path, bytes && path[bytes - 1] == '/' ? "" : "/"));
	return value;
}

static json_t *artifact_value(const struct report *report, const char *file)
{
	json_t *value = json_object();
	bool relative;
	const char *path = site_path(report->source_root, file, &relative);

	json_put(value, "uri", uri_value(relative ? "" : "file://", path, ""));
	if (relative && report->source_root)
		json_put_text(value, "uriBaseId", SARIF_ROOT);
	return value;
}

/* GitHub wants all four numbers; columns are not known, so the region is the line's start. */
static json_t *region_value(int line)
{
	json_t *value = json_object();

	json_put(value, "startLine", json_integer(line));
	json_put(value, "startColumn", json_integer(1));
	json_put(value, "endLine", json_integer(line));
	json_put(value, "endColumn", json_integer(2));
	return value;
}

static json_t *address_value(const struct frame *frame)
{
	json_t *value = json_object();
	char name[WORDS_BYTES];

	json_put(value, "relativeAddress", json_integer((json_int_t)(frame->offset & INT64_MAX)));
	json_put_text(value, "fullyQualifiedName", words_function(frame, name, sizeof(name)));
	json_put_text(value, "kind", "function");
	return value;
}

static json_t *physical_value(const struct report *report, const struct frame *frame)
{
	json_t *value = json_object();

	if (frame->file && frame->line > 0) {
		json_put(value, "artifactLocation", artifact_value(report, frame->file));
		json_put(value, "region", region_value(frame->line));
	} else {
		json_put(value, "address", address_value(frame));
	}
	return value;
}

json_t *sarif_location(const struct report *report, const struct frame *site,
		       const struct frames *frames, const char *text)
{
	json_t *value = json_object(), *logical, *functions, *message;
	const struct frame *frame = site ? site : frames && frames->count ? frames->frame : NULL;

	if (frame) {
		json_put(value, "physicalLocation", physical_value(report, frame));
		if (frame->function) {
			functions = json_array();
			logical = json_object();
			json_put_text(logical, "fullyQualifiedName", frame->function);
			json_put_text(logical, "kind", "function");
			json_array_append_new(functions, logical);
			json_put(value, "logicalLocations", functions);
		}
	}
	if (text) {
		message = json_object();
		json_put_text(message, "text", text);
		json_put(value, "message", message);
	}
	return value;
}

json_t *sarif_stack(const struct report *report, const struct finding_stack *stack,
		    const char *text)
{
	json_t *value = json_object(), *frames = json_array(), *message = json_object();

	for (size_t i = 0; i < stack->frames.count; i++) {
		const struct frame *frame = &stack->frames.frame[i];
		json_t *one = json_object();

		json_put(one, "location", sarif_location(report, frame, NULL, NULL));
		json_put_text(one, "module", frame->module);
		json_put_known(one, "threadId", stack->thread);
		json_array_append_new(frames, one);
	}
	json_put_text(message, "text", text);
	json_put(value, "message", message);
	json_put(value, "frames", frames);
	return value;
}

/* ---- graphs ---- */

static json_t *node_value(const char *kind, uint32_t id, const char *label)
{
	json_t *value = json_object(), *text = json_object();
	char name[64];

	snprintf(name, sizeof(name), "%s %u", kind, (unsigned)id);
	json_put_text(value, "id", name);
	json_put_text(text, "text", label);
	json_put(value, "label", text);
	return value;
}

static void add_edge(json_t *edges, const char *from, uint32_t from_id, const char *to,
		     uint32_t to_id, const char *label)
{
	json_t *value = json_object(), *text = json_object();
	char name[64];

	snprintf(name, sizeof(name), "edge %zu", json_array_size(edges) + 1);
	json_put_text(value, "id", name);
	snprintf(name, sizeof(name), "%s %u", from, (unsigned)from_id);
	json_put_text(value, "sourceNodeId", name);
	snprintf(name, sizeof(name), "%s %u", to, (unsigned)to_id);
	json_put_text(value, "targetNodeId", name);
	json_put_text(text, "text", label);
	json_put(value, "label", text);
	json_array_append_new(edges, value);
}

static void add_stack_edges(json_t *edges, const struct finding *f,
			    const struct finding_stack *stack)
{
	if (!stack->thread || !finding_find_thread(f, stack->thread))
		return;
	if (stack->lock && finding_find_lock(f, stack->lock)) {
		if (stack->role == ROLE_WAITS)
			add_edge(edges, "thread", stack->thread, "lock", stack->lock, "waits for");
		else if (stack->role == ROLE_ACQUIRES)
			add_edge(edges, "thread", stack->thread, "lock", stack->lock, "takes");
		else if (stack->role == ROLE_HOLDS)
			add_edge(edges, "lock", stack->lock, "thread", stack->thread, "held by");
	}
	if (stack->role == ROLE_WAITS && stack->for_thread &&
	    finding_find_thread(f, stack->for_thread))
		add_edge(edges, "thread", stack->thread, "thread", stack->for_thread, "waits for");
}

json_t *sarif_graphs(const struct report *report, const struct finding *f)
{
	json_t *graphs = json_array(), *graph, *nodes, *edges = json_array(), *text;
	char name[WORDS_BYTES];

	(void)report;
	for (size_t i = 0; i < f->stack_count; i++)
		add_stack_edges(edges, f, &f->stacks[i]);
	if (json_array_size(edges) < 2) {
		json_decref(edges);
		return graphs;
	}
	graph = json_object();
	nodes = json_array();
	text = json_object();
	for (size_t i = 0; i < f->thread_count; i++)
		json_array_append_new(
			nodes, node_value("thread", f->threads[i].id,
					  words_thread(f, f->threads[i].id, name, sizeof(name))));
	for (size_t i = 0; i < f->lock_count; i++)
		json_array_append_new(
			nodes, node_value("lock", f->locks[i].id,
					  words_lock(f, f->locks[i].id, name, sizeof(name))));
	json_put_text(text, "text", "who waits for what");
	json_put(graph, "description", text);
	json_put(graph, "nodes", nodes);
	json_put(graph, "edges", edges);
	json_array_append_new(graphs, graph);
	return graphs;
}
