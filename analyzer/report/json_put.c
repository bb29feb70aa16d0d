/* SPDX-License-Identifier: MIT */
/*
 * json_put.c - see json_put.h.
 */
#include "json_put.h"

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
