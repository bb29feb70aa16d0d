/* SPDX-License-Identifier: MIT */
/* engage_stdio.h - exercises of the lock of a stream. */
#ifndef THRUM_TESTS_ENGAGE_STDIO_H
#define THRUM_TESTS_ENGAGE_STDIO_H

#include <stdio.h>

SIMPLE(flockfile, 4, flockfile(stdin); flockfile(stdin); funlockfile(stdin); funlockfile(stdin))
SIMPLE(ftrylockfile, 2, if (ftrylockfile(stdin) == 0) funlockfile(stdin))
SIMPLE(funlockfile, 2, flockfile(stdin); funlockfile(stdin))

#endif
