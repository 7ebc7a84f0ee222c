/* SPDX-License-Identifier: MIT */
/*
 * situations.c - the situations of LeakSanitizer's and memcheck's own tests, and others of their kind, that are told in one process with
 * one thread: places that are roots or aren't, pointers that are none, and shapes of what is lost.
 */
#include "cases.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

struct node {
	struct node *volatile next, *volatile other;
	long payload[3];
};

#define NODE sizeof(struct node) /* 40 */

/* LeakSanitizer's own functions, where it is. */
extern void __lsan_ignore_object(const void *p) __attribute__((weak));
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));
extern void __lsan_register_root_region(const void *p, size_t size) __attribute__((weak));

NOINLINE static void forget(void *p)
{
	STORED(p);
}

NOINLINE static struct node *node(struct node *next)
{
	struct node *n = calloc(1, NODE);

	n->next = next;
	STORED(n);
	return n;
}

static void *map(int flags, int fd)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, fd, 0);
}

/* ---- locations that are roots */

static void *volatile initialized = (void *)&initialized;

CASE reachable_initialized(void) // reachable 21/1
{
	initialized = zeroed(21);
}

static void *volatile table[1024];

CASE reachable_table(void) // reachable 8192/1024
{
	for (int i = 0; i < 1024; i++)
		table[i] = zeroed(8);
}

static void *volatile *volatile large;

CASE reachable_at_end_of_large(void) // reachable 400023/2
{
	large = zeroed(400000);
	large[49999] = zeroed(23);
}

static struct node *volatile long_list;

CASE reachable_long_list(void) // reachable 400000/10000
{
	for (int i = 0; i < 10000; i++)
		long_list = node(long_list);
}

static pthread_key_t keys[40];

NOINLINE static void *specific(void) // reachable 24/1
{
	return zeroed(24);
}

NOINLINE static void *specific_far(void) // reachable 25/1
{
	return zeroed(25);
}

/* The C library has blocks of its own for further ones. */
NOINLINE static void in_specific(void)
{
	for (int i = 0; i < 40; i++)
		pthread_key_create(&keys[i], NULL);
	pthread_setspecific(keys[0], specific());
	pthread_setspecific(keys[39], specific_far());
}

NOINLINE static void *in_dynamic_tls(void) // reachable 26/1
{
	return zeroed(26);
}

NOINLINE static void *in_plugin(void) // reachable 27/1
{
	return zeroed(27);
}

NOINLINE static void *in_closed_plugin(void) // lost 28/1
{
	return zeroed(28);
}

static void *load(const char *name)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 100);
	void *plugin;

	if (length <= 0)
		abort();
	path[length] = '\0';
	strcpy(strrchr(path, '/') + 1, name);
	plugin = dlopen(path, RTLD_NOW);
	if (!plugin)
		abort();
	return plugin;
}

static void *volatile *place(void *plugin, const char *name)
{
	void *volatile *(*get)(void) = (void *volatile *(*)(void))dlsym(plugin, name);

	return get();
}

NOINLINE static void plugins(void)
{
	void *volatile plugin = load("libkeeps.so");

	*place(plugin, "local_place") = in_dynamic_tls();
	*place(plugin, "global_place") = in_plugin();
	plugin = load("libkeeps_no_more.so");
	*place(plugin, "global_place") = in_closed_plugin();
	if (dlclose(plugin) != 0)
		abort();
	plugin = NULL;
}

NOINLINE static char *in_environment(void) // reachable 29/1
{
	return strcpy(zeroed(29), "IN_ENVIRONMENT=yes");
}

NOINLINE static char *in_stream(void) // reachable 301/1
{
	return zeroed(301);
}

NOINLINE static void of_libc(void)
{
	setvbuf(fopen("/dev/null", "w"), in_stream(), _IOFBF, 301);
	putenv(in_environment());
}

static int compare(const void *a, const void *b)
{
	return (a > b) - (a < b);
}

static void *tree_of_libc;

/* Its pointers to the left carry a colour in their last bit. */
CASE tree_of_libc_with_colours(void) // reachable 144/6, possible 24/1
{
	for (long i = 0; i < 7; i++)
		tsearch((void *)(i + 1), &tree_of_libc, compare);
}

