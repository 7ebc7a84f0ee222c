/*
 * capture.c - the walk by rules, from the innermost frame to the first that is a kept one.
 *
 *  1. Drop the kept frames that are further in than the current one: they have returned.
 *  2. If the kept frame there is the current one, verify the rest; if that holds, stop. If a
 *     check fails, the kept frames up to there are still right: walk over them without looking up
 *     their rules.
 *  3. Otherwise look up the rule, note the frame, and step to its caller. After SIGN_FRAMES, see
 *     whether the trail has the stack.
 *  4. From the outermost new frame inwards: note the words that each was read from, and the hash
 *     of the path. Look the whole path up by its hash.
 *
 * All reads stay in memory that is known to be readable; a broken stack ends the walk, nothing
 * worse.
 */
#include "preload/unwind/capture.h"
#include "preload/sys/env.h"
#include "preload/sys/glibc.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/sys/single.h"
#include "preload/unwind/code.h"
#include "preload/unwind/cuts.h"
#include "preload/unwind/rules.h"
#include "preload/unwind/stacks.h"

/* Bytes: further apart, two frames that no table connects aren't caller and callee. */
#define NEAR (1u << 20)
#define PAGE 4096u
#define MAIN_STACK (64u << 20) /* the process's stack is taken to be no larger */
#define FEW_SITES 500u	       /* with these, near leaves do */

static const uintptr_t never; /* a word that is never 1 */

extern void *__libc_stack_end; /* the loader's: where the process's stack begins */

struct walk {
	struct thread *t;
	uintptr_t sp, pc, bp;
	const uintptr_t *end; /* the zero word that ended it; NULL: something else did */
	const struct fresh *strays; /* this frame may have led out of the stack: nothing beyond is
				       read again without being asked for; NULL: none */
	struct leaf *found; /* on the trail, which signs led it back to */
	uint32_t root;	    /* MT_NODE_*, once the walk has met the end */
	enum cut cut;
	bool guessed; /* a frame pointer was believed: what is readable now needn't be the next time
		       */
	bool fragile; /* ended by what memory held: walk again next time */
	bool by_hand; /* ended at an address that no call has left */
	bool nowhere; /* which isn't even one of code */
	bool interrupted; /* beyond a signal handler's frames, whose stack may be another */
	bool abroad;	  /* on another stack, which may go */
	bool signs;	  /* may lead it back to the trail */
};

/* ---- reading the stack */

/* The stack that the thread was made with lies below its thread pointer, or is the process's: as
 * much of it as is there at the first walk. */
static void find_own_stack(struct thread *t, uintptr_t page)
{
	uintptr_t top = os_tid() == os_pid() ? (uintptr_t)__libc_stack_end : cpu_thread_pointer();

	if (top <= page || top - page >= NEAR)
		return;
	for (uintptr_t p = page; p < top; p += PAGE)
		if (!os_readable(p))
			return;
	t->own_start = page;
	t->own_end = ((top - 1) | (PAGE - 1)) + 1;
	for (uintptr_t p = page; p < top; p += PAGE)
		cuts_watch(p);
}

static bool grow_own_stack(struct thread *t, uintptr_t page)
{
	if (page >= t->own_end || t->own_start > page + NEAR)
		return false;
	while (t->own_start > page && os_readable(t->own_start - PAGE)) {
		t->own_start -= PAGE;
		cuts_watch(t->own_start);
	}
	return t->own_start <= page;
}

/*
 * Makes [safe_start, safe_end) cover the page of sp. The thread's own stack stays as long as it
 * does. Another one may have been unmapped, and a smaller one be where it was: of that only this
 * page is known, anew for each walk.
 */
static cold_path void move_safe_range(struct thread *t, uintptr_t sp)
{
	uintptr_t page = sp & ~(uintptr_t)(PAGE - 1);

	if (t->safe_end > t->stack_end)
		t->stack_end = t->safe_end;
	if (page < t->stack_start || page > t->stack_end)
		t->stack_end = page + PAGE;
	t->stack_start = page;
	if (!t->own_end)
		find_own_stack(t, page);
	t->on_own_stack = t->own_end && grow_own_stack(t, page);
	t->safe_start = t->on_own_stack ? t->own_start : page;
	t->safe_end = t->on_own_stack ? t->own_end : page + PAGE;
}

