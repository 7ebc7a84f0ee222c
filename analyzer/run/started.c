/* SPDX-License-Identifier: MIT */
/* started.c - starts this command once more, as `mtracer run`. */
#include "analyzer/run/started.h"
#include "analyzer/base/array.h"
#include "analyzer/base/clock.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/process.h"
#include "analyzer/views/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_OUT "%n.%p.mtrace"
#define WORDS_BEFORE 8
#define EXIT_NOT_FOUND 127
#define EXIT_BY_SIGNAL 128

/* ---- signals */

static const int awaited[] = { SIGINT, SIGQUIT };
static const int passed_on[] = { SIGTERM, SIGHUP };

static volatile pid_t running;

static void pass_on(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (running && info->si_code != SI_KERNEL) /* else all of the terminal's group have it */
		kill(running, number);
}

static void take_signals(struct started *s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction pass = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };

	for (size_t i = 0; i < ARRAY_SIZE(awaited); i++)
		sigaction(awaited[i], &ignore, &s->old[i]);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaction(passed_on[i], &pass, &s->old[i + 2]);
}

static void give_signals_back(const struct started *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(awaited); i++)
		sigaction(awaited[i], &s->old[i], NULL);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaction(passed_on[i], &s->old[i + 2], NULL);
}

/* ---- starting it */

__attribute__((noreturn)) static void become_run(
	struct started *s, char **command, const char *out, const char *output)
{
	size_t count = 0, words = 0;
	const char **argv;

	while (command[count])
		count++;
	argv = mem_zalloc(count + WORDS_BEFORE + 1, sizeof(*argv));
	argv[words++] = "mtracer";
	argv[words++] = "run";
	argv[words++] = "--quiet";
	argv[words++] = "--program-output";
	argv[words++] = output ? output : "/dev/null";
	if (out) {
		argv[words++] = "--out";
		argv[words++] = out;
	}
	argv[words++] = "--";
	memcpy(argv + words, command, count * sizeof(*argv));
	give_signals_back(s);
	dup2(s->said, STDERR_FILENO);
	execv("/proc/self/exe", (char *const *)argv);
	error("cannot start 'mtracer run': %s", strerror(errno));
	_exit(EXIT_NOT_FOUND);
}

int started_begin(struct started *s, char **command, const char *out, const char *output)
{
	*s = (struct started){ .name = command[0], .out = out ? out : getenv("MTRACE_OUT") };
	s->said = memfd_create("mtracer", MFD_CLOEXEC);
	if (s->said < 0)
		return error("cannot start '%s': %s", s->name, strerror(errno));
	fflush(NULL);
	take_signals(s);
	s->process.start_ns = clock_ns(CLOCK_REALTIME);
	s->pid = fork();
	if (s->pid == 0)
		become_run(s, command, out, output);
	if (s->pid < 0) {
		s->pid = 0;
		give_signals_back(s);
		return error("cannot start '%s': %s", s->name, strerror(errno));
	}
	running = s->process.pid = s->pid;
	s->process.start_ticks = process_start_ticks(s->pid);
	return EXIT_OK;
}

/* ---- its end */

static bool reap(struct started *s, int options)
{
	pid_t pid;
	int status;

	do
		pid = waitpid(s->pid, &status, options);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return false;
	running = 0;
	s->ended = true;
	s->status = pid < 0		  ? EXIT_ERROR
		    : WIFSIGNALED(status) ? EXIT_BY_SIGNAL + WTERMSIG(status)
					  : WEXITSTATUS(status);
	return true;
}

bool started_has_ended(struct started *s)
{
	return s->ended || reap(s, WNOHANG);
}

void started_add_traces(const struct started *s, struct follow *follow)
{
	struct run_traces traces = run_traces_below(s->out ? s->out : DEFAULT_OUT, &s->process);

	for (size_t i = 0; i < traces.count; i++)
		if (!traces.all[i].went_on)
			follow_add(follow, traces.all[i].path);
	run_traces_release(&traces);
}

static void print_said(const struct started *s)
{
	char text[4096];
	ssize_t got;
	off_t at = 0;

	while ((got = pread(s->said, text, sizeof(text), at)) > 0) {
		fwrite(text, 1, (size_t)got, stderr);
		at += got;
	}
}

int started_finish(struct started *s, int number, int status)
{
	/* That of the terminal was for the program as well. */
	if (!s->ended && number && number != SIGINT && number != SIGQUIT)
		kill(s->pid, number);
	if (!s->ended && !number)
		notice("waiting for %s to end; Ctrl-C interrupts it", s->name);
	if (!s->ended)
		reap(s, 0);
	give_signals_back(s);
	print_said(s);
	close(s->said);
	return status ? status : s->status;
}
