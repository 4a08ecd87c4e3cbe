"""System call numbers of this machine, for those that the tests look for."""

from __future__ import annotations

import platform

X86_64 = {
    "open": 2, "mmap": 9, "mprotect": 10, "shmat": 30, "socket": 41, "connect": 42, "sendto": 44, "sendmsg": 46,
    "bind": 49, "listen": 50, "execve": 59, "creat": 85, "ptrace": 101, "personality": 135, "prctl": 157,
    "chroot": 161, "mount": 165, "keyctl": 250, "openat": 257, "unshare": 272, "process_vm_readv": 310,
    "seccomp": 317, "memfd_create": 319, "bpf": 321, "execveat": 322, "userfaultfd": 323, "pkey_mprotect": 329,
    "io_uring_setup": 425, "openat2": 437, "setuid": 105, "capset": 126, "setns": 308,
}  # fmt: skip
AARCH64 = {
    "mmap": 222, "mprotect": 226, "shmat": 196, "socket": 198, "connect": 203, "sendto": 206, "sendmsg": 211,
    "bind": 200, "listen": 201, "execve": 221, "ptrace": 117, "personality": 92, "prctl": 167, "chroot": 51,
    "mount": 40, "keyctl": 219, "openat": 56, "unshare": 97, "process_vm_readv": 270, "seccomp": 277,
    "memfd_create": 279, "bpf": 280, "execveat": 281, "userfaultfd": 282, "pkey_mprotect": 288,
    "io_uring_setup": 425, "openat2": 437, "setuid": 146, "capset": 91, "setns": 268,
}  # fmt: skip
NR = X86_64 if platform.machine() == "x86_64" else AARCH64
