#include "thread.h"

#include <errno.h>
#include <pthread.h>

enum { STACK_BYTES = 96 * 1024 };

bool thread_start(void *(*run)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    errno = pthread_create(&thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    return errno == 0;
}
