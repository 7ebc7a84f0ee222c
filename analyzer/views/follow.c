/* SPDX-License-Identifier: MIT */
/*
 * follow.c - reads the traces of living processes again and again.
 *
 * A process's tables only grow, so a site keeps its index in its own trace. In a sum it doesn't: there
 * a site goes by a hash of its call stack, as merge.c has it: by module and offset.
 */
#include "analyzer/views/follow.h"
#include "analyzer/base/clock.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/trace/measures.h"
#include "analyzer/trace/process.h"
#include "analyzer/views/gather.h"
#include "analyzer/views/livetrace.h"
#include "analyzer/views/merge.h"
#include "analyzer/views/newest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names */

/* Hashes of a trace's call stacks; as its tables grow, more. */
struct names {
	uint64_t *nodes, *sites;
	uint32_t node_count, site_count;
};

static void names_release(struct names *n)
{
	free(n->nodes);
	free(n->sites);
	*n = (struct names){ 0 };
}

static uint64_t *hash_modules(const struct trace *t)
{
	uint64_t *modules = mem_zalloc((size_t)t->module_count + 1, sizeof(*modules));

	for (uint32_t i = 1; i < t->module_count; i++)
		modules[i] = hash_text(0, trace_string(t, t->modules[i].path));
	return modules;
}

static uint64_t hash_frame(const struct trace *t, const uint64_t *modules, uint32_t frame)
{
	const struct mt_frame *f = &t->frames[frame];

	return f->module ? hash_number(modules[f->module], f->address - t->modules[f->module].bias)
			 : f->address;
}

static void names_extend(struct names *n, const struct trace *t)
{
	uint64_t *modules;

	if (t->node_count < n->node_count || t->site_count < n->site_count)
		names_release(n);
	if (t->node_count == n->node_count && t->site_count == n->site_count)
		return;
	modules = hash_modules(t);
	n->nodes = mem_resize(n->nodes, (size_t)t->node_count + 1, sizeof(*n->nodes));
	n->sites = mem_resize(n->sites, (size_t)t->site_count + 1, sizeof(*n->sites));
	for (uint32_t i = n->node_count; i < t->node_count; i++)
		n->nodes[i] = i < MT_NODE_FIRST
				      ? i
				      : hash_number(n->nodes[t->nodes[i].parent],
						hash_frame(t, modules, t->nodes[i].frame));
	for (uint32_t i = n->site_count; i < t->site_count; i++) {
		uint32_t call = t->site_info[i].call;

		n->sites[i] = hash_number(
			n->nodes[t->site_info[i].node], call ? t->calls[call].kind : MT_KIND_HEAP);
	}
	n->node_count = t->node_count;
	n->site_count = t->site_count;
	free(modules);
}

/* ---- numbers by name */

struct by_name {
	struct hashmap index;
	struct named {
		uint64_t name;
		int64_t number;
	} * items;
	size_t count, room;
};

static bool same_name(const void *context, uint32_t index, const void *name)
{
	return ((const struct by_name *)context)->items[index].name == *(const uint64_t *)name;
}

static void by_name_add(struct by_name *b, uint64_t name, int64_t number)
{
	uint32_t at = hashmap_find(&b->index, name, same_name, b, &name, (uint32_t)b->count);
	struct named item = { name, 0 };

	if (at == b->count)
		VEC_PUSH(b->items, b->count, b->room, item);
	b->items[at].number += number;
}

static int64_t by_name_get(struct by_name *b, uint64_t name)
{
	uint32_t at = hashmap_find(&b->index, name, same_name, b, &name, UINT32_MAX);

	return at == UINT32_MAX ? 0 : b->items[at].number;
}

static void by_name_release(struct by_name *b)
{
	hashmap_release(&b->index);
	free(b->items);
	*b = (struct by_name){ 0 };
}

/* ---- members */

struct member {
	char *path;
	uint32_t pid; /* as one of a family; else 0 */
	uint64_t start_ticks;
	struct trace *trace; /* NULL: not read yet */
	bool lives;

	uint64_t *sites, *lanes; /* allocations as of the last reading */
	uint32_t site_count, lane_count;
	uint64_t bytes;
	uint64_t *site_news, *lane_news; /* since the one before */
	uint64_t news, byte_news;

