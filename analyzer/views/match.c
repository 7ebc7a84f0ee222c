/* SPDX-License-Identifier: MIT */
/*
 * match.c - pairs the code of a trace with what is known from the traces before it.
 *
 * `known` are the functions and points that have an identity; a `pairing` is one trace's attempt to
 * find its own among them. Points are kept in their order in the function: where a trace has points
 * that are not known, they are put in between.
 */
#include "analyzer/views/match.h"
#include "analyzer/base/array.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/views/code.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define SOME (UINT32_MAX - 1) /* a function without partner, in sets of callees and callers */
#define ALIGN_MOST (1u << 20) /* pairs of points that are looked at for one function */
#define ROUNDS 16	      /* of looking for renamed functions */

/* Where a point was in a certain build. */
struct position {
	uint64_t build;
	const char *file;
	uint32_t line;
	uint64_t offset;
	uint32_t next; /* in positions; NONE = last */
};

struct known_point {
	uint32_t function;
	uint32_t positions; /* first in match.positions; NONE = in no known build */
	uint64_t count, bytes;
	uint32_t *callees; /* identities of functions, CODE_ALLOCATES; sorted */
	uint32_t callee_count;
};

struct known_function {
	const char *module, *name, *file; /* as it was last seen */
	uint32_t *points;		  /* in order */
	size_t point_count, point_room;
};

struct match {
	struct known_function *functions;
	size_t function_count, function_room;
	struct known_point *points;
	size_t point_count, point_room;
	struct position *positions;
	size_t position_count, position_room;
};

struct pairing {
	struct match *match;
	const struct code *code;
	uint32_t *functions; /* by function of the code: identity or NONE */
	uint32_t *partners;  /* by known function: of the code, or NONE */
	size_t known_count;  /* known functions when the pairing began */
	uint32_t *points;    /* by point of the code: identity or NONE */
	bool *taken;	     /* by known point: has a partner */
	uint32_t *order;     /* points of the code, by function and location */
	uint32_t *start;     /* by function of the code: in order; one more at the end */
};

struct match *match_new(void)
{
	return mem_zalloc(1, sizeof(struct match));
}

void match_free(struct match *m)
{
	for (size_t i = 0; i < m->function_count; i++)
		free(m->functions[i].points);
	for (size_t i = 0; i < m->point_count; i++)
		free(m->points[i].callees);
	free(m->functions);
	free(m->points);
	free(m->positions);
	free(m);
}

size_t match_point_count(const struct match *m)
{
	return m->point_count;
}

size_t match_function_count(const struct match *m)
{
	return m->function_count;
}

uint32_t match_function(const struct match *m, uint32_t point)
{
	return m->points[point].function;
}

static const char *base_of(const char *file)
{
	return file ? path_base(file) : "";
}

/* ---- the order of points */

static int by_location(const void *left, const void *right, void *code)
{
	const struct code_point *points = ((const struct code *)code)->points;
	const struct code_point *a = &points[*(const uint32_t *)left];
	const struct code_point *b = &points[*(const uint32_t *)right];
	int order = compare_numbers(a->function, b->function);

	if (order == 0)
		order = strcmp(base_of(a->file), base_of(b->file));
	if (order == 0)
		order = compare_numbers(a->line, b->line);
	return order ? order : compare_numbers(a->offset, b->offset);
}

static void order_points(struct pairing *p)
{
	const struct code *code = p->code;
	size_t at = 0;

	p->order = mem_zalloc(code->point_count + 1, sizeof(*p->order));
	p->start = mem_zalloc(code->function_count + 1, sizeof(*p->start));
	for (uint32_t i = 0; i < code->point_count; i++)
		p->order[i] = i;
	if (code->point_count)
		qsort_r(p->order, code->point_count, sizeof(*p->order), by_location, (void *)code);
	for (uint32_t f = 0; f < code->function_count; f++) {
		p->start[f] = (uint32_t)at;
		while (at < code->point_count && code->points[p->order[at]].function == f)
			at++;
	}
	p->start[code->function_count] = (uint32_t)at;
}

/* ---- 1. functions */

