/* SPDX-License-Identifier: MIT */
/*
 * fuzz_layout.c - between a compact fuzz input and the two files of a process.
 */
#include "fuzz_layout.h"

#include "trace/trace_format.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct input {
	const uint8_t *at, *end;
};

static void need(int ok)
{
	if (!ok) {
		perror("fuzz_layout");
		abort();
	}
}

static unsigned take_byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static size_t take_length(struct input *in)
{
	size_t low = take_byte(in), n = low | (size_t)take_byte(in) << 8;
	size_t left = (size_t)(in->end - in->at);

	return n < left ? n : left;
}

static void put(int fd, const uint8_t *bytes, size_t count, size_t offset)
{
	need(pwrite(fd, bytes, count, (off_t)offset) == (ssize_t)count);
}

static int open_file(const char *dir, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0);
	return fd;
}

void fuzz_layout_expand(const char *dir, const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	int fd = open_file(dir, "1.0.map");
	size_t n = take_length(&in), segments, cut, bytes;

	put(fd, in.at, n < TF_HEADER_BYTES ? n : TF_HEADER_BYTES, 0);
	in.at += n;
	segments = take_byte(&in);
	for (size_t i = 0; i < segments; i++) {
		n = take_length(&in);
		put(fd, in.at, n, TF_HEADER_BYTES + i * TF_SEGMENT_BYTES);
		in.at += n;
	}
	cut = take_byte(&in) * 997u;
	bytes = TF_HEADER_BYTES + segments * TF_SEGMENT_BYTES;
	need(!ftruncate(fd, (off_t)(bytes > cut ? bytes - cut : 0)));
	close(fd);
	fd = open_file(dir, "1.0.events");
	put(fd, in.at, (size_t)(in.end - in.at), 0);
	close(fd);
}

static size_t used(const uint8_t *bytes, size_t count)
{
	while (count && !bytes[count - 1]) {
		count--;
	}
	return count;
}

static void put_piece(FILE *out, const uint8_t *bytes, size_t count)
{
	count = used(bytes, count);
	putc((int)(count & 0xff), out);
	putc((int)(count >> 8), out);
	fwrite(bytes, 1, count, out);
}

static uint8_t *slurp(const char *dir, const char *name, const char *suffix, size_t *ret)
{
	char path[4096];
	uint8_t *bytes;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffix);
	f = fopen(path, "rb");
	need(f != NULL);
	fseek(f, 0, SEEK_END);
	*ret = (size_t)ftell(f);
	rewind(f);
	bytes = malloc(*ret + 1);
	need(bytes && fread(bytes, 1, *ret, f) == *ret);
	fclose(f);
	return bytes;
}

void fuzz_layout_pack(const char *dir, const char *name, FILE *out)
{
	size_t map_bytes, events_bytes, segments;
	uint8_t *map = slurp(dir, name, "map", &map_bytes);
	uint8_t *events = slurp(dir, name, "events", &events_bytes);

	segments = (map_bytes - TF_HEADER_BYTES) / TF_SEGMENT_BYTES;
	put_piece(out, map, TF_HEADER_BYTES);
	putc((int)segments, out);
	for (size_t i = 0; i < segments; i++) {
		put_piece(out, map + TF_HEADER_BYTES + i * TF_SEGMENT_BYTES, TF_SEGMENT_BYTES);
	}
	putc(0, out);
	fwrite(events, 1, events_bytes, out);
	free(map);
	free(events);
}
