/* What inscope-init and the sidecar say to each other, over a SOCK_SEQPACKET unix socket on one machine.
 *
 * Python reads this file as the source (sidecar/observe/header.py): keep to `enum NAME { A = 1, ... };` with explicit
 * values, `#define INSCOPE_X 123`, and `struct inscope_x { fixed-width fields and char/uint8_t arrays };`. All structs
 * are packed and native-endian (both ends run on the same machine).
 *
 * A packet is one or more messages back to back, at most INSCOPE_PACKET_MAX bytes. A message is a `struct inscope_head`,
 * a fixed body for its kind, and a tail of strings: each a uint16_t length and that many bytes (any byte but NUL).
 * The file descriptors of a packet belong, in order, to its messages with INSCOPE_HAS_FD.
 *
 * init connects and speaks first: HELLO. The sidecar answers WELCOME (or REFUSED, and closes). The first connection wins;
 * a later one must bring the secret of the first. After that init sends records, and BYE last; the sidecar may send
 * PATTERNS, ACTOR, KNOWN, MODE and VERDICT at any time, and closes when all before BYE is durable.
 *
 * An act that is done again and again is told once. Its record carries a `key`, a keyed hash of who acts (the number that
 * ACTOR gave to the program the caller runs) and what it does. When the sidecar has answered KNOWN with that key, init
 * only counts the act, and tells the counts in REPEATED. What makes an act known is the sidecar's business.
 *
 * MODE says whether init only watches or also denies. Where it denies, the caller of an act that is not known is held: the
 * record carries `ask`, and VERDICT answers it. A record that asks is told again on the next connection while its caller
 * waits. Without a verdict the call is refused when INSCOPE_HOLD_MS have passed.
 */
#ifndef INSCOPE_PROTOCOL_H
#define INSCOPE_PROTOCOL_H

#include <stdint.h>

#define INSCOPE_PROTOCOL_VERSION 2
#define INSCOPE_MAGIC 0x53434e49
#define INSCOPE_PACKET_MAX 65536
#define INSCOPE_FDS_MAX 16
#define INSCOPE_SECRET_BYTES 32
#define INSCOPE_PATH_MAX 4096
#define INSCOPE_ARGV_MAX 16384
#define INSCOPE_ARGV_ITEMS_MAX 256
#define INSCOPE_KNOWN_MAX 4096
#define INSCOPE_HOLD_MS 5000

/* kind: what a message is. Tail strings are named in brackets. */
enum inscope_kind {
    INSCOPE_HELLO = 1,     /* body hello [init version, working directory, PATH of the agent, command...] */
    INSCOPE_WELCOME = 2,   /* body welcome, from the sidecar */
    INSCOPE_REFUSED = 3,   /* no body [reason], from the sidecar */
    INSCOPE_PATTERNS = 4,  /* body patterns [patterns...], from the sidecar: replaces the whole list */
    INSCOPE_ACTOR = 5,     /* body actor, from the sidecar: what a process runs since its last exec */
    INSCOPE_KNOWN = 6,     /* body known, then `count` of struct inscope_known_act; from the sidecar */
    INSCOPE_MODE = 7,      /* body mode, from the sidecar */
    INSCOPE_VERDICT = 8,   /* body verdict, from the sidecar */
    INSCOPE_EXEC = 10,     /* body file [path as given made absolute, working directory, argv...]: about to happen; fd of the image */
    INSCOPE_IMAGE = 11,    /* body file [/proc/PID/exe]: what really runs, seen at the gate, or at the first trap after an exec; fd of it */
    INSCOPE_LOAD = 12,     /* body file [path]: a file is mapped or made executable; fd of it */
    INSCOPE_CODE_MEMORY = 13, /* body call []: executable memory without a file */
    INSCOPE_OPEN = 14,     /* body open [path made absolute, and what the file is really called if that is another]: a
                              path that matched a pattern, or any with level `all` */
    INSCOPE_CONNECT = 15,  /* body address []: connect, or a send that carries an address */
    INSCOPE_BIND = 16,     /* body address [] */
    INSCOPE_LISTEN = 17,   /* body address [] : the address is the one bound */
    INSCOPE_SYSCALL = 18,  /* body call []: everything else that is trapped */
    INSCOPE_EXIT = 19,     /* body exit []: a process that init reaped */
    INSCOPE_COUNTERS = 20, /* body counters []: each second while anything changed, and before BYE */
    INSCOPE_SURVEY = 21,   /* body survey [members...]: what the container holds */
    INSCOPE_BYE = 22,      /* body exit []: the agent's own end */
    INSCOPE_PROCESS = 23,  /* body file [/proc/PID/exe]: an ancestor that made no trapped call yet, an orphan, or a
                              process whose exec was known and only counted: then `key` is the exec's */
    INSCOPE_MODE_IS = 25,  /* body mode: in force from here on */
    INSCOPE_REPEATED = 24  /* body repeated, then `count` of struct inscope_repeat: known acts since the last of these */
};

