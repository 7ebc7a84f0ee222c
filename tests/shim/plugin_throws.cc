// SPDX-License-Identifier: MIT
/*
 * plugin_throws.cc - a C++ library for a C program: its exceptions must find their own unwinder (see plugins.c).
 */
#include <string>
#include <stdexcept>

extern "C" int plugin_catches(int value);

int plugin_catches(int value)
{
	try {
		throw std::runtime_error(std::to_string(value));
	} catch (const std::exception &error) {
		return std::stoi(error.what());
	}
}