void capture_widen(struct thread *t, uintptr_t to)
{
	if (!t->on_own_stack)
		return;
	grow_own_stack(t, to & ~(uintptr_t)(PAGE - 1));
	t->safe_start = t->own_start;
}

/* Is this word on the stack that the walk began on? */
static bool on_same_stack(const struct thread *t, uintptr_t address)
{
	return address >= t->safe_start && address < t->safe_end;
}

/* Is this word on a stack that stays, the thread's own or the process's? */
static bool on_lasting_stack(const struct thread *t, uintptr_t address)
{
	return (address >= t->own_start && address < t->own_end) ||
	       (uintptr_t)__libc_stack_end - address < MAIN_STACK;
}

static void note_stack(struct walk *w, uintptr_t address)
{
	w->abroad |= !w->interrupted && !on_same_stack(w->t, address) &&
		     !on_lasting_stack(w->t, address);
}

/* A frame may have closed pages in it. */
static cold_path bool read_slowly(struct walk *w, uintptr_t address, uintptr_t *value)
{
	struct thread *t = w->t;

	if (address % 8 != 0)
		return false;
	if (!t->on_own_stack && address >= t->safe_end && address - t->safe_end < NEAR)
		while (address >= t->safe_end && os_readable(t->safe_end))
			t->safe_end += PAGE;
	if (!on_same_stack(t, address) && !os_readable(address))
		return false;
	note_stack(w, address);
	*value = *(const uintptr_t *)address;
	return true;
}

static inline bool stack_read(struct walk *w, uintptr_t address, uintptr_t *value)
{
	const struct thread *t = w->t;

	if (unlikely(address - t->safe_start >= t->safe_end - t->safe_start || address % 8 != 0))
		return read_slowly(w, address, value);
	*value = *(const uintptr_t *)address;
	return true;
}

/* ---- one step outwards; false: w->root is set */

static bool stop(struct walk *w, uint32_t root, bool fragile)
{
	w->root = root;
	w->fragile = fragile;
	return false;
}

static bool step_signal(struct walk *w)
{
	uintptr_t at = w->sp;

	if (!stack_read(w, at + CPU_SIGNAL_SP, &w->sp) ||
		!stack_read(w, at + CPU_SIGNAL_PC, &w->pc) ||
		!stack_read(w, at + CPU_SIGNAL_BP, &w->bp))
		return stop(w, MT_NODE_BROKEN, true);
	w->interrupted = true;
	w->pc++; /* stored as if it were a return address: the instruction is at pc - 1 */
	return true;
}

static bool follows_call(uintptr_t pc)
{
	struct known_pc known = pc_find(load_acquire(&pcs), pc);

	return pc_is_known(known) ? !(known.rule & RULE_NO_CALL) : rule_follows_call(pc);
}

/* Nothing tells where the caller is: believe the frame pointer if it points up the stack to what a call has
 * left there. */
static bool step_by_frame_pointer(struct walk *w)
{
	uintptr_t bp = w->bp, pc, callers_bp;

	if (bp == 0 && (uintptr_t)__libc_stack_end - w->sp < PAGE) /* how a process begins */
		return stop(w, MT_NODE_ROOT, false);
	if (w->cut == CUT_GUESSES || bp < w->sp || bp - w->sp > NEAR ||
		!stack_read(w, bp, &callers_bp) || !stack_read(w, bp + 8, &pc) || !follows_call(pc))
		return stop(w, MT_NODE_BROKEN, true);
	w->guessed = true;
	w->sp = bp + 16;
	w->pc = pc;
	w->bp = callers_bp;
	return true;
}

/* Was there no instruction where this signal came? */
static bool fetch_failed(struct walk *w, const struct fresh *signal, uintptr_t pc)
{
	uintptr_t fault, error, address;

	return stack_read(w, signal->sp + CPU_SIGNAL_FAULT, &fault) && fault == CPU_FAULT_PAGE &&
	       stack_read(w, signal->sp + CPU_SIGNAL_ERROR, &error) && (error & CPU_ERROR_FETCH) &&
	       stack_read(w, signal->sp + CPU_SIGNAL_ADDRESS, &address) && address == pc;
}

/* A signal came where something has just been called that is no code, or at a function's last
 * instruction: what called is on top of the stack. */
static bool step_by_top(struct walk *w)
{
	uintptr_t pc;

	if (!stack_read(w, w->sp, &pc) || !follows_call(pc))
		return stop(w, MT_NODE_BROKEN, true);
	w->sp += 8;
	w->pc = pc;
	return true;
}

