// graph.cc - a graph of names in C++: the build before the change.
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shapes {

template <typename T> class pool {
public:
	T *make(const std::string &name)
	{
		items.push_back(std::unique_ptr<T>(new T(name)));
		return items.back().get();
	}
	std::vector<std::unique_ptr<T>> items;
};

struct node {
	explicit node(const std::string &n) : name(n + " is the name of a node"), weights(16)
	{
	}
	std::string name;
	std::vector<double> weights;
	std::vector<node *> edges;
};

struct label {
	explicit label(const std::string &n) : text(n + " is the text of a label")
	{
	}
	std::string text;
};

class graph {
public:
	void build(int size)
	{
		for (int i = 0; i < size; i++)
			byname[std::to_string(i) + " in the index of all names"] = nodes.make(std::to_string(i));
		for (auto &pair : byname)
			pair.second->edges.push_back(byname.begin()->second);
		auto add = [this](int i) { labels.make(std::to_string(i)); };
		for (int i = 0; i < size; i++)
			add(i);
	}

private:
	pool<node> nodes;
	pool<label> labels;
	std::map<std::string, node *> byname;
};

}

int main()
{
	auto *g = new shapes::graph;

	g->build(500);
	return 0;
}