	struct names names;
	int64_t *marked; /* by site, as far as asked for */
	uint32_t marked_count;
};

enum subject {
	ONE_FILE,
	FAMILY,
	DIRECTORY,
};

struct follow_state {
	enum subject subject;
	const struct reading_options *options;
	char *path;    /* of the directory */
	uint32_t root; /* of the family */
	uint64_t root_ticks;
	bool alone; /* without its descendants */
	struct member *members;
	size_t count, room;
	struct trace *sum;     /* NULL: there is one trace, or none */
	struct trace *retired; /* whose symbols are still in use */
	struct names sum_names;
	int64_t *sum_marked;
	uint64_t *lane_names;
	struct by_name site_marks, lane_marks;
	uint64_t read_ns; /* 0: not read yet */
};

/* The trace in use is freed when there is another. */
static void let_go(struct follow *f, struct trace *trace)
{
	if (trace && trace == f->reading.trace)
		f->state->retired = trace;
	else
		trace_free(trace);
}

static void release_member(struct follow *f, struct member *m)
{
	let_go(f, m->trace);
	names_release(&m->names);
	free(m->path);
	free(m->sites);
	free(m->lanes);
	free(m->site_news);
	free(m->lane_news);
	free(m->marked);
}

static void add_member(struct follow_state *s, const char *path, uint32_t pid, uint64_t start_ticks)
{
	struct member m = { .pid = pid, .start_ticks = start_ticks };

	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->members[i].path, path) == 0)
			return;
	m.path = mem_strdup(path);
	VEC_PUSH(s->members, s->count, s->room, m);
}

static bool is_followed(const struct follow_state *s, const struct process *p)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->members[i].pid == p->pid && s->members[i].start_ticks == p->start_ticks &&
			s->members[i].lives)
			return true;
	return false;
}

/* That some have no trace, or none yet, is nobody's error. */
static void find_family(struct follow_state *s)
{
	struct strbuf unheard = { 0 }, *said_to;
	struct livetrace live;
	size_t count;
	struct process *all = process_family(s->root, &count);

	said_to = log_divert(&unheard);
	for (size_t i = 0; i < (s->alone && count ? 1 : count); i++) {
		if (is_followed(s, &all[i]))
			continue;
		if (livetrace_open_pid(&live, all[i].pid) == EXIT_OK)
			add_member(s, live.path, all[i].pid, all[i].start_ticks);
		livetrace_close(&live);
	}
	log_divert(said_to);
	strbuf_release(&unheard);
	free(all);
}

static void find_files(struct follow_state *s)
{
	size_t count = 0;
	char **paths = gather_list(s->path, &count);

	for (size_t i = 0; i < count; i++) {
		add_member(s, paths[i], 0, 0);
		free(paths[i]);
	}
	free(paths);
}

/* ---- what came since the reading before */

static uint64_t *news_of(
	const uint64_t *now, uint32_t count, const uint64_t *before, uint32_t old_count, bool all)
{
	uint64_t *news = mem_zalloc((size_t)count + 1, sizeof(*news));

	for (uint32_t i = 0; i < count && all; i++) {
		uint64_t old = i < old_count ? before[i] : 0;

		news[i] = now[i] > old ? now[i] - old : 0; /* the program may clear its counters */
	}
	return news;
}

static uint64_t *lane_allocations(const struct trace *t)
{
	struct measures *lanes = lane_measures(t);
	uint64_t *all = mem_zalloc((size_t)t->lane_count + 1, sizeof(*all));

	for (uint32_t i = 0; i < t->lane_count; i++)
		all[i] = lanes[i].allocations;
	free(lanes);
	return all;
}

/* Of a member that is new, all is news; but not what was there when the view began, nor what it has from
 * the process that forked it. */
static void take_news(struct member *m, const struct trace *now, bool first)
{
	uint64_t bytes, *sites = site_allocations(now, &bytes), *lanes = lane_allocations(now);
	bool counts = m->trace || !(first || now->header.forked_from);

	free(m->site_news);
	free(m->lane_news);
	m->site_news = news_of(sites, now->site_count, m->sites, m->site_count, counts);
	m->lane_news = news_of(lanes, now->lane_count, m->lanes, m->lane_count, counts);
	m->byte_news = counts && bytes > m->bytes ? bytes - m->bytes : 0;
	m->news = 0;
	for (uint32_t i = 0; i < now->site_count; i++)
		m->news += m->site_news[i];
	free(m->sites);
	free(m->lanes);
	m->sites = sites;
	m->lanes = lanes;
	m->site_count = now->site_count;
	m->lane_count = now->lane_count;
	m->bytes = bytes;
}

