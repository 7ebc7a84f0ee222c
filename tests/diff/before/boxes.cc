/* Two functions on one line, of which one grows and the other shrinks; and one that another takes
 * the place of. */
#include <cstdlib>

static void *kept[1000];
static int count;

// clang-format off
template <class T> struct Box {
	__attribute__((noinline)) void fill(int n) { kept[count++] = malloc(n * sizeof(T)); }
};
// clang-format on

#ifdef AFTER
#define BEFORE_OR_AFTER(before, after) after
__attribute__((noinline)) static void many_small()
{
	for (int i = 0; i < 900; i++)
		kept[count++] = malloc(16);
}
#else
#define BEFORE_OR_AFTER(before, after) before
__attribute__((noinline)) static void one_large()
{
	kept[count++] = malloc(500000);
}
#endif

int main()
{
	Box<int> a;
	Box<double> b;

	a.fill(BEFORE_OR_AFTER(100000, 1000));
	b.fill(BEFORE_OR_AFTER(1000, 90000));
	BEFORE_OR_AFTER(one_large, many_small)();
	return count == 0;
}
