/* SPDX-License-Identifier: MIT */
/*
 * cmd_run.c - mtracer run: starts a program with libmtrace.so preloaded, waits for it, and says
 * what it used.
 *
 * To the program nothing differs from being started by a shell: same file descriptors, signal
 * dispositions and process group.
 */
#include "analyzer/base/array.h"
#include "analyzer/base/clock.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shell.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/which.h"
#include "analyzer/base/width.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/print/summary.h"
#include "analyzer/run/allocators.h"
#include "analyzer/run/leakcheck.h"
#include "analyzer/run/pools.h"
#include "analyzer/run/preloading.h"
#include "analyzer/run/program.h"
#include "analyzer/run/runtrace.h"
#include "analyzer/trace/measures.h"
#include "analyzer/trace/process.h"
#include "analyzer/trace/successor.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/suppress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTABLE 126 /* as shells have them */
#define EXIT_NOT_FOUND 127
#define EXIT_BY_SIGNAL 128 /* + the signal's number */

#define DEFAULT_OUT "%n.%p.mtrace"
#define NOT_GIVEN UINT64_MAX

/* ---- options */

struct values {
	const char *out;
	char *anchored; /* the same for the library, where it was made absolute; NULL: it wasn't */
	uint64_t depth;
	uint64_t sample;
	uint64_t timeline, snapshots;
	bool start, no_start;
	bool follow, no_follow;
	bool reachable, no_reachable;
	bool mmap, no_mmap;
	bool slack;
	bool verbose;
	bool quiet;
	uint64_t leaks_exit_code, no_verdict_exit_code;
	struct option_list suppressions;
	const char *allocator;
	bool untraced;
	bool unpool;
	const char *program_output;
};

static const struct values defaults = {
	.depth = NOT_GIVEN,
	.sample = NOT_GIVEN,
	.timeline = NOT_GIVEN,
	.snapshots = NOT_GIVEN,
	.leaks_exit_code = NOT_GIVEN,
	.no_verdict_exit_code = NOT_GIVEN,
};

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row rows[] = {
	{ OPTION_TEXT, "out", 'o', "FILE", "write the trace to FILE; %p is replaced by the pid, "
		"%n by the\nprogram name, %h by the host name, %% by % (default: " DEFAULT_OUT "); "
			"directories\nof a relative FILE are created, and shared by all processes", AT(out) },
	{ OPTION_NUMBER, "depth", 0, "N", "record at most N frames per stack, 1 to 1024 (default: "
		"128)", AT(depth) },
	{ OPTION_FLAG, "start", 0, NULL, "trace from the start (the default)", AT(start) },
	{ OPTION_FLAG, "no-start", 0, NULL, "record nothing until the program calls "
		"mtrace_start()",
		AT(no_start) },
	{ OPTION_FLAG, "follow", 0, NULL, "also trace programs that it starts (the default)", AT(follow) },
	{ OPTION_FLAG, "no-follow", 0, NULL, "trace only the program itself", AT(no_follow) },
	{ OPTION_SIZE, "sample", 0, "BYTES", "sample one allocation per BYTES on average; 0 "
		"records all\n(default: 0)",
		AT(sample) },
	{ OPTION_FLAG, "reachable", 0, NULL, "check for leaks at exit (the default)",
		AT(reachable) },
	{ OPTION_FLAG, "no-reachable", 0, NULL, "do not check for leaks at exit", AT(no_reachable) },
	{ OPTION_FLAG, "mmap", 0, NULL, "also trace anonymous mmap and brk", AT(mmap) },
	{ OPTION_FLAG, "no-mmap", 0, NULL, "do not trace mmap and brk (the default)", AT(no_mmap) },
	{ OPTION_FLAG, "slack", 0, NULL, "record how much more the allocator provides than "
		"requested", AT(slack) },
	{ OPTION_NUMBER, "timeline", 0, "N", "keep at most N points of the curve for 'mtracer "
		"timeline';\n0: none (default: 512)", AT(timeline) },
	{ OPTION_NUMBER, "snapshots", 0, "N", "keep at most N snapshots of mtrace_snapshot() and "
		"'mtracer\nsnapshot' (default: 64)", AT(snapshots) },
	{ OPTION_FLAG, "verbose", 'v', NULL, "print the trace's path and notes while recording", AT(verbose) },
	{ OPTION_FLAG, "quiet", 'q', NULL, "print no summary", AT(quiet) },
	{ OPTION_NUMBER, "leaks-exit-code", 0, "N", "list the leaks of all traced processes at "
		"the end, and exit\nwith status N if there are any", AT(leaks_exit_code) },
	{ OPTION_NUMBER, "no-verdict-exit-code", 0, "N", "exit with status N if --leaks-exit-code "
		"has no verdict, such as\nafter a crash; 0: use the program's status (default: 2)", AT(no_verdict_exit_code) },
	{ OPTION_LIST, "suppressions", 0, "FILE", "read leak suppressions from FILE, as 'mtracer "
		"leaks' does", AT(suppressions) },
	{ OPTION_TEXT, "allocator", 'a', "NAME", "preload another allocator: glibc, jemalloc, "
		"mimalloc, tcmalloc or\na library; given a comma-separated list, run the program "
		"once\nwith each and compare", AT(allocator) },
	{ OPTION_FLAG, "unpool", 0, NULL, "turn off memory pools (CPython, GLib, PHP, ...) in the "
		"program\nand everything it starts, so that each block comes from malloc", AT(unpool) },
	{ OPTION_FLAG, "untraced", 0, NULL, "do not trace, so that --allocator compares the "
		"program's own\nresident memory and times", AT(untraced) },
	{ OPTION_TEXT, "program-output", 0, "FILE", "write what the program prints to FILE, and give "
		"it no input", AT(program_output) },
	{ OPTION_END },
};
/* clang-format on */

