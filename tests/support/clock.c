/* A wall clock that a test can set: the real one, moved by the seconds that the file in CLOCK_OFFSET holds. Loaded into
 * the daemon before the C library, whose function of this name it takes the place of. Time namespaces are no help here:
 * they move the monotonic clocks and leave this one. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long result = syscall(SYS_clock_gettime, clock, now);
    const char *path = getenv("CLOCK_OFFSET");
    if (result != 0 || clock != CLOCK_REALTIME || path == NULL)
        return (int)result;
    char text[32] = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) > 0)
            now->tv_sec += strtol(text, NULL, 10);
        close(file);
    }
    return 0;
}
