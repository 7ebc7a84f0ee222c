/* SPDX-License-Identifier: MIT */
/* processes.c - counts the processes of a sum and puts them into a tree. */
#include "analyzer/trace/processes.h"
#include "analyzer/base/json.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PROGRAMS_NAMED 5
#define NONE UINT32_MAX

/* ---- who started whom */

/* The processes by pid, those of one pid by their start. */
struct family {
	const struct mt_process *all;
	uint32_t count;
	uint32_t *order; /* indexes */
	uint32_t *rank;	 /* by index: position in the order */
};

static int compare_starts(const struct mt_process *all, uint32_t a, uint32_t b)
{
	const struct mt_process *x = &all[a], *y = &all[b];

	/* What was forked tells its parent's start. */
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->start_ticks != y->start_ticks)
		return x->start_ticks < y->start_ticks ? -1 : 1;
	if (!x->forked_from != !y->forked_from)
		return x->forked_from ? 1 : -1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (a > b) - (a < b);
}

static int by_pid(const void *a, const void *b, void *context)
{
	const struct mt_process *all = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (all[x].pid != all[y].pid)
		return all[x].pid < all[y].pid ? -1 : 1;
	return compare_starts(all, x, y);
}

static struct family family_of(const struct mt_process *all, uint32_t count)
{
	struct family f = { all, count, mem_zalloc(count + 1, sizeof(uint32_t)),
		mem_zalloc(count + 1, sizeof(uint32_t)) };

	for (uint32_t i = 0; i < count; i++)
		f.order[i] = i;
	qsort_r(f.order, count, sizeof(*f.order), by_pid, (void *)all);
	for (uint32_t i = 0; i < count; i++)
		f.rank[f.order[i]] = i;
	return f;
}

static void family_release(struct family *f)
{
	free(f->order);
	free(f->rank);
}

/* The program that this process ran before. */
static uint32_t earlier_self(const struct family *f, uint32_t index)
{
	const struct mt_process *now = &f->all[index], *then;
	uint32_t before;

	if (f->rank[index] == 0 || !now->start_ticks)
		return NONE;
	before = f->order[f->rank[index] - 1];
	then = &f->all[before];
	return then->pid == now->pid && then->start_ticks == now->start_ticks ? before : NONE;
}

static uint32_t later_self(const struct family *f, uint32_t index)
{
	uint32_t next;

	if (f->rank[index] + 1 >= f->count)
		return NONE;
	next = f->order[f->rank[index] + 1];
	return earlier_self(f, next) == index ? next : NONE;
}

void processes_settle(struct mt_process *all, uint32_t count)
{
	struct family f = family_of(all, count);

	for (uint32_t i = 0; i < count; i++) {
		if (all[i].state == MT_PROCESS_DIED && !(all[i].flags & MT_HAS_WAIT_STATUS) &&
			later_self(&f, i) != NONE)
			all[i].state = MT_PROCESS_WENT_ON;
	}
	family_release(&f);
}

/* The last with the parent's pid that started before: pids are used again. Always started earlier,
 * so there are no cycles. */