static void *volatile *volatile mappings[8];

CASE reachable_from_shared_mapping(void) // reachable 31/1
{
	mappings[0] = map(MAP_SHARED | MAP_ANONYMOUS, -1);
	mappings[0][5] = zeroed(31);
}

CASE reachable_from_file_mapping(void) // reachable 32/1
{
	int fd = memfd_create("leaks", MFD_CLOEXEC);

	if (ftruncate(fd, 4096) != 0)
		abort();
	mappings[1] = map(MAP_SHARED, fd);
	mappings[1][5] = zeroed(32);
	close(fd);
}

/* What can only be read holds nothing. */
CASE lost_in_sealed_page(void) // lost 33/1
{
	mappings[2] = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mappings[2][5] = zeroed(33);
	mprotect((void *)mappings[2], 4096, PROT_READ);
}

CASE lost_in_closed_page(void) // lost 34/1
{
	mappings[3] = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mappings[3][5] = zeroed(34);
	mprotect((void *)mappings[3], 4096, PROT_NONE);
}

CASE lost_in_unmapped_page(void) // lost 35/1
{
	mappings[4] = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mappings[4][5] = zeroed(35);
	munmap((void *)mappings[4], 4096);
	mappings[4] = NULL;
}

CASE reachable_from_registered(void) // reachable 36/1
{
	mappings[5] = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mappings[5][5] = zeroed(36);
	if (__lsan_register_root_region)
		__lsan_register_root_region((void *)mappings[5], 4096);
}

static ucontext_t outer, fibers[2];
static char stack_of_fiber[65536] __attribute__((aligned(16)));

NOINLINE static void *on_static_fiber(void) // reachable 37/1
{
	return zeroed(37);
}

NOINLINE static void *on_heap_fiber(void) // reachable 38/1
{
	return zeroed(38);
}

NOINLINE static void *heap_fiber_stack(void) // reachable 65000/1
{
	return zeroed(65000);
}

static void fiber(int number)
{
	void *volatile kept = number ? on_heap_fiber() : on_static_fiber();

	swapcontext(&fibers[number], &outer);
	STORED(kept);
}

NOINLINE static void start_fiber(int number, void *stack)
{
	getcontext(&fibers[number]);
	fibers[number].uc_stack.ss_sp = stack;
	fibers[number].uc_stack.ss_size = 65000;
	makecontext(&fibers[number], (void (*)(void))fiber, 1, number);
	swapcontext(&outer, &fibers[number]);
}

NOINLINE static void on_fibers(void)
{
	start_fiber(0, stack_of_fiber);
	start_fiber(1, heap_fiber_stack());
}

/* ---- pointers that are none */

/* Not across a multiple of 4 GiB: lost_by_half leaves such a number, which would point into it. */
static void *huge(size_t size)
{
	char *p = malloc(size), *other;

	if ((uintptr_t)p >> 32 == (uintptr_t)(p + size) >> 32)
		return p;
	other = malloc(size);
	free(p);
	return other;
}

CASE lost_huge(void) // lost 209715200/1
{
	forget(huge(200 << 20));
}

CASE lost_by_freed(void) // lost 42/1
{
	struct node *n = calloc(1, 1000); /* of a size that nobody is given it again for */

	n->payload[2] = (long)zeroed(42);
	STORED(n);
	free(n);
}

static int *volatile from_one;

/* As arrays that begin with 1 are kept. */
CASE lost_before_start(void) // lost 44/1
{
	from_one = (int *)zeroed(44) - 1;
}

static volatile uintptr_t coded[3];
static volatile uint32_t short_address;

CASE lost_by_high_tag(void) // lost 45/1
{
	coded[0] = (uintptr_t)zeroed(45) | 0xabul << 56;
}

CASE lost_by_xor(void) // lost 92/2
{
	coded[1] = (uintptr_t)zeroed(46) ^ (uintptr_t)zeroed(46);
}

CASE lost_by_half(void) // lost 47/1
{
	short_address = (uint32_t)(uintptr_t)zeroed(47);
}

/* ---- ways to allocate */

CASE lost_duplicate(void) // lost 11/1
{
	forget(strdup("ten bytes."));
}

