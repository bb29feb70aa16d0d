/* SPDX-License-Identifier: MIT */
/*
 * json_put.h - how sinks fill JSON objects: what is unknown is left out, what the recorded program
 * named is made valid UTF-8.
 *
 * Every function takes a NULL object or value (out of memory in jansson) and does nothing then; the
 * writer at the end fails once for all.
 */
#ifndef THRUM_ANALYZER_REPORT_JSON_PUT_H
#define THRUM_ANALYZER_REPORT_JSON_PUT_H

#include <jansson.h>
#include <stdint.h>

/* Takes the reference of `value`. */
void json_put(json_t *object, const char *key, json_t *value);

/* A new string of any bytes; NULL = out of memory. */
json_t *json_text(const char *text);

/* NULL = left out. */
void json_put_text(json_t *object, const char *key, const char *text);

/* Above INT64_MAX becomes INT64_MAX. */
void json_put_count(json_t *object, const char *key, uint64_t value);

/* 0 = left out. */
void json_put_known(json_t *object, const char *key, uint64_t value);

/*
 * As "0x…", because a JSON number loses bits of a 64-bit address in most readers; 0 = left out.
 */
void json_put_address(json_t *object, const char *key, uint64_t address);

/* Of a finding's stacks. */
struct frame;
struct frames;
json_t *json_frame(const struct frame *frame);
json_t *json_frames(const struct frames *frames);

/* Left out where empty; takes the reference. */
void json_put_array(json_t *object, const char *key, json_t *array);

#endif