static bool step_by_rule(struct walk *w, rule_t rule)
{
	uint32_t saved = rule_saved(rule);
	uintptr_t cfa = (rule_kind(rule) == RULE_SP ? w->sp : w->bp) + (uintptr_t)rule_offset(rule);

	if (rule_kind(rule) == RULE_DEREF && !stack_read(w, cfa, &cfa))
		return stop(w, MT_NODE_BROKEN, true);
	if (unlikely(cfa <= w->sp) || !stack_read(w, cfa + CPU_RETURN_SLOT, &w->pc))
		return stop(w, MT_NODE_BROKEN, true);
	if (unlikely(w->pc == 0)) {
		w->end = (const uintptr_t *)(cfa + CPU_RETURN_SLOT);
		return stop(w, MT_NODE_ROOT, false);
	}
	if (saved != RULE_NOT_SAVED &&
		!stack_read(w, saved == RULE_SAVED_AT_BP ? w->bp : cfa - 8 * saved, &w->bp))
		return stop(w, MT_NODE_BROKEN, true);
	w->sp = cfa;
	return true;
}

static bool was_interrupted(const struct walk *w, const struct fresh *f)
{
	return f > w->t->fresh && rule_kind(f[-1].rule) == RULE_SIGNAL;
}

/* Generated code is read each time. */
static bool step_without_rule(struct walk *w, const struct fresh *f)
{
	bool interrupted = was_interrupted(w, f);
	rule_t rule = f->rule == RULE_GENERATED ? code_rule(f->pc - interrupted, !interrupted)
						: f->rule;
	struct walk before = *w;

	if (rule_kind(rule) == RULE_HARD)
		return stop(w, MT_NODE_BROKEN, true);
	if (rule_kind(rule) != RULE_NONE) {
		if (step_by_rule(w, rule) ? follows_call(w->pc) : w->root == MT_NODE_ROOT)
			return w->root == MT_NODE_NONE;
		*w = before;
	}
	return step_by_frame_pointer(w);
}

/* This and the next are not inlined: their frames are not there while a rule is asked for. */
static cold_path bool step_by_kind(struct walk *w, struct fresh *f)
{
	switch (rule_kind(f->rule)) {
	case RULE_SP:
	case RULE_BP:
	case RULE_DEREF:
		return step_by_rule(w, f->rule);
	case RULE_SIGNAL:
		return step_signal(w);
	case RULE_NONE:
		return step_without_rule(w, f);
	case RULE_END:
		return stop(w, MT_NODE_ROOT, false);
	default:
		return stop(w, MT_NODE_BROKEN, false);
	}
}

/* No call has left this address. */
static cold_path bool step_without_call(struct walk *w, struct fresh *f)
{
	rule_t rule = f->rule;
	bool interrupted = was_interrupted(w, f);

	if (!interrupted && f > w->t->fresh) {
		f->rule = rule_make(RULE_END, 0, 0);
		w->by_hand = true;
		w->nowhere = rule == RULE_NOWHERE;
		return stop(w, w->nowhere ? MT_NODE_BROKEN : MT_NODE_ROOT, w->nowhere);
	}
	if (rule == RULE_START)
		f->rule = rule_make(RULE_NONE, 0, 0);
	else
		f->rule = rule == RULE_NOWHERE ? RULE_GENERATED : rule & ~RULE_NO_CALL;
	if (interrupted && (rule == RULE_START || fetch_failed(w, f - 1, f->pc - 1)))
		return step_by_top(w);
	return step_by_kind(w, f);
}

/* A frame whose caller is on another stack, where the program has gone on with a new one, needn't
 * ever return: the other stack may go first. */
static cold_path bool step_oddly(struct walk *w, struct fresh *f)
{
	if (rule_kind(f->rule) == RULE_ASK)
		f->rule = rule_ask(f->pc);
	if (!(f->rule & RULE_NO_CALL ? step_without_call(w, f) : step_by_kind(w, f)))
		return false;
	if (unlikely(w->abroad) && !w->strays)
		w->strays = f;
	return true;
}

