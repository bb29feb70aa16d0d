/* SPDX-License-Identifier: MIT */
/* SHOWS functions of libc that read and write what two threads share, each just beside what the other one touches: nothing races */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan flags=-fno-builtin */
#include "../sample.h"

#include <string.h>

static char text[64] = "ab\0def", other[64] = "abcdef", copy[64], byte = 1;
static int channel[2];
static volatile long sink;

/* Each ends its look before what the other one writes. */
static void *look(void *arg)
{
	long sum = 0;

	sum += memcmp(text, other, 8) < 0;
	sum += strncmp(text, other, 6) < 0;
	sum += (long)strlen(text) + (long)strnlen(text, 9);
	sum += strchr(text, 'b') != NULL;
	sum += *strchrnul(text, 'x') == 0;
	sum += *stpcpy(copy, text) == 0;
	sum += strncat(copy, text, 1) == copy;
	if (read(channel[0], copy + 16, 1) != 1)
		abort();
	sink = sum + copy[16];
	return arg;
}

static void *change(void *arg)
{
	text[3] = 'x';
	other[3] = 'y';
	copy[8] = 'z';
	if (write(channel[1], &byte, 1) != 1)
		abort();
	return arg;
}

int main(void)
{
	MUST(pipe(channel));
	run_two(look, change);
	return sink < 0;
}