/* What a function is looked for by, besides its name. */
struct by {
	bool module;
	int file; /* that many components of its path, from the end */
};

static const struct by ways[] = { { true, 99 }, { true, 4 }, { true, 2 }, { true, 1 }, { true, 0 },
	{ false, 1 } };

static const char *tail(const char *file, int components)
{
	const char *at = file + strlen(file);

	while (at > file && components) {
		at--;
		components -= *at == '/';
	}
	return *at == '/' ? at + 1 : at;
}

static uint64_t hash_of(const struct by *by, const char *module, const char *name, const char *file)
{
	uint64_t hash = hash_text(0, name);

	if (by->module)
		hash = hash_text(hash, module);
	return by->file && file ? hash_text(hash, tail(file, by->file)) : hash;
}

static void pair_functions(struct pairing *p, uint32_t of_code, uint32_t known)
{
	p->functions[of_code] = known;
	p->partners[known] = of_code;
}

static void pair_points(struct pairing *p, uint32_t of_code, uint32_t known)
{
	p->points[of_code] = known;
	p->taken[known] = true;
}

/* Functions without partner that have one hash. */
struct group {
	uint64_t hash;
	uint32_t known, of_code; /* the only one, or the last */
	uint32_t known_count, of_code_count;
};

struct groups {
	struct group *items;
	size_t count, room;
	struct hashmap index;
};

static bool same_hash(const void *context, uint32_t index, const void *hash)
{
	return ((const struct groups *)context)->items[index].hash == *(const uint64_t *)hash;
}

static struct group *group_of(struct groups *g, uint64_t hash)
{
	struct group group = { hash, NONE, NONE, 0, 0 };
	uint32_t index = hashmap_find(&g->index, hash, same_hash, g, &hash, (uint32_t)g->count);

	if (index == g->count)
		VEC_PUSH(g->items, g->count, g->room, group);
	return &g->items[index];
}

/* Pairs what is alone on both sides in its group, where `fits` says so; returns how many. */
static size_t pair_groups(struct pairing *p, struct groups *g,
	bool (*fits)(const struct pairing *p, uint32_t of_code, uint32_t known))
{
	size_t pairs = 0;

	for (size_t i = 0; i < g->count; i++) {
		const struct group *group = &g->items[i];

		if (group->known_count == 1 && group->of_code_count == 1 &&
			(!fits || fits(p, group->of_code, group->known))) {
			pair_functions(p, group->of_code, group->known);
			pairs++;
		}
	}
	hashmap_release(&g->index);
	free(g->items);
	return pairs;
}

static void add_known(struct groups *g, uint64_t hash, uint32_t function)
{
	struct group *group = group_of(g, hash);

	group->known = function;
	group->known_count++;
}

static void add_of_code(struct groups *g, uint64_t hash, uint32_t function)
{
	struct group *group = group_of(g, hash);

	group->of_code = function;
	group->of_code_count++;
}

static void match_names(struct pairing *p, const struct by *by)
{
	const struct code *code = p->code;
	struct groups g = { 0 };

	for (uint32_t i = 0; i < p->known_count; i++) {
		const struct known_function *f = &p->match->functions[i];

		if (p->partners[i] == NONE && (by->module || (*f->name && f->file)))
			add_known(&g, hash_of(by, f->module, f->name, f->file), i);
	}
	for (uint32_t i = 0; i < code->function_count; i++) {
		const struct code_function *f = &code->functions[i];

		if (p->functions[i] == NONE && (by->module || (*f->name && f->file)))
			add_of_code(&g, hash_of(by, f->module, f->name, f->file), i);
	}
	pair_groups(p, &g, NULL);
}

/* ---- likeness of points */

/* A function of the code as the known side names it. */
static uint32_t token(const struct pairing *p, uint32_t callee)
{
	if (callee == CODE_ALLOCATES)
		return CODE_ALLOCATES;
	return p->functions[callee] == NONE ? SOME : p->functions[callee];
}

static uint32_t known_token(const struct pairing *p, uint32_t callee)
{
	if (callee == CODE_ALLOCATES)
		return CODE_ALLOCATES;
	return callee >= p->known_count || p->partners[callee] == NONE ? SOME : callee;
}