static void no_news(struct member *m)
{
	m->news = m->byte_news = 0;
	if (m->site_news)
		memset(m->site_news, 0, m->site_count * sizeof(*m->site_news));
	if (m->lane_news)
		memset(m->lane_news, 0, m->lane_count * sizeof(*m->lane_news));
}

/* What can't be read may be just being made, or was removed. */
static void read_member(struct follow *f, struct member *m)
{
	struct follow_state *s = f->state;
	struct trace *now = NULL;
	char why[256];

	if (!m->trace || m->lives || s->subject != DIRECTORY)
		now = trace_open(m->path, why, sizeof(why));
	if (!now) {
		no_news(m);
		m->lives = m->lives && m->pid && process_lives(m->pid, m->start_ticks);
		if (m->trace && !m->lives && m->trace->state == TRACE_RUNNING)
			m->trace->state = TRACE_DIED; /* and took its trace along */
		return;
	}
	take_news(m, now, s->read_ns == 0);
	names_extend(&m->names, now);
	let_go(f, m->trace);
	m->trace = now;
	m->lives = now->state == TRACE_RUNNING;
}

static bool stays(const struct follow *f, const struct member *m)
{
	if (!m->trace)
		return false;
	return m->lives || f->state->subject != FAMILY || !f->living;
}

/* A process that executed another program goes on, with another trace. */
static void drop_members(struct follow *f)
{
	struct follow_state *s = f->state;
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct member *m = &s->members[i];

		if (stays(f, m)) {
			s->members[kept++] = *m;
			continue;
		}
		f->ended += m->trace && !process_lives(m->pid, m->start_ticks);
		release_member(f, m);
	}
	s->count = kept;
}

static void read_members(struct follow *f)
{
	struct follow_state *s = f->state;

	f->allocations = f->allocated_bytes = 0;
	f->living = 0;
	for (size_t i = 0; i < s->count; i++) {
		read_member(f, &s->members[i]);
		f->living += s->members[i].lives;
		f->allocations += s->members[i].news;
		f->allocated_bytes += s->members[i].byte_news;
	}
	drop_members(f);
}

/* ---- the trace, or the sum */

static struct trace *add_up(const struct follow_state *s)
{
	struct merge *merge = merge_new();
	struct trace *sum;
	char why[256], name[64];

	snprintf(name, sizeof(name), "%u", s->root);
	for (size_t i = 0; i < s->count; i++)
		merge_add(merge, s->members[i].trace);
	sum = merge_finish(merge, s->path ? s->path : name, why, sizeof(why));
	merge_free(merge);
	return sum;
}

/* As merge.c has them: one after the other, at least one of each member. */
static uint32_t lanes_of(const struct member *m)
{
	return m->lane_count ? m->lane_count : 1;
}

static void name_lanes(struct follow *f)
{
	struct follow_state *s = f->state;
	size_t count = 0, next = 0;

	for (size_t i = 0; i < s->count; i++)
		count += lanes_of(&s->members[i]);
	free(s->lane_names);
	free(f->lane_allocations);
	s->lane_names = mem_zalloc(count + 1, sizeof(*s->lane_names));
	f->lane_allocations = mem_zalloc(count + 1, sizeof(*f->lane_allocations));
	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = &s->members[i];
		const struct mt_header *h = &m->trace->header;
		uint64_t process = hash_number(hash_number(h->pid, h->start_ticks), h->start_ns);

		for (uint32_t k = 0; k < lanes_of(m); k++, next++) {
			s->lane_names[next] = hash_number(process, k);
			f->lane_allocations[next] = m->lane_count ? m->lane_news[k] : m->news;
		}
	}
	f->lane_names = s->lane_names;
}

