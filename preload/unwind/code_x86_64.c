/* SPDX-License-Identifier: MIT */
/*
 * code_x86_64.c - follows x86-64 code to where it returns.
 *
 * An instruction is decoded as far as is needed to know how long it is and what it does to rsp and
 * rbp. rsp may only be moved by constants, or set from rbp; anything else ends the attempt. rbp may
 * be used for anything, as long as it is loaded from the stack before the return.
 *
 * Of the two paths at a conditional jump the next instruction comes first, and the other one where
 * that leads nowhere (to a trap, or around in a circle): compilers see to it that the depth of the
 * stack at an instruction doesn't depend on the path to it.
 */
#include "preload/sys/os.h"
#include "preload/sys/cpu.h"
#include "preload/unwind/code.h"

#define PAGE CPU_PAGE
#define INSTRUCTIONS 2000u /* that are followed at the most */
#define FORKS 8u	   /* whose other path is remembered */
#define JUMPS 16u	   /* that may be taken */
#define MOST_BYTES 15u	   /* of an instruction */

#define RSP 4u
#define RBP 5u

/* An address on the stack: so many bytes from what rsp, or rbp, was at first. */
struct stack_address {
	bool by_bp;
	int64_t offset;
};

struct bp {
	enum { BP_FIRST, BP_LOADED, BP_ADDRESS, BP_UNKNOWN } what;
	struct stack_address
		stack_address; /* where it was loaded from; or the address that it is */
};

struct registers {
	struct stack_address sp;
	struct bp bp;
	bool has_pushed; /* bp, when it was this, at that address */
	struct bp pushed;
	struct stack_address pushed_at;
};

struct code_path {
	const unsigned char *at;
	struct registers registers;
};

struct follower {
	struct code_path code_path;
	struct code_path others[FORKS];
	unsigned other_count;
	const unsigned char *jumps[JUMPS]; /* targets that were jumped to */
	unsigned jump_count;
	bool called;	    /* it begins behind a call */
	bool misled;	    /* into another function, behind a call that doesn't return */
	uintptr_t readable; /* an address on the page that was asked for last */
	rule_t rule;	    /* the result */
};

struct instruction {
	const unsigned char *next;
	unsigned opcode;	    /* 0x0f.. and 0x0f38.., 0x0f3a.. with their escapes */
	bool wide, narrow, repeats; /* REX.W; prefix 66; F3 */
	bool vex;
	bool has_modrm;
	unsigned mod, reg, rm;	/* with the bits of REX */
	bool by_rip, plain_sib; /* memory at rip; at a register without an index */
	unsigned base;		/* of memory */
	int64_t displacement, immediate;
};

static bool same(struct stack_address a, struct stack_address b)
{
	return a.by_bp == b.by_bp && a.offset == b.offset;
}

/* ---- decoding */

static int64_t signed_number(const unsigned char *p, unsigned bytes)
{
	uint64_t n = 0;

	for (unsigned i = bytes; i-- > 0;)
		n = n << 8 | p[i];
	return bytes == 0 || bytes == 8 ? (int64_t)n
					: (int64_t)(n << (64 - 8 * bytes)) >> (64 - 8 * bytes);
}

static const unsigned char *decode_modrm(
	struct instruction *in, const unsigned char *p, unsigned r, unsigned x, unsigned b)
{
	unsigned modrm = *p++, sib, size;

	in->has_modrm = true;
	in->mod = modrm >> 6;
	in->reg = (modrm >> 3 & 7) | r << 3;
	in->rm = (modrm & 7) | b << 3;
	size = in->mod == 1 ? 1 : in->mod == 2 ? 4 : 0;
	in->base = in->rm;
	if (in->mod == 3)
		return p;
	in->plain_sib = (modrm & 7) != 4;
	if ((modrm & 7) == 4) {
		sib = *p++;
		in->base = (sib & 7) | b << 3;
		in->plain_sib = (sib >> 3 & 7) == 4 && !x;
		if (in->mod == 0 && (sib & 7) == 5) {
			size = 4;
			in->plain_sib = false;
		}
	} else if (in->mod == 0 && (modrm & 7) == 5) {
		size = 4;
		in->by_rip = true;
		in->plain_sib = false;
	}
	in->displacement = signed_number(p, size);
	return p + size;
}

