/* Kernel constants that are newer than the oldest headers this is built with, and the calls that one machine lacks.
 * A number of -1 means: this machine has no such call (aarch64 has only the `at` forms). */
#ifndef INSCOPE_KERNEL_H
#define INSCOPE_KERNEL_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ioctl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_X86_64
#define NATIVE_ELF_MACHINE 62
#define FOREIGN_NUMBER_BIT 0x40000000u /* x32 shares the arch of x86_64 and sets this bit in the number */
#elif defined(__aarch64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#define NATIVE_ELF_MACHINE 183
#define FOREIGN_NUMBER_BIT 0u
#else
#error "inscope-init knows the system calls of x86_64 and aarch64 only"
#endif

#ifndef __NR_open
#define __NR_open (-1)
#endif
#ifndef __NR_creat
#define __NR_creat (-1)
#endif

#ifndef __NR_process_madvise
#define __NR_process_madvise 440
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif
#ifndef __NR_landlock_restrict_self
#define __NR_landlock_restrict_self 446
#endif
#define LANDLOCK_SCOPE_SIGNAL_FLAG (1u << 1) /* Linux 6.12 */

#ifndef __NR_landlock_restrict_self /* Linux 5.13 */
#define __NR_landlock_restrict_self 446
#endif

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#endif
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND /* Linux 5.14 */
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

#define F_SETSIG_COMMAND 10
#define NETNS_COOKIE_OPTION 71 /* SO_NETNS_COOKIE, Linux 5.14 */
#define FIRST_FREE_SIGNAL 34 /* 32 and 33 are the C library's own, and end a process that does not expect them */

#define MSG_FASTOPEN_FLAG 0x20000000u
#define READ_IMPLIES_EXEC_FLAG 0x0400000u

/* PROCMAP_QUERY (Linux 6.11), spelled out: which mapping of a process covers an address. */
struct inscope_procmap_query {
    uint64_t size, query_flags, query_addr;
    uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
    uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
    uint64_t vma_name_addr, build_id_addr;
};
#define INSCOPE_PROCMAP_QUERY _IOWR('f', 17, struct inscope_procmap_query)
#define INSCOPE_PROCMAP_EXECUTABLE 0x04u
#define INSCOPE_PROCMAP_COVERING_OR_NEXT 0x10u
#define INSCOPE_PROCMAP_FILE 0x20u

#endif
