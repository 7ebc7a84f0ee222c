/* SPDX-License-Identifier: MIT */
/* completion.c - completion scripts, made of the commands' option tables. */
#include "analyzer/commands/completion.h"
#include "analyzer/base/json.h"
#include "analyzer/commands/cmd.h"

#include <string.h>

/* What completes the value of an option. */
enum value_kind { VALUE_NONE, VALUE_ANY, VALUE_FILE, VALUE_DIRECTORY, VALUE_CHOICE };

static enum value_kind value_kind(const struct option_row *row)
{
	if (row->kind == OPTION_FLAG)
		return VALUE_NONE;
	if (row->kind == OPTION_CHOICE)
		return VALUE_CHOICE;
	if (strcmp(row->value, "FILE") == 0)
		return VALUE_FILE;
	if (strcmp(row->value, "DIR") == 0)
		return VALUE_DIRECTORY;
	return VALUE_ANY;
}

static void print_choices(const struct option_row *row, FILE *out)
{
	for (int i = 0; row->choices[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", row->choices[i]);
}

/* A help text on one line, with what the quoting of a shell wants changed: single quotes are
 * written as `quote`, and each character of `escape` gets a backslash. */
static void print_help(const char *help, const char *quote, const char *escape, FILE *out)
{
	for (; *help; help++) {
		if (*help == '\n')
			putc(' ', out);
		else if (*help == '\'')
			fputs(quote, out);
		else if (strchr(escape, *help))
			fprintf(out, "\\%c", *help);
		else
			putc(*help, out);
	}
}

/* ---- bash */

static void bash_values(const struct command *command, FILE *out)
{
	for (const struct option_row *row = command->options; row->kind != OPTION_END; row++) {
		enum value_kind kind = value_kind(row);

		if (kind == VALUE_NONE)
			continue;
		fprintf(out, "    %s:--%s", command->name, row->name);
		if (row->letter)
			fprintf(out, " | %s:-%c", command->name, row->letter);
		fputs(") ", out);
		if (kind == VALUE_FILE)
			fputs("_mtracer_files -f; ", out);
		else if (kind == VALUE_DIRECTORY)
			fputs("_mtracer_files -d; ", out);
		else if (kind == VALUE_CHOICE) {
			fputs("COMPREPLY=($(compgen -W '", out);
			print_choices(row, out);
			fputs("' -- \"$cur\")); ", out);
		}
		fputs("return ;;\n", out);
	}
}

static void bash_options(const struct command *command, FILE *out)
{
	fprintf(out, "    %s) options='--help", command->name);
	for (const struct option_row *row = command->options; row->kind != OPTION_END; row++)
		fprintf(out, " --%s", row->name);
	fprintf(out, "' ;;\n");
}

void completion_bash(FILE *out)
{
	fputs("# bash completion for mtracer, made by 'mtracer completion bash'\n"
	      "\n"
	      "# Names of files may hold spaces.\n"
	      "_mtracer_files()\n"
	      "{\n"
	      "    local IFS=$'\\n'\n"
	      "    compopt -o filenames\n"
	      "    COMPREPLY+=($(compgen \"$@\" -- \"$cur\"))\n"
	      "}\n"
	      "\n"
	      "_mtracer()\n"
	      "{\n"
	      "    local cur prev command='' options='' word\n"
	      "    cur=${COMP_WORDS[COMP_CWORD]}\n"
	      "    prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "    [ \"$cur\" != = ] || cur=''\n"
	      "    [ \"$prev\" != = ] || prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	      "    [ \"$COMP_CWORD\" = 1 ] || command=${COMP_WORDS[1]}\n"
	      "    COMPREPLY=()\n"
	      "    if [ -z \"$command\" ] || [ \"$command\" = help ]; then\n"
	      "        COMPREPLY=($(compgen -W 'help",
		out);
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->hidden)
			fprintf(out, " %s", (*c)->name);
	fputs(" --help --version' -- \"$cur\"))\n"
	      "        return\n"
	      "    fi\n"
	      "    if [ \"$command\" = run ]; then # behind the program's name it is the "
	      "program's\n"
	      "        for word in \"${COMP_WORDS[@]:2:COMP_CWORD-2}\"; do\n"
	      "            [ \"$word\" != -- ] || command=--\n"
	      "        done\n"
	      "    fi\n"
	      "    case \"$command:$prev\" in\n",
		out);
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->hidden)
			bash_values(*c, out);
	fputs("    esac\n"
	      "    case \"$command\" in\n",
		out);
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->hidden)
			bash_options(*c, out);
	fputs("    esac\n"
	      "    if [[ $cur == -* ]]; then\n"
	      "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	      "        return\n"
	      "    fi\n"
	      "    if [ \"$command\" = run ]; then\n"
	      "        _mtracer_files -c\n"
	      "        _mtracer_files -f\n"
	      "    else # traces, and directories on the way to them\n"
	      "        _mtracer_files -f -X '!*.mtrace*'\n"
	      "        _mtracer_files -d\n"
	      "        [ ${#COMPREPLY[@]} -gt 0 ] || _mtracer_files -f\n"
	      "    fi\n"
	      "} &&\n"
	      "complete -F _mtracer mtracer\n",
		out);
}

/* ---- zsh */

#define ZSH_QUOTE "'\\''"

static void zsh_option(const struct option_row *row, FILE *out)
{
	const char *repeat = row->kind == OPTION_LIST ? "*" : "";
	enum value_kind kind = value_kind(row);

	fputs(" \\\n            ", out);
	if (row->letter)
		fprintf(out, "'%s'{-%c%s,--%s%s}'[", repeat, row->letter,
			kind == VALUE_NONE ? "" : "+", row->name, kind == VALUE_NONE ? "" : "=");
	else
		fprintf(out, "'%s--%s%s[", repeat, row->name, kind == VALUE_NONE ? "" : "=");
	print_help(row->help, ZSH_QUOTE, "[]:", out);
	putc(']', out);
	if (kind != VALUE_NONE)
		fprintf(out, ":%s:", row->value);
	if (kind == VALUE_FILE)
		fputs("_files", out);
	else if (kind == VALUE_DIRECTORY)
		fputs("_directories", out);
	else if (kind == VALUE_CHOICE) {
		putc('(', out);
		print_choices(row, out);
		putc(')', out);
	}
	putc('\'', out);
}

static void zsh_command(const struct command *command, FILE *out)
{
	fprintf(out, "    %s)\n        _arguments -s '(- *)'{-h,--help}'[print help]'",
		command->name);
	for (const struct option_row *row = command->options; row->kind != OPTION_END; row++)
		zsh_option(row, out);
	if (command->command_line == COMMAND_LINE_ONLY)
		fputs(" \\\n            '(-):program:_command_names -e' '*::argument:_normal'\n",
			out);
	else
		fputs(" \\\n            '*:trace:_files -g \"*.mtrace*(-.)\"'\n", out);
	fputs("        ;;\n", out);
}

void completion_zsh(FILE *out)
{
	fputs("#compdef mtracer\n"
	      "# zsh completion for mtracer, made by 'mtracer completion zsh'\n"
	      "\n"
	      "_mtracer_commands()\n"
	      "{\n"
	      "    local -a commands=(\n",
		out);
	for (const struct command *const *c = commands; *c; c++) {
		if ((*c)->hidden)
			continue;
		fprintf(out, "        '%s:", (*c)->name);
		print_help((*c)->summary, ZSH_QUOTE, ":", out);
		fputs("'\n", out);
	}
	fputs("        'help:show help for a command'\n"
	      "    )\n"
	      "    _describe command commands\n"
	      "}\n"
	      "\n"
	      "_mtracer()\n"
	      "{\n"
	      "    local context state state_descr line\n"
	      "    typeset -A opt_args\n"
	      "    _arguments -C '(- *)'{-h,--help}'[print help]' '(- *)--version[print the "
	      "version]' \\\n"
	      "        '1:command:_mtracer_commands' '*::argument:->arguments'\n"
	      "    [[ $state == arguments ]] || return\n"
	      "    case $line[1] in\n"
	      "    help) _mtracer_commands ;;\n",
		out);
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->hidden)
			zsh_command(*c, out);
	fputs("    esac\n"
	      "}\n"
	      "\n"
	      "if [ \"$funcstack[1]\" = _mtracer ]; then\n"
	      "    _mtracer \"$@\"\n"
	      "else\n"
	      "    compdef _mtracer mtracer\n"
	      "fi\n",
		out);
}

