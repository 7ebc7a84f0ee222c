/* SPDX-License-Identifier: MIT */
/* situations_threads.c - what threads had when they ended, and what those have that are still there at exit. */
#include "../driver/threads.h"
#include "cases.h"

#include <alloca.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

static sem_t ready;
static pthread_key_t freeing, forgetting;

NOINLINE static void forget(void *p)
{
	STORED(p);
}

static void *wait_for_ever(void)
{
	sem_post(&ready);
	for (;;)
		pause();
	return NULL;
}

NOINLINE static void run_to_end(void *(*f)(void *), void *given)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, f, given) != 0 || pthread_join(thread, NULL) != 0)
		abort();
}

NOINLINE static void start(void *(*f)(void *), const pthread_attr_t *attributes, void *given)
{
	pthread_t thread;

	if (pthread_create(&thread, attributes, f, given) != 0)
		abort();
	sem_wait(&ready);
}

/* ---- threads that have ended */

NOINLINE static void *argument(void) // lost 310/10
{
	return zeroed(31);
}

static void *use_argument(void *given)
{
	STORED(given);
	return NULL;
}

NOINLINE static void *result(void) // lost 320/10
{
	return zeroed(32);
}

static void *give_result(void *unused)
{
	(void)unused;
	return result();
}

/* The next thread takes the stack over, and with it what the last one returned. */
NOINLINE static void *detached_result(void) // lost 132/4, reachable 33/1
{
	return zeroed(33);
}

static void *give_detached_result(void *unused)
{
	pthread_detach(pthread_self());
	(void)unused;
	sem_post(&ready);
	return detached_result();
}

NOINLINE static void *freed_by_destructor(void) // freed
{
	return zeroed(34);
}

NOINLINE static void *forgotten_by_destructor(void) // lost 35/1
{
	return zeroed(35);
}

CASE lost_by_destructor(void) // lost 36/1
{
	forget(zeroed(36));
}

static void destroy(void *p)
{
	forget(p);
	RUN(lost_by_destructor);
}

static void *with_specific(void *unused)
{
	(void)unused;
	pthread_setspecific(freeing, freed_by_destructor());
	pthread_setspecific(forgetting, forgotten_by_destructor());
	return NULL;
}

NOINLINE static void *held_by_cancelled(void) // lost 37/1
{
	return zeroed(37);
}

NOINLINE static void *freed_by_cleanup(void) // freed
{
	return zeroed(38);
}

static void *be_cancelled(void *unused)
{
	void *volatile held = held_by_cancelled();

	(void)unused;
	pthread_cleanup_push(free, freed_by_cleanup());
	wait_for_ever();
	pthread_cleanup_pop(0);
	STORED(held);
	return NULL;
}

NOINLINE static void *contended(void) // lost 16000/1000
{
	return zeroed(16);
}

static void *contend(void *unused)
{
	(void)unused;
	for (int i = 0; i < 250; i++) {
		free(malloc((size_t)i));
		forget(contended());
	}
	scrub();
	return NULL;
}

static void cancel(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, be_cancelled, NULL) != 0)
		abort();
	sem_wait(&ready);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static void ended(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 10; i++)
		run_to_end(use_argument, argument());
	for (int i = 0; i < 10; i++)
		run_to_end(give_result, NULL);
	run_to_end(with_specific, NULL);
	cancel();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, contend, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static void detached(void)
{
	for (int i = 0; i < 5; i++) {
		start(give_detached_result, NULL, NULL);
		threads_wait(thread_count, 1);
	}
}

/* ---- threads that are still there */

NOINLINE static void *argument_of_waiting(void) // reachable 41/1
{
	return zeroed(41);
}

static void *with_argument(void *volatile given)
{
	wait_for_ever();
	return given;
}

NOINLINE static void *in_alloca(void) // reachable 42/1
{
	return zeroed(42);
}

static void *with_alloca(void *unused)
{
	void *volatile *volatile p = alloca(100000);

	(void)unused;
	memset((void *)p, 0, 100000);
	p[6000] = in_alloca();
	return wait_for_ever();
}

NOINLINE static void *specific_of_waiting(void) // reachable 43/1
{
	return zeroed(43);
}

NOINLINE static void *thread_local_of_waiting(void) // reachable 44/1
{
	return zeroed(44);
}

static __thread void *volatile local[100];

static void *with_storage(void *unused)
{
	(void)unused;
	pthread_setspecific(forgetting, specific_of_waiting());
	local[99] = thread_local_of_waiting();
	return wait_for_ever();
}

NOINLINE static void *in_register(void) // reachable 46/1
{
	return zeroed(46);
}

static void *with_register(void *unused)
{
	void *only = in_register();

	(void)unused;
	sem_post(&ready);
	forget_vectors();
#ifdef __x86_64__
	__asm__ volatile("mov %%rax, %%r13; xor %%eax, %%eax; xor %%ecx, %%ecx; xor %%edx, %%edx\n1: pause; jmp 1b"
			 : : "a"(only) : "r13", "rcx", "rdx");
#endif
	return NULL;
}

NOINLINE static void *held_by_interrupted(void) // reachable 47/1
{
	return zeroed(47);
}

CASE lost_by_handler(void) // lost 48/1
{
	forget(zeroed(48));
}

static void handle(int number)
{
	static volatile sig_atomic_t once;

	(void)number;
	if (once)
		return;
	once = 1;
	RUN(lost_by_handler);
}

/* All the time a signal comes. */
static void *interrupted(void *unused)
{
	void *volatile held = held_by_interrupted();

	(void)unused;
	sem_post(&ready);
	for (;;) {
		raise(SIGUSR2);
		usleep(1000);
	}
	STORED(held);
	return NULL;
}

CASE lost_by_waiting(void) // lost 49/1
{
	forget(zeroed(49));
}

static void *loses(void *unused)
{
	(void)unused;
	RUN(lost_by_waiting);
	return wait_for_ever();
}

int main(void)
{
	signal(SIGUSR2, handle);
	sem_init(&ready, 0, 0);
	pthread_key_create(&freeing, free);
	pthread_key_create(&forgetting, destroy);
	RUN(ended);
	RUN(detached);
	start(with_argument, NULL, argument_of_waiting());
	start(with_alloca, NULL, NULL);
	start(with_storage, NULL, NULL);
	start(loses, NULL, NULL);
	start(interrupted, NULL, NULL);
	start(with_register, NULL, NULL);
	scrub();
	FORGET_REGISTERS();
	threads_wait(threads_awake, 2); /* one goes in a circle, all others wait */
	return 0;
}
