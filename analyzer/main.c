/* SPDX-License-Identifier: MIT */
/* main.c - mtracer, the command. All of it is in the library beside, so that the unit tests can link it. */
#include "analyzer/commands/cmd.h"

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