/* The common step: from sp or bp, all of the frame in memory that is known to be readable. */
static always_inline bool step_out(struct walk *w, struct fresh *f)
{
	rule_t rule = f->rule;
	uintptr_t cfa = (rule_kind(rule) == RULE_SP ? w->sp : w->bp) + (uintptr_t)rule_offset(rule);
	uintptr_t saved = 8 * (uintptr_t)rule_saved(rule);
	uintptr_t pc;

	if (unlikely(rule_kind(rule) > RULE_BP || cfa <= w->sp || cfa - w->sp < saved ||
		     cfa % 8 != 0 || w->sp < w->t->safe_start || cfa > w->t->safe_end ||
		     saved == 8 * RULE_SAVED_AT_BP))
		return step_oddly(w, f);
	pc = *(const uintptr_t *)(cfa + CPU_RETURN_SLOT);
	if (unlikely(pc == 0))
		return step_oddly(w, f);
	if (saved)
		w->bp = *(const uintptr_t *)(cfa - saved);
	w->pc = pc;
	w->sp = cfa;
	return true;
}

/* ---- the walk */

static inline bool same_frame(const struct kept *k, const struct walk *w)
{
	return k->sp == w->sp && k->pc == w->pc;
}

/* Which kept frame, from `inner` outwards, does this check belong to? */
static uint32_t frame_of_check(const struct kept *kept, uint32_t inner, const struct check *check)
{
	while (kept[inner - 1].last >= check)
		inner--;
	return inner;
}

/* May the kept frames [0, base] stay below n new ones? Not when frames are cut off that should not
 * be, or the reverse. */
static inline bool depth_fits(const struct kept *kept, uint32_t base, uint32_t n)
{
	return base + n == config.depth ||
	       (base + n < config.depth && kept[0].node != MT_NODE_DEEP);
}

/*
 * The walk has ended at frame f, without unwind information that says so. A stack that was made by hand may
 * begin with a frame that no call has made, of a function that is to be returned to: then what was
 * read for it lies above the stack, and may go. Sure to be there are the words from where a frame
 * begins to the end of the page.
 */
static cold_path void distrust_end(struct walk *w, const struct fresh *f)
{
	uintptr_t word = (uintptr_t)w->end;

	if (w->strays || (!w->end && rule_kind(f->rule) != RULE_NONE && !w->by_hand))
		return;
	if (!w->end)
		word = f--->sp + CPU_RETURN_SLOT;
	for (; f >= w->t->fresh && !on_lasting_stack(w->t, word) &&
		(word ^ (f->sp + CPU_RETURN_SLOT)) >= PAGE;
		f--) {
		w->strays = f;
		word = f->sp + CPU_RETURN_SLOT;
	}
}

/* The place for what the first frames of this walk lead to. */
static inline uint16_t *find_sign(const struct thread *t)
{
	uint64_t hash = t->fresh[0].sp;

	for (int i = 0; i < SIGN_FRAMES; i++)
		hash = path_hash(hash, t->fresh[i].pc);
	return &t->signs[hash >> (64 - SIGN_BITS)];
}

/* NULL: the leaf there has another stack. */
static inline struct leaf *follow_sign(struct thread *t)
{
	struct cpu_frame at = { t->fresh[0].sp, t->fresh[0].pc, t->fresh[0].bp };
	struct trail_leaf *leaf;

	t->sign = find_sign(t);
	leaf = &t->trail[*t->sign];
	if (leaf->sp != at.sp || !capture_proves(t, leaf, at))
		return NULL;
	return &leaf->leaf;
}

/* There may be no more frames than this one. */
static cold_path void end_early(struct walk *w, struct fresh *f)
{
	if (rule_kind(f->rule) == RULE_ASK)
		f->rule = rule_ask(w->pc);
	f->rule &= ~RULE_NO_CALL;
	if (w->cut == CUT_ALL)
		stop(w, MT_NODE_BROKEN, true);
	else
		stop(w, rule_kind(f->rule) == RULE_END ? MT_NODE_ROOT : MT_NODE_DEEP, false);
}

/* Fills t->fresh, innermost first, and sets *count. Returns how many kept frames stay; 0: w->root
 * is set, unless the trail has the stack. */
