/* SPDX-License-Identifier: MIT */
/*
 * capture.c - the walk by rules, from the innermost frame to the first that is a cached one.
 *
 *  1. Drop the cached frames that are further in than the current one: they have returned.
 *  2. If the cached frame there is the current one, verify the rest; if that holds, stop. If a
 *     guard word fails, the cached frames up to there are still right: walk over them without
 *     looking up their rules.
 *  3. Otherwise look up the rule, note the frame, and step to its caller. After PREFIX_FRAMES, and
 *     each time that there are twice as many, see whether the successor cache has the stack.
 *  4. From the outermost new frame inwards: note the guard words that each was read from, and the
 *     hash of the path. Look the whole path up by its hash.
 *
 * All reads stay in memory that is known to be readable; a broken stack ends the walk, nothing
 * worse.
 */
#include "preload/unwind/capture.h"
#include "preload/sys/cpu.h"
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
#define FRAME_REACH (1u << 20)
#define PAGE CPU_PAGE
#define MAIN_STACK (64u << 20) /* the process's stack is taken to be no larger */
#define FEW_SITES 500u	       /* with these, the recent stacks do, */
#define FEW_WALKS 1000u	       /* unless known stacks are walked again more often than this */

static const uintptr_t never; /* a word that is never 1 */

extern void *__libc_stack_end; /* the loader's: where the process's stack begins */

struct walk {
	struct thread *t;
	uintptr_t sp, pc, bp;
	const uintptr_t *end; /* the zero word that ended it; NULL: something else did */
	/* The first frame that may have led out of the stack: nothing beyond is read again without
	 * being asked for. NULL: none. */
	const struct walked_frame *untrusted;
	struct cached_stack *found; /* in the successor cache, by a prefix hint */
	uint64_t prefix;	    /* hash of the first frames, up to the last hint */
	uint32_t next_hint;	    /* after so many frames; 0: none */
	uint32_t root;		    /* MT_NODE_*, once the walk has met the end */
	enum cut cut;
	/* A frame pointer was followed: what is readable now needn't be the next time. */
	bool by_frame_pointer;
	bool uncacheable;   /* ended by what memory held: walk again next time */
	bool by_hand;	    /* ended at an address that no call has left */
	bool nowhere;	    /* which isn't even one of code */
	bool interrupted;   /* beyond a signal handler's frames, whose stack may be another */
	bool foreign_stack; /* on another stack, which may go */
};

/* ---- reading the stack */

/* The stack that the thread was made with lies below its thread pointer, or is the process's: as
 * much of it as is there at the first walk. */
static void find_own_stack(struct thread *t, uintptr_t page)
{
	uintptr_t top = os_tid() == os_pid() ? (uintptr_t)__libc_stack_end : cpu_thread_pointer();

	if (top <= page || top - page >= FRAME_REACH)
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
	if (page >= t->own_end || t->own_start > page + FRAME_REACH)
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
	w->foreign_stack |= !w->interrupted && !on_same_stack(w->t, address) &&
			    !on_lasting_stack(w->t, address);
}

