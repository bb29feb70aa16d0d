/* SPDX-License-Identifier: MIT */
/*
 * json_put.c - see json_put.h.
 */
#include "json_put.h"

#include "../finding.h"
#include "escape.h"

#include <inttypes.h>
#include <stdlib.h>

void json_put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value); /* takes NULL: the key is missing then */
}

json_t *json_text(const char *text)
{
	char *valid = escape_utf8(text);
	json_t *value = valid ? json_string(valid) : NULL;

	free(valid);
	return value;
}

void json_put_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_put(object, key, json_text(text));
}

void json_put_count(json_t *object, const char *key, uint64_t value)
{
	json_put(object, key, json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value)));
}

void json_put_known(json_t *object, const char *key, uint64_t value)
{
	if (value)
		json_put_count(object, key, value);
}

void json_put_address(json_t *object, const char *key, uint64_t address)
{
	char text[24];

	if (!address)
		return;
	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	json_put(object, key, json_string(text));
}

void json_put_array(json_t *object, const char *key, json_t *array)
{
	if (json_array_size(array))
		json_put(object, key, array);
	else
		json_decref(array);
}

json_t *json_frame(const struct frame *frame)
{
	json_t *value = json_object();

	json_put_text(value, "function", frame->function);
	json_put_text(value, "file", frame->file);
	json_put_known(value, "line", frame->line > 0 ? (uint64_t)frame->line : 0);
	json_put_text(value, "module", frame->module);
	json_put_address(value, "offset", frame->offset);
	json_put_text(value, "build_id", frame->build_id);
	if (frame->inlined)
		json_put(value, "inlined", json_true());
	json_put_text(value, "language", frame->language);
	return value;
}

json_t *json_frames(const struct frames *frames)
{
	json_t *array = json_array();

	for (size_t i = 0; i < frames->count; i++)
		json_array_append_new(array, json_frame(&frames->frame[i]));
	return array;
}
