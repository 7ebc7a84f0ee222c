// boxes.cc - a C++ program whose memory can be counted by hand: templates, inlines, a lambda, containers.
#include "boxes.h"

#include <memory>
#include <string>
#include <vector>

template <class T>
class Box {
public:
	// 2 instantiations: 32,000 bytes and 128,000 bytes, 3 times each.
	void put(int count)
	{
		for (int i = 0; i < count; i++)
			items.push_back(static_cast<T *>(slab(8000 * sizeof(T))));
	}
	void reserve(size_t count)
	{
		items.reserve(count); // a container's memory is its user's
	}
	size_t size() const { return items.size(); }

private:
	std::vector<T *> items;
};

struct Wide {
	char bytes[16];
};

__attribute__((noinline)) static size_t fill_boxes()
{
	auto ints = new Box<int>;
	auto wides = new Box<Wide>;

	ints->reserve(3);
	wides->reserve(3);
	ints->put(3);
	wides->put(3);
	return ints->size() + wides->size();
}

__attribute__((noinline)) static void *long_name()
{
	return new std::string(99, 'x');
}

int main()
{
	auto keep = [](size_t size) {
		char *kept = static_cast<char *>(std::malloc(size));

		kept[0] = 1;
		return kept;
	};
	size_t boxes = fill_boxes();
	auto name = std::unique_ptr<std::string>(static_cast<std::string *>(long_name()));
	volatile char *a = keep(1000);
	volatile char *b = keep(500);

	return boxes == 0 || name->empty() || a[0] + b[0] != 2;
}
