/* SPDX-License-Identifier: MIT */
/*
 * test_preload_sandbox.c - random seccomp filters, answered by seccomp.c and by the kernel.
 *
 * Each filter computes something of a call's number and arguments, and ends with that as an error
 * number: so a call that doesn't exist tells what the kernel made of it.
 */
#include "preload/sys/seccomp.c" /* for its interpreter */

#include "preload/sys/array.h"
#include "unit.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NUMBER 4000 /* of no system call */
#define MOST 40
#define WORDS 4 /* of memory that are used */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static uint32_t draw_value(void)
{
	static const uint32_t edges[] = { 0, 1, 31, 32, 0x7fffffff, 0x80000000, 0xffffffff };

	return draw(2) ? edges[draw(7)] : draw(0x7fffffff) * 2 + draw(2);
}

/* Not the instruction pointer, at 8. */
static uint32_t draw_offset(void)
{
	return draw(8) ? 16 + 4 * draw(12) : 4 * draw(2);
}

static struct sock_filter draw_jump(unsigned left)
{
	static const uint16_t ops[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };

	if (draw(6) == 0)
		return (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, draw(left) };
	return (struct sock_filter){ BPF_JMP | ops[draw(4)] | (draw(2) ? BPF_K : BPF_X),
		(uint8_t)draw(left), (uint8_t)draw(left), draw_value() };
}

static struct sock_filter draw_computation(void)
{
	static const uint16_t ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND, BPF_OR,
		BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG };
	uint16_t op = ops[draw(10)],
		 from = draw(2) && op != BPF_DIV && op != BPF_NEG ? BPF_X : BPF_K;
	uint32_t k = op == BPF_LSH || op == BPF_RSH ? draw(32) : draw_value();

	return (struct sock_filter){ BPF_ALU | op | from, 0, 0, op == BPF_DIV ? k | 1 : k };
}

/* `left`: instructions that follow. */
static struct sock_filter draw_instruction(unsigned left)
{
	switch (draw(12)) {
	case 0:
	case 1:
		return (struct sock_filter){ BPF_LD | BPF_W | BPF_ABS, 0, 0, draw_offset() };
	case 2:
		return (struct sock_filter){ draw(2) ? BPF_LD | BPF_IMM : BPF_LDX | BPF_IMM, 0, 0,
			draw_value() };
	case 3:
		return (struct sock_filter){ draw(2) ? BPF_LD | BPF_MEM : BPF_LDX | BPF_MEM, 0, 0,
			draw(WORDS) };
	case 4:
		return (struct sock_filter){ draw(2) ? BPF_ST : BPF_STX, 0, 0, draw(WORDS) };
	case 5:
		return (struct sock_filter){ BPF_MISC | (draw(2) ? BPF_TAX : BPF_TXA), 0, 0, 0 };
	case 6:
		return (struct sock_filter){
			draw(2) ? BPF_LD | BPF_W | BPF_LEN : BPF_LDX | BPF_W | BPF_LEN, 0, 0, 0
		};
	case 7:
	case 8:
		return draw_jump(left);
	default:
		return draw_computation();
	}
}

static unsigned draw_filter(struct sock_filter *code)
{
	static const struct sock_filter start[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 1, 0, NUMBER },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
		{ BPF_ST, 0, 0, 0 },
		{ BPF_ST, 0, 0, 1 },
		{ BPF_ST, 0, 0, 2 },
		{ BPF_ST, 0, 0, 3 },
	};
	static const struct sock_filter end[] = {
		{ BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x7ff },
		{ BPF_ALU | BPF_OR | BPF_K, 0, 0, SECCOMP_RET_ERRNO },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	unsigned used = 0, middle = 1 + draw(MOST - 12);

	for (size_t i = 0; i < ARRAY_SIZE(start); i++)
		code[used++] = start[i];
	for (unsigned i = 0; i < middle; i++)
		code[used++] = draw_instruction(middle - i);
	for (size_t i = 0; i < ARRAY_SIZE(end); i++)
		code[used++] = end[i];
	return used;
}

/* In a child: 0 where both say the same of all calls, 2 where there is no seccomp, 3 where the
 * filter is wrong. */
static int compare(const struct seccomp_filter *f)
{
	struct sock_fprog program = { (unsigned short)f->count, (struct sock_filter *)f->code };
	int differences = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		return errno == EINVAL && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0 ? 3 : 2;
	for (int i = 0; i < 20; i++) {
		struct seccomp_data data = { .nr = NUMBER, .arch = AUDIT_ARCH_X86_64 };
		long result;

		for (int j = 0; j < 6; j++)
			data.args[j] = (uint64_t)draw_value() << 32 | draw_value();
		result = syscall(NUMBER, data.args[0], data.args[1], data.args[2], data.args[3],
			data.args[4], data.args[5]);
		result = result == -1 ? errno : result;
		differences += answer(f, &data) != (SECCOMP_RET_ERRNO | (uint32_t)result);
	}
	return differences != 0;
}

START_TEST(as_the_kernel)
{
	struct sock_filter code[MOST];
	struct seccomp_filter f = { 0, code };
	int status;
	pid_t pid;

	for (int round = 0; round < 200; round++) {
		state = (uint64_t)round;
		f.count = draw_filter(code);
		pid = fork();
		if (pid == 0)
			syscall(SYS_exit_group, compare(&f));
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			return; /* no seccomp here */
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "round %d: status %#x",
			round, status);
	}
}
END_TEST

/* A division by nothing ends the filter, with the answer 0: it kills. */
START_TEST(division)
{
	static const struct sock_filter code[] = {
		{ BPF_LDX | BPF_IMM, 0, 0, 0 },
		{ BPF_LD | BPF_IMM, 0, 0, 5 },
		{ BPF_ALU | BPF_DIV | BPF_X, 0, 0, 0 },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
	};
	const struct seccomp_filter f = { 4, code };
	const struct seccomp_data data = { .nr = NUMBER };

	ck_assert_uint_eq(answer(&f, &data), SECCOMP_RET_KILL_THREAD);
}
END_TEST

UNIT_SUITE("sandbox", as_the_kernel, division)
