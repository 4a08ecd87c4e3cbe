/* NR < status: what a thread is answered that is held in this call and has such a /proc/TID/status. Built with
 * interrupt.c. */
#include <stdio.h>
#include <stdlib.h>

#include "interrupt.h"

int main(int count, char **arguments) {
    static char status[4096];
    if (count != 2 || fread(status, 1, sizeof status - 1, stdin) == 0)
        return 1;
    printf("%d\n", interrupt_answer(status, atoi(arguments[1])));
    return 0;
}