/* ---- fish */

#define FISH_QUOTE "\\'"

static void fish_option(const struct command *command, const struct option_row *row, FILE *out)
{
	enum value_kind kind = value_kind(row);

	fprintf(out, "complete -c mtracer -n '__fish_seen_subcommand_from %s' -l %s", command->name,
		row->name);
	if (row->letter)
		fprintf(out, " -s %c", row->letter);
	if (kind == VALUE_FILE)
		fputs(" -rF", out);
	else if (kind == VALUE_DIRECTORY)
		fputs(" -xa '(__fish_complete_directories)'", out);
	else if (kind == VALUE_CHOICE) {
		fputs(" -xa '", out);
		print_choices(row, out);
		putc('\'', out);
	} else if (kind == VALUE_ANY) {
		fputs(" -x", out);
	}
	fputs(" -d '", out);
	print_help(row->help, FISH_QUOTE, "\\", out);
	fputs("'\n", out);
}

void completion_fish(FILE *out)
{
	fputs("# fish completion for mtracer, made by 'mtracer completion fish'\n"
	      "\n"
	      "complete -c mtracer -n __fish_use_subcommand -f\n"
	      "complete -c mtracer -n __fish_use_subcommand -l version -d 'print the version'\n"
	      "complete -c mtracer -s h -l help -d 'print help'\n"
	      "complete -c mtracer -n __fish_use_subcommand -a help -d 'show help for a command'\n",
		out);
	for (const struct command *const *c = commands; *c; c++) {
		if ((*c)->hidden)
			continue;
		fprintf(out, "\ncomplete -c mtracer -n __fish_use_subcommand -a %s -d '",
			(*c)->name);
		print_help((*c)->summary, FISH_QUOTE, "\\", out);
		fputs("'\n", out);
		for (const struct option_row *row = (*c)->options; row->kind != OPTION_END; row++)
			fish_option(*c, row, out);
	}
}