static bool one_byte_has_modrm(unsigned op)
{
	return (op < 0x40 && (op & 7) < 4) || op == 0x63 || op == 0x69 || op == 0x6b ||
	       (op >= 0x80 && op <= 0x8f) || op == 0xc0 || op == 0xc1 || op == 0xc6 || op == 0xc7 ||
	       (op >= 0xd0 && op <= 0xd3) || (op >= 0xd8 && op <= 0xdf) || op == 0xf6 ||
	       op == 0xf7 || op == 0xfe || op == 0xff;
}

static unsigned one_byte_immediate(const struct instruction *in)
{
	unsigned op = in->opcode, full = in->narrow && !in->wide ? 2 : 4;

	if ((op < 0x40 && (op & 7) == 4) || op == 0x6a || op == 0x6b ||
		(op >= 0x70 && op <= 0x7f) || op == 0x80 || op == 0x83 || op == 0xa8 ||
		(op >= 0xb0 && op <= 0xb7) || op == 0xc0 || op == 0xc1 || op == 0xc6 ||
		(op >= 0xe0 && op <= 0xe7) || op == 0xeb || (op == 0xf6 && (in->reg & 7) < 2))
		return 1;
	if (op >= 0xb8 && op <= 0xbf)
		return in->wide ? 8 : full;
	if (op == 0xe8 || op == 0xe9)
		return 4;
	if ((op < 0x40 && (op & 7) == 5) || op == 0x68 || op == 0x69 || op == 0x81 || op == 0xa9 ||
		op == 0xc7 || (op == 0xf7 && (in->reg & 7) < 2))
		return full;
	if (op >= 0xa0 && op <= 0xa3)
		return 8;
	return op == 0xc2 ? 2 : 0;
}

static bool two_byte_has_modrm(unsigned op)
{
	return !(op == 0x05 || op == 0x0b || op == 0x31 || op == 0x77 || op == 0xa2 ||
		 (op >= 0x80 && op <= 0x8f) || (op >= 0xc8 && op <= 0xcf));
}