static int compare_tokens(const void *left, const void *right)
{
	return compare_numbers(*(const uint32_t *)left, *(const uint32_t *)right);
}

static uint64_t hash_tokens(uint64_t hash, uint32_t *tokens, uint32_t count)
{
	if (count)
		qsort(tokens, count, sizeof(*tokens), compare_tokens);
	for (uint32_t i = 0; i < count; i++)
		hash = hash_number(hash, tokens[i]);
	return hash_number(hash, count);
}

static uint64_t hash_callees(const struct pairing *p, const struct code_point *c, uint64_t hash)
{
	uint32_t *tokens = mem_zalloc(c->callee_count + 1, sizeof(*tokens));

	for (uint32_t i = 0; i < c->callee_count; i++)
		tokens[i] = token(p, p->code->callees[c->callees + i]);
	hash = hash_tokens(hash, tokens, c->callee_count);
	free(tokens);
	return hash;
}

static uint64_t hash_known_callees(
	const struct pairing *p, const struct known_point *k, uint64_t hash)
{
	uint32_t *tokens = mem_zalloc(k->callee_count + 1, sizeof(*tokens));

	for (uint32_t i = 0; i < k->callee_count; i++)
		tokens[i] = known_token(p, k->callees[i]);
	hash = hash_tokens(hash, tokens, k->callee_count);
	free(tokens);
	return hash;
}

static bool calls(const struct pairing *p, const struct known_point *k, uint32_t wanted)
{
	for (uint32_t i = 0; i < k->callee_count; i++) {
		if (known_token(p, k->callees[i]) == wanted)
			return true;
	}
	return false;
}

/* Which part of what both call is called by both. */
static double common_callees(
	const struct pairing *p, const struct known_point *k, const struct code_point *c)
{
	uint32_t common = 0;

	for (uint32_t i = 0; i < c->callee_count; i++)
		common += calls(p, k, token(p, p->code->callees[c->callees + i]));
	if (!common)
		return 0;
	if (common > k->callee_count)
		common = k->callee_count; /* several without partner */
	return (double)common / (double)(k->callee_count + c->callee_count - common);
}

/* Of the smaller to the larger; 1 where they are equal. */
static double ratio(double a, double b)
{
	if (a == b)
		return 1;
	return a < b ? a / b : b / a;
}

static const struct position *position_in(
	const struct match *m, const struct known_point *k, uint64_t build)
{
	for (uint32_t i = build ? k->positions : NONE; i != NONE; i = m->positions[i].next) {
		if (m->positions[i].build == build)
			return &m->positions[i];
	}
	return NULL;
}

/* In the order of points; lines have any number of addresses. */
static int compare_locations(const struct position *at, const struct code_point *c)
{
	int order = strcmp(base_of(at->file), base_of(c->file));

	if (order == 0)
		order = compare_numbers(at->line, c->line);
	return order || c->line ? order : compare_numbers(at->offset, c->offset);
}

/* 0: they can't be the same. */
static double likeness(
	const struct pairing *p, const struct known_point *k, const struct code_point *c)
{
	double common = 0;

	if (!position_in(p->match, k, c->build)) /* in one build the location tells */
		common = common_callees(p, k, c);
	if (common == 0 || (!*p->code->functions[c->function].name &&
				   ratio((double)k->count, (double)c->count) < 0.5))
		return 0;
	return 0.5 + 0.3 * common + 0.1 * ratio((double)k->count, (double)c->count) +
	       0.1 * ratio((double)k->bytes, (double)c->bytes);
}

/* ---- 2. points */

struct rows {
	const uint32_t *known; /* points in order */
	size_t known_count;
	const uint32_t *of_code;
	size_t of_code_count;
};

/* Too many for a table: those at the same location in the same build, the rest in their order. */
static void align_plainly(struct pairing *p, const struct rows *r)
{
	size_t next = 0;

	for (size_t i = 0; i < r->of_code_count; i++) {
		const struct code_point *c = &p->code->points[r->of_code[i]];

		for (size_t k = next; k < r->known_count && k < next + 64; k++) {
			if (likeness(p, &p->match->points[r->known[k]], c) == 0)
				continue;
			pair_points(p, r->of_code[i], r->known[k]);
			next = k + 1;
			break;
		}
	}
}