/* ---- for the manual page */

static void option_json(const struct option_row *row, struct json *j)
{
	char letter[2] = { row->letter, 0 };

	json_object(j, NULL, true);
	json_text(j, "name", row->name);
	json_text(j, "letter", row->letter ? letter : NULL);
	json_text(j, "value", row->value);
	json_text(j, "help", row->help);
	json_array(j, "choices", true);
	for (int i = 0; row->kind == OPTION_CHOICE && row->choices[i]; i++)
		json_text(j, NULL, row->choices[i]);
	json_close(j);
	json_close(j);
}

void completion_json(FILE *out)
{
	struct json j;

	json_start(&j, out);
	json_object(&j, NULL, false);
	json_text(&j, "version", MTRACER_VERSION);
	json_array(&j, "commands", false);
	for (const struct command *const *c = commands; *c; c++) {
		if ((*c)->hidden)
			continue;
		json_object(&j, NULL, false);
		json_text(&j, "name", (*c)->name);
		json_text(&j, "usage", (*c)->usage);
		json_text(&j, "summary", (*c)->summary);
		json_text(&j, "details", (*c)->details);
		json_array(&j, "options", false);
		for (const struct option_row *row = (*c)->options; row->kind != OPTION_END; row++)
			option_json(row, &j);
		json_close(&j);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
	json_finish(&j);
}
