/* SPDX-License-Identifier: MIT */
/*
 * mappings.c - anonymous mappings, which are traced too when MTRACE_MMAP=1 asks for it.
 */
//! MTRACE_MMAP=1
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program.h"

#define PAGE 4096
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define BOTH (PROT_READ | PROT_WRITE)

static void whole(void)
{
	char *kept = mmap(NULL, 3 * PAGE, BOTH, PRIVATE, -1, 0);  //= count 1, total 12288, current 12288, blocks 1
	char *gone = mmap(NULL, 5 * PAGE, BOTH, PRIVATE, -1, 0);  //= count 1, total 20480, peak 20480
	char *odd = mmap(NULL, 100, BOTH, PRIVATE, -1, 0);  //= count 1, total 4096, peak 4096

	CHECK(kept != MAP_FAILED && gone != MAP_FAILED && odd != MAP_FAILED);
	kept[3 * PAGE - 1] = 1;
	CHECK(munmap(gone, 5 * PAGE) == 0);
	CHECK(munmap(odd, 100) == 0);
}

/* Trimmed at both ends, as allocators do that align their regions. */
static void parts(void)
{
	char *area = mmap(NULL, 16 * PAGE, BOTH, PRIVATE, -1, 0);  //= count 1, total 65536, current 32768, blocks 1
	char *holed = mmap(NULL, 9 * PAGE, BOTH, PRIVATE, -1, 0);  //= count 1, total 36864, peak 36864

	CHECK(munmap(area, 4 * PAGE) == 0);
	CHECK(munmap(area + 12 * PAGE, 4 * PAGE) == 0);
	CHECK(munmap(holed + 3 * PAGE, PAGE) == 0);
	CHECK(munmap(holed, 3 * PAGE) == 0);
	CHECK(munmap(holed + 4 * PAGE, 5 * PAGE) == 0);
}

static void resized(void)
{
	char *area = mmap(NULL, 2 * PAGE, BOTH, PRIVATE, -1, 0);  //= count 1, total 8192, peak 8192

	area = mremap(area, 2 * PAGE, 50 * PAGE, MREMAP_MAYMOVE);  //= count 1, total 204800, current 204800, blocks 1
	CHECK(area != MAP_FAILED);
	area[50 * PAGE - 1] = 1;
}

/* Files aren't memory of the program's own, and failures map nothing. */
static void others(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK(file != MAP_FAILED && munmap(file, PAGE) == 0);
	CHECK(mmap(NULL, 0, BOTH, PRIVATE, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, (size_t)1 << 60, BOTH, PRIVATE, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(munmap((void *)1, PAGE) == -1 && errno == EINVAL);
	close(fd);
}

int main(void)
{
	whole();
	parts();
	resized();
	others();
	free(malloc(30));  //= count 1, total 30, peak 30
	puts("done");
	return 0;
}
