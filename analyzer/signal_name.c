/* SPDX-License-Identifier: MIT */
/*
 * signal_name.c - a table by number: a trace may come from another machine than this one.
 */
#include "signal_name.h"

#include <stdio.h>

static const char *const names[] = {
	[1] = "HUP",	 [2] = "INT",	[3] = "QUIT",	[4] = "ILL",   [5] = "TRAP",
	[6] = "ABRT",	 [7] = "BUS",	[8] = "FPE",	[9] = "KILL",  [10] = "USR1",
	[11] = "SEGV",	 [12] = "USR2", [13] = "PIPE",	[14] = "ALRM", [15] = "TERM",
	[16] = "STKFLT", [17] = "CHLD", [18] = "CONT",	[19] = "STOP", [20] = "TSTP",
	[21] = "TTIN",	 [22] = "TTOU", [23] = "URG",	[24] = "XCPU", [25] = "XFSZ",
	[26] = "VTALRM", [27] = "PROF", [28] = "WINCH", [29] = "IO",   [30] = "PWR",
	[31] = "SYS",
};

/* As programs see it: glibc keeps the first two of the kernel's real-time signals. */
#define FIRST_REAL_TIME 34u

const char *signal_name(unsigned number, char buffer[SIGNAL_NAME_BYTES])
{
	if (number < sizeof(names) / sizeof(names[0]) && names[number])
		snprintf(buffer, SIGNAL_NAME_BYTES, "SIG%s", names[number]);
	else if (number == FIRST_REAL_TIME)
		snprintf(buffer, SIGNAL_NAME_BYTES, "SIGRTMIN");
	else if (number > FIRST_REAL_TIME && number <= 64)
		snprintf(buffer, SIGNAL_NAME_BYTES, "SIGRTMIN+%u", number - FIRST_REAL_TIME);
	else
		snprintf(buffer, SIGNAL_NAME_BYTES, "signal %u", number);
	return buffer;
}

bool signal_is_crash(unsigned number)
{
	switch (number) {
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
	case 11:
	case 31:
		return true;
	default:
		return false;
	}
}