static int check_values(const struct values *v)
{
	if (v->program_output && !*v->program_output)
		return error("run: --program-output: the path is empty");
	if (v->out && !*v->out)
		return error("run: --out: the path is empty");
	if (v->out && strcmp(v->out, "--") == 0)
		return error("run: --out: the path is missing; for a file of that name, use ./--");
	for (const char *p = v->out; p && *p; p++)
		if (*p == '%' && (!*++p || !strchr("pnh%", *p)))
			return error("run: --out: '%%' must be followed by p, n, h or %%");
	if (v->depth != NOT_GIVEN && (v->depth < 1 || v->depth > 1024))
		return error("run: --depth must be a number from 1 to 1024");
	if (v->leaks_exit_code != NOT_GIVEN && (v->leaks_exit_code < 1 || v->leaks_exit_code > 255))
		return error("run: --leaks-exit-code must be a number from 1 to 255");
	if (v->leaks_exit_code != NOT_GIVEN && v->no_reachable)
		return error("run: --leaks-exit-code cannot be used with --no-reachable");
	if (v->no_verdict_exit_code != NOT_GIVEN && v->no_verdict_exit_code > 255)
		return error("run: --no-verdict-exit-code must be a number from 0 to 255");
	if (v->leaks_exit_code == NOT_GIVEN && v->no_verdict_exit_code != NOT_GIVEN)
		return error("run: --no-verdict-exit-code requires --leaks-exit-code");
	if (v->leaks_exit_code == NOT_GIVEN && v->suppressions.count)
		return error("run: --suppressions requires --leaks-exit-code");
	if (v->untraced && !v->allocator)
		return error("run: --untraced requires --allocator");
	if (v->untraced && v->leaks_exit_code != NOT_GIVEN)
		return error("run: --leaks-exit-code cannot be used with --untraced");
	return EXIT_OK;
}

/* ---- where the traces go */

/* The directories of a path up to its first part with a % letter, as far as they can be made; where
 * they can't, the library says what it does instead. */
static void make_directories(char *path)
{
	for (char *p = path + 1; *p && *p != '%'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(path, 0777);
		*p = '/';
	}
}

/* A directory that is named beside here is meant for all processes, also those that go elsewhere:
 * it is made, and said as an absolute path. NULL: the path will do as it is. The caller frees it.
 */
static char *shared_path(const char *out)
{
	char *here, *path = NULL;

	if (!out || *out == '/' || !strchr(out, '/'))
		return NULL;
	here = getcwd(NULL, 0);
	if (here && asprintf(&path, "%s/%s", here, out) < 0)
		die("out of memory");
	free(here);
	if (path)
		make_directories(path);
	return path;
}

