/* SPDX-License-Identifier: MIT */
/* lost_descriptors.c - closes every descriptor, opens its own in their place, drops to a full table, then makes enough events for
 * many segments; its own file must hold just what it wrote. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	static pthread_mutex_t m[64];
	char name[] = "/tmp/thrum-hostile-XXXXXX", text[8] = "";
	struct rlimit limit = { 16, 16 };
	struct stat st;
	int fd, out = dup(1), opened[4096], count = 0;

	for (int i = 3; i < 4096; i++) {
		if (i != out) {
			close(i);
		}
	}
	fd = mkstemp(name);
	unlink(name);
	for (; count < 2000; count++) { /* take the numbers that were freed */
		opened[count] = dup(fd);
		if (opened[count] < 0) {
			break;
		}
	}
	if (write(fd, "mine", 4) != 4) {
		return 1;
	}
	for (int i = 0; i < 64; i++) {
		pthread_mutex_init(&m[i], NULL);
	}
	for (int i = 0; i < 200000; i++) {
		pthread_mutex_lock(&m[i % 64]);
		pthread_mutex_unlock(&m[i % 64]);
	}
	for (int i = 0; i < count; i++) {
		close(opened[i]);
	}
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < 200000; i++) {
		pthread_mutex_lock(&m[i % 64]);
		pthread_mutex_unlock(&m[i % 64]);
	}
	fstat(fd, &st);
	if (pread(fd, text, 7, 0) < 0) {
		return 1;
	}
	dprintf(out, "%ld %s\n", (long)st.st_size, text);
	return 0;
}
