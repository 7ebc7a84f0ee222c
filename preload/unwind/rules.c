/* SPDX-License-Identifier: MIT */
/*
 * rules.c - derives unwind rules, by letting libunwind step over a frame that doesn't exist.
 *
 * A remote cursor is given registers that are tokens: sp = 1 << 60, bp = 2 << 60. Reads of unwind
 * tables are real; a read near a token is noted and answered with a token of its own, 3 << 60 and
 * up. After one step, what the new registers hold tells where they came from: sp = token 1 + 32
 * means CFA = sp + 32; pc = token 4, which was read from token 1 + 24, means the return address is
 * at CFA - 8. So libunwind stays the only decoder of DWARF here.
 *
 * libunwind is loaded privately (RTLD_LOCAL, by dlopen) since its _Unwind_* and backtrace symbols
 * would otherwise replace libgcc's in the whole program.
 */
#include "preload/unwind/rules.h"
#include "preload/sys/cpu.h"
#include "preload/sys/message.h"
#include "preload/sys/os.h"
#include "preload/sys/seccomp.h"
#include "preload/unwind/code.h"
#include "preload/unwind/imports.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libunwind-x86_64.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct lock unwind_lock;

#define PAGE CPU_PAGE
#define TOKEN_SHIFT 60
#define TOKEN_SP 1
#define TOKEN_BP 2
#define TOKEN_READ 3   /* the first of the tokens that answer reads */
#define TOKEN_OTHER 14 /* all other registers */
#define MOST_READS (TOKEN_OTHER - TOKEN_READ)

typedef int search_fn(
	unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int, void *);

static struct {
	unw_addr_space_t space;
	int (*init_remote)(unw_cursor_t *, unw_addr_space_t, void *);
	int (*step)(unw_cursor_t *);
	int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
	search_fn *search;
} unwind;

/* One derivation: what it is about and what was seen of it. */
struct step {
	uintptr_t pc;
	struct object object;
	bool no_info;
	bool called;	      /* there is a call before pc */
	uintptr_t start, end; /* of the function that has it, if one has */
	unsigned reads;
	unw_word_t read_from[MOST_READS];
	rule_t rule; /* the result */
};

/* The number of the token that a value is near, 0 = a plain value. */
static unsigned token_of(unw_word_t value)
{
	return (unsigned)((value + (1ull << (TOKEN_SHIFT - 1))) >> TOKEN_SHIFT) & 15u;
}

static int64_t token_offset(unw_word_t value)
{
	return (int64_t)(value - ((unw_word_t)token_of(value) << TOKEN_SHIFT));
}

/* ---- what libunwind asks */

/* The header of .eh_frame_hdr with the encodings that all linkers write: a binary search table of
 * 32-bit offsets. */
struct unwind_header {
	uint8_t version;
	uint8_t frame_encoding;
	uint8_t count_encoding;
	uint8_t table_encoding;
	int32_t frame;
	uint32_t count;
};
#define ENCODING_SDATA4_PCREL 0x1b
#define ENCODING_UDATA4 0x03
#define ENCODING_SDATA4_DATAREL 0x3b

static int find_proc_info(
	unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info, int need, void *arg)
{
	struct step *s = arg;
	const struct unwind_header *h = (const void *)s->object.unwind_header;
	unw_dyn_info_t table = { 0 };
	int result = -UNW_ENOINFO;

	if (h && ip >= s->object.start && ip < s->object.end && h->version == 1 &&
		h->frame_encoding == ENCODING_SDATA4_PCREL &&
		h->count_encoding == ENCODING_UDATA4 &&
		h->table_encoding == ENCODING_SDATA4_DATAREL && h->count > 0) {
		table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
		table.start_ip = s->object.start;
		table.end_ip = s->object.end;
		table.u.rti.segbase = (unw_word_t)h;
		table.u.rti.table_data = (unw_word_t)(h + 1);
		table.u.rti.table_len = h->count;
		result = unwind.search(space, ip, &table, info, need, arg);
	}
	if (result < 0) {
		s->no_info = true;
	} else {
		s->start = info->start_ip;
		s->end = info->end_ip;
	}
	return result;
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
}

static int get_dyn_info_list(unw_addr_space_t space, unw_word_t *address, void *arg)
{
	return -UNW_ENOINFO;
}