static uint32_t walk_out(struct walk *w, uint32_t *count)
{
	struct thread *t = w->t;
	const struct rule_table *table = rules_now();
	const struct kept *kept = t->kept;
	uint32_t base = (uint32_t)(t->top - kept), n = 0;
	uint32_t unverifiable =
		UINT32_MAX; /* frames from here inwards depend on a check that failed */

	for (;;) {
		struct fresh *f = &t->fresh[n++];

		while (kept[base].sp < w->sp)
			base--;
		if (same_frame(&kept[base], w)) {
			const struct kept *k = &kept[base];

			if (base < unverifiable && !w->strays && (!k->needs_bp || k->bp == w->bp)) {
				const struct check *failed = capture_verify(k->last);
				bool holds = failed == t->checks;

				if (holds && depth_fits(kept, base, n - 1)) {
					n--;
					break;
				}
				unverifiable = holds ? 0 : frame_of_check(kept, base, failed);
			}
			f->rule = k->rule;
		} else {
			f->rule = rule_find(table, w->pc);
		}
		f->sp = w->sp;
		f->pc = w->pc;
		f->bp = w->bp;
		if (n == SIGN_FRAMES && w->signs) {
			w->found = follow_sign(t);
			if (w->found)
				return 0;
		}
		if (unlikely(n == config.depth || w->cut == CUT_ALL)) {
			end_early(w, f);
			base = 0;
			break;
		}
		if (!step_out(w, f)) {
			if (unlikely(rule_kind(f->rule) != RULE_END || w->by_hand))
				distrust_end(w, f);
			n -= w->nowhere;
			base = 0;
			break;
		}
	}
	*count = n;
	return base;
}

/* ---- keeping what was found */

static inline void add_check(struct kept *k, uintptr_t address, uintptr_t value)
{
	*++k->last = (struct check){ (const uintptr_t *)address, value };
}

static cold_path void add_odd_checks(struct kept *k, const struct kept *caller)
{
	uint32_t saved = rule_saved(k->rule);

	switch (rule_kind(k->rule)) {
	case RULE_SIGNAL:
		if (caller->needs_bp)
			add_check(k, k->sp + CPU_SIGNAL_BP, caller->bp);
		add_check(k, k->sp + CPU_SIGNAL_PC, caller->pc - 1);
		add_check(k, k->sp + CPU_SIGNAL_SP, caller->sp);
		break;
	case RULE_NONE:
	case RULE_ASK:
		/* It may have led out of the stack: nothing beyond is read again without being
		 * asked for. */
		add_check(k, (uintptr_t)&never, 1);
		break;
	default:
		add_check(k, caller->sp + CPU_RETURN_SLOT, caller->pc);
		if (saved != RULE_NOT_SAVED && caller->needs_bp)
			add_check(k, saved == RULE_SAVED_AT_BP ? k->bp : caller->sp - 8 * saved,
				caller->bp);
		add_check(k, k->bp + (uintptr_t)rule_offset(k->rule), caller->sp);
	}
}

/* The words that led from frame k to its caller. The ones that decide where others are come last:
 * they are checked first. */
static always_inline void add_checks(struct kept *k, const struct kept *caller)
{
	uint32_t saved = rule_saved(k->rule);

	if (unlikely(rule_kind(k->rule) > RULE_BP)) {
		add_odd_checks(k, caller);
		return;
	}
	add_check(k, caller->sp + CPU_RETURN_SLOT, caller->pc);
	if (saved != RULE_NOT_SAVED && caller->needs_bp)
		add_check(
			k, saved == RULE_SAVED_AT_BP ? k->bp : caller->sp - 8 * saved, caller->bp);
}

/* How the outermost frame's end is checked. */
static void add_end_check(struct walk *w, struct kept *k)
{
	if (w->end)
		add_check(k, (uintptr_t)w->end, 0);
	else if (w->fragile)
		add_check(k, (uintptr_t)w->t->checks[0].address, w->t->checks[0].value);
}

/* From the frame that strays on, the rule is to be asked for each time. */
static cold_path void distrust(struct walk *w, uint32_t n)
{
	for (uint32_t i = (uint32_t)(w->strays - w->t->fresh); i < n; i++)
		w->t->fresh[i].rule = rule_make(RULE_ASK, 0, 0);
	w->end = NULL;
	w->fragile = true;
}

static always_inline uint64_t identity_of(const struct kept *k, uint64_t era)
{
	return (k->hash ^ k->sp * HASH_FACTOR ^ (k->needs_bp ? ~k->bp : 0)) + era;
}

/* The hashes come first: the path's entry lies somewhere in a megabyte, and can be fetched while
 * the rest is noted. */
