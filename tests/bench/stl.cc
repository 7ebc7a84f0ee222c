// SPDX-License-Identifier: MIT
/*
 * stl.cc - a C++ program as they are: strings, maps, vectors, shared pointers, functions.
 *
 * usage: stl ROUNDS
 */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

namespace
{

struct node {
	std::string name;
	std::vector<std::shared_ptr<node>> children;
};

unsigned seed = 1;

unsigned dice()
{
	return (seed = seed * 1103515245 + 12345) >> 16;
}

std::string word()
{
	return "a word that is too long for the string itself: " + std::to_string(dice() % 5000);
}

size_t count_words(int number)
{
	std::map<std::string, int> ordered;
	std::unordered_map<std::string, std::list<int>> places;

	for (int i = 0; i < number; i++) {
		std::string text = word();

		ordered[text]++;
		places[text].push_back(i);
	}
	return ordered.size() + places.size();
}

std::shared_ptr<node> plant(int depth)
{
	auto tree = std::make_shared<node>();

	tree->name = word();
	for (int i = 0; depth > 0 && i < 4; i++)
		tree->children.push_back(plant(depth - 1));
	return tree;
}

size_t visit(const node &tree, const std::function<size_t(const node &)> &action)
{
	size_t sum = action(tree);

	for (const auto &child : tree.children)
		sum += visit(*child, action);
	return sum;
}

size_t sort_lines(int number)
{
	std::vector<std::string> lines;
	std::ostringstream text;

	for (int i = 0; i < number; i++)
		lines.push_back(word());
	std::sort(lines.begin(), lines.end());
	for (const auto &line : lines)
		text << line << '\n';
	return text.str().size();
}

} // namespace

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? std::atoi(argv[1]) : 1;
	size_t sum = 0;

	for (int i = 0; i < rounds; i++) {
		auto tree = plant(6);

		sum += count_words(20000);
		sum += visit(*tree, [](const node &at) { return at.name.size(); });
		sum += sort_lines(5000);
	}
	std::printf("%zu\n", sum);
	return 0;
}
