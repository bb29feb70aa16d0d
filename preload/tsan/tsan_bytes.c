/* SPDX-License-Identifier: MIT */
/*
 * tsan_bytes.c - functions of libc that read and write memory, called by code that was compiled with -fsanitize=thread: accesses of
 * the caller. Called by other code they are libc's and nothing else. Safety class HOT, but for the first call of each.
 *
 * Built without builtins, else the compiler would turn their bodies into calls of themselves.
 */
#include "tsan.h"

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *p, int c, size_t n);
size_t strlen(const char *s);
char *strcpy(char *to, const char *from);
char *strncpy(char *to, const char *from, size_t n);
char *strcat(char *to, const char *from);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *stpcpy(char *to, const char *from);
char *strncat(char *to, const char *from, size_t n);
size_t strnlen(const char *s, size_t n);
char *strchrnul(const char *s, int c);
void *memrchr(const void *p, int c, size_t n);

/* Before the real ones are known: what the loader's and other libraries' first code needs. */
static void *bytes_copy(void *to, const void *from, size_t n)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return start;
}
static void *bytes_move(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if ((uintptr_t)t - (uintptr_t)f >= n) {
		return bytes_copy(to, from, n);
	}
	while (n--) {
		t[n] = f[n];
	}
	return to;
}
static void *bytes_set(void *to, int c, size_t n)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return start;
}
static int bytes_compare(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i]) {
			return x[i] < y[i] ? -1 : 1;
		}
	}
	return 0;
}
static size_t text_length(const char *s)
{
	size_t n = 0;

	while (s[n]) {
		n++;
	}
	return n;
}

/* What a call reads of two texts to tell them apart. */
static size_t common_length(const char *a, const char *b, size_t most)
{
	size_t n = 0;

	while (n < most && a[n] == b[n] && a[n]) {
		n++;
	}
	return n < most ? n + 1 : most;
}

/* The same of two blocks of memory. */
static size_t common_bytes(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;
	size_t i = 0;

	while (i < n && x[i] == y[i]) {
		i++;
	}
	return i < n ? i + 1 : n;
}

static hot_inline void note(struct lane *t, const void *p, size_t n, unsigned kind, uintptr_t pc,
			    uintptr_t sp)
{
	if (n) {
		access_range_sampled(t, (uintptr_t)p, n, kind | TM_LIBRARY, pc, sp);
	}
}
#define READ(p, n) note(t, p, n, TM_READ, pc, sp)
#define WRITE(p, n) note(t, p, n, TM_WRITE, pc, sp)