CASE lost_printed(void) // lost 13/1
{
	char *text;

	if (asprintf(&text, "twelve bytes") < 0)
		abort();
	forget(text);
}

CASE lost_line(void) // lost 120/1
{
	FILE *f = fopen("/proc/self/status", "r");
	char *line = NULL;
	size_t size = 0;

	if (getline(&line, &size, f) <= 0)
		abort();
	fclose(f);
	memset(line, 0, size); /* as far as it was written, and behind */
	forget(line);
}

CASE lost_array(void) // lost 50/1
{
	forget(memset(reallocarray(NULL, 5, 10), 0, 50));
}

CASE lost_posix_aligned(void) // lost 51/1
{
	void *p;

	if (posix_memalign(&p, 256, 51) != 0)
		abort();
	forget(p);
}

CASE lost_c11_aligned(void) // lost 128/1
{
	forget(aligned_alloc(64, 128));
}

CASE lost_page(void) // lost 52/1
{
	forget(valloc(52));
}

CASE lost_grown(void) // lost 5000000/1
{
	forget(realloc(zeroed(200000), 5000000));
}

CASE resized_to_nothing(void) // freed
{
	void *volatile p = zeroed(53);

	p = realloc(p, 0);
	(void)p;
}

static void *volatile kept;

CASE kept_by_failed_resize(void) // reachable 54/1
{
	volatile size_t most = PTRDIFF_MAX;

	kept = zeroed(54);
	if (realloc(kept, most))
		abort();
}

CASE lost_but_ignored(void) // lost 55/1
{
	void *p = zeroed(55);

	if (__lsan_ignore_object)
		__lsan_ignore_object(p);
	forget(p);
}

CASE lost_but_disabled(void) // lost 56/1
{
	if (__lsan_disable)
		__lsan_disable();
	forget(zeroed(56));
	if (__lsan_enable)
		__lsan_enable();
}

/* ---- insides */

static struct node *volatile roots[16];

CASE inside_of_reachable(void) // reachable 40/1, possible 40/1
{
	roots[0] = node(node(NULL));
	roots[0]->next = (struct node *)((char *)roots[0]->next + 16);
}

CASE inside_of_possible(void) // possible 80/2
{
	struct node *n = node(node(NULL));

	n->next = (struct node *)((char *)n->next + 16);
	roots[1] = (struct node *)((char *)n + 16);
}

CASE possible_tagged(void) // possible 40/1
{
	roots[2] = (struct node *)((uintptr_t)node(NULL) | 1);
}

CASE possible_and_lost(void) // lost 40/1, possible 80/2
{
	struct node *shared = node(NULL);

	roots[3] = (struct node *)((char *)node(shared) + 24);
	forget(node(shared));
}

CASE possible_then_sure(void) // reachable 80/2
{
	struct node *n = node(NULL);

	roots[4] = (struct node *)((char *)n + 24);
	roots[5] = node(n);
}

static struct pool {
	char *volatile next;
	size_t left;
} *volatile pool;

/* Who has given out a part of a block only knows the rest. */
CASE possible_pool(void) // reachable 16/1, possible 4096/1
{
	pool = zeroed(sizeof(*pool));
	pool->next = (char *)calloc(1, 4096) + 100;
	pool->left = 3996;
}

CASE reachable_from_cell(void) // reachable 4157/2
{
	void **cells = calloc(1, 4096);

	cells[300] = zeroed(61);
	roots[6] = (struct node *)cells;
}

/* Cells that know each other, in a block that nobody knows. */
CASE lost_pool(void) // lost 4096/1
{
	void **cells = calloc(1, 4096);

	for (int i = 0; i < 511; i++)
		cells[i] = &cells[i + 1];
	forget(cells);
}

/* ---- shapes */

CASE cut_tree(void) // reachable 120/3, lost 80/2, indirect 80/2
{
	struct node *left = node(node(NULL)), *right = node(node(NULL));

	left->other = node(NULL);
	right->other = node(NULL);
	roots[7] = node(left);
	roots[7]->other = right;
	STORED(right);
	left->next = NULL;
	roots[7]->other = NULL;
}

