/* Init is given the least of the processor: nice, an idle scheduling class, one core.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sched_param none = {0};
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    if (setpriority(PRIO_PROCESS, (id_t)guard(), 19) == 0)
        won();
    if (syscall(SYS_sched_setscheduler, guard(), 5, &none) == 0)
        won();
    if (syscall(SYS_sched_setaffinity, guard(), sizeof one, &one) == 0)
        won();
}