/*
 * Where an object has holes, the loader tells of a single piece, and what the tables point to lies in
 * others. Their pages that the kernel has called readable are remembered, as long as no code goes: a search in the
 * tables asks for twenty, and each new return address for nearly the same ones. Under unwind_lock.
 */
#define KNOWN_PAGES 1024
static struct {
	uintptr_t pages[KNOWN_PAGES];
	uint32_t generation;
} known;

static bool is_readable(uintptr_t address)
{
	uintptr_t page = cpu_page_down(address);
	uintptr_t *slot = &known.pages[page / PAGE % KNOWN_PAGES];
	uint32_t generation = load_acquire(&code_generation);

	if (known.generation != generation)
		memset(&known, 0, sizeof(known));
	known.generation = generation;
	if (*slot != page && os_readable(page))
		*slot = page;
	return *slot == page;
}

static int access_mem(
	unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write, void *arg)
{
	struct step *s = arg;

	if (write)
		return -UNW_EINVAL;
	if (token_of(address) == 0) {
		if ((address < cpu_page_down(s->object.start) ||
			    address + 8 > cpu_page_up(s->object.end)) &&
			!(is_readable(address) && is_readable(address + 7)))
			return -UNW_EINVAL;
		memcpy(value, (const void *)address, sizeof(*value));
		return 0;
	}
	for (unsigned i = 0; i < s->reads; i++) {
		if (s->read_from[i] == address) {
			*value = (unw_word_t)(TOKEN_READ + i) << TOKEN_SHIFT;
			return 0;
		}
	}
	if (s->reads >= MOST_READS)
		return -UNW_EINVAL;
	s->read_from[s->reads] = address;
	*value = (unw_word_t)(TOKEN_READ + s->reads++) << TOKEN_SHIFT;
	return 0;
}

static int access_reg(
	unw_addr_space_t space, unw_regnum_t reg, unw_word_t *value, int write, void *arg)
{
	struct step *s = arg;

	if (write)
		return -UNW_EREADONLYREG;
	switch (reg) {
	case UNW_X86_64_RIP:
		*value = s->pc - 1; /* the call, not what follows it */
		break;
	case UNW_X86_64_RSP:
		*value = (unw_word_t)TOKEN_SP << TOKEN_SHIFT;
		break;
	case UNW_X86_64_RBP:
		*value = (unw_word_t)TOKEN_BP << TOKEN_SHIFT;
		break;
	default:
		*value = (unw_word_t)TOKEN_OTHER << TOKEN_SHIFT;
	}
	return 0;
}

static int access_fpreg(
	unw_addr_space_t space, unw_regnum_t reg, unw_fpreg_t *value, int write, void *arg)
{
	return -UNW_EINVAL;
}

static int resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
	return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t space, unw_word_t address, char *buffer, size_t size,
	unw_word_t *offset, void *arg)
{
	return -UNW_ENOINFO;
}

/* ---- reading the answer off the registers */

/* Where was this token read from? 0 when it is none that was read. */
static unw_word_t read_from(const struct step *s, unw_word_t value)
{
	unsigned token = token_of(value);

	if (token < TOKEN_READ || token - TOKEN_READ >= s->reads || token_offset(value) != 0)
		return 0;
	return s->read_from[token - TOKEN_READ];
}

static bool fits(int64_t bytes)
{
	return bytes % 8 == 0 && bytes / 8 >= -(1 << 20) && bytes / 8 < 1 << 20;
}

/* RULE_HARD where the saved register's address can't be said in a rule. */
static rule_t with_saved(enum rule_kind kind, int64_t offset, unw_word_t cfa, unw_word_t bp_from)
{
	int64_t below = (int64_t)(cfa - bp_from);

	if (!fits(offset))
		return rule_make(RULE_HARD, 0, 0);
	if (bp_from == 0)
		return rule_make(kind, RULE_NOT_SAVED, (int32_t)(offset / 8));
	if (bp_from == (unw_word_t)TOKEN_BP << TOKEN_SHIFT && kind != RULE_SP)
		return rule_make(kind, RULE_SAVED_AT_BP, (int32_t)(offset / 8));
	if (below <= 0 || below % 8 != 0 || below / 8 >= RULE_SAVED_AT_BP)
		return rule_make(RULE_HARD, 0, 0);
	return rule_make(kind, (uint32_t)(below / 8), (int32_t)(offset / 8));
}

