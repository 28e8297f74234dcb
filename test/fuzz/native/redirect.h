/*
 * Included before every file of the shim: these calls go to kernel.c instead. By name, so that libpcap,
 * the sanitizers and libFuzzer keep the real ones.
 */
#pragma once

#define recvfrom kernel_recvfrom
#define recv kernel_recv
#define sendto kernel_sendto
#define ppoll kernel_ppoll
#define pcap_next_ex kernel_pcap_next_ex
#define read kernel_read
#define write kernel_write
#define open kernel_open
#define ioctl kernel_ioctl
#define fcntl kernel_fcntl
#define sigaction kernel_sigaction
#define sched_setscheduler kernel_sched_setscheduler
#define mlockall kernel_mlockall
#define prctl kernel_prctl
#define setrlimit kernel_setrlimit
#define setgroups kernel_setgroups
#define setresgid kernel_setresgid
#define setresuid kernel_setresuid
#define setuid kernel_setuid
#define syscall kernel_syscall
#define setpriority kernel_setpriority
