// SPDX-License-Identifier: MIT
/*
 * stress.cc - all at once: threads that allocate, throw, load and unload libraries and end, a timer whose handler allocates
 * too, and children that are forked at any moment, run threads of their own and are killed at any other. Each keeps a
 * ledger of what it allocates, in a file that outlives it.
 *
 * usage: stress SEED MILLISECONDS DIRECTORY
 */
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 3
#define HELD 200
#define CHILD_THREADS 2

static void fail(const char *what)
{
	fprintf(stderr, "stress: %s failed\n", what);
	_Exit(1);
}

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition))

/* What a thread has begun to do and what it has done: what a kill finds in between may be in the trace or not. */
struct count {
	uint64_t allocations, bytes, frees, current;
};
struct account {
	count begun, ended;
};

struct ledger {
	account threads[8]; /* of workers, or of a child's threads */
	uint64_t handler, plugin_a, plugin_b, children, killed;
};

static ledger *book;
static std::atomic<bool> enough;
static thread_local volatile bool busy = true; /* in code that a handler may not call anew */
static thread_local unsigned dice;

static unsigned draw(unsigned most)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 8) % most;
}

static ledger *open_book(const char *directory, const char *name)
{
	std::string path = std::string(directory) + "/" + name;
	int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && ftruncate(fd, sizeof(ledger)) == 0);
	void *p = mmap(nullptr, sizeof(ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	close(fd);
	return (ledger *)p;
}

static void add(count &c, size_t size)
{
	c.allocations++;
	c.bytes += size;
	c.current += size;
}

static void subtract(count &c, size_t size)
{
	c.frees++;
	c.current -= size;
}

struct block {
	char *start;
	size_t size;
};

static __attribute__((noinline)) char *allocate(size_t size)
{
	return (char *)malloc(size); /* line: malloc */
}

static __attribute__((noinline)) char *allocate_in_child(size_t size)
{
	return (char *)malloc(size); /* line: child */
}

typedef char *allocator(size_t);

static __attribute__((noinline)) char *deeper(allocator *f, unsigned depth, size_t size)
{
	char *p = depth ? deeper(f, depth - 1, size) : f(size);

	__asm__ volatile("" ::: "memory");
	return p;
}

static void give_back(block &b, account &a)
{
	subtract(a.begun, b.size);
	free(b.start);
	subtract(a.ended, b.size);
	b.start = nullptr;
}

static void take(block &b, account &a, allocator *f)
{
	b.size = draw(10) ? draw(500) : draw(300000);
	add(a.begun, b.size);
	b.start = deeper(f, draw(12), b.size);
	add(a.ended, b.size);
	CHECK(b.start);
	if (b.size)
		b.start[0] = b.start[b.size - 1] = 1;
}

/* Something that allocates nothing: here handlers may. */
static void compute()
{
	volatile unsigned n = 0;

	busy = false;
	for (unsigned i = draw(300); i > 0; i--)
		n = n + i;
	busy = true;
}

static void thrower(int depth)
{
	if (depth == 0)
		throw std::runtime_error("a text that is too long to be kept inside of the string");
	std::string kept("another one that is destroyed when the stack is unwound");
	thrower(depth - 1);
}

static void throws()
{
	try {
		thrower((int)draw(20));
	} catch (const std::exception &e) {
		CHECK(e.what()[0] == 'a');
	}
}

static void work_on(account &a, allocator *f)
{
	static thread_local block held[HELD];

	for (unsigned i = 0; !enough; i++) {
		block &b = held[draw(HELD)];

		if (b.start)
			give_back(b, a);
		else
			take(b, a, f);
		if (i % 64 == 0)
			throws();
		compute();
	}
	for (block &b : held)
		if (b.start)
			give_back(b, a);
}

static void *work(void *number)
{
	dice = (unsigned)(size_t)number * 7919 + 1;
	work_on(book->threads[(size_t)number % 8], allocate);
	return nullptr;
}

static void *work_in_child(void *number)
{
	dice = (unsigned)(size_t)number * 104729 + 1;
	work_on(book->threads[(size_t)number % 8], allocate_in_child);
	return nullptr;
}

static void *load(void *)
{
	while (!enough) {
		bool a = draw(2);
		void *library = dlopen(a ? "$ORIGIN/../shim/libplugin_storm_a.so"
					 : "$ORIGIN/../shim/libplugin_storm_b.so",
			RTLD_NOW | RTLD_LOCAL);

		CHECK(library);
		void (*plugin_work)() = (void (*)())dlsym(library, "plugin_work");
		CHECK(plugin_work);
		plugin_work();
		(a ? book->plugin_a : book->plugin_b)++;
		CHECK(dlclose(library) == 0);
		usleep(draw(2000));
	}
	return nullptr;
}

static void *short_lived(void *seed)
{
	dice = (unsigned)(size_t)seed;
	free(malloc(draw(100)));
	throws();
	return nullptr;
}

static void *make_threads(void *)
{
	while (!enough) {
		pthread_t thread;

		CHECK(pthread_create(&thread, nullptr, short_lived, (void *)(size_t)draw(1000)) ==
			0);
		CHECK(pthread_join(thread, nullptr) == 0);
		usleep(draw(500));
	}
	return nullptr;
}

static void handle(int)
{
	if (busy)
		return;
	free(malloc(123)); /* line: handler */
	__atomic_fetch_add(&book->handler, 1, __ATOMIC_RELAXED);
}

/* Runs until it is killed. */
static void be_a_child(const char *directory)
{
	static pthread_t threads[CHILD_THREADS];
	struct itimerval never = {};
	char name[32];

	alarm(60);
	CHECK(setitimer(ITIMER_REAL, &never, nullptr) == 0);
	signal(SIGALRM, SIG_DFL);
	alarm(60);
	snprintf(name, sizeof(name), "ledger.%d", (int)getpid());
	book = open_book(directory, name);
	for (size_t i = 0; i < CHILD_THREADS; i++)
		CHECK(pthread_create(&threads[i], nullptr, work_in_child, (void *)(i + 1)) == 0);
	for (;;)
		pause();
}

static void fork_one(const char *directory)
{
	unsigned kind = draw(3);
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0 && kind == 0)
		be_a_child(directory);
	if (pid == 0 && kind == 1) {
		free(malloc(77));
		_exit(9);
	}
	if (pid == 0) {
		execl("/bin/true", "true", nullptr);
		_exit(1);
	}
	book->children++;
	if (kind == 0) {
		usleep(draw(100000));
		book->killed++;
		CHECK(kill(pid, SIGKILL) == 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	CHECK(kind == 0 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
			: WIFEXITED(status) && WEXITSTATUS(status) == (kind == 1 ? 9 : 0));
}

static int64_t milliseconds()
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	size_t seed = strtoul(argv[1], nullptr, 10);
	int64_t until = milliseconds() + atol(argv[2]);
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = {};
	struct sigaction action = {};
	pthread_t workers[WORKERS], loader, maker;

	book = open_book(argv[3], "ledger");
	action.sa_handler = handle;
	action.sa_flags = SA_RESTART;
	CHECK(sigaction(SIGALRM, &action, nullptr) == 0);
	CHECK(setitimer(ITIMER_REAL, &often, nullptr) == 0);
	for (size_t i = 0; i < WORKERS; i++)
		CHECK(pthread_create(&workers[i], nullptr, work, (void *)(seed * 8 + i)) == 0);
	CHECK(pthread_create(&loader, nullptr, load, nullptr) == 0);
	CHECK(pthread_create(&maker, nullptr, make_threads, nullptr) == 0);
	dice = (unsigned)seed + 1;
	while (milliseconds() < until) {
		fork_one(argv[3]);
		usleep(draw(50000));
	}
	enough = true;
	for (pthread_t &worker : workers)
		CHECK(pthread_join(worker, nullptr) == 0);
	CHECK(pthread_join(loader, nullptr) == 0 && pthread_join(maker, nullptr) == 0);
	CHECK(setitimer(ITIMER_REAL, &never, nullptr) == 0);
	puts("done");
	return 0;
}
