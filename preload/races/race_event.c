/* SPDX-License-Identifier: MIT */
/*
 * race_event.c - the kernel's side: perf events with a signal for each hit. All are inherited by threads, none by processes.
 *
 * An event that is open and not armed sits at a word of ours that nobody touches. Arming is one system call, which reaches every
 * thread; its time grows with their number.
 */
#include "races.h"

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

static uint64_t nowhere; /* where what is not armed sits */

static struct perf_event_attr common(uint64_t data)
{
	return (struct perf_event_attr){
		.size = sizeof(struct perf_event_attr),
		.disabled = 1,
		.inherit = 1,
		.inherit_thread = 1,
		.remove_on_exec = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.sigtrap = 1,
		.sig_data = data,
	};
}

static struct perf_event_attr breakpoint(uintptr_t address, uint32_t bytes, bool writes,
					 uint64_t data)
{
	struct perf_event_attr a = common(data);

	a.type = PERF_TYPE_BREAKPOINT;
	a.sample_period = 1;
	a.bp_addr = address ? address : (uintptr_t)&nowhere;
	a.bp_len = bytes ? bytes : sizeof(long);
	a.bp_type = !bytes ? HW_BREAKPOINT_X : writes ? HW_BREAKPOINT_W : HW_BREAKPOINT_RW;
	a.disabled = !address;
	return a;
}

static int open_event(const struct perf_event_attr *a, struct kept_file *ret)
{
	int fd = (int)sys6(SYS_perf_event_open, (long)a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC, 0), high;
	uint64_t id = 0;

	atomic_store(&ret->fd, -1);
	if (fd < 0) {
		return fd;
	}
	high = shim_fd_move_high(fd);
	if (high >= 0) {
		sys1(SYS_close, fd);
		fd = high;
	}
	if (sys3(SYS_ioctl, fd, PERF_EVENT_IOC_ID, &id) < 0) {
		sys1(SYS_close, fd);
		return -1;
	}
	ret->dev = 0;
	ret->ino = id;
	atomic_store(&ret->fd, fd);
	return 0;
}

int race_open_sampler(struct kept_file *ret)
{
	struct perf_event_attr a = common(RACE_DATA(RACE_SAMPLE, 0, 0));

	a.type = PERF_TYPE_SOFTWARE;
	a.config = PERF_COUNT_SW_TASK_CLOCK;
	a.sample_period = 1000000000 / RACE_SAMPLE_HZ;
	return open_event(&a, ret);
}

int race_open_breakpoint(struct kept_file *ret)
{
	struct perf_event_attr a = breakpoint(0, 0, false, 0);

	return open_event(&a, ret);
}

int race_open_watchpoint(struct kept_file *ret)
{
	struct perf_event_attr a = breakpoint(0, 8, true, 0);

	return open_event(&a, ret);
}

static bool modify(const struct kept_file *event, const struct perf_event_attr *a)
{
	return sys3(SYS_ioctl, atomic_load(&event->fd), PERF_EVENT_IOC_MODIFY_ATTRIBUTES, a) == 0;
}

bool race_arm(const struct kept_file *event, uintptr_t address, uint32_t bytes, bool writes,
	      uint64_t data)
{
	struct perf_event_attr a = breakpoint(address, bytes, writes, data);

	return modify(event, &a);
}

bool race_disarm(const struct kept_file *event, bool is_breakpoint)
{
	struct perf_event_attr a = breakpoint(0, is_breakpoint ? 0 : 8, true, 0);

	return modify(event, &a);
}

void race_switch_sampler(const struct kept_file *sampler, bool on)
{
	sys3(SYS_ioctl, atomic_load(&sampler->fd),
	     on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}
