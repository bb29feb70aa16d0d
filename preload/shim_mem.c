/* SPDX-License-Identifier: MIT */
/*
 * shim_mem.c - memcpy and friends of our own, hidden: in a host built with a sanitizer, or beside
 * another preload, libc's names lead to interceptors that must not run inside a hook. Copies here
 * are short. Safety class ANY.
 *
 * Built with -fno-builtin and without loop idioms, else the compiler would turn each into a call of
 * itself.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *p, int c, size_t n);
size_t strlen(const char *s);

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if ((uintptr_t)t - (uintptr_t)f >= n) {
		return memcpy(to, from, n);
	}
	while (n--) {
		t[n] = f[n];
	}
	return to;
}

void *memset(void *to, int c, size_t n)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i]) {
			return x[i] < y[i] ? -1 : 1;
		}
	}
	return 0;
}

void *memchr(const void *p, int c, size_t n)
{
	const uint8_t *x = p;

	for (size_t i = 0; i < n; i++) {
		if (x[i] == (uint8_t)c) {
			return (void *)(uintptr_t)(x + i);
		}
	}
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n]) {
		n++;
	}
	return n;
}
