/* A held exec is interrupted by signals again and again, so that it is asked for again and again.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static void nothing(int number) {}

void attack(void) {
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerspec every = {{0, 300000}, {0, 300000}};
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &every, NULL);
    uint64_t until = milliseconds() + 300;
    while (milliseconds() < until)
        execve(given("DENIED"), arguments("allowed"), environ);
}