/* A frame may have closed pages in it. */
static cold_path bool read_slowly(struct walk *w, uintptr_t address, uintptr_t *value)
{
	struct thread *t = w->t;

	if (address % 8 != 0)
		return false;
	if (!t->on_own_stack && address >= t->safe_end && address - t->safe_end < FRAME_REACH)
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

static bool stop(struct walk *w, uint32_t root, bool uncacheable)
{
	w->root = root;
	w->uncacheable = uncacheable;
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

/* Nothing tells where the caller is: follow the frame pointer if it points up the stack to what a
 * call has left there. */
static bool step_by_frame_pointer(struct walk *w)
{
	uintptr_t bp = w->bp, pc, callers_bp;

	if (bp == 0 && (uintptr_t)__libc_stack_end - w->sp < PAGE) /* how a process begins */
		return stop(w, MT_NODE_ROOT, false);
	if (w->cut == CUT_FRAME_POINTERS || bp < w->sp || bp - w->sp > FRAME_REACH ||
		!stack_read(w, bp, &callers_bp) || !stack_read(w, bp + 8, &pc) || !follows_call(pc))
		return stop(w, MT_NODE_BROKEN, true);
	w->by_frame_pointer = true;
	w->sp = bp + 16;
	w->pc = pc;
	w->bp = callers_bp;
	return true;
}

/* Was there no instruction where this signal came? */
static bool fetch_failed(struct walk *w, const struct walked_frame *signal, uintptr_t pc)
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

static bool was_interrupted(const struct walk *w, const struct walked_frame *f)
{
	return f > w->t->walked && rule_kind(f[-1].rule) == RULE_SIGNAL;
}

/* Generated code is read each time. */
static bool step_without_rule(struct walk *w, const struct walked_frame *f)
{
	bool interrupted = was_interrupted(w, f);
	rule_t rule =
		f->rule == RULE_GENERATED ? code_rule(f->pc - interrupted, !interrupted) : f->rule;
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
static cold_path bool step_by_kind(struct walk *w, struct walked_frame *f)
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
static cold_path bool step_without_call(struct walk *w, struct walked_frame *f)
{
	rule_t rule = f->rule;
	bool interrupted = was_interrupted(w, f);

	if (!interrupted && f > w->t->walked) {
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
static cold_path bool step_oddly(struct walk *w, struct walked_frame *f)
{
	if (rule_kind(f->rule) == RULE_ASK)
		f->rule = rule_ask(f->pc);
	if (!(f->rule & RULE_NO_CALL ? step_without_call(w, f) : step_by_kind(w, f)))
		return false;
	if (unlikely(w->foreign_stack) && !w->untrusted)
		w->untrusted = f;
	return true;
}

/* The common step: from sp or bp, all of the frame in memory that is known to be readable. */
static always_inline bool step_out(struct walk *w, struct walked_frame *f)
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

static inline bool same_frame(const struct cached_frame *frame, const struct walk *w)
{
	return frame->sp == w->sp && frame->pc == w->pc;
}

/* Which cached frame, from `inner` outwards, does this guard word belong to? */
static uint32_t frame_of_guard_word(
	const struct cached_frame *cached, uint32_t inner, const struct guard_word *guard_word)
{
	while (cached[inner - 1].last >= guard_word)
		inner--;
	return inner;
}

/* May the cached frames [0, base] stay below n new ones? Not when frames are cut off that should
 * not be, or the reverse. */
static inline bool depth_fits(const struct cached_frame *cached, uint32_t base, uint32_t n)
{
	return base + n == config.depth ||
	       (base + n < config.depth && cached[0].node != MT_NODE_DEEP);
}

/*
 * The walk has ended at frame f, without unwind information that says so. A stack that was made by hand may
 * begin with a frame that no call has made, of a function that is to be returned to: then what was
 * read for it lies above the stack, and may go. Sure to be there are the words from where a frame
 * begins to the end of the page.
 */
static cold_path void distrust_end(struct walk *w, const struct walked_frame *f)
{
	uintptr_t word = (uintptr_t)w->end;

	if (w->untrusted || (!w->end && rule_kind(f->rule) != RULE_NONE && !w->by_hand))
		return;
	if (!w->end)
		word = f--->sp + CPU_RETURN_SLOT;
	for (; f >= w->t->walked && !on_lasting_stack(w->t, word) &&
		(word ^ (f->sp + CPU_RETURN_SLOT)) >= PAGE;
		f--) {
		w->untrusted = f;
		word = f->sp + CPU_RETURN_SLOT;
	}
}

/* The prefix hint for the first n frames of this walk. */
static inline uint16_t *find_prefix_hint(struct walk *w, uint32_t n)
{
	const struct thread *t = w->t;

	for (uint32_t i = n == PREFIX_FRAMES ? 0 : n / 2; i < n; i++)
		w->prefix = path_hash(w->prefix, t->walked[i].pc);
	return &t->prefix_hints[w->prefix >> (64 - PREFIX_BITS)];
}

/* NULL: it leads to another stack, or is one of several. */
static struct cached_stack *follow_prefix_hint(struct walk *w, uint32_t n)
{
	struct thread *t = w->t;
	struct cpu_frame at = { t->walked[0].sp, t->walked[0].pc, t->walked[0].bp };
	uint16_t *hint = find_prefix_hint(w, n);
	struct successor *successor = &t->successors[*hint & ~PREFIX_GO_ON];

	t->met_hints[t->met++] = hint;
	w->next_hint = t->met < PREFIX_LEVELS ? 2 * n : 0;
	if (*hint & PREFIX_GO_ON || successor->sp != at.sp || !capture_proves(t, successor, at))
		return NULL;
	return &successor->stack;
}

/* The stack that was walked has this number in the successor cache. A hint that leads to another
 * one that is still there is marked; now and then a mark that didn't help goes. */
static void note_prefix_hints(struct thread *t, uint16_t number)
{
	bool anew = t->walked_again % 16 == 0;

	for (uint32_t i = 0; i < t->met; i++) {
		uint16_t *hint = t->met_hints[i];

		if (*hint & PREFIX_GO_ON && !anew)
			continue;
		if (*hint == number || *hint & PREFIX_GO_ON || !t->successors[*hint].sp ||
			i + 1 == t->met) {
			*hint = number;
			return;
		}
		*hint |= PREFIX_GO_ON;
	}
}

/* There may be no more frames than this one. */
static cold_path void end_early(struct walk *w, struct walked_frame *f)
{
	if (rule_kind(f->rule) == RULE_ASK)
		f->rule = rule_ask(w->pc);
	f->rule &= ~RULE_NO_CALL;
	if (w->cut == CUT_ALL)
		stop(w, MT_NODE_BROKEN, true);
	else
		stop(w, rule_kind(f->rule) == RULE_END ? MT_NODE_ROOT : MT_NODE_DEEP, false);
}

/* The number of frames at which a hint is asked, or no more are allowed. */
static inline uint32_t next_stop(const struct walk *w)
{
	if (unlikely(w->cut == CUT_ALL))
		return 0;
	return w->next_hint && w->next_hint < config.depth ? w->next_hint : config.depth;
}

/* Walks on over frames that are no cached ones and need nothing but their rules, as step_out() does
 * one by one, with all that changes in registers. Returns the number of frames. */
static always_inline uint32_t stride(struct walk *w, const struct rule_table *table,
	const struct cached_frame **base, uint32_t n)
{
	const struct thread *t = w->t;
	const struct cached_frame *cached = *base;
	struct walked_frame *f = &t->walked[n], *stop = &t->walked[next_stop(w)];
	uintptr_t sp = w->sp, pc = w->pc, bp = w->bp;
	uintptr_t limit = on_same_stack(t, sp) && sp % 8 == 0 ? t->safe_end : sp;

	for (; f + 1 < stop; f++) {
		rule_t rule;
		uintptr_t size, saved, word;

		while (cached->sp < sp)
			cached--;
		if (cached->sp == sp && cached->pc == pc)
			break;
		rule = rule_find(table, pc);
		size = (rule_kind(rule) == RULE_SP ? 0 : bp - sp) + (uintptr_t)rule_offset(rule);
		saved = 8 * (uintptr_t)rule_saved(rule);
		/* The size is at least 8, and a multiple of it. */
		if (unlikely(rule_kind(rule) > RULE_BP || size - 1 >= limit - sp || size % 8 != 0 ||
			     size < saved || saved == 8 * RULE_SAVED_AT_BP))
			break;
		word = *(const uintptr_t *)(sp + size + CPU_RETURN_SLOT);
		if (unlikely(word == 0))
			break;
		*f = (struct walked_frame){ sp, pc, bp, rule };
		pc = word;
		sp += size;
		word = *(const uintptr_t *)(sp - (saved ? saved : 8));
		bp = saved ? word : bp;
	}
	w->sp = sp;
	w->pc = pc;
	w->bp = bp;
	*base = cached;
	return (uint32_t)(f - t->walked);
}

/* Fills t->walked, innermost first, and sets *count. Returns how many cached frames stay; 0:
 * w->root is set, unless the successor cache has the stack. */
static uint32_t walk_out(struct walk *w, uint32_t *count)
{
	struct thread *t = w->t;
	const struct rule_table *table = rules_now();
	const struct cached_frame *cached = t->cached;
	const struct cached_frame *next = t->top;
	uint32_t base, n = 0;
	uint32_t unverifiable =
		UINT32_MAX; /* frames from here inwards depend on a guard word that failed */

	for (;;) {
		struct walked_frame *f;

		n = stride(w, table, &next, n);
		f = &t->walked[n++];
		while (next->sp < w->sp)
			next--;
		base = (uint32_t)(next - cached);
		if (same_frame(&cached[base], w)) {
			const struct cached_frame *frame = &cached[base];

			if (base < unverifiable && !w->untrusted &&
				(!frame->needs_bp || frame->bp == w->bp)) {
				const struct guard_word *failed = capture_verify(frame->last);
				bool holds = failed == t->guard_words;

				if (holds && depth_fits(cached, base, n - 1)) {
					n--;
					break;
				}
				unverifiable =
					holds ? 0 : frame_of_guard_word(cached, base, failed);
			}
			f->rule = frame->rule;
		} else {
			f->rule = rule_find(table, w->pc);
		}
		f->sp = w->sp;
		f->pc = w->pc;
		f->bp = w->bp;
		if (n == w->next_hint) {
			w->found = follow_prefix_hint(w, n);
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

/* ---- caching what was found */

static inline void add_guard_word(struct cached_frame *frame, uintptr_t address, uintptr_t value)
{
	*++frame->last = (struct guard_word){ (const uintptr_t *)address, value };
}

static cold_path void add_odd_guard_words(
	struct cached_frame *frame, const struct cached_frame *caller)
{
	uint32_t saved = rule_saved(frame->rule);

	switch (rule_kind(frame->rule)) {
	case RULE_SIGNAL:
		if (caller->needs_bp)
			add_guard_word(frame, frame->sp + CPU_SIGNAL_BP, caller->bp);
		add_guard_word(frame, frame->sp + CPU_SIGNAL_PC, caller->pc - 1);
		add_guard_word(frame, frame->sp + CPU_SIGNAL_SP, caller->sp);
		break;
	case RULE_NONE:
	case RULE_ASK:
		/* It may have led out of the stack: nothing beyond is read again without being
		 * asked for. */
		add_guard_word(frame, (uintptr_t)&never, 1);
		break;
	default:
		add_guard_word(frame, caller->sp + CPU_RETURN_SLOT, caller->pc);
		if (saved != RULE_NOT_SAVED && caller->needs_bp)
			add_guard_word(frame,
				saved == RULE_SAVED_AT_BP ? frame->bp : caller->sp - 8 * saved,
				caller->bp);
		add_guard_word(frame, frame->bp + (uintptr_t)rule_offset(frame->rule), caller->sp);
	}
}

/* The words that led from frame k to its caller. The ones that decide where others are come last:
 * they are verified first. */
static always_inline void add_guard_words(
	struct cached_frame *frame, const struct cached_frame *caller)
{
	uint32_t saved = rule_saved(frame->rule);

	if (unlikely(rule_kind(frame->rule) > RULE_BP)) {
		add_odd_guard_words(frame, caller);
		return;
	}
	add_guard_word(frame, caller->sp + CPU_RETURN_SLOT, caller->pc);
	if (saved != RULE_NOT_SAVED && caller->needs_bp)
		add_guard_word(frame,
			saved == RULE_SAVED_AT_BP ? frame->bp : caller->sp - 8 * saved, caller->bp);
}

/* The guard word of the outermost frame's end. */
static void add_end_guard_word(struct walk *w, struct cached_frame *frame)
{
	if (w->end)
		add_guard_word(frame, (uintptr_t)w->end, 0);
	else if (w->uncacheable)
		add_guard_word(
			frame, (uintptr_t)w->t->guard_words[0].address, w->t->guard_words[0].value);
}

/* From the first untrusted frame on, the rule is to be asked for each time. */
static cold_path void distrust(struct walk *w, uint32_t n)
{
	for (uint32_t i = (uint32_t)(w->untrusted - w->t->walked); i < n; i++)
		w->t->walked[i].rule = rule_make(RULE_ASK, 0, 0);
	w->end = NULL;
	w->uncacheable = true;
}

static always_inline uint64_t identity_of(const struct cached_frame *frame, uint64_t era)
{
	return (frame->hash ^ frame->sp * HASH_FACTOR ^ (frame->needs_bp ? ~frame->bp : 0)) + era;
}

/* The hashes come first: the path's entry lies somewhere in a megabyte, and can be fetched while
 * the rest is noted. */
static void cache_frames(struct walk *w, uint32_t base, uint32_t n)
{
	struct thread *t = w->t;
	struct cached_frame *cached = t->cached;

	if (base == 0) {
		cached[0].node = w->root;
		cached[0].hash = path_hash(0, w->root);
		cached[0].identity = identity_of(&cached[0], t->era);
	}
	for (uint32_t i = 1; i <= n; i++)
		cached[base + i].hash = path_hash(cached[base + i - 1].hash, t->walked[n - i].pc);
	path_prefetch(cached[base + n].hash);
	for (; n > 0; n--) {
		const struct walked_frame *f = &t->walked[n - 1];
		const struct cached_frame *caller = &cached[base];
		struct cached_frame *frame = &cached[++base];

		frame->sp = f->sp;
		frame->pc = f->pc;
		frame->bp = f->bp;
		frame->rule = f->rule;
		frame->node = 0;
		frame->last = caller->last;
		frame->needs_bp = rule_uses_bp(frame->rule) ||
				  (!rule_restores_bp(frame->rule) && caller->needs_bp);
		frame->identity = identity_of(frame, t->era);
		if (base > 1)
			add_guard_words(frame, caller);
		else
			add_end_guard_word(w, frame);
	}
	t->top = &cached[base];
}

/* Those words of the new frames that lie elsewhere than on the thread's own stack. */
static cold_path void watch(const struct thread *t, uint32_t base)
{
	for (const struct guard_word *c = t->top->last; c > t->cached[base].last; c--)
		cuts_watch((uintptr_t)c->address);
}

/* ---- the stack as one of the cached ones, with a base as far out as its guard words reach */

/* The cached frame that lies outside of the first `count` guard words or less, innermost first. */
static always_inline const struct cached_frame *base_behind(const struct thread *t, uint32_t count)
{
	const struct cached_frame *base = t->top;

	while (base > t->cached && t->top->last - base[-1].last <= count)
		base--;
	return base;
}

/* A recent stack can have guard words as far above sp as its memory goes: another stack's may be
 * unmapped while this one's stays. */
static inline uintptr_t recent_reach(const struct thread *t, uintptr_t sp)
{
	uintptr_t reach = t->safe_end - sp;

	return sp >= t->safe_start && sp < t->safe_end && reach <= UINT32_MAX ? reach : 0;
}

/* Without a site no look-up finds it. */
static void fill_recent(const struct thread *t, struct recent_stack *recent, struct known_path path)
{
	const struct cached_frame *top = t->top, *base;
	uintptr_t reach = recent_reach(t, top->sp);
	uint32_t count = 0;

	recent->sp = 0; /* a handler may jump out of here */
	signal_fence();
	for (const struct guard_word *c = top->last; c > t->guard_words && count < RECENT_WORDS &&
						     (uintptr_t)c->address - top->sp < reach;
		c--) {
		recent->words[count] = (uint32_t)((uintptr_t)c->address - top->sp);
		recent->values[count++] = c->value;
	}
	base = base_behind(t, count);
	count = (uint32_t)(top->last - base->last);
	for (uint32_t i = count; i < RECENT_WORDS; i++) {
		recent->words[i] = recent->words[0];
		recent->values[i] = recent->values[0];
	}
	recent->stack = (struct cached_stack){ path.site, path.call, path.site, path.site, 0 };
	recent->usable = count > 0 && !modules_is_loader(top->pc);
	recent->pc = top->pc;
	recent->bp = top->bp;
	recent->needs_bp = top->needs_bp;
	recent->base = (uint16_t)(base - t->cached);
	recent->base_identity = base->identity;
	signal_fence();
	if (path.site && recent->usable)
		recent->sp = top->sp;
}

/* Can the successor cache have this guard word? It lies on the thread's own stack, which is there
 * as long as the thread is. */
static inline bool successor_reaches(
	const struct thread *t, uintptr_t sp, const struct guard_word *c)
{
	uintptr_t address = (uintptr_t)c->address;

	return address < t->own_end && address - sp <= 8 * UINT16_MAX && (address - sp) % 8 == 0;
}

/* How many guard words an entry for this site is to have: as many as fit into its first line, or,
 * where it was walked again although it had these, as reach the frames that it had in common with
 * the stack before, from number `shared` outwards; and no fewer than at earlier such walks. */
static uint32_t successor_length(
	struct thread *t, const struct successor *successor, uint32_t site, uint32_t shared)
{
	const struct guard_word *last = t->top->last;
	uint32_t length;

	if (successor->stack.site != site || !successor->sp)
		return SUCCESSOR_WORDS;
	if (successor->read > SUCCESSOR_WORDS && successor->base < shared)
		shared = successor->base;
	length = (uint32_t)(last - t->cached[shared].last);
	if (length <= SUCCESSOR_WORDS || length > SUCCESSOR_MOST)
		return SUCCESSOR_WORDS;
	if (!t->tails_asked) {
		t->tails_asked = true;
		t->tails = os_map(sizeof(*t->tails) << SUCCESSOR_BITS);
	}
	return t->tails ? length : SUCCESSOR_WORDS;
}

static inline uint16_t *successor_word(
	const struct thread *t, struct successor *successor, uint32_t i)
{
	return i < SUCCESSOR_WORDS ? &successor->words[i]
				   : &capture_tail(t, successor)->words[i - SUCCESSOR_WORDS];
}

/* That so many words are read, the first is repeated. */
static uint32_t pad_successor(const struct thread *t, struct successor *successor, uint32_t count)
{
	uint32_t read = count <= SUCCESSOR_FEW	   ? SUCCESSOR_FEW
			: count <= SUCCESSOR_WORDS ? SUCCESSOR_WORDS
						   : (count + 3) & ~3u;

	for (uint32_t i = count; i < read; i++)
		*successor_word(t, successor, i) = successor->words[0];
	return read;
}

static void fill_successor(
	struct thread *t, struct successor *successor, struct known_path path, uint32_t shared)
{
	const struct cached_frame *top = t->top, *base;
	uint32_t length = successor_length(t, successor, path.site, shared), count = 0;

	successor->sp = 0; /* a handler may jump out of here */
	signal_fence();
	for (const struct guard_word *c = top->last;
		c > t->guard_words && count < length && successor_reaches(t, top->sp, c); c--)
		*successor_word(t, successor, count++) =
			(uint16_t)(((uintptr_t)c->address - top->sp) / 8);
	base = base_behind(t, count);
	count = (uint32_t)(top->last - base->last);
	if (successor->stack.site != path.site)
		successor->stack =
			(struct cached_stack){ path.site, path.call, path.site, path.site, 0 };
	if (!t->on_own_stack || count == 0)
		return;
	successor->base = (uint16_t)(base - t->cached);
	successor->uses_bp = top->needs_bp;
	successor->read = (uint8_t)pad_successor(t, successor, count);
	successor->proof =
		capture_proof(t, successor, (struct cpu_frame){ top->sp, top->pc, top->bp }, base);
	signal_fence();
	successor->sp = top->sp;
}

/* For pc, bp and the words: 64 random bits each; odd, so that each bit of a word counts. */
const uint64_t capture_factors[2 + SUCCESSOR_MOST] = {
	0x9c86269bdefda9ab,
	0xd9f0b7c0e6f6dabf,
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
	0x958bb7ccb660f2fd,
	0x54d6371fd59789d7,
	0xc0e568fc8c451937,
	0xa0138f702e70334b,
	0xab7f05f75f99a57f,
	0xc4ec4a3fc2a59b1b,
	0xcb374a8fcffd323b,
	0x5b822446dbe26b95,
	0xba65add49b98cf0d,
	0x2d2768f45bddd0f7,
	0xd03648b735c12d75,
	0xec234e0c4f5e83bb,
	0xda08cbaca6f21fa7,
	0xab96287a0dcd34d1,
	0x22811a98691fd9eb,
	0x6dd6c46d320f105b,
	0x40c87b1bc71ce0e5,
	0xe3d48442fe5cc6cf,
	0xd9f945fdd2377edb,
	0xc24fa4f195a6f2e7,
	0x5d31e6de203cb9ff,
	0x1a4b44d0561f89e5,
	0xc52902c2c96a706d,
	0xe44abcccd4343fc5,
	0xb83d71a25ca5145f,
	0x1ce01ba56265a4c1,
	0x50c86d0b4df13ba7,
	0x7f762632d313bcef,
	0x187652c8f1cdb96f,
	0xe1c206a685904259,
	0xf267bd8c607f174b,
	0x31758b5e5ed1c515,
	0x3033460fc9c89633,
	0x163896da8997ba6d,
	0xe7be61a225fea9dd,
	0x7ea6f245b8756c1b,
	0xc632e38a9602276b,
	0x2ddd392eac28ecf7,
	0xa7948628ace17827,
	0x7bec91cb6ea869bd,
	0xa6743511c51ff967,
	0x0d6715351b038c2b,
	0xc09a6a1c64dd8a49,
	0x0c8a42a79c631cfb,
	0x54fbe9bd9110728f,
	0x96b23788546a9d51,
	0x95b82427a5bd9385,
	0x8121dc3d38db8695,
	0xfabaca7b010b9d21,
	0xc68b7ac00e59b779,
	0x31ff7ea9db7d1afd,
	0x8f277543a7935023,
	0xa814f016dfed3abd,
	0x7e6655509bb1f141,
	0x50ce25103efb4501,
	0x1916fd2fecc33729,
	0xbfaded974794e97f,
	0x8ace756babd68e03,
	0x98a26037495bbb53,
	0x9ce491826a7b9f03,
	0x0054ddbd1cd60387,
	0xa073e96d01571223,
	0xa369df9b57a28031,
	0x20834869d47637cd,
};

/* The stack's site is known by now, and its entry of the recent stacks filled. */
static void cache_successor(
	struct thread *t, struct recent_stack *recent, struct known_path path, uint32_t shared)
{
	struct successor *successor = capture_successor_of(t, path.site);

	t->uses_successors |= path.site >= FEW_SITES;
	capture_link(t, path.site);
	fill_successor(t, successor, path, shared);
	note_prefix_hints(t, (uint16_t)(successor - t->successors));
	recent->stack = t->top_stack = successor->stack;
	capture_expect(t, successor->sp ? &successor->stack : &recent->stack, !phase_multi);
}

/* The slot of the last event's stack is about to be another one's: what comes after it is noted in
 * the successor cache. */
static inline void keep_latest(struct thread *t, const struct cached_stack *cache_slot)
{
	struct cached_stack *successor = &capture_successor_of(t, t->latest->site)->stack;

	if ((t->latest == &t->top_stack || t->latest == cache_slot) &&
		successor->site == t->latest->site)
		t->latest = successor;
}

/* How many different stacks of a kind may be met whole. */
#define FRAME_POINTER_MOST 4096
#define BROKEN_MOST 16384

static uint32_t doubtful[CUT_ALL + 1]; /* how many were */

static inline enum cut doubt_of(const struct walk *w, uint32_t base)
{
	if (unlikely(w->by_frame_pointer))
		return CUT_FRAME_POINTERS;
	return unlikely(base == 0 && w->root == MT_NODE_BROKEN) ? CUT_ALL : CUT_NOT;
}

static bool are_too_many(enum cut doubt)
{
	return load_relaxed(&doubtful[doubt]) >=
	       (doubt == CUT_FRAME_POINTERS ? FRAME_POINTER_MOST : BROKEN_MOST);
}

/* How a walk is to be: an enum cut, and with this, prefix hints may end it. (All of it is in
 * registers, for a small frame.) */
#define WALK_BY_HINTS 4u

static struct cached_stack *walk(struct thread *t, struct cached_stack *cache_slot, uintptr_t sp,
	uintptr_t pc, uintptr_t bp, uint32_t how)
{
	const enum cut cut = how & ~WALK_BY_HINTS;
	struct walk w = { .t = t,
		.sp = sp,
		.pc = pc,
		.bp = bp,
		.prefix = sp,
		.next_hint = how & WALK_BY_HINTS ? PREFIX_FRAMES : 0,
		.cut = cut };
	struct recent_stack *recent = (struct recent_stack *)cache_slot;
	uint32_t base, count;
	struct known_path path;

	if (unlikely(!t->on_own_stack || sp - t->safe_start >= t->safe_end - t->safe_start))
		move_safe_range(t, sp);
	t->met = 0;
	base = walk_out(&w, &count);
	if (w.found)
		return w.found;
	if (unlikely(w.untrusted))
		distrust(&w, count);
	cache_frames(&w, base, count);
	if (unlikely(!t->on_own_stack || w.foreign_stack || w.interrupted || w.by_frame_pointer))
		watch(t, base);
	path = path_find(t->top->hash);
	t->doubt = doubt_of(&w, base);
	if (unlikely(t->doubt > cut) && !path.site && are_too_many(t->doubt)) {
		or_relaxed(&trace.header->flags, MT_NOTE_CUT);
		t->top = t->cached;
		return walk(t, cache_slot, sp, pc, bp, t->doubt);
	}
	__builtin_prefetch(&trace.sites[path.site], 1);
	__builtin_prefetch(capture_successor_of(t, path.site), 1);
	keep_latest(t, cache_slot);
	fill_recent(t, recent, path);
	t->top_stack = recent->stack;
	if (unlikely(modules_is_loader(pc)))
		t->top_stack.site = 0;
	else if (likely(path.site)) {
		cache_successor(t, recent, path, base);
		t->uses_successors |= ++t->walked_again >= FEW_WALKS;
	}
	if (unlikely(w.by_frame_pointer))
		t->safe_start = t->safe_end = 0;
	return cache_slot;
}

struct cached_stack *capture_walk(
	struct thread *t, struct cached_stack *cache_slot, uintptr_t sp, uintptr_t pc, uintptr_t bp)
{
	struct cached_stack *stack = walk(
		t, cache_slot, sp, pc, bp, t->uses_successors ? WALK_BY_HINTS | CUT_NOT : CUT_NOT);

	if (stack != cache_slot)
		capture_move_on(t, stack, !phase_multi);
	return stack;
}

/* ---- a path that isn't known */

/* Gives the cached frames their nodes; under tables_lock. Below a new node there is none yet.
 * Returns the address of a frame that isn't known at all: it was walked by the rule of another
 * (stacks.h), or there is no memory. 0: none. */
static uintptr_t find_nodes(struct thread *t)
{
	uint32_t first_new = (uint32_t)trace.header->tables[MT_NODES].count;

	for (struct cached_frame *frame = t->cached + 1; frame <= t->top; frame++) {
		struct known_pc known;

		if (frame->node)
			continue;
		known = pc_find(pcs, frame->pc);
		if (!pc_is_known(known))
			return frame->pc;
		frame->node = frame[-1].node < first_new ? node_get(frame[-1].node, known.frame)
							 : node_add(frame[-1].node, known.frame);
	}
	return 0;
}

/* Walks again, now that this address is known. False: it can't be known. */
static bool walk_again(struct thread *t, struct cached_stack *stack, uintptr_t unknown)
{
	struct cached_frame top = *t->top;

	if (pc_get(unknown).frame == 0)
		return false;
	t->top = t->cached;
	walk(t, stack, top.sp, top.pc, top.bp, CUT_NOT);
	return true;
}

/*
 * Locks the tables, but for one thread alone that makes no table grow: then each step leaves them
 * whole, as a reader of the file finds them after SIGKILL, so a signal handler that never comes
 * back does no harm. And to block signals costs as much as all the rest. False: not locked.
 */
static inline bool lock_tables(const struct thread *t)
{
	if (phase_single_generation() == t->phase_generation && likely(process_is_single) &&
		stacks_have_room((uint32_t)(t->top - t->cached)))
		return false;
	lock_take(&tables_lock);
	return true;
}

/* Interns the stack of the cached frames, and finds or makes its site if asked to. */
static void intern(struct thread *t, struct cached_stack *stack, bool site)
{
	uint64_t nodes = trace.header->tables[MT_NODES].count;
	uint64_t site_count = trace.header->tables[MT_SITES].count;
	uintptr_t unknown;

	do {
		bool locked = lock_tables(t);

		unknown = find_nodes(t);
		if (site && !unknown)
			stack->site = site_of_path(t->top->hash, t->top->node);
		if (locked)
			lock_drop(&tables_lock);
	} while (unknown && walk_again(t, stack, unknown) && !stack->site);
	note_new_sites(site_count);
	if (unlikely(t->doubt) && trace.header->tables[MT_NODES].count > nodes)
		add_relaxed(&doubtful[t->doubt], 1);
}

cold_path uint32_t capture_new_site(struct thread *t, struct cached_stack *stack)
{
	struct recent_stack *recent = (struct recent_stack *)stack;

	intern(t, stack, true);
	if (!stack->site) {
		lock_take(&tables_lock);
		stack->site = site_of_path(t->top->hash, MT_NODE_NONE);
		lock_drop(&tables_lock);
	}
	if (stack->site && !modules_is_loader(t->top->pc)) {
		recent->sp = recent->usable ? t->top->sp : 0;
		cache_successor(t, recent,
			(struct known_path){
				t->top->hash, stack->site, trace.site_info[stack->site].call },
			(uint32_t)(t->top - t->cached));
	}
	return stack->site;
}

cold_path uint32_t capture_new_node(struct thread *t, struct cached_stack *stack)
{
	intern(t, stack, false);
	return stack->site ? trace.site_info[stack->site].node : t->top->node;
}
