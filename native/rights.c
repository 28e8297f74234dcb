/* Giving up rights, for good and for every thread of the process. */
#include "shim.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENY(number)                                             \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),           \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* What a server that is taken over would like to do next. Calls of another architecture are none of ours. */
static const struct sock_filter without_programs[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
#if defined(__x86_64__)
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
#elif defined(__aarch64__)
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_AARCH64, 1, 0),
#endif
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#if defined(__x86_64__)
    /* The x32 numbers are the same calls by another name. */
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
#endif
    DENY(__NR_execve),
    DENY(__NR_execveat),
    DENY(__NR_ptrace),
    DENY(__NR_process_vm_readv),
    DENY(__NR_process_vm_writev),
    DENY(__NR_mount),
    DENY(__NR_umount2),
    DENY(__NR_pivot_root),
    DENY(__NR_chroot),
    DENY(__NR_unshare),
    DENY(__NR_setns),
    DENY(__NR_bpf),
    DENY(__NR_perf_event_open),
    DENY(__NR_keyctl),
    DENY(__NR_add_key),
    DENY(__NR_request_key),
    DENY(__NR_userfaultfd),
    DENY(__NR_init_module),
    DENY(__NR_finit_module),
    DENY(__NR_kexec_load),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* True where the process is nobody now; false where this system has no such user to become. */
napi_value leave_rights(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  napi_value result;
  int id = int_of(env, argument[0]);
  struct rlimit none = {0, 0};
  struct sock_fprog program = {.len = sizeof without_programs / sizeof without_programs[0],
                               .filter = (struct sock_filter *)without_programs};
  if (id <= 0) return fail(env, "leave rights", EINVAL);
  /* A core file would hold the key of the certificate. */
  setrlimit(RLIMIT_CORE, &none);
  /* glibc does these for all threads. Group and user by all three ids, so that there is no way back. */
  int left = setgroups(0, NULL) == 0 && setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0;
  if (left && (getuid() != (uid_t)id || setuid(0) == 0)) return fail(env, "leave rights", EPERM);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return fail(env, "leave rights", errno);
  /* For all threads, which get no_new_privs with it. */
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)) return fail(env, "filter system calls", errno);
  prctl(PR_SET_DUMPABLE, 0);
  napi_get_boolean(env, left, &result);
  return result;
}