/*
 * best[i][k]: the highest sum of likeness for the first i points of the code and the first k known
 * ones. Found by rows, then followed back.
 */
static void align_by_table(struct pairing *p, const struct rows *r)
{
	size_t width = r->known_count + 1;
	double *best = mem_zalloc((r->of_code_count + 1) * width, sizeof(*best));
	double *like = mem_zalloc(r->of_code_count * width + 1, sizeof(*like));

	for (size_t i = 1; i <= r->of_code_count; i++) {
		const struct code_point *c = &p->code->points[r->of_code[i - 1]];

		for (size_t k = 1; k <= r->known_count; k++) {
			double here = likeness(p, &p->match->points[r->known[k - 1]], c);
			double *cell = &best[i * width + k];

			like[(i - 1) * width + k] = here;
			*cell = cell[-1] > cell[-(ptrdiff_t)width] ? cell[-1]
								   : cell[-(ptrdiff_t)width];
			if (here > 0 && best[(i - 1) * width + k - 1] + here > *cell)
				*cell = best[(i - 1) * width + k - 1] + here;
		}
	}
	for (size_t i = r->of_code_count, k = r->known_count; i && k;) {
		double here = like[(i - 1) * width + k];

		if (here > 0 && best[i * width + k] == best[(i - 1) * width + k - 1] + here) {
			i--;
			k--;
			pair_points(p, r->of_code[i], r->known[k]);
		} else if (best[i * width + k] == best[i * width + k - 1]) {
			k--;
		} else {
			i--;
		}
	}
	free(best);
	free(like);
}

static void align_rows(struct pairing *p, const struct rows *r)
{
	if (r->known_count == 0 || r->of_code_count == 0)
		return;
	if (r->of_code_count > ALIGN_MOST / r->known_count)
		align_plainly(p, r);
	else
		align_by_table(p, r);
}

/* What is of one build is where it is. Both rows are in the order of locations. */
static void align_by_location(struct pairing *p, const struct rows *r)
{
	size_t i = 0, k = 0;

	while (i < r->of_code_count && k < r->known_count) {
		const struct code_point *c = &p->code->points[r->of_code[i]];
		const struct position *at =
			position_in(p->match, &p->match->points[r->known[k]], c->build);
		int order = at ? compare_locations(at, c) : -1;

		if (order == 0)
			pair_points(p, r->of_code[i], r->known[k]);
		k += order <= 0;
		i += order >= 0;
	}
}

/* A point by what it calls and what it allocated. */
struct amount {
	uint64_t hash;
	uint32_t rank; /* its position in the order of points */
	uint32_t point;
};

static int compare_amounts(const void *left, const void *right)
{
	const struct amount *a = left, *b = right;
	int order = compare_numbers(a->hash, b->hash);

	return order ? order : compare_numbers(a->rank, b->rank);
}

/* How many from `at` on have the same hash. */
static size_t run_length(const struct amount *amounts, size_t at, size_t count)
{
	size_t end = at;

	while (end < count && amounts[end].hash == amounts[at].hash)
		end++;
	return end - at;
}

/* Equal amounts that are there as often on each side. */
static void pair_amounts(struct pairing *p, const struct amount *known, size_t known_count,
	const struct amount *of_code, size_t of_code_count)
{
	size_t k = 0, c = 0;

	while (k < known_count && c < of_code_count) {
		size_t known_run = run_length(known, k, known_count);
		size_t run = run_length(of_code, c, of_code_count);

		if (known[k].hash == of_code[c].hash && known_run == run) {
			for (size_t i = 0; i < run; i++)
				pair_points(p, of_code[c + i].point, known[k + i].point);
		}
		if (known[k].hash <= of_code[c].hash)
			k += known_run;
		else
			c += run;
	}
}