enum inscope_flag {
    INSCOPE_HAS_FD = 1,
    INSCOPE_TRUNCATED = 2,  /* a string or argv was cut at its bound */
    INSCOPE_UNREADABLE = 4, /* the caller's memory or descriptor could not be read: what is missing is zero */
    INSCOPE_DENIED = 8,     /* init answered the call with an error */
    INSCOPE_MISMATCH = 16,  /* IMAGE: not the file that the EXEC before it named. LOAD: mapped without having been judged.
                               OPEN: no name of it matches, but it is a file that matched by another */
    INSCOPE_FOREIGN = 32,   /* the call came in through a foreign ABI (i386, x32): `nr` is of that ABI */
    INSCOPE_FAILED = 64,    /* IMAGE: the EXEC before it failed, this is what the process runs as before */
    INSCOPE_GUARD = 128,    /* SYSCALL: aimed at init or the sidecar */
    INSCOPE_OWN = 256,      /* CONNECT: a listener of the agent's own is there, on a port that the kernel chose, and nobody else's */
    INSCOPE_CUT = 512       /* with DENIED: because the instance is quarantined */
};

/* Levels of the `--reads` and `--writes` settings; part of the filter, so fixed when the agent starts. */
enum inscope_level {
    INSCOPE_OFF = 0,
    INSCOPE_WATCHED = 1,
    INSCOPE_ALL = 2
};

/* How one pattern of PATTERNS matches an absolute path; the first byte of the string, the rest is the text. */
enum inscope_match {
    INSCOPE_PREFIX = 80,   /* 'P' /etc/ssl/private/ */
    INSCOPE_SUFFIX = 83,   /* 'S' .pem */
    INSCOPE_NAME = 78,     /* 'N' id_rsa: the last component */
    INSCOPE_INFIX = 73,    /* 'I' /.ssh/ */
    INSCOPE_WRITE = 87     /* 'W' as SUFFIX, for writes only */
};

/* What a SURVEY lists. */
enum inscope_survey_kind {
    INSCOPE_SURVEY_EXECUTABLES = 1,
    INSCOPE_SURVEY_LIBRARIES = 2,
    INSCOPE_SURVEY_SECRETS = 3,
    INSCOPE_SURVEY_WRITABLE_CODE = 4,
    INSCOPE_SURVEY_EGRESS = 5,
    INSCOPE_SURVEY_PORTS = 6,
    INSCOPE_SURVEY_SYSCALLS = 7
};

struct inscope_head {
    uint32_t size;       /* of the whole message */
    uint16_t kind;
    uint16_t flags;
    uint64_t lost;       /* records lost before this one, cumulative for the life of init */
    uint64_t time_ns;    /* CLOCK_BOOTTIME */
    uint64_t start;      /* of the process, clock ticks since boot; 0 where unreadable */
    int32_t pid;         /* thread group, in init's pid namespace */
    int32_t tid;
    int32_t ppid;
    uint64_t key;        /* of the act; 0: it cannot become known. IMAGE, PROCESS: of the exec that was only counted */
    uint64_t ask;        /* the caller is held until a VERDICT on this; 0: it was answered */
};

struct inscope_hello {
    uint32_t magic;
    uint16_t version;
    uint16_t machine;    /* ELF e_machine */
    uint32_t mechanisms; /* bits of enum inscope_mechanism that work here */
    int32_t pid;         /* of init; 1 when it is PID 1 */
    int32_t agent;       /* pid of the agent */
    uint32_t uid;
    uint16_t reads;      /* enum inscope_level */
    uint16_t writes;
    uint64_t realtime_ns; /* minus head.time_ns: the wall clock's offset */
    uint8_t secret[32];  /* made by init, the same at each reconnect */
};

enum inscope_mechanism {
    INSCOPE_M_NOTIFY = 1,
    INSCOPE_M_SYNC_WAKE = 2,
    INSCOPE_M_WAIT_KILLABLE = 4,
    INSCOPE_M_VM_READ = 8,
    INSCOPE_M_PROC_MEM = 16,
    INSCOPE_M_ADDFD = 32,
    INSCOPE_M_ADDFD_SEND = 64,
    INSCOPE_M_PIDFD_GETFD = 128,
    INSCOPE_M_PTRACE_SEIZE = 256,
    INSCOPE_M_LANDLOCK = 512,
    INSCOPE_M_LANDLOCK_SIGNAL = 1024,
    INSCOPE_M_SOCK_DIAG = 2048,
    INSCOPE_M_TCP_DESTROY = 4096,
    INSCOPE_M_SUBREAPER = 8192,
    INSCOPE_M_PIDFD_THREAD = 16384,
    INSCOPE_M_OPENAT2 = 32768
};

