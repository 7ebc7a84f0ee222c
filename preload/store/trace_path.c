/* SPDX-License-Identifier: MIT */
/*
 * trace_path.c - finds a path for a new trace.
 *
 *   MTRACE_OUT  ->  $XDG_STATE_HOME/libmtrace  ->  $TMPDIR  ->  /tmp  ->  memory
 *
 * Memory is a file without a name (memfd), readable as /proc/PID/fd/N while the process lives. A
 * first process whose MTRACE_OUT is absolute gets it there or nowhere: somebody chose that path,
 * and looks for the trace there. (Not where it was made absolute: DIRECTORY/./PATH.) A fork child
 * has gone where its parent led it (another root, another user), so it always tries all of them.
 */
#include "preload/store/trace_path.h"
#include "preload/sys/env.h"
#include "preload/sys/glibc.h"
#include "preload/sys/message.h"
#include "preload/sys/os.h"
#include "preload/trace_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#if !__GLIBC_PREREQ(2, 32)
#include <stdio.h> /* sys_errlist */
#endif

enum { WANTED, STATE_HOME, TMPDIR, TMP, MEMORY, NOWHERE };

#define MOST_ATTEMPTS 10000u /* names tried in one directory */

/* As at the start: programs overwrite their environment, to set their title, and change directory.
 * "" = there is none. */
static char directory[4096], state_home[4096], temporary[4096];
static size_t state_known; /* bytes of state_home: a directory that isn't ours to create */

static const char *variable(char **environment, const char *name)
{
	size_t size = strlen(name);

	for (char **e = environment; e && *e; e++)
		if (strncmp(*e, name, size) == 0 && (*e)[size] == '=')
			return *e + size + 1;
	return "";
}

void trace_path_init(char **environment)
{
	const char *home = variable(environment, "HOME");
	const char *state = variable(environment, "XDG_STATE_HOME");
	struct text t;

	if (!getcwd(directory, sizeof(directory)) || *directory != '/')
		*directory = '\0';
	text_init(&t, temporary, sizeof(temporary));
	if (*variable(environment, "TMPDIR") == '/')
		text_add(&t, variable(environment, "TMPDIR"));
	text_init(&t, state_home, sizeof(state_home));
	if (*state == '/') { /* relative ones are to be ignored */
		text_add(&t, state);
		state_known = (size_t)(strrchr(state_home, '/') - state_home);
	} else if (*home == '/') {
		text_add(&t, home);
		state_known = t.used;
		text_add(&t, "/.local/state");
	}
	text_add(&t, *state_home ? "/libmtrace" : "");
}

/* ---- names */

static void add_host_name(struct text *t)
{
	struct utsname names;

	text_add(t, uname(&names) == 0 ? names.nodename : "localhost");
}

/* The name that the program was started by: a link's tells more than the file's behind it. */
static void add_name(struct text *t)
{
	static char kept[256]; /* as it was at the start, again because of the title */
	const char *name = program_invocation_short_name;

	if (*name == '-') /* a login shell */
		name++;
	if (!*kept)
		strncpy(kept, *name ? name : "unknown", sizeof(kept) - 1);
	text_add(t, kept);
}

/* A part of MTRACE_OUT, its % letters replaced. */
static void expand(struct text *t, const char *p)
{
	for (; *p; p++) {
		if (*p != '%')
			text_add_bytes(t, p, 1);
		else if (*++p == 'p')
			text_add_number(t, (uint64_t)os_pid());
		else if (*p == 'n')
			add_name(t);
		else if (*p == 'h')
			add_host_name(t);
		else
			text_add(t, "%");
	}
}

static bool has_pid(const char *p)
{
	for (; *p; p++)
		if (*p == '%' && *++p == 'p')
			return true;
	return false;
}

/* A candidate's path, without what makes it a free one. False: there is no such candidate. */
static bool path_at(unsigned candidate, struct text *t)
{
	const char *const directories[] = { directory, state_home, temporary, "/tmp" };
	const char *name = strrchr(config.out, '/');

	if (candidate == WANTED && *config.out == '/') {
		expand(t, config.out);
		return true;
	}
	if (candidate != WANTED && !*directories[candidate])
		return false;
	text_add(t, directories[candidate]);
	if (candidate != WANTED || *directory)
		text_add(t, "/");
	expand(t, candidate == WANTED ? config.out : name ? name + 1 : config.out);
	return true;
}

/* ---- what is there already */

enum occupant {
	OCCUPANT_NONE,
	OCCUPANT_OLD_TRACE,
	OCCUPANT_LIVE_TRACE,
	OCCUPANT_CLOSED, /* another user's, who lets nobody look */
	OCCUPANT_OTHER
};