static uint32_t parent_of(const struct family *f, uint32_t index)
{
	const struct mt_process *all = f->all;
	uint32_t wanted = all[index].parent_pid, low = 0, high = f->count, found;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2, at = f->order[middle];

		if (all[at].pid < wanted ||
			(all[at].pid == wanted && compare_starts(all, at, index) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	found = low ? f->order[low - 1] : NONE;
	return found != NONE && all[found].pid == wanted ? found : NONE;
}

/* ---- the tree */

struct links {
	uint32_t *parent, *first_child, *next; /* by index */
	bool *continues;
};

static int by_start(const void *a, const void *b, void *context)
{
	return compare_starts(context, *(const uint32_t *)a, *(const uint32_t *)b);
}

/* Children in the order of their starts: put in front of each other from the last on. */
static void link_children(const struct family *f, struct links *l, uint32_t *root)
{
	uint32_t count = f->count;
	uint32_t *starts = mem_zalloc(count + 1, sizeof(*starts));

	for (uint32_t i = 0; i < count; i++) {
		starts[i] = i;
		l->first_child[i] = NONE;
	}
	qsort_r(starts, count, sizeof(*starts), by_start, (void *)f->all);
	*root = NONE;
	for (uint32_t n = count; n > 0; n--) {
		uint32_t i = starts[n - 1], before = earlier_self(f, i);
		uint32_t *list;

		l->continues[i] = before != NONE && f->all[before].state == MT_PROCESS_WENT_ON;
		l->parent[i] = l->continues[i] ? before : parent_of(f, i);
		list = l->parent[i] == NONE ? root : &l->first_child[l->parent[i]];
		l->next[i] = *list;
		*list = i;
	}
	free(starts);
}

/* Depth first, without recursion: a hostile trace may nest millions. */
static void walk(const struct links *l, uint32_t at, struct process_node *nodes)
{
	uint32_t depth = 0;

	while (at != NONE) {
		depth -= l->continues[at];
		*nodes++ = (struct process_node){ at, depth, l->continues[at] };
		if (l->first_child[at] != NONE) {
			at = l->first_child[at];
			depth++;
			continue;
		}
		while (at != NONE && l->next[at] == NONE) {
			depth += l->continues[at];
			at = l->parent[at];
			depth -= at != NONE;
		}
		if (at != NONE) {
			depth += l->continues[at];
			at = l->next[at];
		}
	}
}

struct process_node *process_tree(const struct trace *t)
{
	uint32_t count = t->process_count, root;
	struct process_node *nodes = mem_zalloc(count + 1, sizeof(*nodes));
	struct family f = family_of(t->processes, t->process_count);
	struct links l = { mem_zalloc(count + 1, sizeof(uint32_t)),
		mem_zalloc(count + 1, sizeof(uint32_t)), mem_zalloc(count + 1, sizeof(uint32_t)),
		mem_zalloc(count + 1, sizeof(bool)) };

	link_children(&f, &l, &root);
	walk(&l, root, nodes);
	free(l.parent);
	free(l.first_child);
	free(l.next);
	free(l.continues);
	family_release(&f);
	return nodes;
}

/* ---- the peak of all together */

struct event {
	uint64_t at;
	uint64_t bytes;
	bool ends;
};

/* At the same moment one may have started before the other ended. */
static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->ends - y->ends;
}

/* A process whose end isn't known ran until it executed another program, or for ever. */
static uint64_t end_of(const struct family *f, uint32_t index)
{
	const struct mt_process *all = f->all;
	uint32_t later = later_self(f, index);
	uint64_t end = all[index].end_ns;

	if (!end && later != NONE)
		end = all[later].start_ns;
	return end > all[index].start_ns ? end : end ? all[index].start_ns : UINT64_MAX;
}

static void set_peaks(const struct trace *t, struct process_totals *totals)
{
	struct event *events = mem_zalloc(2 * (size_t)t->process_count + 1, sizeof(*events));
	struct family f = family_of(t->processes, t->process_count);
	unsigned __int128 sum = 0, most = 0;

	for (uint32_t i = 0; i < t->process_count; i++) {
		const struct mt_process *p = &t->processes[i];

		events[2 * i] = (struct event){ p->start_ns, p->peak_bytes, false };
		events[2 * i + 1] = (struct event){ end_of(&f, i), p->peak_bytes, true };
		if (p->peak_bytes > totals->peak_at_least)
			totals->peak_at_least = p->peak_bytes;
	}
	qsort(events, 2 * (size_t)t->process_count, sizeof(*events), by_time);
	for (size_t i = 0; i < 2 * (size_t)t->process_count; i++) {
		sum = events[i].ends ? sum - events[i].bytes : sum + events[i].bytes;
		most = sum > most ? sum : most;
	}
	totals->peak_at_most = most > UINT64_MAX ? UINT64_MAX : (uint64_t)most;
	family_release(&f);
	free(events);
}

/* ---- programs */

struct program {
	const char *path;
	uint32_t count;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct program *)a)->path, ((const struct program *)b)->path);
}

static int by_count(const void *a, const void *b)
{
	const struct program *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_path(a, b);
}

/* The programs, most processes first; as many as *count. The caller frees them. */
static struct program *count_programs(const struct trace *t, uint32_t *count)
{
	struct program *programs = mem_zalloc(t->process_count + 1, sizeof(*programs));
	uint32_t used = 0;

	for (uint32_t i = 0; i < t->process_count; i++)
		programs[i] = (struct program){ trace_string(t, t->processes[i].program), 1 };
	qsort(programs, t->process_count, sizeof(*programs), by_path);
	for (uint32_t i = 0; i < t->process_count; i++) {
		if (used && strcmp(programs[used - 1].path, programs[i].path) == 0)
			programs[used - 1].count++;
		else
			programs[used++] = programs[i];
	}
	qsort(programs, used, sizeof(*programs), by_count);
	*count = used;
	return programs;
}