/* DIRECTORY/./PATH is a relative path to the library: what can't be there goes where others go. */
static char *anchored(const char *out)
{
	char *here = getcwd(NULL, 0), *path = NULL;

	if (here && asprintf(&path, "%s/./%s", here, out) < 0)
		die("out of memory");
	free(here);
	return path;
}

/* ---- the environment */

static void set_number(const char *name, uint64_t value)
{
	char text[32];

	if (value == NOT_GIVEN)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	setenv(name, text, 1);
}

static void set_switch(const char *name, bool on, bool off)
{
	if (on || off)
		setenv(name, off ? "0" : "1", 1);
}

/* In the child: mtracer itself isn't to be traced. */
static void set_environment(const struct values *v, const char *preload)
{
	if (v->out)
		setenv("MTRACE_OUT", v->anchored ? v->anchored : v->out, 1);
	set_number("MTRACE_DEPTH", v->depth);
	set_number("MTRACE_SAMPLE", v->sample);
	set_number("MTRACE_TIMELINE", v->timeline);
	set_number("MTRACE_SNAPSHOTS", v->snapshots);
	set_switch("MTRACE_START", v->start, v->no_start);
	set_switch("MTRACE_FOLLOW", v->follow, v->no_follow);
	set_switch("MTRACE_REACHABLE", v->reachable || v->leaks_exit_code != NOT_GIVEN,
		v->no_reachable);
	set_switch("MTRACE_MMAP", v->mmap, v->no_mmap);
	set_switch("MTRACE_SLACK", v->slack, false);
	set_switch("MTRACE_VERBOSE", v->verbose, false);
	if (v->unpool)
		pools_turn_off();
	if (*preload)
		setenv("LD_PRELOAD", preload, 1);
	else
		unsetenv("LD_PRELOAD");
}

/* ---- signals */

/*
 * Ctrl-C and Ctrl-\ reach the program by itself, as it is in the terminal's foreground group;
 * mtracer waits for how it takes them. What is sent to mtracer alone is passed on. SIGCHLD must not
 * be ignored, or there is no status to wait for.
 */
static const int awaited[] = { SIGINT, SIGQUIT };
static const int passed_on[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };

struct signals {
	struct sigaction awaited[ARRAY_SIZE(awaited)];
	struct sigaction passed_on[ARRAY_SIZE(passed_on)];
	struct sigaction child;
	sigset_t mask;
};

static volatile pid_t running; /* the program; 0 = none */

static void pass_on(int number, siginfo_t *info, void *context)
{
	(void)context;
	/* From the kernel it was for the whole group. */
	if (running && info->si_code != SI_KERNEL)
		kill(running, number);
}

static void take_signals(struct signals *old)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction pass = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&block, passed_on[i]);
	sigprocmask(SIG_BLOCK, &block, &old->mask);
	for (size_t i = 0; i < ARRAY_SIZE(awaited); i++)
		sigaction(awaited[i], &ignore, &old->awaited[i]);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		sigaction(passed_on[i], NULL, &old->passed_on[i]);
		if (old->passed_on[i].sa_handler != SIG_IGN)
			sigaction(passed_on[i], &pass, NULL);
	}
	sigaction(SIGCHLD, &standard, &old->child);
}

static void give_signals_back(const struct signals *old)
{
	for (size_t i = 0; i < ARRAY_SIZE(awaited); i++)
		sigaction(awaited[i], &old->awaited[i], NULL);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaction(passed_on[i], &old->passed_on[i], NULL);
	sigaction(SIGCHLD, &old->child, NULL);
	sigprocmask(SIG_SETMASK, &old->mask, NULL);
}

/* ---- running it */

/* What a run took. Zero where it isn't known. */
struct outcome {
	bool traced;
	uint64_t heap;		/* bytes at the peak */
	uint64_t resident;	/* bytes, of the largest of the processes that were waited for */
	bool resident_is_bound; /* it may have been less */
	uint64_t tracer;	/* bytes of these, at the most */
	uint64_t cpu_ns, wall_ns;
};

struct job {
	char **command;
	const struct values *values;
	const char *library; /* NULL = run untraced */
	const char *name;    /* of the program, as the command has it */
	/* that is executed, by the kernel or the dynamic linker; NULL: isn't known */
	char *file;
	struct loader loader;
	struct preloading preloading;
	struct suppressions suppressions;
	struct leakcheck leaks;
	unsigned pools; /* that were said */
	struct run_process process;
	uint64_t resident_before; /* bytes, of the child when it was still mtracer's copy */
	int output;		  /* of the program, if it is redirected; else -1 */
	struct signals signals;
	struct outcome outcome;
};

