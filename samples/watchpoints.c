/* SPDX-License-Identifier: MIT */
/*
 * watchpoints.c - status 0: a data watchpoint and an execution breakpoint with a synchronous signal can be opened here, as thrum wants them.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t word;

static int can_open(uint32_t type)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(a),
		.disabled = 1,
		.sample_period = 1,
		.inherit = 1,
		.inherit_thread = 1,
		.remove_on_exec = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.sigtrap = 1,
		.bp_type = type,
		.bp_addr = (uintptr_t)&word,
		.bp_len = 8,
	};

	return syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC) >= 0;
}

int main(void)
{
	return !can_open(HW_BREAKPOINT_RW) || !can_open(HW_BREAKPOINT_X);
}
