// SPDX-License-Identifier: MIT
/*
 * shapes.cc - every shape of function that the symbolizer has to name: templates, overloads,
 * lambdas, local classes, anonymous namespaces, constructors, operators, and enough of the standard
 * library for deep inlining. It is looked at, and seldom run; compiled several ways.
 */
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace shapes
{

struct point {
	double x, y;
	point operator+(const point &other) const
	{
		return point{ x + other.x, y + other.y };
	}
	bool operator<(const point &other) const
	{
		return x < other.x;
	}
};

class shape
{
      public:
	explicit shape(std::string name) : name_(std::move(name))
	{
	}
	virtual ~shape();
	virtual double area() const = 0;
	const std::string &name() const
	{
		return name_;
	}

      private:
	std::string name_;
};

shape::~shape() = default;

class polygon : public shape
{
      public:
	polygon(std::string name, std::vector<point> corners)
	    : shape(std::move(name)), corners_(std::move(corners))
	{
	}
	double area() const override;
	void add(const point &corner)
	{
		corners_.push_back(corner);
	}
	void add(double x, double y)
	{
		corners_.push_back(point{ x, y });
	}
	explicit operator bool() const
	{
		return !corners_.empty();
	}

      private:
	std::vector<point> corners_;
};

namespace
{

double cross(const point &a, const point &b)
{
	return a.x * b.y - a.y * b.x;
}

template <typename Container, typename Function> auto fold(const Container &all, Function function)
{
	double sum = 0;

	for (const auto &one : all)
		sum += function(one);
	return sum;
}

struct cache {
	std::unordered_map<std::string, std::shared_ptr<shape>> entries;

	std::shared_ptr<shape> find(const std::string &name, const std::function<shape *()> &make)
	{
		auto found = entries.find(name);

		if (found == entries.end())
			found = entries.emplace(name, std::shared_ptr<shape>(make())).first;
		return found->second;
	}
};

} // namespace

double polygon::area() const
{
	double sum = 0;

	for (size_t i = 0; i + 1 < corners_.size(); i++)
		sum += cross(corners_[i], corners_[i + 1]);
	if (sum < 0)
		throw std::runtime_error("the wrong way round: " + name());
	return sum / 2;
}

template <int N> struct power {
	static double of(double x)
	{
		return x * power<N - 1>::of(x);
	}
};

template <> struct power<0> {
	static double of(double)
	{
		return 1;
	}
};

static std::string describe(const std::map<std::string, double> &areas)
{
	std::string text;

	for (const auto &area : areas)
		text += area.first + ": " + std::to_string(power<3>::of(area.second)) + "\n";
	return text;
}

std::string run(int count)
{
	struct local {
		int seed;
		int next()
		{
			return seed = seed * 1103515245 + 12345;
		}
	} random = { count };
	std::map<std::string, double> areas;
	cache all;

	for (int i = 0; i < count; i++) {
		auto made = all.find(std::to_string(random.next() % 10), [&]() -> shape * {
			auto *p = new polygon(std::to_string(i), {});

			for (int corner = 0; corner < 5; corner++)
				p->add(random.next() % 100, corner);
			return p;
		});
		try {
			areas[made->name()] = made->area();
		} catch (const std::runtime_error &e) {
			areas[e.what()] = 0;
		}
	}
	std::vector<point> sorted;
	for (const auto &area : areas)
		sorted.push_back(point{ area.second, 1 } + point{ 1, 2 });
	std::sort(sorted.begin(), sorted.end());
	areas["all"] = fold(sorted, [](const point &p) { return p.x * p.y; });
	return describe(areas);
}

} // namespace shapes

extern "C" int shapes_main(int count)
{
	return shapes::run(count).size() > 0;
}

int main(int argc, char **argv)
{
	(void)argv;
	return shapes_main(argc * 20) ? 0 : 1;
}
