/* SPDX-License-Identifier: MIT */
/* SHOWS a program that calls what else ThreadSanitizer's library has to offer: under thrum each name is there */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

#include <sanitizer/common_interface_defs.h>
#include <sanitizer/tsan_interface.h>

void AnnotateCondVarSignal(const char *file, int line, const volatile void *cv);
void AnnotateNewMemory(const char *file, int line, const volatile void *p, size_t n);
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);
void AnnotatePublishMemoryRange(const char *file, int line, const volatile void *p, size_t n);
int RunningOnValgrind(void);

static long given;

static void *give(void *arg)
{
	given = 1;
	__tsan_release(&given);
	AnnotateCondVarSignal(__FILE__, __LINE__, &given);
	return arg;
}

int main(void)
{
	pthread_t t;

	AnnotateNewMemory(__FILE__, __LINE__, &given, sizeof(given));
	AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
	AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
	AnnotatePublishMemoryRange(__FILE__, __LINE__, &given, sizeof(given));
	__sanitizer_set_report_fd((void *)2L);
	if (RunningOnValgrind())
		return 1;
	MUST(pthread_create(&t, NULL, give, NULL));
	MUST(pthread_join(t, NULL));
	return given != 1;
}
