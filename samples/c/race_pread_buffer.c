/* SPDX-License-Identifier: MIT */
/* SHOWS the same as race_read_buffer.c with a read at a place, pread() */
/* EXPECT data-race confidence=observed level=error threads=2 threadnames=worker,worker locks=message stacks=parse,fill occurs=1..1000000 says=made+in+parts */
/* RUN once full limit=120 options=--races=auto */
/* BUILD needs=watchpoints flags=-O2 */
#define READ(fd, buffer, bytes) pread(fd, buffer, bytes, 0)
#include "race_read_buffer.c"