/* Whatever is done with it will say why. */
static bool is_no_path(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

static enum occupant look_at(const char *path)
{
	struct mt_header h;
	struct stat st;
	char boot_id[sizeof(h.boot_id)];
	int fd = os_open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
	enum occupant is = OCCUPANT_OTHER;

	if (fd < 0)
		return is_no_path(errno)			       ? OCCUPANT_NONE
		       : errno != EACCES			       ? OCCUPANT_OTHER
		       : lstat(path, &st) == 0 /* not its directory */ ? OCCUPANT_CLOSED
								       : OCCUPANT_NONE;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		os_pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) &&
		memcmp(h.magic, MT_MAGIC, sizeof(h.magic)) == 0) {
		is = OCCUPANT_OLD_TRACE;
		os_boot_id(boot_id, sizeof(boot_id));
		if (h.state == MT_STATE_RUNNING &&
			strncmp(h.boot_id, boot_id, sizeof(boot_id)) == 0 &&
			h.start_ticks == os_start_ticks((int)h.pid))
			is = OCCUPANT_LIVE_TRACE;
	}
	os_close(fd);
	return is;
}

/* ---- opening */

/* Creates the directories of `path` that are missing; not those of its first `known` bytes, which
 * may be in another root by now. */
static void make_directories(char *path, size_t known)
{
	for (char *p = path + known + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(path, 0700);
		*p = '/';
	}
}

static void add_reason(
	struct trace_path *p, const char *before, const char *after, const char *reason)
{
	if (p->why.used > 0)
		return;
	text_add(&p->why, before);
	text_add(&p->why, p->path);
	text_add(&p->why, after);
	text_add(&p->why, reason);
}

/* In English, and without asking for memory as strerror() may. */
static const char *error_text(int error)
{
#if __GLIBC_PREREQ(2, 32)
	return strerrordesc_np(error);
#else
	return error >= 0 && error < sys_nerr ? sys_errlist[error] : "unknown error";
#endif
}

static void failed(struct trace_path *p, int error)
{
	add_reason(p, "cannot create '", "': ", error_text(error));
}

/* What only another MTRACE_OUT would help against. */
static bool is_mistake(int error)
{
	return error == ENAMETOOLONG || error == EISDIR || error == ENOTDIR || error == ELOOP ||
	       (error == ENOENT && strchr(config.out, '/') && !config.anchored);
}

/* Attempt 0 is the path itself; then the pid is added unless it is in there, then a number too. */
static bool set_attempt(struct trace_path *p)
{
	struct text t = { p->path, sizeof(p->path), p->stem };

	p->path[p->stem] = '\0';
	if (p->attempt > 0 && !p->has_pid) {
		text_add(&t, ".");
		text_add_number(&t, (uint64_t)os_pid());
	}
	if (p->attempt > 1) {
		text_add(&t, ".");
		text_add_number(&t, p->attempt);
	}
	return t.used < sizeof(p->path) - 1;
}

static bool at_wanted(const struct trace_path *p)
{
	return p->next == WANTED + 1;
}

/* Goes on to a name that is free, or an older trace's, which is removed if it is `taken`. False: no
 * good, and why says so. */
static bool choose_name(struct trace_path *p, bool taken)
{
	for (; p->attempt < MOST_ATTEMPTS && set_attempt(p); p->attempt++) {
		enum occupant occupant = look_at(p->path);

		if (occupant == OCCUPANT_NONE ||
			(occupant == OCCUPANT_OLD_TRACE && (!taken || unlink(p->path) == 0)))
			return true;
		if (occupant >= OCCUPANT_CLOSED && at_wanted(p)) {
			p->fixed |= !p->child;
			add_reason(p, "'",
				occupant == OCCUPANT_CLOSED
					? "' exists: permission denied; "
					: "' is not a trace and is not overwritten; ",
				"set MTRACE_OUT to another path");
			return false;
		}
	}
	p->fixed |= at_wanted(p) && !p->child;
	add_reason(p, "path too long, or no free name (MTRACE_OUT): '", "'", "");
	return false;
}

/* Of the path, without the name. */
static void add_directory(struct text *t, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash)
		text_add_bytes(t, path, (size_t)(slash - path) + 1);
	else
		text_add(t, "./");
}

static int open_unnamed(const struct trace_path *p)
{
	char path[sizeof(p->path)];
	struct text t;

	text_init(&t, path, sizeof(path));
	add_directory(&t, p->path);
	return os_open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* What is there already was left by a process that was killed, with our number. */
static int open_aside(struct trace_path *p)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const char *slash = strrchr(p->path, '/');
	struct text t;
	int fd;

	text_init(&t, p->other, sizeof(p->other));
	add_directory(&t, p->path);
	text_add(&t, ".");
	text_add(&t, slash ? slash + 1 : p->path);
	text_add(&t, ".");
	text_add_number(&t, (uint64_t)os_pid());
	text_add(&t, ".new");
	fd = os_open(p->other, flags, 0600);
	if (fd < 0 && errno == EEXIST && unlink(p->other) == 0)
		fd = os_open(p->other, flags, 0600);
	return fd;
}

static bool lacks_unnamed_files(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == EINVAL || error == EPERM ||
	       error == ENOSYS;
}

