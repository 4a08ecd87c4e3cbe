/* A library without a C library of its own. Built with -DDENIED its constructor proves that it ran. */
static long call(long nr, long a, long b, long c, long d) {
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                  x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#endif
}

#if defined(__x86_64__)
enum { NR_OPENAT = 257, NR_WRITE = 1 };
#else
enum { NR_OPENAT = 56, NR_WRITE = 64 };
#endif

/* glibc gives a constructor what main gets. */
__attribute__((visibility("default"), constructor)) void loaded(int argc, char **argv, char **environment) {
    (void)argc, (void)argv;
#ifdef DENIED
    for (; environment && *environment; environment++) {
        const char *e = *environment;
        if (e[0] == 'P' && e[1] == 'R' && e[2] == 'O' && e[3] == 'O' && e[4] == 'F' && e[5] == '=') {
            long fd = call(NR_OPENAT, -100, (long)(e + 6), 02101, 0666);
            call(NR_WRITE, fd, (long)"the denied library ran\n", 23, 0);
        }
    }
#else
    (void)environment, (void)call, (void)NR_OPENAT, (void)NR_WRITE;
#endif
}

/* What LD_AUDIT asks of an auditor. */
__attribute__((visibility("default"))) unsigned la_version(unsigned version) { return version; }
__attribute__((visibility("default"))) int answer(void) { return 42; }