void processes_headline(const struct trace *t, struct strbuf *text)
{
	uint32_t count;
	struct program *programs = count_programs(t, &count);

	strbuf_addf(text, "%u process%s of %u program%s", t->process_count,
		t->process_count == 1 ? "" : "es", count, count == 1 ? "" : "s");
	for (uint32_t i = 0; i < count && i < PROGRAMS_NAMED; i++) {
		strbuf_add(text, i ? ", " : ": ");
		strbuf_add_clean(
			text, *programs[i].path ? path_base(programs[i].path) : "unknown program");
		if (programs[i].count > 1 && count > 1)
			strbuf_addf(text, " (%u)", programs[i].count);
	}
	strbuf_add(text, count > PROGRAMS_NAMED ? ", ..." : "");
	free(programs);
}

struct process_totals process_totals(const struct trace *t)
{
	struct process_totals totals = { .count = t->process_count };

	if (!t->process_count)
		return totals;
	free(count_programs(t, &totals.programs));
	for (uint32_t i = 0; i < t->process_count; i++) {
		const struct mt_process *p = &t->processes[i];

		totals.running += p->state == MT_PROCESS_RUNNING;
		totals.died += p->state == MT_PROCESS_DIED;
		totals.forked += p->forked_from != 0;
	}
	set_peaks(t, &totals);
	return totals;
}

/* ---- one process */

/* That of a process which went on is another program's. */
static bool has_status(const struct mt_process *p)
{
	return p->flags & MT_HAS_WAIT_STATUS && p->state != MT_PROCESS_WENT_ON;
}

void process_state_text(const struct trace *t, uint32_t index, struct strbuf *text)
{
	static const char *const names[] = { [MT_PROCESS_RUNNING] = "running",
		[MT_PROCESS_EXITED] = "exited",
		[MT_PROCESS_DIED] = "died",
		[MT_PROCESS_WENT_ON] = "went on" };
	const struct mt_process *p = &t->processes[index];

	if (has_status(p) && WIFSIGNALED(p->wait_status))
		strbuf_addf(text, "killed by signal %d", WTERMSIG(p->wait_status));
	else if (has_status(p) && WIFEXITED(p->wait_status))
		strbuf_addf(text, "exited with status %d", WEXITSTATUS(p->wait_status));
	else
		strbuf_add(text, names[p->state]);
}

static void process_json(const struct trace *t, const struct process_node *node, struct json *j)
{
	static const char *const names[] = { [MT_PROCESS_RUNNING] = "running",
		[MT_PROCESS_EXITED] = "exited",
		[MT_PROCESS_DIED] = "died",
		[MT_PROCESS_WENT_ON] = "exec" };
	const struct mt_process *p = &t->processes[node->index];
	const char *command = trace_string(t, p->command.offset);
	const char *end = command + p->command.size;

	json_object(j, NULL, true);
	json_unsigned(j, "pid", p->pid);
	json_unsigned(j, "parent_pid", p->parent_pid);
	json_unsigned(j, "depth", node->depth);
	json_text(j, "program", trace_string(t, p->program));
	json_array(j, "command", true);
	for (; p->command.size && command < end;
		command += strnlen(command, (size_t)(end - command)) + 1)
		json_text(j, NULL, command);
	json_close(j);
	json_text(j, "state", names[p->state]);
	if (has_status(p) && WIFEXITED(p->wait_status))
		json_signed(j, "exit_status", WEXITSTATUS(p->wait_status));
	else
		json_null(j, "exit_status");
	json_known(j, "forked_from", p->forked_from);
	json_unsigned(j, "start_ns", p->start_ns);
	json_known(j, "end_ns", p->end_ns);
	json_unsigned(j, "peak_bytes", p->peak_bytes);
	json_unsigned(j, "current_bytes", p->current_bytes);
	json_unsigned(j, "allocated_bytes", p->allocated_bytes);
	json_unsigned(j, "allocations", p->allocations);
	json_close(j);
}

void processes_json(const struct trace *t, struct json *j)
{
	struct process_node *nodes = process_tree(t);

	json_array(j, "processes", t->process_count == 0);
	for (uint32_t i = 0; i < t->process_count; i++)
		process_json(t, &nodes[i], j);
	json_close(j);
	free(nodes);
}
