/*
 * place.c - finds a place for a new trace.
 *
 *   MTRACE_OUT  ->  $XDG_STATE_HOME/libmtrace  ->  $TMPDIR  ->  /tmp  ->  memory
 *
 * Memory is a file without a name (memfd), readable as /proc/PID/fd/N while the process lives. A
 * first process whose MTRACE_OUT is absolute gets it there or nowhere: somebody chose that place,
 * and looks for the trace there. A fork child has gone where its parent led it (another root,
 * another user), so it always tries all of them.
 */
#include "preload/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#if !__GLIBC_PREREQ(2, 32)
#include <stdio.h> /* sys_errlist */
#endif

enum { WANTED, STATE_HOME, TMPDIR, TMP, MEMORY, NOWHERE };

#define MOST_ATTEMPTS 10000u /* names tried at one place */

/* As at the start: programs overwrite their environment, to set their title, and change directory.
 * "" = there is none. */
static char directory[4096], state_home[4096], temporary[4096];
static size_t state_known; /* bytes of state_home: a folder that isn't ours to create */

static const char *variable(char **environment, const char *name)
{
	size_t size = strlen(name);

	for (char **e = environment; e && *e; e++)
		if (strncmp(*e, name, size) == 0 && (*e)[size] == '=')
			return *e + size + 1;
	return "";
}

void place_init(char **environment)
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

/* The path at a place, without what makes it a free one. False: there is no such place. */
static bool path_at(unsigned place, struct text *t)
{
	const char *const directories[] = { directory, state_home, temporary, "/tmp" };
	const char *name = strrchr(config.out, '/');

	if (place == WANTED && *config.out == '/') {
		expand(t, config.out);
		return true;
	}
	if (place != WANTED && !*directories[place])
		return false;
	text_add(t, directories[place]);
	if (place != WANTED || *directory)
		text_add(t, "/");
	expand(t, place == WANTED ? config.out : name ? name + 1 : config.out);
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

static enum occupant look_at(const char *path)
{
	struct mt_header h;
	struct stat st;
	char boot_id[sizeof(h.boot_id)];
	int fd = os_open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
	enum occupant is = OCCUPANT_OTHER;

	if (fd < 0)
		return errno == ENOENT	 ? OCCUPANT_NONE
		       : errno == EACCES ? OCCUPANT_CLOSED
					 : OCCUPANT_OTHER;
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

/* Creates the folders of `path` that are missing; not those of its first `known` bytes, which may
 * be in another root by now. */
static void make_folders(char *path, size_t known)
{
	for (char *p = path + known + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(path, 0700);
		*p = '/';
	}
}

static void add_reason(struct place *p, const char *before, const char *after, const char *reason)
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

static void failed(struct place *p, int error)
{
	add_reason(p, "cannot create '", "': ", error_text(error));
}

/* What only another MTRACE_OUT would help against. */
static bool is_mistake(int error)
{
	return error == ENAMETOOLONG || error == EISDIR || error == ENOTDIR || error == ELOOP ||
	       (error == ENOENT && strchr(config.out, '/'));
}

/* Attempt 0 is the path itself; then the pid is added unless it is in there, then a number too. */
static bool set_attempt(struct place *p, size_t size, bool pid, unsigned attempt)
{
	struct text t = { p->path, sizeof(p->path), size };

	p->path[size] = '\0';
	if (attempt > 0 && !pid) {
		text_add(&t, ".");
		text_add_number(&t, (uint64_t)os_pid());
	}
	if (attempt > 1) {
		text_add(&t, ".");
		text_add_number(&t, attempt);
	}
	return t.used < sizeof(p->path) - 1;
}

/* Opens a new file at the place, or beside it while it is taken. -1: no good, and why says so. */
static int open_file(struct place *p, unsigned place)
{
	const char *name = strrchr(config.out, '/');
	bool pid = has_pid(place == WANTED || !name ? config.out : name);
	unsigned attempt = pid || place != WANTED;
	struct text t;

	text_init(&t, p->path, sizeof(p->path));
	if (!path_at(place, &t))
		return -1;
	if (place == STATE_HOME)
		make_folders(p->path, state_known);
	while (attempt < MOST_ATTEMPTS && set_attempt(p, t.used, pid, attempt)) {
		int fd = os_open(p->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		enum occupant occupant;

		if (fd >= 0)
			return fd;
		if (errno != EEXIST) {
			p->fixed |= place == WANTED && !p->child && is_mistake(errno);
			failed(p, errno);
			return -1;
		}
		occupant = look_at(p->path);
		if (occupant >= OCCUPANT_CLOSED && place == WANTED) {
			p->fixed |= !p->child;
			add_reason(p, "'",
				occupant == OCCUPANT_CLOSED
					? "' is there: permission denied; "
					: "' is not a trace, so it is left alone; ",
				"set MTRACE_OUT to another path");
			return -1;
		}
		if (occupant == OCCUPANT_NONE) /* gone in between */
			continue;
		if (occupant != OCCUPANT_OLD_TRACE || unlink(p->path) != 0)
			attempt++;
	}
	p->fixed |= place == WANTED && !p->child;
	add_reason(p, "no free or too long a path (MTRACE_OUT): '", "'", "");
	return -1;
}

void place_start(struct place *p, bool child)
{
	p->next = WANTED;
	p->child = child;
	p->fixed = !child && *config.out == '/';
	p->in_memory = false;
	text_init(&p->why, p->why_text, sizeof(p->why_text));
}

/* Its path is only known once its number is. */
static int name_memory(struct place *p, int fd)
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

int place_open(struct place *p)
{
	while (p->next < NOWHERE && !(p->fixed && p->next > WANTED)) {
		unsigned place = p->next++;
		int fd = place == MEMORY ? os_memory_file("mtrace") : open_file(p, place);

		if (fd < 0)
			continue;
		fd = os_move_fd(fd);
		if (fd >= 0)
			return place == MEMORY ? name_memory(p, fd) : fd;
		if (place != MEMORY)
			unlink(p->path);
		failed(p, EMFILE);
	}
	return -1;
}

void place_failed(struct place *p, int error)
{
	if (!p->in_memory)
		unlink(p->path);
	p->in_memory = false;
	failed(p, error);
}

void place_found(struct place *p)
{
	if (p->why.used == 0)
		return;
	if (p->in_memory)
		message(p->why.buffer, "; the trace is in memory, readable as '", p->path,
			"' while the process runs", NULL);
	else
		message(p->why.buffer, "; the trace is in '", p->path, "'", NULL);
}

void place_none(struct place *p)
{
	message(p->why.buffer, "; running untraced", NULL);
}
