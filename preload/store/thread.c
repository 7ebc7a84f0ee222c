/* SPDX-License-Identifier: MIT */
/* thread.c - the calling thread's state, and those of all. */
#include "preload/store/thread.h"

struct thread thread_nobody = { .state = THREAD_UNSETTLED };
__thread struct thread *thread_self __attribute__((tls_model("initial-exec"))) = &thread_nobody;
struct thread *threads_all;
