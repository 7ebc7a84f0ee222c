/* SPDX-License-Identifier: MIT */
/* pager.c - the pager behind stdout. */
#include "analyzer/base/pager.h"
#include "analyzer/base/progress.h"
#include "analyzer/base/table.h"
#include "analyzer/base/which.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pager;

/* What to run by the shell; NULL = nothing. */
static const char *pager_command(void)
{
	const char *command = getenv("PAGER");
	char *less;

	if (command)
		return *command && strcmp(command, "cat") != 0 ? command : NULL;
	less = which_program("less");
	free(less);
	return less ? "less" : NULL;
}

static void run_pager(const char *command, const int ends[2])
{
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	setenv("LESS", "FRX",
		0); /* leave when all fits one screen, pass colours, keep the screen */
	setenv("LESSCHARSET", "utf-8", 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void pager_start(void)
{
	const char *command = isatty(STDOUT_FILENO) ? pager_command() : NULL;
	int ends[2];

	progress_end();
	if (!command || pager || pipe(ends) != 0)
		return;
	style(STYLE_PLAIN); /* is kept from now on */
	fflush(stdout);
	pager = fork();
	if (pager == 0)
		run_pager(command, ends);
	close(ends[0]);
	if (pager > 0) {
		signal(SIGINT, SIG_IGN); /* it is the pager's */
		dup2(ends[1], STDOUT_FILENO);
	}
	pager = pager > 0 ? pager : 0;
	close(ends[1]);
}

void pager_finish(void)
{
	if (!pager)
		return;
	close(STDOUT_FILENO);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
	pager = 0;
}