static void keep(struct walk *w, uint32_t base, uint32_t n)
{
	struct thread *t = w->t;
	struct kept *kept = t->kept;

	if (base == 0) {
		kept[0].node = w->root;
		kept[0].hash = path_hash(0, w->root);
		kept[0].identity = identity_of(&kept[0], t->era);
	}
	for (uint32_t i = 1; i <= n; i++)
		kept[base + i].hash = path_hash(kept[base + i - 1].hash, t->fresh[n - i].pc);
	path_prefetch(kept[base + n].hash);
	for (; n > 0; n--) {
		const struct fresh *f = &t->fresh[n - 1];
		const struct kept *caller = &kept[base];
		struct kept *k = &kept[++base];

		k->sp = f->sp;
		k->pc = f->pc;
		k->bp = f->bp;
		k->rule = f->rule;
		k->node = 0;
		k->last = caller->last;
		k->needs_bp =
			rule_uses_bp(k->rule) || (!rule_restores_bp(k->rule) && caller->needs_bp);
		k->identity = identity_of(k, t->era);
		if (base > 1)
			add_checks(k, caller);
		else
			add_end_check(w, k);
	}
	t->top = &kept[base];
}

/* Those words of the new frames that lie elsewhere than on the thread's own stack. */
static cold_path void watch(const struct thread *t, uint32_t base)
{
	for (const struct check *c = t->top->last; c > t->kept[base].last; c--)
		cuts_watch((uintptr_t)c->address);
}

/* ---- the leaves of the kept stack, hung as far out as their words reach */

/* The kept frame that lies outside of the first `count` checks or less, innermost first. */
static always_inline const struct kept *base_behind(const struct thread *t, uint32_t count)
{
	const struct kept *base = t->top;

	while (base > t->kept && t->top->last - base[-1].last <= count)
		base--;
	return base;
}

/* A near leaf can have words as far above sp as its stack goes: another one may go while this one
 * stays. */
static inline uintptr_t near_reach(const struct thread *t, uintptr_t sp)
{
	uintptr_t reach = t->safe_end - sp;

	return sp >= t->safe_start && sp < t->safe_end && reach <= UINT32_MAX ? reach : 0;
}

/* Without a site no look-up finds it. */
static void fill_near(const struct thread *t, struct near_leaf *leaf, struct known_path path)
{
	const struct kept *top = t->top, *base;
	uintptr_t reach = near_reach(t, top->sp);
	uint32_t count = 0;

	for (const struct check *c = top->last;
		c > t->checks && count < NEAR_WORDS && (uintptr_t)c->address - top->sp < reach;
		c--) {
		leaf->words[count] = (uint32_t)((uintptr_t)c->address - top->sp);
		leaf->values[count++] = c->value;
	}
	base = base_behind(t, count);
	count = (uint32_t)(top->last - base->last);
	for (uint32_t i = count; i < NEAR_WORDS; i++) {
		leaf->words[i] = leaf->words[0];
		leaf->values[i] = leaf->values[0];
	}
	leaf->leaf = (struct leaf){ path.site, path.line, path.site, path.site, 0 };
	leaf->usable = count > 0 && !modules_is_loader(top->pc);
	leaf->sp = path.site && leaf->usable ? top->sp : 0;
	leaf->pc = top->pc;
	leaf->bp = top->bp;
	leaf->needs_bp = top->needs_bp;
	leaf->base = (uint16_t)(base - t->kept);
	leaf->base_identity = base->identity;
}

/* Can a leaf of the trail have this check? Its word lies on the thread's own stack, which is there
 * as long as the thread is. */
static inline bool trail_reaches(const struct thread *t, uintptr_t sp, const struct check *c)
{
	uintptr_t address = (uintptr_t)c->address;

	return address < t->own_end && address - sp <= 8 * UINT16_MAX && (address - sp) % 8 == 0;
}

static void fill_trail(const struct thread *t, struct trail_leaf *leaf, struct known_path path)
{
	const struct kept *top = t->top, *base;
	uint32_t count = 0;

	for (const struct check *c = top->last;
		c > t->checks && count < TRAIL_WORDS && trail_reaches(t, top->sp, c); c--)
		leaf->words[count++] = (uint16_t)(((uintptr_t)c->address - top->sp) / 8);
	base = base_behind(t, count);
	count = (uint32_t)(top->last - base->last);
	for (uint32_t i = count; i < TRAIL_WORDS; i++)
		leaf->words[i] = leaf->words[0];
	if (leaf->leaf.site != path.site)
		leaf->leaf = (struct leaf){ path.site, path.line, path.site, path.site, 0 };
	leaf->sp = t->on_own_stack && count > 0 ? top->sp : 0;
	leaf->base = (uint16_t)(base - t->kept);
	leaf->uses_bp = top->needs_bp;
	leaf->few = count <= TRAIL_FEW;
	if (leaf->sp)
		leaf->proof =
			capture_proof(leaf, (struct cpu_frame){ top->sp, top->pc, top->bp }, base);
}