/* In code without names the order may be any; equal amounts tell more. */
static void align_by_amounts(struct pairing *p, const struct rows *r)
{
	struct amount *known = mem_zalloc(r->known_count + r->of_code_count + 1, sizeof(*known));
	struct amount *of_code = known + r->known_count;

	for (uint32_t i = 0; i < r->known_count; i++) {
		const struct known_point *k = &p->match->points[r->known[i]];
		uint64_t hash = hash_number(hash_number(0, k->count), k->bytes);

		known[i] = (struct amount){ hash_known_callees(p, k, hash), i, r->known[i] };
	}
	for (uint32_t i = 0; i < r->of_code_count; i++) {
		const struct code_point *c = &p->code->points[r->of_code[i]];
		uint64_t hash = hash_number(hash_number(0, c->count), c->bytes);

		of_code[i] = (struct amount){ hash_callees(p, c, hash), i, r->of_code[i] };
	}
	if (r->known_count)
		qsort(known, r->known_count, sizeof(*known), compare_amounts);
	if (r->of_code_count)
		qsort(of_code, r->of_code_count, sizeof(*of_code), compare_amounts);
	pair_amounts(p, known, r->known_count, of_code, r->of_code_count);
	free(known);
}

/* The points that have no partner yet. */
static void leave_out_pairs(const struct pairing *p, struct rows *r, uint32_t *room)
{
	uint32_t *known = room, *of_code = room + r->known_count;
	size_t known_count = 0, of_code_count = 0;

	for (size_t i = 0; i < r->of_code_count; i++) {
		if (p->points[r->of_code[i]] == NONE)
			of_code[of_code_count++] = r->of_code[i];
	}
	for (size_t i = 0; i < r->known_count; i++) {
		if (!p->taken[r->known[i]])
			known[known_count++] = r->known[i];
	}
	*r = (struct rows){ known, known_count, of_code, of_code_count };
}

/* Most functions have few points: pairs them all, in order where that is possible. */
static void align(struct pairing *p, uint32_t of_code)
{
	const struct known_function *f = &p->match->functions[p->functions[of_code]];
	struct rows r = { f->points, f->point_count, p->order + p->start[of_code],
		p->start[of_code + 1] - p->start[of_code] };
	size_t count = r.known_count + r.of_code_count;
	uint32_t *room = mem_zalloc(2 * count + 1, sizeof(*room));

	align_by_location(p, &r);
	leave_out_pairs(p, &r, room);
	if (!*f->name) {
		align_by_amounts(p, &r);
		leave_out_pairs(p, &r, room + count);
	}
	align_rows(p, &r);
	free(room);
}

/* ---- 3. renamed functions */

struct call {
	uint32_t function, point;
};

static int compare_calls(const void *left, const void *right)
{
	const struct call *a = left, *b = right;
	int order = compare_numbers(a->function, b->function);

	return order ? order : compare_numbers(a->point, b->point);
}

/* From where each function is called, sorted. The points are identities on both sides. */
struct callers {
	struct call *calls;
	size_t count, room;
};

static void add_caller(struct callers *c, uint32_t function, uint32_t point)
{
	struct call call = { function, point };

	VEC_PUSH(c->calls, c->count, c->room, call);
}

static void sort_callers(struct callers *c)
{
	if (c->count)
		qsort(c->calls, c->count, sizeof(*c->calls), compare_calls);
}

static struct callers callers_in_code(const struct pairing *p)
{
	struct callers all = { 0 };

	for (uint32_t i = 0; i < p->code->point_count; i++) {
		const struct code_point *c = &p->code->points[i];

		for (uint32_t k = 0; k < c->callee_count; k++) {
			uint32_t callee = p->code->callees[c->callees + k];

			if (callee != CODE_ALLOCATES && p->functions[callee] == NONE)
				add_caller(
					&all, callee, p->points[i] == NONE ? SOME : p->points[i]);
		}
	}
	sort_callers(&all);
	return all;
}

/* Known points that no point of the code is paired with are SOME. */
static struct callers known_callers(const struct pairing *p)
{
	struct callers all = { 0 };

	for (uint32_t i = 0; i < p->match->point_count; i++) {
		const struct known_point *k = &p->match->points[i];

		for (uint32_t n = 0; n < k->callee_count; n++) {
			uint32_t callee = k->callees[n];

			if (callee < p->known_count && p->partners[callee] == NONE)
				add_caller(&all, callee, p->taken[i] ? i : SOME);
		}
	}
	sort_callers(&all);
	return all;
}

