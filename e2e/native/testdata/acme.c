// A native part of an extension, as hosts load them: in a renderer it starts a
// thread that dies, some calls deep, as soon as the file ACME_DIE.<process> is there.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int *volatile nowhere;

__attribute__((noinline)) int acme_parse_manifest(const char *text) {
	int n = (int)strlen(text);
	*nowhere = n; // it dies here
	return n;
}

__attribute__((noinline)) int acme_load_extension(const char *path) {
	char room[512];
	memset(room, path[0], sizeof room - 1);
	room[sizeof room - 1] = 0;
	return acme_parse_manifest(room) + room[7];
}

static void *acme_worker(void *path) {
	pthread_setname_np(pthread_self(), "acme worker");
	while (access(path, F_OK) != 0)
		usleep(20000);
	if (acme_load_extension(path) > 0)
		usleep(1);
	return NULL;
}

__attribute__((constructor)) static void acme_start(void) {
	char line[8192];
	int f = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = f < 0 ? 0 : read(f, line, sizeof line);
	close(f);
	if (n > 0 && getenv("ACME_DIE") && memmem(line, (size_t)n, "--type=renderer", 15)) {
		pthread_t t;
		char *path; // a copy: Chromium writes over its environment
		if (asprintf(&path, "%s.%d", getenv("ACME_DIE"), (int)getpid()) > 0)
			pthread_create(&t, NULL, acme_worker, path);
	}
}
