/* SPDX-License-Identifier: MIT */
/*
 * places.c - as roots.c: one block, and one place where it is pointed to or was. More of the kinds that are there, in other shapes: words of
 * the allocator's, calls that a thread waits in, stacks that somebody made or left, memory from elsewhere, ends of blocks.
 */
#define _GNU_SOURCE
#include "cases.h"

#include <alloca.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

NOINLINE void *block(size_t size)
{
	return malloc(size);
}

static int argument;
static sem_t ready, never;
static int channel[2], sockets[2];
static pthread_mutex_t locked = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unsignalled = PTHREAD_COND_INITIALIZER;

NOINLINE static void forget(void *p)
{
	STORED(p);
}

static void start(void *(*f)(void *), const pthread_attr_t *attributes)
{
	pthread_t thread;

	if (pthread_create(&thread, attributes, f, NULL) != 0)
		abort();
	sem_wait(&ready);
	usleep(20000);
}

static void run_to_end(void *(*f)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, f, NULL) != 0 || pthread_join(thread, NULL) != 0)
		abort();
}

static void *volatile *map(size_t size, int flags)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/* ---- the allocator's own words: each leads to the chunk behind the block, whose header is the block's last 8 bytes */

NOINLINE static size_t size_behind(void)
{
	return 24 + 16 * (size_t)(argument % 40);
}

/* The remainder of a chunk that was split is kept in mind. */
CASE before_last_remainder(void) // lost
{
	void *large, *guard;

	forget(block(size_behind()));
	large = malloc(3000);
	guard = malloc(3000);
	free(large);
	forget(zeroed(40));
	STORED(guard);
}

CASE before_fast_chunk(void) // lost
{
	void *chunks[9], *guard;

	forget(block(size_behind()));
	for (int i = 0; i < 9; i++)
		chunks[i] = malloc(40);
	guard = malloc(40);
	for (int i = 8; i >= 0; i--)
		free(chunks[i]);
	memset(chunks, 0, sizeof(chunks));
	STORED(chunks);
	STORED(guard);
}

CASE before_large_chunks(void) // lost
{
	void *chunks[6];

	forget(block(size_behind()));
	for (int i = 0; i < 6; i++) {
		chunks[i] = malloc(2000 + 512 * (size_t)i);
		forget(malloc(24));
	}
	for (int i = 0; i < 6; i++)
		free(chunks[i]);
	memset(chunks, 0, sizeof(chunks));
	STORED(chunks);
	forget(malloc(9000)); /* sorts them */
}

CASE before_trimmed_top(void) // lost
{
	void *large;

	forget(block(size_behind()));
	large = malloc(100000);
	free(large);
	large = NULL;
	malloc_trim(0);
	STORED(large);
}

CASE behind_shrunk(void) // lost
{
	void *p = malloc(4000);

	p = realloc(p, 1000);
	forget(block(size_behind()));
	free(p);
	p = NULL;
	STORED(p);
}

CASE beside_aligned(void) // lost
{
	forget(memalign(1024, 100));
	forget(block(size_behind()));
	free(memalign(4096, 5000));
}

static void *in_small_arena(void *unused)
{
	void *large;

	forget(block(size_behind()));
	large = malloc(60000);
	forget(malloc(24));
	free(large);
	large = NULL;
	STORED(large);
	return unused;
}

CASE before_free_of_other_arena(void) // lost
{
	run_to_end(in_small_arena);
}

/* A block with a mapping of its own has its header there. */
CASE mapped_alone(void) // lost
{
	forget(block(1000000));
}


/* ---- calls that a thread waits in, with its pointer in a register */