/* In a sum, by the names of call stacks. */
static void add_site_news(struct follow *f)
{
	struct follow_state *s = f->state;
	const struct trace *t = f->reading.trace;
	struct by_name news = { 0 };

	f->site_allocations = mem_zalloc((size_t)t->site_count + 1, sizeof(uint64_t));
	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = &s->members[i];

		for (uint32_t k = 1; k < m->site_count; k++)
			if (m->site_news[k])
				by_name_add(&news, m->names.sites[k], (int64_t)m->site_news[k]);
	}
	for (uint32_t i = 1; i < t->site_count && news.count; i++)
		f->site_allocations[i] = (uint64_t)by_name_get(&news, s->sum_names.sites[i]);
	by_name_release(&news);
}

static void take_sites(struct follow *f)
{
	struct follow_state *s = f->state;

	free(f->site_allocations);
	if (s->sum) {
		names_release(&s->sum_names);
		names_extend(&s->sum_names, s->sum);
		f->site_names = s->sum_names.sites;
		add_site_news(f);
		return;
	}
	f->site_names = s->members[0].names.sites;
	f->site_allocations = mem_zalloc((size_t)s->members[0].site_count + 1, sizeof(uint64_t));
	memcpy(f->site_allocations, s->members[0].site_news,
		s->members[0].site_count * sizeof(uint64_t));
}

/* ---- what was there at the mark */

static int64_t *extend_marked(
	struct by_name *marks, int64_t *marked, uint32_t from, uint32_t to, const uint64_t *names)
{
	marked = mem_resize(marked, (size_t)to + 1, sizeof(*marked));
	for (uint32_t i = from; i < to; i++)
		marked[i] = i ? by_name_get(marks, names[i]) : 0;
	return marked;
}

static void take_marked(struct follow *f)
{
	struct follow_state *s = f->state;
	uint32_t sites = f->reading.trace->site_count, lanes = f->reading.trace->lane_count;

	if (s->sum) {
		s->sum_marked =
			extend_marked(&s->site_marks, s->sum_marked, 0, sites, f->site_names);
		f->site_marked = s->sum_marked;
	} else {
		struct member *m = &s->members[0];

		m->marked = extend_marked(&s->site_marks, m->marked,
			m->marked_count <= sites ? m->marked_count : 0, sites, f->site_names);
		m->marked_count = sites;
		f->site_marked = m->marked;
	}
	f->lane_marked = mem_resize(f->lane_marked, (size_t)lanes + 1, sizeof(*f->lane_marked));
	for (uint32_t i = 0; i < lanes; i++)
		f->lane_marked[i] = by_name_get(&s->lane_marks, f->lane_names[i]);
}

void follow_mark(struct follow *f)
{
	struct follow_state *s = f->state;
	const struct trace *t = f->reading.trace;
	struct measures *sites, *lanes;

	by_name_release(&s->site_marks);
	by_name_release(&s->lane_marks);
	for (size_t i = 0; i < s->count; i++)
		s->members[i].marked_count = 0;
	if (!t)
		return;
	sites = site_measures(t);
	lanes = lane_measures(t);
	for (uint32_t i = 1; i < t->site_count; i++)
		if (sites[i].current_bytes)
			by_name_add(&s->site_marks, f->site_names[i], sites[i].current_bytes);
	for (uint32_t i = 0; i < t->lane_count; i++)
		by_name_add(&s->lane_marks, f->lane_names[i], lanes[i].current_bytes);
	free(sites);
	free(lanes);
	take_marked(f);
}

/* ---- resident memory */

static uint64_t last_known_rss(const struct trace *t)
{
	const struct mt_point *last = NULL;

	for (uint32_t i = 0; i < t->point_count; i++) {
		const struct mt_point *p = &t->points[i];

		if (p->kind != MT_POINT_UNUSED && p->rss_anonymous + p->rss_file &&
			(!last || p->number > last->number))
			last = p;
	}
	return last ? last->rss_anonymous + last->rss_file : 0;
}

static void take_rss(struct follow *f)
{
	const struct follow_state *s = f->state;

	f->rss_bytes = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = &s->members[i];

		if (m->lives)
			f->rss_bytes += process_resident(m->pid ? m->pid : m->trace->header.pid);
	}
	for (size_t i = 0; i < s->count && !f->living; i++)
		f->rss_bytes += last_known_rss(s->members[i].trace);
}

/* ---- the whole */