static uint64_t own_resident(void)
{
	struct rusage own;

	getrusage(RUSAGE_SELF, &own);
	return (uint64_t)own.ru_maxrss << 10;
}

/* What the child says before it becomes the program, and once more where it can't. */
struct child_report {
	uint64_t resident; /* bytes */
	int code;	   /* of exec(); 0 = not tried yet */
};

/* What it prints goes there; nothing is read by two at once. */
static void redirect(int output)
{
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (input >= 0)
		dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
}

__attribute__((noreturn)) static void become_program(struct job *job, int report)
{
	struct child_report r = { own_resident(), 0 };

	set_environment(job->values, job->preloading.list);
	give_signals_back(&job->signals);
	if (write(report, &r, sizeof(r)) < 0)
		_exit(EXIT_NOT_EXECUTABLE);
	if (job->output >= 0)
		redirect(job->output);
	execvp(job->command[0], job->command);
	r.code = errno;
	if (write(report, &r, sizeof(r)) < 0)
		_exit(EXIT_NOT_FOUND);
	_exit(r.code == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Returns whether there was another report. */
static bool read_report(int from, struct child_report *r)
{
	ssize_t got;

	do
		got = read(from, r, sizeof(*r));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(*r);
}

/* Returns 0, or the error number of fork() or exec(). */
static int start(struct job *job)
{
	int report[2]; /* closed by a successful exec */
	struct child_report r = { 0 };
	int code = 0;

	if (pipe2(report, O_CLOEXEC) != 0)
		return errno;
	fflush(NULL);
	take_signals(&job->signals);
	job->process.start_ns = clock_ns(CLOCK_REALTIME);
	job->outcome.wall_ns = clock_ns(CLOCK_MONOTONIC);
	job->process.pid = fork();
	if (job->process.pid == 0)
		become_program(job, report[1]);
	code = job->process.pid < 0 ? errno : 0;
	if (code == 0) {
		running = job->process.pid;
		job->process.start_ticks = process_start_ticks(running);
		sigprocmask(SIG_SETMASK, &job->signals.mask, NULL);
	}
	close(report[1]);
	while (!code && read_report(report[0], &r)) {
		job->resident_before = r.resident;
		code = r.code;
	}
	close(report[0]);
	return code;
}

static uint64_t ns_of(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

static int wait_for(struct job *job)
{
	struct rusage used;
	int status;

	while (wait4(job->process.pid, &status, 0, &used) < 0)
		if (errno != EINTR)
			die("cannot wait for process %d: %s", (int)job->process.pid,
				strerror(errno));
	running = 0;
	job->outcome.wall_ns = clock_ns(CLOCK_MONOTONIC) - job->outcome.wall_ns;
	job->outcome.cpu_ns = ns_of(used.ru_utime) + ns_of(used.ru_stime);
	/* It counts from the fork on: less than mtracer's copy took isn't told. */
	job->outcome.resident = (uint64_t)used.ru_maxrss << 10;
	job->outcome.resident_is_bound = job->outcome.resident <= job->resident_before;
	return status;
}

/* ---- afterwards */

static void print_next(const struct run_traces *traces)
{
	size_t others = traces->children + traces->programs - 1;
	struct strbuf next = { 0 };

	shell_add_self(&next);
	strbuf_add(&next, " report");
	shell_add_operand(&next, traces->path);
	fprintf(stderr, "next: %s", strbuf_text(&next));
	if (others)
		fprintf(stderr, "  # plus %zu trace%s of %s", others, others == 1 ? "" : "s",
			traces->children ? "child processes" : "earlier programs of this process");
	fputc('\n', stderr);
	strbuf_release(&next);
}

static void print_outcome(const struct outcome *o)
{
	char a[UNIT_TEXT], b[UNIT_TEXT];

	fprintf(stderr, "peak RSS %s%s", o->resident_is_bound ? "≤ " : "",
		format_bytes(a, (int64_t)o->resident));
	if (o->tracer)
		fprintf(stderr, " (tracer ≤ %s)", format_bytes(b, (int64_t)o->tracer));
	fprintf(stderr, "; CPU %s, time %s\n", format_duration(a, o->cpu_ns),
		format_duration(b, o->wall_ns));
}

/* Of the process that was started, or of one of its children, whichever took more. */
static void take_figures(struct outcome *o, const struct trace *trace, const struct totals *totals)
{
	o->traced = true;
	o->heap = totals->all.peak_bytes;
	if (trace->header.resident_bytes &&
		(o->resident_is_bound || o->resident < trace->header.resident_bytes)) {
		o->resident = trace->header.resident_bytes;
		o->resident_is_bound = false;
	}
	o->tracer = trace->header.tracer_bytes;
}

/* Once for each pool. With --unpool what is left can't be turned off. */
static void say_pools(struct job *job, const char *program, unsigned pools)
{
	struct strbuf text = { 0 };

	pools = pools_left(pools, job->values->unpool) & ~job->pools;
	if (!pools)
		return;
	job->pools |= pools;
	pools_text(pools, &text);
	notice("%s %s", program, text.text);
	strbuf_release(&text);
}

static void read_trace(struct job *job, const struct run_traces *traces)
{
	char why[256];
	struct trace *trace = trace_open(traces->path, why, sizeof(why));
	struct measures *sites;
	struct totals totals;

	if (!trace) {
		error("%s: %s", traces->path, why);
		return;
	}
	successor_look(trace);
	if (!isatty(STDERR_FILENO))
		setenv("NO_COLOR", "1", 1); /* style() looks at stdout */
	sites = site_measures(trace);
	totals = program_totals(trace, sites);
	take_figures(&job->outcome, trace, &totals);
	/* loaded later, or of what it became */
	say_pools(job, path_base(trace_program(trace)), pools_of_trace(trace));
	if (!job->values->quiet) {
		fold_start(&stderr, STDERR_FILENO, terminal_width(STDERR_FILENO));
		summary_print(trace, &totals, stderr);
		print_outcome(&job->outcome);
		print_next(traces);
		fold_finish();
	}
	free(sites);
	trace_free(trace);
}

static void say_no_trace(const struct job *job, int status)
{
	if (WIFSIGNALED(status))
		error("%s: killed by signal %d (%s)", job->name, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	if (job->library)
		error("%s: no trace was written", job->name);
}

/* The processes that it started may have traces where it has none. */
static void check_leaks(struct job *job, const struct run_traces *traces)
{
	job->leaks = leakcheck(traces, &job->suppressions);
	if (traces->path)
		return;
	error("%s: no verdict on leaks: %s", job->name,
		job->library ? "there is no trace" : "it ran untraced");
	job->leaks.no_verdict = true;
}

static void finish(struct job *job, int status, bool explained)
{
	const char *out = job->values->out ? job->values->out : getenv("MTRACE_OUT");
	struct run_traces traces = { 0 };
	int code;

	if (job->library)
		traces = run_traces_find(out ? out : DEFAULT_OUT, &job->process);
	if (!job->library && job->values->untraced) {
		if (!job->values->quiet)
			print_outcome(&job->outcome);
		return;
	}
	if (traces.path) {
		code = run_trace_record_status(traces.path, &job->process, status);
		if (code)
			warning("%s: cannot note how the program ended: %s", traces.path,
				strerror(code));
		read_trace(job, &traces);
	} else if (!explained || WIFSIGNALED(status)) {
		say_no_trace(job, status);
	}
	if (job->values->leaks_exit_code != NOT_GIVEN)
		check_leaks(job, &traces);
	run_traces_release(&traces);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? EXIT_BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What the check for leaks makes of the program's own status. */
static int verdict_status(const struct job *job, int status)
{
	uint64_t no_verdict = job->values->no_verdict_exit_code;

	if (job->leaks.lost)
		return (int)job->values->leaks_exit_code;
	if (!job->leaks.no_verdict || no_verdict == 0)
		return status;
	return no_verdict == NOT_GIVEN ? EXIT_ERROR : (int)no_verdict;
}

/* ---- one run */

/* Says what will keep the program from being traced. True where the library must not be
 * preloaded. */
static bool warn_of_obstacle(const struct job *job, bool *explained)
{
	struct obstacle o = { NULL, false };

	if (job->file)
		o = job->loader.file ? program_obstacle_loaded(job->file)
				     : program_obstacle(job->file);
	if (o.text)
		warning("%s %s", job->name, o.text);
	*explained = o.text;
	free(o.text);
	return o.harmful;
}

/* "No such file" would be odd of a file that is there. */
static void say_not_started(const char *name, int code)
{
	bool is_path = strchr(name, '/'), is_here = access(name, F_OK) == 0;

	if (code == ENOENT && is_path && is_here)
		error("%s: its interpreter was not found", name);
	else if (code == ENOENT && !is_path)
		error(is_here ? "%s: command not found; did you mean ./%s?"
			      : "%s: command not "
				"found",
			name, name);
	else
		error("%s: %s", name, strerror(code));
}

static int run_job(struct job *job, bool explained)
{
	int code = start(job);
	int status;

	if (code) {
		if (job->process.pid > 0)
			wait_for(job);
		say_not_started(job->command[0], code);
		return code == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	status = wait_for(job);
	finish(job, status, explained);
	return verdict_status(job, exit_status(status));
}

static int read_suppressions(struct job *job)
{
	const struct option_list *files = &job->values->suppressions;
	char why[512];

	for (size_t i = 0; i < files->count; i++) {
		if (!suppressions_add_file(&job->suppressions, files->items[i], why, sizeof(why)))
			return error("%s: %s", files->items[i], why);
	}
	suppressions_add_builtin(&job->suppressions);
	return EXIT_OK;
}

/* The same program may be started several times, each time as if it were the first. */
static int run_with(struct job *job, const char *library, const struct allocator *allocator)
{
	bool explained = false;
	int status;

	job->outcome = (struct outcome){ 0 };
	job->leaks = (struct leakcheck){ false, false };
	job->pools = 0;
	job->library = library;
	if (library && warn_of_obstacle(job, &explained))
		job->library = NULL;
	job->preloading = preloading_choose(job->library, allocator ? allocator->path : NULL,
		job->file, job->loader.file ? &job->loader : NULL);
	if (job->preloading.sanitizer) {
		warning("%s is loaded with a sanitizer's library (%s), which brings its own "
			"malloc; it runs untraced",
			job->name, job->preloading.sanitizer);
		job->library = NULL;
		explained = true;
	}
	say_pools(job, job->name, job->preloading.pools);
	status = run_job(job, explained);
	free(job->preloading.list);
	return status;
}

/* ---- several allocators */

static void add_figure(struct table *table, const char *text, bool known)
{
	table_cell(table, known ? text : "");
}

static void add_row(struct table *table, const struct allocator *a, const struct outcome *o)
{
	uint64_t without = o->resident > o->tracer ? o->resident - o->tracer : 0;
	char text[UNIT_TEXT], resident[UNIT_TEXT + 8];

	table_row(table);
	table_cell(table, path_base(a->name));
	add_figure(table, format_bytes(text, (int64_t)o->heap), o->traced);
	snprintf(resident, sizeof(resident), "%s%s",
		o->resident_is_bound || (o->traced && !o->tracer) ? "≤ " : "",
		format_bytes(text, (int64_t)without));
	add_figure(table, resident, true);
	add_figure(table, format_bytes(text, (int64_t)o->tracer), o->tracer);
	add_figure(table, format_duration(text, o->cpu_ns), true);
	add_figure(table, format_duration(text, o->wall_ns), true);
}

static struct table *new_comparison(void)
{
	static const char *const numbers[] = { "heap peak", "peak RSS", "tracer", "CPU", "time" };
	struct table *table = table_new();

	table_column(table, "allocator", ALIGN_LEFT);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		table_column(table, numbers[i], ALIGN_RIGHT);
	return table;
}

/* Exits with the first status that isn't 0. */
static int compare(struct job *job, const char *library, const struct allocators *allocators)
{
	struct table *table = new_comparison();
	off_t input = lseek(STDIN_FILENO, 0, SEEK_CUR);
	int first = EXIT_OK;

	for (size_t i = 0; i < allocators->count; i++) {
		int status;

		if (input >= 0)
			lseek(STDIN_FILENO, input, SEEK_SET);
		status = run_with(job, library, &allocators->items[i]);
		first = first ? first : status;
		add_row(table, &allocators->items[i], &job->outcome);
	}
	fold_start(&stderr, STDERR_FILENO, terminal_width(STDERR_FILENO));
	table_print(table, stderr);
	if (library)
		fputs("peak RSS excludes the tracer; times are those of traced runs (--untraced "
		      "measures the program\nalone)\n",
			stderr);
	fold_finish();
	table_free(table);
	return first;
}

/* ---- the command */

static int find_allocators(const struct values *v, struct allocators *allocators)
{
	char *wrong = v->allocator ? allocators_find(v->allocator, allocators) : NULL;
	int status = wrong ? error("run: --allocator: %s", wrong) : EXIT_OK;

	free(wrong);
	return status;
}

static int open_output(struct job *job)
{
	const char *path = job->values->program_output;

	if (!path)
		return EXIT_OK;
	job->output = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	return job->output >= 0 ? EXIT_OK : error("%s: %s", path, strerror(errno));
}

/* A path that can be preloaded. */
static int choose_library(char **library)
{
	*library = preloading_library();
	if (!*library)
		return error("libmtrace.so: found neither next to mtracer nor in " MTRACER_PREFIX
			     "/" MTRACER_LIBDIR);
	if ((*library)[strcspn(*library, ": ")])
		return error("%s: a path with a space or colon cannot be preloaded", *library);
	return EXIT_OK;
}

/* What will run: "ld-linux-x86-64.so.2 ./app" is the app. */
static void find_program(struct job *job)
{
	size_t operand;

	job->name = job->command[0];
	job->file = which_program(job->name);
	operand = job->file ? program_operand(job->file, job->command) : 0;
	if (!operand)
		return;
	job->loader = (struct loader){ job->file, job->command + 1, operand - 1 };
	job->name = job->command[operand];
	job->file = mem_strdup(job->name);
}

static int run(const void *values, int argc, char **argv)
{
	struct values placed = *(const struct values *)values;
	struct job job = { .command = argv, .values = &placed, .output = -1 };
	struct allocators allocators = { NULL, 0 };
	char *library = NULL, *shared = NULL;
	int status = check_values(&placed);

	(void)argc;
	if (status == EXIT_OK)
		shared = shared_path(placed.out);
	if (shared) {
		placed.anchored = anchored(placed.out);
		placed.out = shared;
	}
	if (status == EXIT_OK)
		status = read_suppressions(&job);
	if (status == EXIT_OK)
		status = find_allocators(&placed, &allocators);
	if (status == EXIT_OK && !job.values->untraced)
		status = choose_library(&library);
	if (status == EXIT_OK)
		status = open_output(&job);
	if (status == EXIT_OK) {
		find_program(&job);
		status = allocators.count > 1 ? compare(&job, library, &allocators)
					      : run_with(&job, library,
							allocators.count ? allocators.items : NULL);
	}
	if (job.output >= 0)
		close(job.output);
	suppressions_release(&job.suppressions);
	allocators_release(&allocators);
	free(job.loader.file);
	free(job.file);
	free(library);
	free(placed.anchored);
	free(shared);
	return status;
}

const struct command cmd_run = {
	.name = "run",
	.usage = "[OPTION]... [--] PROGRAM [ARGUMENT]...",
	.summary = "run a program and trace its memory",
	.details =
		"Options take precedence over the MTRACE_* variables of the same names. Exits "
		"with the program's status: 128 + N if it was killed by signal N, 127 if it was "
		"not found, 126 if it cannot be executed. With --leaks-exit-code, exits with that "
		"status if any traced process leaked memory, as 'mtracer leaks' would report; "
		"otherwise with the status of --no-verdict-exit-code if any process has no "
		"verdict: it could not be traced, left no trace, was killed or called _exit() "
		"before the check, is still running, recorded nothing or was sampled. The "
		"program's own status is therefore returned only if there is certainly no leak. A "
		"program that was replaced by another one (exec) and a forked child that ended "
		"with _exit() are not counted. With several allocators, the first nonzero status "
		"is returned. Memory pools that hide blocks are reported; --unpool turns them off "
		"by setting PYTHONMALLOC=malloc, G_SLICE=always-malloc, USE_ZEND_ALLOC=0 and "
		"GLIBCXX_FORCE_NEW=1. Functions specific to jemalloc (mallocx ...), mimalloc "
		"(mi_malloc ...) or tcmalloc (tc_malloc ...) are traced if the program or one of "
		"its libraries uses them; for programs that it starts, also preload "
		"libmtrace_NAME.so after libmtrace.so.",
	.options = rows,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = -1,
	.command_line = COMMAND_LINE_ONLY,
	.run = run,
};