#define WAITS_IN(name, ...)                                                    \
	static void *wait_##name(void *unused)                                 \
	{                                                                      \
		void *p = block(1000);                                         \
                                                                               \
		sem_post(&ready);                                              \
		for (;;) {                                                     \
			__VA_ARGS__;                                           \
			forget(p);                                             \
		}                                                              \
		return unused;                                                 \
	}                                                                      \
	CASE in_##name(void)                                                   \
	{                                                                      \
		start(wait_##name, NULL);                                      \
	}

/* clang-format off */
WAITS_IN(semaphore, sem_wait(&never))            // case in_semaphore reachable
WAITS_IN(mutex, pthread_mutex_lock(&locked))     // case in_mutex reachable
WAITS_IN(condition, pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; pthread_mutex_lock(&m);
	pthread_cond_wait(&unsignalled, &m))     // case in_condition reachable
WAITS_IN(select, fd_set set; FD_ZERO(&set); FD_SET(channel[0], &set);
	select(channel[0] + 1, &set, NULL, NULL, NULL))            // case in_select reachable
WAITS_IN(nanosleep, struct timespec t = { 1000, 0 }; nanosleep(&t, NULL)) // case in_nanosleep reachable
WAITS_IN(accept, accept(sockets[0], NULL, NULL); pause())          // case in_accept reachable
WAITS_IN(readv, char c; struct iovec v = { &c, 1 }; readv(channel[0], &v, 1)) // case in_readv reachable
WAITS_IN(sigwait, sigset_t set; int s; sigemptyset(&set); sigaddset(&set, SIGUSR2);
	sigwait(&set, &s))                       // case in_sigwait reachable
WAITS_IN(message, char m[64]; int q = msgget(IPC_PRIVATE, 0600); int gone = (msgrcv(q, m, 8, 0, IPC_NOWAIT), msgctl(q, IPC_RMID, NULL));
	forget(&gone); pause())                  // case in_message reachable
WAITS_IN(join, pthread_t t; pthread_create(&t, NULL, wait_semaphore, NULL); pthread_join(t, NULL)) // case in_join reachable
/* clang-format on */

/* ---- stacks that somebody made */

static struct {
	char before[4096];
	char stack[65536] __attribute__((aligned(16)));
	void *volatile behind;
} made;

static ucontext_t outer, fiber;

static void fiber_that_waits(void)
{
	void *volatile p = block(1000);

	swapcontext(&fiber, &outer);
	STORED(p);
}

static void fiber_that_ends(void)
{
	forget(block(1000));
}

static void switch_to(void (*f)(void), void *stack)
{
	getcontext(&fiber);
	fiber.uc_stack.ss_sp = stack;
	fiber.uc_stack.ss_size = 65536;
	fiber.uc_link = &outer;
	makecontext(&fiber, f, 0);
	swapcontext(&outer, &fiber);
	memset(&outer, 0, sizeof(outer));
}

CASE on_waiting_static_fiber(void) // reachable
{
	switch_to(fiber_that_waits, made.stack);
}

CASE on_waiting_mapped_fiber(void) // reachable
{
	switch_to(fiber_that_waits, (void *)map(65536, 0));
}

CASE behind_made_stack(void) // reachable
{
	made.behind = block(1000);
	switch_to(fiber_that_ends, made.stack);
}

static void *hold(void *unused)
{
	void *volatile p = block(1000);

	sem_post(&ready);
	for (;;)
		pause();
	STORED(p);
	return unused;
}

static void start_on(void *stack)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stack, 65536);
	start(hold, &attributes);
}

CASE on_static_stack_of_thread(void) // reachable
{
	start_on(made.stack);
}

static void *volatile stack_in_heap;

CASE on_heap_stack_of_thread(void) // reachable
{
	stack_in_heap = memalign(4096, 65536);
	start_on(stack_in_heap);
}

static void wait_on_signal_stack(int number)
{
	void *volatile p = block(1000);

	(void)number;
	sem_post(&ready);
	for (;;)
		pause();
	STORED(p);
}