static void take_trace(struct follow *f)
{
	struct follow_state *s = f->state;
	struct trace *sum = s->count > 1 ? add_up(s) : NULL;

	if (!s->count)
		return;
	let_go(f, s->sum);
	s->sum = sum;
	reading_take(&f->reading, s->options, sum ? sum : s->members[0].trace);
	trace_free(s->retired);
	s->retired = NULL;
	take_sites(f);
	name_lanes(f);
	take_marked(f);
	take_rss(f);
}

static void set_over(struct follow *f)
{
	const struct follow_state *s = f->state;

	f->over = !f->living && (s->subject != FAMILY || !process_lives(s->root, s->root_ticks));
}

void follow_update(struct follow *f)
{
	struct follow_state *s = f->state;
	uint64_t now;

	if (s->subject == FAMILY)
		find_family(s);
	else if (s->subject == DIRECTORY)
		find_files(s);
	now = clock_ns(CLOCK_MONOTONIC);
	read_members(f);
	take_trace(f);
	f->lasted = s->read_ns ? (double)(now - s->read_ns) / 1e9 : 0;
	if (f->reading.trace)
		s->read_ns = now;
	set_over(f);
}

void follow_add(struct follow *f, const char *path)
{
	add_member(f->state, path, 0, 0);
}

static int open_subject(
	struct follow *f, const struct reading_options *options, struct follow_state state)
{
	int status;

	*f = (struct follow){ 0 };
	status = reading_prepare(&f->reading, options);
	f->state = mem_zalloc(1, sizeof(*f->state));
	*f->state = state;
	f->state->options = options;
	if (status == EXIT_OK)
		follow_update(f);
	follow_mark(f);
	return status;
}

int follow_open_family(struct follow *f, const struct reading_options *options, uint32_t pid)
{
	struct follow_state s = { .subject = FAMILY, .root = pid };
	int status;

	s.root_ticks = process_start_ticks((pid_t)pid);
	status = open_subject(f, options, s);
	if (status != EXIT_OK)
		follow_close(f);
	return status;
}

/* Says why there is none. */
static int say_nothing_read(const struct follow_state *s, const char *path)
{
	struct livetrace live;
	struct trace *trace;
	char why[512];
	int status = EXIT_ERROR;

	if (s->subject == FAMILY) {
		if (livetrace_open_pid(&live, s->root) == EXIT_OK)
			status = error("process %u: its trace cannot be read", s->root);
		livetrace_close(&live);
		return status;
	}
	if (s->subject == DIRECTORY) {
		trace = gather_directory(path);
		trace_free(trace);
		return status;
	}
	trace = trace_open(path, why, sizeof(why));
	if (!trace)
		return error("%s: %s", path, why);
	trace_free(trace);
	return error("%s: cannot be read", path);
}

int follow_open(
	struct follow *f, const struct reading_options *options, const char *operand, bool family)
{
	struct follow_state s = { .subject = ONE_FILE, .alone = !family };
	char *newest = operand ? NULL : newest_trace();
	const char *path = operand ? operand : newest;
	int status;

	if (!path)
		return error("no TRACE given, and no trace (*.mtrace) in the working directory");
	if (operand && livetrace_is_pid(operand, &s.root)) {
		s.subject = FAMILY;
		s.root_ticks = process_start_ticks((pid_t)s.root);
	} else if (is_directory(path)) {
		s.subject = DIRECTORY;
		s.path = mem_strdup(path);
	} else {
		add_member(&s, path, 0, 0);
	}
	status = open_subject(f, options, s);
	if (status == EXIT_OK && !f->reading.trace)
		status = say_nothing_read(f->state, path);
	if (status != EXIT_OK)
		follow_close(f);
	free(newest);
	return status;
}

void follow_close(struct follow *f)
{
	struct follow_state *s = f->state;

	if (!s)
		return;
	f->reading.trace = NULL;
	for (size_t i = 0; i < s->count; i++)
		release_member(f, &s->members[i]);
	free(s->members);
	trace_free(s->sum);
	trace_free(s->retired);
	names_release(&s->sum_names);
	by_name_release(&s->site_marks);
	by_name_release(&s->lane_marks);
	free(s->sum_marked);
	free(s->lane_names);
	free(s->path);
	free(s);
	free(f->site_allocations);
	free(f->lane_allocations);
	free(f->lane_marked);
	reading_close(&f->reading);
	*f = (struct follow){ 0 };
}