static unsigned two_byte_immediate(unsigned op)
{
	if (op >= 0x80 && op <= 0x8f)
		return 4;
	return (op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xba || op == 0xc2 ||
			       (op >= 0xc4 && op <= 0xc6)
		       ? 1
		       : 0;
}

/* Those that were taken out of 64-bit mode, or that no function has before it returns. */
static bool is_strange(unsigned op)
{
	return (op < 0x40 && (op & 7) >= 6) || (op >= 0x60 && op <= 0x62) ||
	       (op >= 0x6c && op <= 0x6f) || op == 0x82 || op == 0x9a || op == 0xc8 ||
	       (op >= 0xca && op <= 0xcb) || (op >= 0xcd && op <= 0xcf) ||
	       (op >= 0xd4 && op <= 0xd7) || (op >= 0xe4 && op <= 0xe7) || op == 0xea ||
	       (op >= 0xec && op <= 0xef) || op == 0xf1;
}

static bool decode_vex(struct instruction *in, const unsigned char *p)
{
	unsigned first = *p++, map = 1, r = !(*p >> 7), x = 0, b = 0;

	in->vex = true;
	if (first != 0xc5) {
		x = !(*p >> 6 & 1);
		b = !(*p >> 5 & 1);
		map = *p & (first == 0x62 ? 7 : 31);
		p += first == 0x62 ? 2 : 1;
	}
	p++;
	if (map < 1 || map > 3)
		return false;
	in->opcode = (map == 1 ? 0x0f00 : map == 2 ? 0x0f3800 : 0x0f3a00) | *p++;
	if (in->opcode != 0x0f77)
		p = decode_modrm(in, p, r, x, b);
	if (first == 0x62 && in->mod == 1)
		in->plain_sib = false; /* the displacement is scaled */
	in->next = p + (map == 3 || (map == 1 && two_byte_immediate(in->opcode & 255)));
	return true;
}

static bool decode(struct instruction *in, const unsigned char *p)
{
	unsigned rex = 0, op, immediate = 0;
	bool modrm;

	*in = (struct instruction){ 0 };
	for (;; p++) {
		if (*p == 0x66)
			in->narrow = true;
		else if (*p == 0xf3)
			in->repeats = true;
		else if (*p != 0xf2 && *p != 0x2e && *p != 0x36 && *p != 0x3e && *p != 0x26 &&
			 *p != 0x64 && *p != 0x65 && *p != 0x67 && *p != 0xf0)
			break;
	}
	if (*p == 0xc4 || *p == 0xc5 || *p == 0x62)
		return decode_vex(in, p);
	if ((*p & 0xf0) == 0x40)
		rex = *p++;
	in->wide = rex & 8;
	op = *p++;
	if (op == 0x0f) {
		op = *p++;
		in->opcode = 0x0f00 | op;
		if (op == 0x38 || op == 0x3a) {
			in->opcode = in->opcode << 8 | *p++;
			modrm = true;
			immediate = op == 0x3a;
		} else {
			modrm = two_byte_has_modrm(op);
			immediate = two_byte_immediate(op);
		}
	} else {
		in->opcode = op;
		if (is_strange(op))
			return false;
		modrm = one_byte_has_modrm(op);
	}
	in->rm = (op & 7) | (rex & 1) << 3; /* of instructions that have a register in the opcode */
	if (modrm)
		p = decode_modrm(in, p, rex >> 2 & 1, rex >> 1 & 1, rex & 1);
	if (in->opcode < 0x100)
		immediate = one_byte_immediate(in);
	in->immediate = signed_number(p, immediate);
	in->next = p + immediate;
	return true;
}

/* ---- which general register is written; what isn't known for sure counts as written */

static bool writes_reg(const struct instruction *in)
{
	unsigned op = in->opcode, low = op & 255;

	if (!in->has_modrm)
		return false;
	if (op < 0x100)
		return (op < 0x38 && (op & 6) == 2) || op == 0x63 || op == 0x69 || op == 0x6b ||
		       op == 0x86 || op == 0x87 || op == 0x8a || op == 0x8b || op == 0x8d;
	if (op < 0x10000)
		return (low >= 0x40 && low <= 0x4f && !in->vex) || low == 0x2c || low == 0x2d ||
		       low == 0x50 || low == 0xd7 || low == 0xc5 || low == 0xaf || low == 0xb6 ||
		       low == 0xb7 || (low >= 0xbc && low <= 0xbf) || low == 0xb8 || low == 0xc0 ||
		       low == 0xc1 || low == 0x02 || low == 0x03;
	return low >= 0xf0;
}

static bool writes_rm(const struct instruction *in)
{
	unsigned op = in->opcode, low = op & 255, reg = in->reg & 7;

	if (!in->has_modrm)
		return (op >= 0xb0 && op <= 0xbf) || (op >= 0x91 && op <= 0x97) ||
		       (op >= 0x0fc8 && op <= 0x0fcf);
	if (in->mod != 3)
		return false;
	if (op < 0x100)
		return (op < 0x38 && (op & 6) == 0) || (op >= 0x80 && op <= 0x83 && reg != 7) ||
		       (op >= 0x86 && op <= 0x89) || op == 0x8c || op == 0x8f || op == 0xc0 ||
		       op == 0xc1 || (op >= 0xd0 && op <= 0xd3) || op == 0xc6 || op == 0xc7 ||
		       ((op == 0xf6 || op == 0xf7) && (reg == 2 || reg == 3)) ||
		       ((op == 0xfe || op == 0xff) && reg < 2);
	if (op < 0x10000)
		return (low >= 0x90 && low <= 0x9f && !in->vex) || (low == 0x7e && !in->repeats) ||
		       low == 0xab || low == 0xb3 || low == 0xbb || (low == 0xba && reg != 4) ||
		       low == 0xa4 || low == 0xa5 || low == 0xac || low == 0xad || low == 0xb0 ||
		       low == 0xb1 || low == 0xc0 || low == 0xc1 || low == 0xc7;
	return op >= 0x0f3a14 && op <= 0x0f3a17;
}

static bool writes(const struct instruction *in, unsigned reg)
{
	return (writes_reg(in) && in->reg == reg) || (writes_rm(in) && in->rm == reg);
}

/* ---- what it does to rsp and rbp */

static void load_bp(struct registers *r, struct stack_address from)
{
	if (r->has_pushed && same(from, r->pushed_at))
		r->bp = r->pushed;
	else
		r->bp = (struct bp){ BP_LOADED, from };
}

/* rsp becomes rbp and so many bytes. */
static bool set_sp(struct registers *r, int64_t offset)
{
	if (r->bp.what == BP_FIRST)
		r->sp = (struct stack_address){ true, offset };
	else if (r->bp.what == BP_ADDRESS)
		r->sp = (struct stack_address){ r->bp.stack_address.by_bp,
			r->bp.stack_address.offset + offset };
	else
		return false;
	return true;
}

static void push(struct registers *r, bool bp)
{
	r->sp.offset -= 8;
	if (bp) {
		r->has_pushed = true;
		r->pushed = r->bp;
		r->pushed_at = r->sp;
	}
}

static bool leave(struct registers *r)
{
	if (!set_sp(r, 0))
		return false;
	load_bp(r, r->sp);
	r->sp.offset += 8;
	return true;
}

/* False: nobody can tell where rsp is now. */
static bool apply(struct registers *r, const struct instruction *in)
{
	unsigned op = in->opcode, reg = in->reg & 7;
	bool registers_alone = in->has_modrm && in->mod == 3;
	bool from_stack = in->has_modrm && in->mod != 3 && in->plain_sib && in->base == RSP;

	if (op >= 0x50 && op <= 0x57) {
		push(r, in->rm == RBP);
	} else if (op >= 0x58 && op <= 0x5f) {
		if (in->rm == RSP)
			return false;
		if (in->rm == RBP)
			load_bp(r, r->sp);
		r->sp.offset += 8;
	} else if (op == 0x68 || op == 0x6a || op == 0x9c || (op == 0xff && reg == 6)) {
		push(r, false);
	} else if (op == 0x9d || (op == 0x8f && !registers_alone)) {
		r->sp.offset += 8;
	} else if (op == 0xc9) {
		return leave(r);
	} else if ((op == 0x81 || op == 0x83) && registers_alone && in->rm == RSP && in->wide &&
		   (reg == 0 || reg == 5)) {
		r->sp.offset += reg == 0 ? in->immediate : -in->immediate;
	} else if ((op == 0x89 && registers_alone && in->rm == RSP && in->reg == RBP) ||
		   (op == 0x8b && registers_alone && in->reg == RSP && in->rm == RBP)) {
		return set_sp(r, 0);
	} else if ((op == 0x89 && registers_alone && in->rm == RBP && in->reg == RSP) ||
		   (op == 0x8b && registers_alone && in->reg == RBP && in->rm == RSP)) {
		r->bp = (struct bp){ BP_ADDRESS, r->sp };
	} else if (op == 0x8d && in->reg == RSP && in->wide && in->plain_sib) {
		if (in->base == RBP)
			return set_sp(r, in->displacement);
		if (in->base != RSP)
			return false;
		r->sp.offset += in->displacement;
	} else if (op == 0x8d && in->reg == RBP && in->wide && from_stack) {
		r->bp = (struct bp){ BP_ADDRESS, { r->sp.by_bp, r->sp.offset + in->displacement } };
	} else if (op == 0x8b && in->reg == RBP && in->wide && from_stack) {
		load_bp(r, (struct stack_address){ r->sp.by_bp, r->sp.offset + in->displacement });
	} else if (writes(in, RSP)) {
		return false;
	} else if (writes(in, RBP)) {
		r->bp.what = BP_UNKNOWN;
	}
	return true;
}

/* ---- the path to a return */

static rule_t rule_at_return(const struct registers *r)
{
	int64_t cfa = r->sp.offset + 8, below = cfa - r->bp.stack_address.offset;
	enum rule_kind kind = r->sp.by_bp ? RULE_BP : RULE_SP;

	if (cfa <= 0 || cfa % 8 != 0 || cfa / 8 >= 1 << 20)
		return rule_make(RULE_NONE, 0, 0);
	if (r->bp.what == BP_FIRST)
		return rule_make(kind, RULE_NOT_SAVED, (int32_t)(cfa / 8));
	if (r->bp.what != BP_LOADED || r->bp.stack_address.by_bp != r->sp.by_bp || below <= 0 ||
		below % 8 != 0 || below / 8 >= RULE_SAVED_AT_BP)
		return rule_make(RULE_NONE, 0, 0);
	return rule_make(kind, (uint32_t)(below / 8), (int32_t)(cfa / 8));
}

/* The other path of the last fork. False: there is none. */
static bool turn_back(struct follower *f)
{
	if (f->other_count == 0) {
		if (f->misled)
			f->rule = rule_make(RULE_NONE, 0, 0);
		return false;
	}
	f->code_path = f->others[--f->other_count];
	return true;
}

static void remember(struct follower *f, const unsigned char *target)
{
	if (f->other_count < FORKS)
		f->others[f->other_count++] = (struct code_path){ target, f->code_path.registers };
}

/* False: that has led to nothing new, or there is no end of it. */
static bool jump(struct follower *f, const unsigned char *target)
{
	for (unsigned i = 0; i < f->jump_count; i++)
		if (f->jumps[i] == target)
			return turn_back(f);
	if (f->jump_count == JUMPS)
		return false;
	f->jumps[f->jump_count++] = target;
	f->code_path.at = target;
	return true;
}

static bool is_readable(struct follower *f)
{
	uintptr_t last = ((uintptr_t)f->code_path.at + MOST_BYTES) & ~(uintptr_t)7;

	if (((uintptr_t)f->code_path.at ^ f->readable) < PAGE && (last ^ f->readable) < PAGE)
		return true;
	f->readable = (uintptr_t)f->code_path.at;
	return os_readable((uintptr_t)f->code_path.at) && os_readable(last);
}

static bool is_conditional(unsigned op)
{
	return (op >= 0x70 && op <= 0x7f) || (op >= 0xe0 && op <= 0xe3) ||
	       (op >= 0x0f80 && op <= 0x0f8f);
}

/* rsp is a multiple of 16 at each call. A function that lies behind one that doesn't return is followed
 * from its first byte to its return, and is found to have no frame. */
static bool is_misled(const struct follower *f)
{
	const struct stack_address *sp = &f->code_path.registers.sp;

	return f->called && !sp->by_bp && sp->offset % 16 != 8;
}

/* endbr64: a call before it hasn't returned, this is the next function. */
static bool is_entry(const struct instruction *in)
{
	return in->opcode == 0x0f1e && in->repeats && in->mod == 3 && in->reg == 7 && in->rm == 2;
}

/* One instruction. False: f->rule is the result. */
static bool follow(struct follower *f)
{
	struct instruction in;
	unsigned op;

	f->rule = rule_make(RULE_NONE, 0, 0);
	if (!is_readable(f) || !decode(&in, f->code_path.at))
		return false;
	op = in.opcode;
	if (op == 0xc3 || op == 0xc2 || (op == 0xff && (in.reg & 7) == 4 && in.by_rip)) {
		f->misled |= is_misled(f);
		if (is_misled(f))
			return turn_back(f);
		f->rule = rule_at_return(&f->code_path.registers);
		return false;
	}
	if (op == 0xcc || op == 0xf4 || op == 0x0f0b || is_entry(&in)) {
		f->rule = rule_make(RULE_HARD, 0, 0);
		return turn_back(f);
	}
	if (op == 0xe9 || op == 0xeb)
		return jump(f, in.next + in.immediate);
	if (op == 0xff && (in.reg & 7) >= 3 && (in.reg & 7) != 6)
		return false;
	if (is_conditional(op))
		remember(f, in.next + in.immediate);
	f->code_path.at = in.next;
	return apply(&f->code_path.registers, &in);
}

rule_t code_rule(uintptr_t pc, bool called)
{
	struct follower f = {
		.code_path.at = (const unsigned char *)pc, .called = called, .readable = ~pc
	};

	for (unsigned i = 0; i < INSTRUCTIONS; i++)
		if (!follow(&f))
			return f.rule;
	return rule_make(RULE_NONE, 0, 0);
}