static void *with_signal_stack(void *unused)
{
	stack_t stack = { .ss_sp = made.stack, .ss_size = sizeof(made.stack) };
	struct sigaction action = { .sa_handler = wait_on_signal_stack, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	return unused;
}

CASE on_signal_stack_of_thread(void) // reachable
{
	start(with_signal_stack, NULL);
}

/* ---- stacks that were left */

NOINLINE static void recurse(int depth)
{
	void *volatile p = depth ? NULL : block(1000);

	if (depth)
		recurse(depth - 1);
	STORED(p);
}

CASE left_deep(void) // lost
{
	recurse(3000);
}

static jmp_buf back;

NOINLINE static void jump_out(void)
{
	void *volatile p = block(1000);

	STORED(p);
	longjmp(back, 1);
}

CASE left_by_jump(void) // lost
{
	if (setjmp(back) == 0)
		jump_out();
	memset(back, 0, sizeof(back));
}

NOINLINE static void leave_alloca(void)
{
	void *volatile *p = alloca(100000);

	p[0] = block(1000);
	STORED(p);
}

CASE left_in_alloca(void) // lost
{
	leave_alloca();
}

static void on_signal(int number)
{
	void *volatile p = block(1000);

	(void)number;
	STORED(p);
}

CASE left_by_handler(void) // lost
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
}

/* ---- threads that have ended */

static __thread void *volatile local;

static void *in_thread_local(void *unused)
{
	local = block(1000);
	return unused;
}

CASE left_in_thread_local(void) // lost
{
	run_to_end(in_thread_local);
}

static pthread_key_t key;

static void *in_specific(void *unused)
{
	pthread_setspecific(key, block(1000));
	return unused;
}

CASE left_in_specific(void) // lost
{
	pthread_key_create(&key, NULL);
	run_to_end(in_specific);
}

static void *leaves_by_exit(void *unused)
{
	void *volatile p = block(1000);

	STORED(p);
	pthread_exit(unused);
}

CASE left_by_thread_exit(void) // lost
{
	run_to_end(leaves_by_exit);
}

static void *cancelled(void *unused)
{
	void *volatile p = block(1000);

	sem_post(&ready);
	pause();
	STORED(p);
	return unused;
}

CASE left_by_cancelled(void) // lost
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, cancelled, NULL) != 0)
		abort();
	sem_wait(&ready);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static void *detached(void *unused)
{
	void *volatile p = block(1000);

	STORED(p);
	pthread_detach(pthread_self());
	sem_post(&ready);
	return unused;
}

CASE left_by_detached(void) // lost
{
	start(detached, NULL);
}

/* ---- memory from elsewhere */

CASE in_part_not_forked(void) // reachable
{
	void *volatile *p = map(16384, 0);

	madvise((char *)p + 4096, 4096, MADV_DONTFORK);
	p[600] = block(1000);
}

static void *volatile page[1024] __attribute__((aligned(4096)));

CASE in_data_not_forked(void) // reachable
{
	madvise((void *)page, 4096, MADV_DONTFORK);
	page[5] = block(1000);
}

CASE in_memory_not_dumped(void) // reachable
{
	void *volatile *p = map(8192, 0);

	madvise((void *)p, 8192, MADV_DONTDUMP);
	p[5] = block(1000);
}

CASE in_system_v_memory(void) // reachable
{
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	void *volatile *p = shmat(id, NULL, 0);

	shmctl(id, IPC_RMID, NULL);
	if (p == (void *)-1)
		abort();
	p[7] = block(1000);
}

CASE in_growing_memory(void) // reachable
{
	void *volatile *p = map(8192, MAP_GROWSDOWN);

	p[7] = block(1000);
}

CASE in_moved_memory(void) // reachable
{
	void *volatile *p = map(8192, 0);

	p[7] = block(1000);
	p = mremap((void *)p, 8192, 1 << 20, MREMAP_MAYMOVE);
	STORED(p);
}

CASE in_executable_memory(void) // reachable
{
	void *volatile *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[7] = block(1000);
}