/* Row: result, name, its parameters and arguments, what it does before the real one is known, what it touches. */
#define BYTES(type, name, params, args, early, touches)                             \
	EXPORT type name params                                                     \
	{                                                                           \
		static type(*real) params;                                          \
		uintptr_t pc = CALLER_PC(), sp = CALLER_SP();                       \
		struct lane *t = lane_watching(pc);                                 \
                                                                                    \
		if (unlikely(t != NULL)) {                                          \
			touches;                                                    \
		}                                                                   \
		if (unlikely(!real)) {                                              \
			real = (type(*) params)tsan_real(#name, VERSION_OF_##name); \
			if (!real) {                                                \
				return early;                                       \
			}                                                           \
		}                                                                   \
		return real args;                                                   \
	}
#define VERSION_OF_memcpy "GLIBC_2.14"
#define VERSION_OF_memmove ""
#define VERSION_OF_memset ""
#define VERSION_OF_memcmp ""
#define VERSION_OF_memchr ""
#define VERSION_OF_strlen ""
#define VERSION_OF_strcpy ""
#define VERSION_OF_strncpy ""
#define VERSION_OF_strcat ""
#define VERSION_OF_strchr ""
#define VERSION_OF_strrchr ""
#define VERSION_OF_strcmp ""
#define VERSION_OF_strncmp ""
#define VERSION_OF_stpcpy ""
#define VERSION_OF_strncat ""
#define VERSION_OF_strnlen ""
#define VERSION_OF_strchrnul ""
#define VERSION_OF_memrchr ""

BYTES(void *, memcpy, (void *to, const void *from, size_t n), (to, from, n),
      bytes_copy(to, from, n), READ(from, n);
      WRITE(to, n))
BYTES(void *, memmove, (void *to, const void *from, size_t n), (to, from, n),
      bytes_move(to, from, n), READ(from, n);
      WRITE(to, n))
BYTES(void *, memset, (void *to, int c, size_t n), (to, c, n), bytes_set(to, c, n), WRITE(to, n))
BYTES(int, memcmp, (const void *a, const void *b, size_t n), (a, b, n), bytes_compare(a, b, n),
      READ(a, common_bytes(a, b, n));
      READ(b, common_bytes(a, b, n)))

static void *bytes_find(const void *p, int c, size_t n)
{
	const uint8_t *x = p;

	for (size_t i = 0; i < n; i++) {
		if (x[i] == (uint8_t)c) {
			return (void *)(uintptr_t)(x + i);
		}
	}
	return NULL;
}
static size_t found_after(const void *p, const void *found, size_t n)
{
	return found ? (size_t)((const char *)found - (const char *)p) + 1 : n;
}
BYTES(void *, memchr, (const void *p, int c, size_t n), (p, c, n), bytes_find(p, c, n),
      READ(p, found_after(p, bytes_find(p, c, n), n)))

static char *text_copy(char *to, const char *from)
{
	return bytes_copy(to, from, text_length(from) + 1);
}
static char *text_copy_some(char *to, const char *from, size_t n)
{
	size_t length = 0;

	while (length < n && from[length]) {
		length++;
	}
	bytes_copy(to, from, length);
	bytes_set(to + length, 0, n - length);
	return to;
}
static char *text_find(const char *s, int c)
{
	size_t n = text_length(s) + 1;

	return bytes_find(s, c, n);
}
static char *text_find_last(const char *s, int c)
{
	const char *found = NULL;

	for (size_t i = 0, n = text_length(s) + 1; i < n; i++) {
		if (s[i] == (char)c) {
			found = s + i;
		}
	}
	return (char *)(uintptr_t)found;
}
static int text_compare(const char *a, const char *b, size_t most)
{
	size_t n = common_length(a, b, most);

	return n ? bytes_compare(a, b, n) : 0;
}

BYTES(size_t, strlen, (const char *s), (s), text_length(s), READ(s, text_length(s) + 1))
BYTES(char *, strcpy, (char *to, const char *from), (to, from), text_copy(to, from),
      READ(from, text_length(from) + 1);
      WRITE(to, text_length(from) + 1))
BYTES(char *, strncpy, (char *to, const char *from, size_t n), (to, from, n),
      text_copy_some(to, from, n), READ(from, common_length(from, from, n));
      WRITE(to, n))
BYTES(char *, strcat, (char *to, const char *from), (to, from),
      (text_copy(to + text_length(to), from), to), READ(from, text_length(from) + 1);
      READ(to, text_length(to) + 1); WRITE(to + text_length(to), text_length(from) + 1))
BYTES(char *, strchr, (const char *s, int c), (s, c), text_find(s, c),
      READ(s, found_after(s, text_find(s, c), text_length(s) + 1)))
BYTES(char *, strrchr, (const char *s, int c), (s, c), text_find_last(s, c),
      READ(s, text_length(s) + 1))
BYTES(int, strcmp, (const char *a, const char *b), (a, b), text_compare(a, b, SIZE_MAX),
      READ(a, common_length(a, b, SIZE_MAX));
      READ(b, common_length(a, b, SIZE_MAX)))
BYTES(int, strncmp, (const char *a, const char *b, size_t n), (a, b, n), text_compare(a, b, n),
      READ(a, common_length(a, b, n));
      READ(b, common_length(a, b, n)))

static size_t text_length_most(const char *s, size_t n)
{
	const char *end = bytes_find(s, 0, n);

	return end ? (size_t)(end - s) : n;
}
static char *text_append(char *to, const char *from, size_t n)
{
	size_t length = text_length_most(from, n);
	char *end = to + text_length(to);

	bytes_copy(end, from, length);
	end[length] = 0;
	return to;
}
static char *text_find_or_end(const char *s, int c)
{
	const char *found = text_find(s, c);

	return (char *)(uintptr_t)(found ? found : s + text_length(s));
}
static void *bytes_find_last(const void *p, int c, size_t n)
{
	const uint8_t *x = p;

	while (n-- > 0) {
		if (x[n] == (uint8_t)c) {
			return (void *)(uintptr_t)(x + n);
		}
	}
	return NULL;
}

BYTES(char *, stpcpy, (char *to, const char *from), (to, from),
      text_copy(to, from) + text_length(from), READ(from, text_length(from) + 1);
      WRITE(to, text_length(from) + 1))
BYTES(char *, strncat, (char *to, const char *from, size_t n), (to, from, n),
      text_append(to, from, n), READ(from, found_after(from, bytes_find(from, 0, n), n));
      READ(to, text_length(to) + 1); WRITE(to + text_length(to), text_length_most(from, n) + 1))
BYTES(size_t, strnlen, (const char *s, size_t n), (s, n), text_length_most(s, n),
      READ(s, found_after(s, bytes_find(s, 0, n), n)))
BYTES(char *, strchrnul, (const char *s, int c), (s, c), text_find_or_end(s, c),
      READ(s, found_after(s, text_find_or_end(s, c), 0)))
BYTES(void *, memrchr, (const void *p, int c, size_t n), (p, c, n), bytes_find_last(p, c, n),
      const void *last = bytes_find_last(p, c, n);
      READ(last ? last : p, last ? n - (size_t)((const char *)last - (const char *)p) : n))

/* ---- what clang calls instead ---- */

EXPORT void *__tsan_memcpy(void *to, const void *from, size_t n)
{
	access_range((uintptr_t)from, n, TM_READ | TM_LIBRARY, CALLER_PC(), CALLER_SP());
	access_range((uintptr_t)to, n, TM_WRITE | TM_LIBRARY, CALLER_PC(), CALLER_SP());
	return memcpy(to, from, n);
}
EXPORT void *__tsan_memmove(void *to, const void *from, size_t n)
{
	access_range((uintptr_t)from, n, TM_READ | TM_LIBRARY, CALLER_PC(), CALLER_SP());
	access_range((uintptr_t)to, n, TM_WRITE | TM_LIBRARY, CALLER_PC(), CALLER_SP());
	return memmove(to, from, n);
}
EXPORT void *__tsan_memset(void *to, int c, size_t n)
{
	access_range((uintptr_t)to, n, TM_WRITE | TM_LIBRARY, CALLER_PC(), CALLER_SP());
	return memset(to, c, n);
}