static rule_t read_off(const struct step *s, unw_word_t pc, unw_word_t sp, unw_word_t bp)
{
	const unw_word_t base = (unw_word_t)TOKEN_SP << TOKEN_SHIFT;
	unw_word_t pc_from = read_from(s, pc), sp_from = read_from(s, sp),
		   bp_from = read_from(s, bp);
	bool bp_known = bp_from != 0 || bp == (unw_word_t)TOKEN_BP << TOKEN_SHIFT;

	if (pc_from == base + CPU_SIGNAL_PC && sp_from == base + CPU_SIGNAL_SP &&
		bp_from == base + CPU_SIGNAL_BP)
		return rule_make(RULE_SIGNAL, RULE_NOT_SAVED, 0);
	if (pc_from != sp + CPU_RETURN_SLOT || !bp_known)
		return rule_make(RULE_HARD, 0, 0);
	if (token_of(sp) == TOKEN_SP)
		return with_saved(RULE_SP, token_offset(sp), sp, bp_from);
	if (token_of(sp) == TOKEN_BP)
		return with_saved(RULE_BP, token_offset(sp), sp, bp_from);
	if (token_of(sp_from) == TOKEN_BP)
		return with_saved(RULE_DEREF, token_offset(sp_from), sp, bp_from);
	return rule_make(RULE_HARD, 0, 0);
}

static rule_t derive(struct step *s)
{
	unw_cursor_t cursor;
	unw_word_t pc, sp, bp;
	int result;

	if (unwind.init_remote(&cursor, unwind.space, s) < 0)
		return rule_make(RULE_HARD, 0, 0);
	result = unwind.step(&cursor);
	if (s->no_info)
		return code_rule(s->called ? s->pc : s->pc - 1, s->called);
	if (result == 0)
		return rule_make(RULE_END, 0, 0);
	if (result < 0 || unwind.get_reg(&cursor, UNW_X86_64_RIP, &pc) < 0 ||
		unwind.get_reg(&cursor, UNW_X86_64_RSP, &sp) < 0)
		return rule_make(RULE_HARD, 0, 0);
	if (unwind.get_reg(&cursor, UNW_X86_64_RBP, &bp) < 0)
		bp = (unw_word_t)TOKEN_BP
		     << TOKEN_SHIFT; /* undefined: nobody outside can rely on it */
	return read_off(s, pc, sp, bp);
}

/* Coroutines and signal handlers have stacks of a few KiB, and libunwind would like more than that:
 * what is done for a new return address is done on a stack of its own, for one at a time. */
#define UNWIND_STACK (256u << 10)
static char *unwind_stack;

/* libunwind blocks the signals around each piece of memory that it takes: eight system calls for a
 * rule, half of its time. While it works for us they are blocked already. */
static uintptr_t at_work; /* the thread pointer of the thread that it works for; 0: none */
static int (*change_mask)(int, const sigset_t *, sigset_t *);

static int change_mask_of_others(int how, const sigset_t *set, sigset_t *before)
{
	return load_relaxed(&at_work) == cpu_thread_pointer() ? 0 : change_mask(how, set, before);
}

static void step_over(struct step *s)
{
	int saved = errno;

	store_relaxed(&at_work, cpu_thread_pointer());
	s->rule = derive(s);
	store_relaxed(&at_work, 0);
	errno = saved;
}

static bool is_start(const struct object *object, uintptr_t pc)
{
	struct step s = { .pc = pc + 1, .object = *object };

	step_over(&s);
	return s.start == pc;
}

bool rule_follows_call(uintptr_t pc)
{
	const unsigned char *code = (const unsigned char *)pc - CPU_CALL_MOST;

	return pc > CPU_CALL_MOST && os_readable((uintptr_t)code) && cpu_ends_with_call(code);
}