/* Memory of a block that was freed by the C library itself, which nobody sees, and is the program's own
 * then. What told its size can't be read any more. */
extern void __libc_free(void *);

static void map_over_freed(size_t closed)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	char *p = memalign(4096, 1 << 20);
	void *volatile *words;

	__libc_free(p);
	if (closed && mmap(p - closed, closed, PROT_NONE, flags, -1, 0) == MAP_FAILED)
		abort();
	words = mmap(p, 1 << 20, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (words == MAP_FAILED)
		abort();
	words[1000] = block(1000);
	p = NULL;
	words = NULL;
	STORED(p);
	STORED(words);
}

CASE in_freed_mapping(void) // reachable
{
	map_over_freed(0);
}

CASE in_freed_mapping_behind_guard(void) // reachable
{
	map_over_freed(4096);
}

CASE in_given_back_page(void) // lost
{
	void *volatile *p = map(8192, 0);

	p[7] = block(1000);
	madvise((void *)p, 4096, MADV_DONTNEED);
}

CASE between_breaks(void) // reachable
{
	void *volatile *p;

	forget(malloc(100));
	p = sbrk(8192);
	p[7] = block(100000);
}

CASE in_given_back_break(void) // lost
{
	void *volatile *p;

	forget(malloc(100)); /* the heap lies below */
	p = sbrk(65536);
	p[4000] = block(1000);
	brk((void *)p);
}

/* ---- the ends of blocks */

static char *volatile end;

CASE by_its_end(void) // lost
{
	end = (char *)block(1008) + 1008;
}

CASE by_its_last_byte(void) // possible
{
	end = (char *)block(1008) + 1007;
}

CASE by_its_usable_end(void) // lost
{
	char *p = block(1001);

	end = p + malloc_usable_size(p);
}

CASE by_the_next_blocks_start(void) // lost
{
	char *p = block(1008);

	end = malloc(1008);
	STORED(p);
}

#define ALL(x)                                                                                 \
	x(before_last_remainder) x(before_fast_chunk) x(before_large_chunks) x(before_trimmed_top)     \
	x(behind_shrunk) x(beside_aligned) x(before_free_of_other_arena) x(mapped_alone)               \
	x(in_semaphore) x(in_mutex) x(in_condition) x(in_select) x(in_nanosleep)                       \
	x(in_accept) x(in_readv) x(in_sigwait) x(in_message) x(in_join) x(on_waiting_static_fiber)     \
	x(on_waiting_mapped_fiber) x(behind_made_stack) x(on_static_stack_of_thread)                   \
	x(on_heap_stack_of_thread) x(on_signal_stack_of_thread) x(left_deep) x(left_by_jump)           \
	x(left_in_alloca) x(left_by_handler) x(left_in_thread_local) x(left_in_specific)               \
	x(left_by_thread_exit) x(left_by_cancelled) x(left_by_detached) x(in_part_not_forked)          \
	x(in_data_not_forked) x(in_memory_not_dumped) x(in_system_v_memory) x(in_growing_memory)       \
	x(in_moved_memory) x(in_executable_memory) x(in_given_back_page) x(between_breaks)             \
	x(in_given_back_break) x(by_its_end) x(by_its_last_byte) x(by_its_usable_end)                  \
	x(by_the_next_blocks_start)                            \
	x(in_freed_mapping) x(in_freed_mapping_behind_guard)

#define ENTRY(name) { #name, name },
static const struct {
	const char *name;
	void (*run)(void);
} cases[] = { ALL(ENTRY) };

int main(int argc, char **argv)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (pipe(channel) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
		return 2;
	sem_init(&ready, 0, 0);
	sem_init(&never, 0, 0);
	pthread_mutex_lock(&locked);
	argument = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(argv[1], cases[i].name) == 0) {
			RUN(cases[i].run);
			return 0;
		}
	return 1;
}