/* The callers of a function as a hash; *certain: one of them at least has a partner. */
static uint64_t hash_callers(
	const struct callers *all, size_t *at, uint32_t function, bool *certain)
{
	uint64_t hash = 1;

	*certain = false;
	while (*at < all->count && all->calls[*at].function < function)
		++*at;
	for (; *at < all->count && all->calls[*at].function == function; ++*at) {
		if (*at && compare_calls(&all->calls[*at - 1], &all->calls[*at]) == 0)
			continue;
		hash = hash_number(hash, all->calls[*at].point);
		*certain |= all->calls[*at].point != SOME;
	}
	return hash;
}

/* What the points of a function call, point by point in order. */
static uint64_t hash_calls_of_code(const struct pairing *p, uint32_t function, uint64_t hash)
{
	for (uint32_t at = p->start[function]; at < p->start[function + 1]; at++)
		hash = hash_callees(p, &p->code->points[p->order[at]], hash);
	return hash;
}

static uint64_t hash_known_calls(const struct pairing *p, uint32_t function, uint64_t hash)
{
	const struct known_function *f = &p->match->functions[function];

	for (size_t at = 0; at < f->point_count; at++)
		hash = hash_known_callees(p, &p->match->points[f->points[at]], hash);
	return hash;
}

/* Another function may have come in the place of one that is gone: it allocates other sizes, or at
 * other times. A renamed one may have changed as well, but not by orders of magnitude. */
#define AMOUNTS_FIT 0.01 /* the ratio of the counts times that of the mean sizes */

static bool amounts_fit(const struct pairing *p, uint32_t of_code, uint32_t known)
{
	const struct known_function *f = &p->match->functions[known];
	double count = 1, bytes = 1, known_count = 1, known_bytes = 1; /* never 0 */

	for (uint32_t at = p->start[of_code]; at < p->start[of_code + 1]; at++) {
		count += (double)p->code->points[p->order[at]].count;
		bytes += (double)p->code->points[p->order[at]].bytes;
	}
	for (size_t at = 0; at < f->point_count; at++) {
		known_count += (double)p->match->points[f->points[at]].count;
		known_bytes += (double)p->match->points[f->points[at]].bytes;
	}
	return ratio(count, known_count) * ratio(bytes / count, known_bytes / known_count) >=
	       AMOUNTS_FIT;
}

/* Pairs functions that stand alone in the same surroundings; returns how many. */
static size_t match_surroundings(struct pairing *p)
{
	struct callers known = known_callers(p), of_code = callers_in_code(p);
	size_t known_at = 0, at = 0;
	struct groups g = { 0 };
	bool certain;

	for (uint32_t i = 0; i < p->known_count; i++) {
		uint64_t hash;

		if (p->partners[i] != NONE || !*p->match->functions[i].name)
			continue;
		hash = hash_callers(&known, &known_at, i, &certain);
		hash = hash_text(hash, p->match->functions[i].module);
		if (certain)
			add_known(&g, hash_known_calls(p, i, hash), i);
	}
	for (uint32_t i = 0; i < p->code->function_count; i++) {
		uint64_t hash;

		if (p->functions[i] != NONE || !*p->code->functions[i].name)
			continue;
		hash = hash_callers(&of_code, &at, i, &certain);
		hash = hash_text(hash, p->code->functions[i].module);
		if (certain)
			add_of_code(&g, hash_calls_of_code(p, i, hash), i);
	}
	free(known.calls);
	free(of_code.calls);
	return pair_groups(p, &g, amounts_fit);
}

/* ---- what is left becomes known */

static void note_position(struct match *m, uint32_t point, const struct code_point *c)
{
	struct known_point *k = &m->points[point];
	struct position position = { c->build, c->file, c->line, c->offset, k->positions };

	if (!c->build || position_in(m, k, c->build))
		return;
	k->positions = (uint32_t)m->position_count;
	VEC_PUSH(m->positions, m->position_count, m->position_room, position);
}

