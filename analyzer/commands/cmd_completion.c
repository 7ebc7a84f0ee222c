/* SPDX-License-Identifier: MIT */
/* cmd_completion.c - mtracer completion: prints completion scripts; hidden, for installations and
 * for a shell's start-up file. */
#include "analyzer/base/array.h"
#include "analyzer/base/log.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/completion.h"

#include <string.h>

static const struct option_row options[] = {
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};

static int run(const void *values, int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(FILE *out);
	} forms[] = {
		{ "bash", completion_bash },
		{ "zsh", completion_zsh },
		{ "fish", completion_fish },
		{ "json", completion_json },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (strcmp(argv[0], forms[i].name) == 0) {
			forms[i].print(stdout);
			return EXIT_OK;
		}
	}
	return error("completion: '%s' is not one of bash, zsh, fish, json", argv[0]);
}

const struct command cmd_completion = {
	.name = "completion",
	.usage = "bash|zsh|fish|json",
	.summary = "print a shell completion script, or the option tables",
	.details = "In ~/.bashrc: eval \"$(mtracer completion bash)\"; in ~/.zshrc: "
		   "eval \"$(mtracer completion zsh)\".",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.hidden = true,
	.run = run,
};
