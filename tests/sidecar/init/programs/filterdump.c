/* READS WRITES SOCKETS: print the filter for these levels, one instruction a line: code jt jf k. Built with filter.c. */
#include <stdio.h>
#include <stdlib.h>

#include "filter.h"

int main(int count, char **arguments) {
    static struct sock_filter program[FILTER_INSTRUCTIONS_MAX];
    if (count != 4)
        return 1;
    struct filter_levels levels = {(enum inscope_level)atoi(arguments[1]), (enum inscope_level)atoi(arguments[2]),
                                   atoi(arguments[3]) != 0};
    size_t size = filter_build(program, levels);
    for (size_t i = 0; i < size; i++)
        printf("%u %u %u %u\n", program[i].code, program[i].jt, program[i].jf, program[i].k);
    return 0;
}
