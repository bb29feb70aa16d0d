/* SPDX-License-Identifier: MIT */
/*
 * engage_sd.h - exercises of sd-event's rows, each on a loop of its own. Absent: nothing is expected.
 */
#ifndef THRUM_TESTS_ENGAGE_SD_H
#define THRUM_TESTS_ENGAGE_SD_H

static const char *const systemd[] = { "libsystemd.so.0", NULL };
enum { SD_LIFE = 3, SD_CALL = 2 }; /* made, armed, over; called, returned */

static int sd_calls;

/* A handler of any source: what is passed beyond is left alone. */
static int sd_called(void *source)
{
	(void)source;
	sd_calls++;
	return 0;
}
#define SD_DO(ret, name, params, args) ((ret(*) params)library_function(systemd, #name)) args

static void *sd_loop(void)
{
	int (*make)(void **) = (int (*)(void **))library_function(systemd, "sd_event_new");
	void *e = NULL;

	sd_calls = 0;
	return make && make(&e) >= 0 ? e : NULL;
}

/* The end of a source and of its loop. */
static void sd_over(void *e, void *s)
{
	SD_DO(void *, sd_event_source_unref, (void *), (s));
	SD_DO(void *, sd_event_unref, (void *), (e));
}

#define SD_ADDED(name, params, args)                                                           \
	static int exercise_##name(void)                                                       \
	{                                                                                      \
		void *e = sd_loop(), *s = NULL;                                                \
		int(*add) params = e ? (int(*) params)library_function(systemd, #name) : NULL; \
                                                                                               \
		if (!add) {                                                                    \
			return 0;                                                              \
		}                                                                              \
		if (add args < 0) {                                                            \
			return 1000;                                                           \
		}                                                                              \
		sd_over(e, s);                                                                 \
		return SD_LIFE;                                                                \
	}
#define F (void *)sd_called
SD_ADDED(sd_event_add_time, (void *, void **, int, uint64_t, uint64_t, void *, void *),
	 (e, &s, CLOCK_MONOTONIC, 1, 1, F, NULL))
SD_ADDED(sd_event_add_time_relative, (void *, void **, int, uint64_t, uint64_t, void *, void *),
	 (e, &s, CLOCK_MONOTONIC, 1, 1, F, NULL))
SD_ADDED(sd_event_add_memory_pressure, (void *, void **, void *, void *), (e, &s, F, NULL))
SD_ADDED(sd_event_add_inotify, (void *, void **, const char *, uint32_t, void *, void *),
	 (e, &s, "/", 1 /* IN_ACCESS */, F, NULL))
SD_ADDED(sd_event_add_post, (void *, void **, void *, void *), (e, &s, F, NULL))
SD_ADDED(sd_event_add_exit, (void *, void **, void *, void *), (e, &s, F, NULL))

static int exercise_sd_event_add_inotify_fd(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY), rc = 0;
	int (*add)(void *, void **, int, uint32_t, void *, void *);
	void *e = sd_loop(), *s = NULL;

	*(void **)&add = e ? library_function(systemd, "sd_event_add_inotify_fd") : NULL;
	if (add) {
		rc = add(e, &s, fd, 1, F, NULL) < 0 ? 1000 : SD_LIFE;
		sd_over(e, s);
	}
	close(fd);
	return rc;
}

/* Of a pipe that can be written, made to float: the loop's own. */
static int exercise_sd_event_add_io(void)
{
	void *e = sd_loop();
	int fd[2];

	if (!e || pipe(fd)) {
		return 0;
	}
	if (SD_DO(int, sd_event_add_io, (void *, void **, int, uint32_t, void *, void *),
		  (e, NULL, fd[1], 4 /* EPOLLOUT */, F, NULL)) < 0 ||
	    SD_DO(int, sd_event_run, (void *, uint64_t), (e, 0)) < 0 || sd_calls != 1) {
		return 1000;
	}
	SD_DO(void *, sd_event_unref, (void *), (e));
	close(fd[0]);
	close(fd[1]);
	return 2 + SD_CALL + 3;
}

/* Called once in a turn, then disarmed by sd-event; armed again; called again. */
static int sd_defer(int (*turn)(void *), int turns)
{
	void *e = sd_loop(), *s = NULL;

	if (!e) {
		return 0;
	}
	SD_DO(int, sd_event_add_defer, (void *, void **, void *, void *), (e, &s, F, NULL));
	for (int i = 0; i < turns; i++) {
		if (turn(e) < 0 || sd_calls != i + 1) {
			return 1000;
		}
		SD_DO(int, sd_event_source_set_enabled, (void *, int), (s, -1));
	}
	sd_over(e, s);
	return SD_LIFE + 1 + turns * (SD_CALL + 2 + 1);
}
static int sd_turn(void *e)
{
	return SD_DO(int, sd_event_run, (void *, uint64_t), (e, 0));
}
static int sd_turn_by_parts(void *e)
{
	SD_DO(int, sd_event_prepare, (void *), (e));
	return SD_DO(int, sd_event_dispatch, (void *), (e));
}
static int exercise_sd_event_add_defer(void)
{
	return sd_defer(sd_turn, 1);
}
static int exercise_sd_event_run(void)
{
	return sd_defer(sd_turn, 1);
}
static int exercise_sd_event_dispatch(void)
{
	return sd_defer(sd_turn_by_parts, 1);
}
static int exercise_sd_event_source_set_enabled(void)
{
	return sd_defer(sd_turn, 3);
}

