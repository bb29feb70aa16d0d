/* SPDX-License-Identifier: MIT */
/*
 * trace_diag.c - fills a struct diag; never prints.
 */
#include "trace_diag.h"

#include <stdarg.h>
#include <stdio.h>

int diag_set(struct diag *d, int error, const char *format, ...)
{
	va_list ap;

	if (d) {
		va_start(ap, format);
		vsnprintf(d->message, sizeof(d->message), format, ap);
		va_end(ap);
	}
	return error;
}