struct inscope_welcome {
    uint32_t magic;
    uint16_t version;
    uint16_t survey;     /* 1: list what the container holds */
    uint32_t stance;     /* as a MODE: there is no moment in which another holds */
    uint32_t generation;
};

struct inscope_patterns {
    uint32_t count;
};

struct inscope_actor {
    uint64_t since_ns;   /* head.time_ns of the record that it was read from; void when the process has exec'ed since */
    uint64_t start;      /* of the process */
    uint64_t actor;      /* the program's number: the same for processes whose acts are judged alike; never 0 */
    int32_t pid;
};

struct inscope_known {
    uint32_t generation; /* another than before: these begin a new set, which replaces the old one when it is whole */
    uint16_t last;       /* 1: the set is whole; more of the same generation are added to it at once */
    uint16_t count;
};

struct inscope_known_act {
    uint64_t key;
    uint64_t actor;      /* EXEC: the number of the program that the process runs then; else 0 */
};

/* What init does about an act that is not known. */
enum inscope_stance {
    INSCOPE_WATCHES = 1,     /* lets it go on */
    INSCOPE_ENFORCES = 2,    /* asks, and refuses what the verdict refuses */
    INSCOPE_QUARANTINES = 3, /* as ENFORCES, and nothing is sent or connected anywhere */
    INSCOPE_FREEZES = 4      /* as QUARANTINES, and the agent's processes are stopped */
};

struct inscope_mode {
    uint32_t stance;     /* enum inscope_stance */
    uint32_t generation; /* of the sidecar's choosing; MODE_IS brings it back */
};

struct inscope_verdict {
    uint64_t ask;
    int32_t error;       /* 0: it may; else the errno that the caller gets */
};

struct inscope_repeated {
    uint32_t count;
};

struct inscope_repeat {
    uint64_t key;
    uint64_t times;
};

struct inscope_file {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
    uint32_t mode;
    uint32_t owner;
    int32_t nr;          /* the system call */
    uint16_t argc;       /* EXEC: argv strings that follow; the caller's own count may be larger (TRUNCATED) */
    uint16_t writable;   /* 1: the agent may write the file (access by its credentials) */
};

struct inscope_call {
    int32_t nr;
    uint32_t arch;       /* AUDIT_ARCH_* */
    uint64_t args[6];
    int32_t error;       /* what init answered: 0 or a positive errno */
};

struct inscope_open {
    int32_t nr;          /* 0: nobody's call, but a secret that is open without having been judged */
    uint32_t open_flags;
    uint64_t device;     /* 0 where the path did not exist yet */
    uint64_t inode;
};

struct inscope_address {
    int32_t nr;
    int32_t descriptor;
    uint64_t socket;     /* inode of the socket, 0 where unreadable */
    uint16_t family;
    uint16_t type;       /* SOCK_STREAM...; 0 where unknown */
    uint16_t protocol;
    uint16_t port;       /* host order; 0 for families without */
    uint16_t length;     /* of `address` that is filled */
    uint8_t address[128]; /* IPv4: 4 bytes, IPv6: 16, unix: sun_path without NUL (abstract: leading @), else raw sockaddr */
};

struct inscope_exit {
    int32_t status;      /* as wait(2) gives it */
};

struct inscope_counters {
    uint64_t traps;      /* notifications received */
    uint64_t records;    /* messages put in the queue */
    uint64_t lost_queue; /* the queue was full */
    uint64_t lost_away;  /* no sidecar was connected, or the one that knew what was counted is gone */
    uint64_t unreadable; /* arguments that could not be read */
    uint64_t opens;      /* opens answered without a record */
    uint64_t repeats;    /* loads answered without a record: the same file by the same process */
    uint64_t gone;       /* callers that died or were interrupted before the answer */
    uint64_t busy;       /* filters refused to a caller that wanted its own listener (EBUSY) */
    uint64_t undumpable; /* processes that made themselves unreadable */
    uint64_t expired;    /* calls refused because no verdict came, or too many were held */
};

struct inscope_survey {
    uint16_t survey;     /* enum inscope_survey_kind */
    uint16_t last;       /* 1: this kind is done */
    uint16_t complete;   /* with last: 0 where a bound was hit */
    uint16_t count;      /* members in this message */
};

#endif