static int sd_exits(void *s, void *e)
{
	(void)s;
	sd_calls++;
	return SD_DO(int, sd_event_exit, (void *, int), (e, 0));
}
static int exercise_sd_event_loop(void)
{
	void *e = sd_loop(), *s = NULL;

	if (!e) {
		return 0;
	}
	SD_DO(int, sd_event_add_defer, (void *, void **, void *, void *),
	      (e, &s, (void *)sd_exits, e));
	if (SD_DO(int, sd_event_loop, (void *), (e)) < 0 || sd_calls != 1) {
		return 1000;
	}
	sd_over(e, s);
	return SD_LIFE + SD_CALL + 4;
}
static int exercise_sd_event_exit(void)
{
	return exercise_sd_event_loop();
}

/* A child that has ended, or a signal that is pending. */
static int sd_told(int (*add)(void *e, void **s, pid_t child), int records)
{
	void *e = sd_loop(), *s = NULL;
	sigset_t mask, before;
	pid_t child;

	if (!e) {
		return 0;
	}
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &mask, &before);
	child = fork();
	if (child == 0) {
		_exit(0);
	}
	if (add(e, &s, child) < 0) {
		records = 1000;
	}
	for (int i = 0; i < 100 && !sd_calls; i++) {
		SD_DO(int, sd_event_run, (void *, uint64_t), (e, 100000));
	}
	sd_over(e, s);
	waitpid(child, NULL, 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return sd_calls ? records : 1000;
}
static int sd_add_child(void *e, void **s, pid_t child)
{
	return SD_DO(int, sd_event_add_child, (void *, void **, int, int, void *, void *),
		     (e, s, child, WEXITED, F, NULL));
}
static int sd_add_child_pidfd(void *e, void **s, pid_t child)
{
	return SD_DO(int, sd_event_add_child_pidfd, (void *, void **, int, int, void *, void *),
		     (e, s, (int)syscall(SYS_pidfd_open, child, 0), WEXITED, F, NULL));
}
static int sd_add_signal(void *e, void **s, pid_t child)
{
	(void)child;
	raise(SIGUSR2);
	return SD_DO(int, sd_event_add_signal, (void *, void **, int, void *, void *),
		     (e, s, SIGUSR2, F, NULL));
}
static int exercise_sd_event_add_child(void)
{
	return sd_told(sd_add_child, SD_LIFE + SD_CALL + 2);
}
static int exercise_sd_event_add_child_pidfd(void)
{
	return sd_told(sd_add_child_pidfd, SD_LIFE + SD_CALL + 2);
}
static int exercise_sd_event_add_signal(void)
{
	return sd_told(sd_add_signal, SD_LIFE + SD_CALL + 2);
}

/* ---- references ---- */

static int sd_life(int extra, bool disable, bool again)
{
	void *e = sd_loop(), *s = NULL;

	if (!e) {
		return 0;
	}
	SD_DO(int, sd_event_add_time, (void *, void **, int, uint64_t, uint64_t, void *, void *),
	      (e, &s, CLOCK_MONOTONIC, UINT64_MAX - 1, 1, F, NULL));
	if (again) {
		SD_DO(int, sd_event_source_set_time, (void *, uint64_t), (s, UINT64_MAX - 2));
	}
	for (int i = 0; i < extra; i++) {
		SD_DO(void *, sd_event_source_ref, (void *), (s));
		SD_DO(void *, sd_event_ref, (void *), (e));
	}
	for (int i = 0; i < extra; i++) {
		SD_DO(void *, sd_event_source_unref, (void *), (s));
		SD_DO(void *, sd_event_unref, (void *), (e));
	}
	if (disable) {
		SD_DO(void *, sd_event_source_disable_unref, (void *), (s));
		SD_DO(void *, sd_event_unref, (void *), (e));
	} else {
		sd_over(e, s);
	}
	return SD_LIFE + disable + again + 1;
}
static int exercise_sd_event_new(void)
{
	return sd_life(0, false, false);
}
static int exercise_sd_event_ref(void)
{
	return sd_life(3, false, false);
}
static int exercise_sd_event_unref(void)
{
	return sd_life(0, false, false);
}
static int exercise_sd_event_source_ref(void)
{
	return sd_life(3, false, false);
}
static int exercise_sd_event_source_unref(void)
{
	return sd_life(0, false, false);
}
static int exercise_sd_event_source_disable_unref(void)
{
	return sd_life(0, true, false);
}
static int exercise_sd_event_source_set_time(void)
{
	return sd_life(0, false, true);
}
static int exercise_sd_event_default(void)
{
	int (*get)(void **) = (int (*)(void **))library_function(systemd, "sd_event_default");
	void *e = NULL;

	if (!get) {
		return 0;
	}
	if (get(&e) < 0) {
		return 1000;
	}
	SD_DO(void *, sd_event_unref, (void *), (e));
	return 1;
}

#undef F
#endif