/* 64 random bits each; odd, so that each bit of a word counts. */
const uint64_t capture_factors[TRAIL_WORDS + 2] = {
	0xea8ff5f8d837115f,
	0x50a74cff026f4c85,
	0x8f8de0e973e1d037,
	0xf11fc8de3eb459c9,
	0x856980bb0977e471,
	0x2e7abed5658ef30d,
	0x7ad367d4ab3e1d35,
	0xf99e6ae5c3c79559,
	0x4c1d5c6a1f99f50d,
	0x9fddb5fef1217709,
	0xd7bfc82d73d9c869,
	0x0dd6a32cc059f535,
	0x9c86269bdefda9ab,
	0xd9f0b7c0e6f6dabf,
};

/* The kept stack's site is known by now, and its near leaf filled. */
static void lay_trail(struct thread *t, struct near_leaf *near, struct known_path path)
{
	struct trail_leaf *leaf = capture_on_trail(t, path.site);

	t->follows |= path.site >= FEW_SITES;
	capture_link(t, path.site);
	fill_trail(t, leaf, path);
	*t->sign = (uint16_t)(leaf - t->trail);
	near->leaf = t->top_leaf = leaf->leaf;
	capture_expect(t, leaf->sp ? &leaf->leaf : &near->leaf, !phase_multi);
}

/* The last event's leaf goes on to be another stack's: what comes after it is noted on the trail.
 */
static inline void keep_latest(struct thread *t, const struct leaf *place)
{
	struct leaf *on_trail = &capture_on_trail(t, t->latest->site)->leaf;

	if ((t->latest == &t->top_leaf || t->latest == place) && on_trail->site == t->latest->site)
		t->latest = on_trail;
}

/* How many different stacks of a kind may be met whole. */
#define GUESSED_MOST 4096
#define BROKEN_MOST 16384

static uint32_t doubtful[CUT_ALL + 1]; /* how many were */

static inline enum cut doubt_of(const struct walk *w, uint32_t base)
{
	if (unlikely(w->guessed))
		return CUT_GUESSES;
	return unlikely(base == 0 && w->root == MT_NODE_BROKEN) ? CUT_ALL : CUT_NOT;
}

static bool are_too_many(enum cut doubt)
{
	return load_relaxed(&doubtful[doubt]) >=
	       (doubt == CUT_GUESSES ? GUESSED_MOST : BROKEN_MOST);
}

/* How a walk is to be: an enum cut, and with this, signs may lead it back to the trail. (All of it is
 * in registers, for a small frame.) */
#define WALK_BY_SIGNS 4u

static struct leaf *walk(struct thread *t, struct leaf *place, uintptr_t sp, uintptr_t pc,
	uintptr_t bp, uint32_t how)
{
	const enum cut cut = how & ~WALK_BY_SIGNS;
	struct walk w = {
		.t = t, .sp = sp, .pc = pc, .bp = bp, .signs = (how & WALK_BY_SIGNS) != 0, .cut = cut
	};
	struct near_leaf *near = (struct near_leaf *)place;
	uint32_t base, count;
	struct known_path path;

	if (unlikely(!t->on_own_stack || sp - t->safe_start >= t->safe_end - t->safe_start))
		move_safe_range(t, sp);
	t->sign = &t->signs[1u << SIGN_BITS];
	base = walk_out(&w, &count);
	if (w.found)
		return w.found;
	if (unlikely(w.strays))
		distrust(&w, count);
	keep(&w, base, count);
	if (unlikely(!t->on_own_stack || w.abroad || w.interrupted || w.guessed))
		watch(t, base);
	path = path_find(t->top->hash);
	t->doubt = doubt_of(&w, base);
	if (unlikely(t->doubt > cut) && !path.site && are_too_many(t->doubt)) {
		__atomic_fetch_or(&trace.header->flags, MT_NOTE_CUT, __ATOMIC_RELAXED);
		t->top = t->kept;
		return walk(t, place, sp, pc, bp, t->doubt);
	}
	__builtin_prefetch(&trace.sites[path.site], 1);
	__builtin_prefetch(capture_on_trail(t, path.site), 1);
	keep_latest(t, place);
	fill_near(t, near, path);
	t->top_leaf = near->leaf;
	if (unlikely(modules_is_loader(pc)))
		t->top_leaf.site = 0;
	else if (likely(path.site))
		lay_trail(t, near, path);
	if (unlikely(w.guessed))
		t->safe_start = t->safe_end = 0;
	return place;
}