/* -1: errno. The umask doesn't say what a trace's owner may do with it. */
static int open_file(struct trace_path *p)
{
	int fd = p->aside ? -1 : open_unnamed(p);

	p->other[0] = '\0';
	if (fd < 0 && (p->aside || lacks_unnamed_files(errno)))
		fd = open_aside(p);
	if (fd >= 0)
		os_make_private(fd);
	return fd;
}

/* Opens a new file for the candidate, or for beside it while it is taken. -1: no good, and why says
 * so. */
static int open_at(struct trace_path *p, unsigned candidate)
{
	const char *name = strrchr(config.out, '/');
	struct text t;
	int fd;

	text_init(&t, p->path, sizeof(p->path));
	if (!path_at(candidate, &t))
		return -1;
	if (candidate == STATE_HOME)
		make_directories(p->path, state_known);
	p->stem = t.used;
	p->has_pid = has_pid(candidate == WANTED || !name ? config.out : name);
	p->attempt = p->has_pid || candidate != WANTED;
	if (!choose_name(p, false))
		return -1;
	fd = open_file(p);
	if (fd < 0) {
		p->fixed |= at_wanted(p) && !p->child && is_mistake(errno);
		failed(p, errno);
	}
	return fd;
}

/* ---- naming */

/* Without /proc only those may who may look into all directories. */
static int link_unnamed(const struct trace_path *p, int fd)
{
	char link[64];
	struct text t;
	int error;

	text_init(&t, link, sizeof(link));
	text_add(&t, "/proc/self/fd/");
	text_add_number(&t, (uint64_t)fd);
	error = (int)os_call(SYS_linkat, AT_FDCWD, link, AT_FDCWD, p->path, AT_SYMLINK_FOLLOW);
	if (error == -ENOENT)
		error = (int)os_call(SYS_linkat, fd, "", AT_FDCWD, p->path, AT_EMPTY_PATH);
	return error;
}

/* Nothing that is there must be replaced; only where the kernel can't promise that, it might. */
static int rename_aside(const struct trace_path *p)
{
	int error = (int)os_call(
		SYS_renameat2, AT_FDCWD, p->other, AT_FDCWD, p->path, RENAME_NOREPLACE);

	if (error == -EINVAL || error == -ENOSYS || error == -EPERM)
		error = (int)os_call(SYS_renameat, AT_FDCWD, p->other, AT_FDCWD, p->path);
	return error;
}

int trace_path_name(struct trace_path *p, int fd)
{
	int error = 0;

	if (p->in_memory)
		return 0;
	for (unsigned i = 0; i < MOST_ATTEMPTS; i++) {
		if (!choose_name(p, true))
			return -EEXIST;
		error = *p->other ? rename_aside(p) : link_unnamed(p, fd);
		if (error != -EEXIST)
			break;
	}
	p->named = error == 0;
	if (error < 0 && !p->aside && !*p->other)
		p->aside = p->again = true;
	return error;
}

void trace_path_start(struct trace_path *p, bool child)
{
	p->next = WANTED;
	p->child = child;
	p->fixed = !child && *config.out == '/' && !config.anchored;
	p->in_memory = p->named = p->aside = p->again = false;
	text_init(&p->why, p->why_text, sizeof(p->why_text));
}

/* Its path is only known once its number is. */
static int name_memory(struct trace_path *p, int fd)
{
	struct text t;

	text_init(&t, p->path, sizeof(p->path));
	text_add(&t, "/proc/");
	text_add_number(&t, (uint64_t)os_pid());
	text_add(&t, "/fd/");
	text_add_number(&t, (uint64_t)fd);
	p->in_memory = true;
	return fd;
}

static void remove_file(struct trace_path *p)
{
	if (p->named)
		unlink(p->path);
	else if (*p->other)
		unlink(p->other);
	p->named = p->in_memory = false;
	p->other[0] = '\0';
}

int trace_path_open(struct trace_path *p)
{
	while (p->next < NOWHERE && !(p->fixed && p->next > WANTED)) {
		unsigned candidate = p->next++;
		int fd = candidate == MEMORY ? os_memory_file("mtrace") : open_at(p, candidate);

		if (fd < 0)
			continue;
		fd = os_move_fd(fd);
		if (fd >= 0)
			return candidate == MEMORY ? name_memory(p, fd) : fd;
		remove_file(p);
		failed(p, EMFILE);
	}
	return -1;
}

/* One that can't be given its name may have had another before. */
void trace_path_failed(struct trace_path *p, int error)
{
	remove_file(p);
	if (p->again)
		p->next--;
	else
		failed(p, error);
	p->again = false;
}

void trace_path_found(struct trace_path *p)
{
	if (p->why.used == 0 || !config.verbose)
		return;
	if (p->in_memory)
		message(p->why.buffer, "; the trace is in memory, readable as '", p->path,
			"' while the process runs", NULL);
	else
		message(p->why.buffer, "; the trace is in '", p->path, "'", NULL);
}

void trace_path_none(struct trace_path *p)
{
	message(p->why.buffer, "; running untraced", NULL);
}