rule_t rule_derive(uintptr_t return_address, const struct object *o)
{
	struct step s = { .pc = return_address, .called = rule_follows_call(return_address) };

	if (!o)
		return s.called ? RULE_GENERATED : RULE_NOWHERE;
	if (!seccomp_allows_masks()) /* libunwind can't be asked, which is no reason to guess */
		return rule_make(RULE_HARD, 0, 0);
	s.object = *o;
	step_over(&s);
	/* Code that can't be read is taken for code all the same, since the loader knows it. */
	if (rule_kind(s.rule) == RULE_SIGNAL || rule_kind(s.rule) == RULE_END || s.called ||
		!os_readable(return_address - CPU_CALL_MOST))
		return s.rule;
	return is_start(o, return_address) ? RULE_START : s.rule | RULE_NO_CALL;
}

void rules_with_room(void (*f)(void *), void *arg)
{
	lock_enter(&unwind_lock);
	if (unwind_stack)
		cpu_call_on(unwind_stack + UNWIND_STACK, f, arg);
	else
		f(arg);
	lock_leave(&unwind_lock);
}

static void look_up_function(void *arg)
{
	struct step *s = arg;

	step_over(s);
}

size_t rule_function_size(uintptr_t start)
{
	struct step s = { .pc = start + 1 };
	struct signals before;

	if (!start || !seccomp_allows_masks() || !object_find(start, &s.object))
		return 0;
	before = signals_block();
	rules_with_room(look_up_function, &s);
	signals_restore(before);
	return s.start == start ? s.end - start : 0;
}

/* ---- loading */

#define LEAST_DESCRIPTORS 116 /* that the trace's may be beyond the program's, 0 to 99 */

static bool load(void)
{
	static unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = get_dyn_info_list,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = resume,
		.get_proc_name = get_proc_name,
	};
	unw_addr_space_t (*create)(unw_accessors_t *, int);
	int (*set_caching)(unw_addr_space_t, unw_caching_policy_t);
	void *library = dlopen(CPU_UNWIND_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		message("cannot load " CPU_UNWIND_LIBRARY
			" (install the package libunwind8); running untraced",
			NULL);
		return false;
	}
	create = dlsym(library, CPU_UNWIND("create_addr_space"));
	set_caching = dlsym(library, CPU_UNWIND("set_caching_policy"));
	unwind.init_remote = dlsym(library, CPU_UNWIND("init_remote"));
	unwind.step = dlsym(library, CPU_UNWIND("step"));
	unwind.get_reg = dlsym(library, CPU_UNWIND("get_reg"));
	unwind.search = dlsym(library, CPU_UNWIND("dwarf_search_unwind_table"));
	if (create && set_caching && unwind.init_remote && unwind.step && unwind.get_reg &&
		unwind.search)
		unwind.space = create(&accessors, 0);
	if (!unwind.space) {
		message(CPU_UNWIND_LIBRARY " lacks a required function; running untraced", NULL);
		return false;
	}
	set_caching(unwind.space, UNW_CACHE_NONE);
	change_mask = sigprocmask;
	imports_replace(library, "sigprocmask", (void *)change_mask_of_others);
	return true;
}

/* Closes descriptors `first` and `second`, which were free before, unless they are seen to be something
 * else than the two ends of a pipe. */
static void close_pipe(int first, int second)
{
	struct stat a, b;

	if (fstat(first, &a) < 0 || fstat(second, &b) < 0 ||
		(S_ISFIFO(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)) {
		os_close(first);
		os_close(second);
	}
}

/* Whatever else it does when it is first used. */
static void derive_first(void *unused)
{
	const uintptr_t pc = (uintptr_t)rules_init + 1;
	struct object o;

	if (object_find(pc, &o))
		rule_derive(pc, &o);
}

/* libunwind opens a pipe in the course of this, to try whether local memory is readable. It is only
 * asked about registers that we make up, so the pipe goes again. (Who needs it all the same makes
 * libunwind open it anew.) */
bool rules_init(void)
{
	struct rlimit limit;
	int next[2] = { -1, -1 }; /* the numbers that it will have */
	bool ok;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < LEAST_DESCRIPTORS) {
		message("the open file limit (ulimit -n) is below 116; running untraced", NULL);
		return false;
	}
	if (os_call(SYS_pipe2, next, O_CLOEXEC) == 0) {
		os_close(next[0]);
		os_close(next[1]);
	}
	ok = load();
	unwind_stack = os_map(UNWIND_STACK);
	if (ok) {
		rules_with_room(derive_first, NULL);
		close_pipe(next[0], next[1]);
	}
	return ok;
}