CASE joined_rings(void) // lost 40/1, indirect 200/5
{
	struct node *first[3], *second[3];

	for (int i = 0; i < 3; i++)
		first[i] = node(NULL);
	for (int i = 0; i < 3; i++)
		second[i] = node(NULL);
	for (int i = 0; i < 3; i++) {
		first[i]->next = first[(i + 1) % 3];
		second[i]->next = second[(i + 1) % 3];
	}
	first[1]->other = second[1];
	memset(first, 0, sizeof(first));
	memset(second, 0, sizeof(second));
	STORED(first);
	STORED(second);
}

CASE double_ring(void) // lost 40/1, indirect 120/3
{
	struct node *head = node(NULL);

	head->next = head->other = head;
	for (int i = 0; i < 3; i++) {
		struct node *n = node(head);

		n->other = head->other;
		head->other->next = n;
		head->other = n;
	}
	forget(head);
}

CASE self_and_other(void) // lost 40/1, indirect 40/1
{
	struct node *n = node(node(NULL));

	n->other = n;
	forget(n);
}

CASE two_to_one(void) // lost 80/2, indirect 40/1
{
	struct node *shared = node(NULL);

	forget(node(shared));
	forget(node(shared));
}

CASE deep_list(void) // lost 40/1, indirect 199960/4999
{
	struct node *last = NULL;

	for (int i = 0; i < 5000; i++)
		last = node(last);
	forget(last);
}

CASE lost_once_kept(void) // lost 58/1
{
	kept = zeroed(58);
	STORED(kept);
	kept = NULL;
}

/* ---- the stack at the end */

NOINLINE static void *deep_in_dead_frame(void) // lost 59/1
{
	return zeroed(59);
}

/* Further down than the next frame and what is called from there. */
NOINLINE static void leave_frame(void)
{
	void *volatile frame[200000];

	frame[0] = deep_in_dead_frame();
	STORED(frame);
}

NOINLINE static void *at_top_of_frame(void) // reachable 62/1
{
	return zeroed(62);
}

NOINLINE static void *at_bottom_of_frame(void) // reachable 63/1
{
	return zeroed(63);
}

NOINLINE static void leave_from_large_frame(void)
{
	void *volatile frame[170000];

	frame[0] = at_bottom_of_frame();
	frame[169999] = at_top_of_frame();
	STORED(frame);
	exit(0);
}

static void run_cases(void)
{
	RUN(reachable_initialized);
	RUN(reachable_table);
	RUN(reachable_at_end_of_large);
	RUN(reachable_long_list);
	RUN(in_specific);
	RUN(of_libc); /* before there are freed blocks with addresses in them: it leaves words of its own ones as they are */
	RUN(plugins);
	RUN(tree_of_libc_with_colours);
	RUN(reachable_from_shared_mapping);
	RUN(reachable_from_file_mapping);
	RUN(lost_in_sealed_page);
	RUN(lost_in_closed_page);
	RUN(lost_in_unmapped_page);
	RUN(reachable_from_registered);
	RUN(on_fibers);
	RUN(lost_huge);
	RUN(lost_by_freed);
	RUN(lost_before_start);
	RUN(lost_by_high_tag);
	RUN(lost_by_xor);
	RUN(lost_by_half);
	RUN(lost_duplicate);
	RUN(lost_printed);
	RUN(lost_line);
	RUN(lost_array);
	RUN(lost_posix_aligned);
	RUN(lost_c11_aligned);
	RUN(lost_page);
	RUN(lost_grown);
	RUN(resized_to_nothing);
	RUN(lost_once_kept);
	RUN(kept_by_failed_resize);
	RUN(lost_but_ignored);
	RUN(lost_but_disabled);
	RUN(inside_of_reachable);
	RUN(inside_of_possible);
	RUN(possible_tagged);
	RUN(possible_and_lost);
	RUN(possible_then_sure);
	RUN(possible_pool);
	RUN(reachable_from_cell);
	RUN(lost_pool);
	RUN(cut_tree);
	RUN(joined_rings);
	RUN(double_ring);
	RUN(self_and_other);
	RUN(two_to_one);
	RUN(deep_list);
}

int main(void)
{
	run_cases();
	leave_frame();
	FORGET_REGISTERS();
	leave_from_large_frame();
	return 1;
}