static void insert_point(struct known_function *f, size_t at, uint32_t point)
{
	VEC_PUSH(f->points, f->point_count, f->point_room, point);
	memmove(&f->points[at + 1], &f->points[at], (f->point_count - 1 - at) * sizeof(*f->points));
	f->points[at] = point;
}

/* Points are mostly paired in order, so it is at `from` or soon behind it; elsewhere `from` is good
 * enough. */
static size_t location_of(const struct known_function *f, uint32_t point, size_t from)
{
	for (size_t at = from; at < f->point_count && at < from + 4096; at++) {
		if (f->points[at] == point)
			return at + 1;
	}
	return from;
}

static void learn_functions(struct pairing *p)
{
	struct match *m = p->match;

	for (uint32_t i = 0; i < p->code->function_count; i++) {
		const struct code_function *f = &p->code->functions[i];
		struct known_function known = {
			.module = f->module, .name = f->name, .file = f->file
		};

		if (p->functions[i] == NONE) {
			p->functions[i] = (uint32_t)m->function_count;
			VEC_PUSH(m->functions, m->function_count, m->function_room, known);
		} else {
			m->functions[p->functions[i]].module = f->module;
			m->functions[p->functions[i]].name = f->name;
			m->functions[p->functions[i]].file = f->file;
		}
	}
}

/* What a point calls, and what it allocated, is as in the last trace. */
static void learn_point(struct pairing *p, uint32_t of_code)
{
	const struct code_point *c = &p->code->points[of_code];
	struct known_point *k = &p->match->points[p->points[of_code]];

	free(k->callees);
	k->callees = mem_zalloc(c->callee_count + 1, sizeof(*k->callees));
	k->callee_count = c->callee_count;
	for (uint32_t i = 0; i < c->callee_count; i++) {
		uint32_t callee = p->code->callees[c->callees + i];

		k->callees[i] = callee == CODE_ALLOCATES ? callee : p->functions[callee];
	}
	k->count = c->count;
	k->bytes = c->bytes;
	note_position(p->match, p->points[of_code], c);
}

static void learn_points(struct pairing *p, uint32_t function)
{
	struct match *m = p->match;
	size_t next = 0; /* position in the known function */

	for (uint32_t at = p->start[function]; at < p->start[function + 1]; at++) {
		uint32_t point = p->order[at];
		struct known_point fresh = { .function = p->functions[function],
			.positions = NONE };
		struct known_function *f = &m->functions[p->functions[function]];

		if (p->points[point] == NONE) {
			p->points[point] = (uint32_t)m->point_count;
			VEC_PUSH(m->points, m->point_count, m->point_room, fresh);
			insert_point(f, next++, p->points[point]);
		} else {
			next = location_of(f, p->points[point], next);
		}
		learn_point(p, point);
	}
}

/* ---- the whole */

static void fill_none(uint32_t *numbers, size_t count)
{
	memset(numbers, 0xff, count * sizeof(*numbers));
}

static void pair(struct pairing *p)
{
	bool *aligned = mem_zalloc(p->code->function_count + 1, sizeof(*aligned));

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		match_names(p, &ways[i]);
	for (int round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < p->code->function_count; i++) {
			if (p->functions[i] == NONE || aligned[i])
				continue;
			align(p, i);
			aligned[i] = true;
		}
		if (match_surroundings(p) == 0)
			break;
	}
	free(aligned);
}

void match_add(struct match *m, const struct code *code, uint32_t *ids)
{
	struct pairing p = { .match = m, .code = code, .known_count = m->function_count };

	p.points = ids;
	p.functions = mem_zalloc(code->function_count + 1, sizeof(*p.functions));
	p.partners = mem_zalloc(m->function_count + 1, sizeof(*p.partners));
	p.taken = mem_zalloc(m->point_count + 1, sizeof(*p.taken));
	fill_none(p.functions, code->function_count);
	fill_none(p.partners, m->function_count);
	fill_none(p.points, code->point_count);
	order_points(&p);
	if (m->function_count)
		pair(&p);
	learn_functions(&p);
	for (uint32_t i = 0; i < code->function_count; i++)
		learn_points(&p, i);
	free(p.functions);
	free(p.partners);
	free(p.taken);
	free(p.order);
	free(p.start);
}