struct leaf *capture_walk(
	struct thread *t, struct leaf *place, uintptr_t sp, uintptr_t pc, uintptr_t bp)
{
	struct leaf *leaf =
		walk(t, place, sp, pc, bp, t->follows ? WALK_BY_SIGNS | CUT_NOT : CUT_NOT);

	if (leaf != place)
		capture_move_on(t, leaf, !phase_multi);
	return leaf;
}

/* ---- a path that isn't known */

/* Gives the kept frames their nodes; under tables_lock. Below a new node there is none yet. Returns
 * the address of a frame that isn't known at all: it was walked by the rule of another (stacks.h),
 * or there is no memory. 0: none. */
static uintptr_t find_nodes(struct thread *t)
{
	uint32_t first_new = (uint32_t)trace.header->tables[MT_NODES].count;

	for (struct kept *k = t->kept + 1; k <= t->top; k++) {
		struct known_pc known;

		if (k->node)
			continue;
		known = pc_find(pcs, k->pc);
		if (!pc_is_known(known))
			return k->pc;
		k->node = k[-1].node < first_new ? node_get(k[-1].node, known.frame)
						 : node_add(k[-1].node, known.frame);
	}
	return 0;
}

/* Walks again, now that this address is known. False: it can't be known. */
static bool walk_again(struct thread *t, struct leaf *leaf, uintptr_t unknown)
{
	struct kept top = *t->top;

	if (pc_get(unknown).frame == 0)
		return false;
	t->top = t->kept;
	walk(t, leaf, top.sp, top.pc, top.bp, CUT_NOT);
	return true;
}

/*
 * Locks the tables, but for one thread alone that makes no table grow: then each step leaves them
 * whole, as a reader of the file finds them after SIGKILL, so a signal handler that never comes
 * back does no harm. And to block signals costs as much as all the rest. False: not locked.
 */
static inline bool lock_tables(const struct thread *t)
{
	if (phase_single_gate() == t->gate && likely(process_is_single) &&
		stacks_have_room((uint32_t)(t->top - t->kept)))
		return false;
	lock_take(&tables_lock);
	return true;
}

/* Interns the kept stack, and finds or makes its site if asked to. */
static void intern(struct thread *t, struct leaf *leaf, bool site)
{
	uint64_t nodes = trace.header->tables[MT_NODES].count;
	uintptr_t unknown;

	do {
		bool locked = lock_tables(t);

		unknown = find_nodes(t);
		if (site && !unknown)
			leaf->site = site_of_path(t->top->hash, t->top->node);
		if (locked)
			lock_drop(&tables_lock);
	} while (unknown && walk_again(t, leaf, unknown) && !leaf->site);
	if (unlikely(t->doubt) && trace.header->tables[MT_NODES].count > nodes)
		add_relaxed(&doubtful[t->doubt], 1);
}

cold_path uint32_t capture_new_site(struct thread *t, struct leaf *leaf)
{
	struct near_leaf *near = (struct near_leaf *)leaf;

	intern(t, leaf, true);
	if (!leaf->site) {
		lock_take(&tables_lock);
		leaf->site = site_of_path(t->top->hash, MT_NODE_NONE);
		lock_drop(&tables_lock);
	}
	if (leaf->site && !modules_is_loader(t->top->pc)) {
		near->sp = near->usable ? t->top->sp : 0;
		lay_trail(t, near,
			(struct known_path){
				t->top->hash, leaf->site, trace.site_info[leaf->site].line });
	}
	return leaf->site;
}

cold_path uint32_t capture_new_node(struct thread *t, struct leaf *leaf)
{
	intern(t, leaf, false);
	return leaf->site ? trace.site_info[leaf->site].node : t->top->node;
}
