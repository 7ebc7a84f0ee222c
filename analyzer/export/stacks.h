/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - the call stacks of a trace as viewers want them: equal ones added up, from the function
 * that a report charges outwards.
 *
 * A stack begins with the owner of its row (resolve.h), so wrappers of allocation functions are left
 * out, and ends with the first function of the program; inlined functions are frames of their own.
 * What makes two frames different is up to the format. Stacks share their outer frames: each is a
 * node of a tree, and a group is what was allocated at one of the nodes.
 */
#ifndef MTRACER_STACKS_H
#define MTRACER_STACKS_H

#include "analyzer/export/export.h"
#include "analyzer/base/hashmap.h"

/* What is NULL or 0 isn't known. A frame that is no function, "[no stack]", has only a name. */
struct stack_frame {
	const char *function;
	const char *linkage; /* mangled name */
	const char *file;
	uint32_t line;
	const char *decl_file; /* where the function itself is written */
	uint32_t decl_line;
	const char *module;
	uint32_t module_index; /* in MT_MODULES */
	uint64_t address;      /* of the call, in the process */
	uint32_t level;	       /* 0: nothing is inlined here, else how many functions are between */
};

enum stack_detail {
	STACKS_FUNCTIONS, /* frames differ by function and module */
	STACKS_LINES,	  /* ... and by the calling line */
	STACKS_ADDRESSES, /* ... and by the call's address */
};

struct stack_node {
	uint32_t parent; /* 0: the outermost frame */
	uint32_t frame;
};

struct stack_group {
	uint32_t node; /* the innermost frame */
	struct tally_sum sum;
};

struct stacks {
	struct stack_frame *frames;
	struct stack_node *nodes; /* the first is unused; parents come before their children */
	struct stack_group *groups;
	size_t frame_count, node_count, group_count;
	size_t frame_room, node_room, group_room;
	size_t deepest; /* frames of the deepest stack */
	enum stack_detail detail;
	struct hashmap frame_index, node_index;
	uint32_t *group_of; /* by node, plus 1; 0: none */
	size_t group_of_room;
	uint32_t *group_of_site; /* in groups; of those that were asked for */
};

struct stacks *stacks_new(const struct exporter *e, enum stack_detail detail);
void stacks_free(struct stacks *stacks);

const struct stack_frame *stacks_frame(const struct stacks *stacks, uint32_t node);

/* The nodes of a group, outermost first, into `path` (stacks->deepest of them); how many. */
size_t stacks_path(const struct stacks *stacks, const struct stack_group *group, uint32_t *path);

/*
 * Functions at one address, of which all but the outermost are inlined, lie side by side in a path.
 * Whether the innermost of an address, or the owner, is at `at`; and where the outermost one of the
 * address is, which is at `at` too if nothing is inlined there.
 */
bool stacks_innermost(const struct stacks *stacks, const uint32_t *path, size_t depth, size_t at);
size_t stacks_outermost(const struct stacks *stacks, const uint32_t *path, size_t at);

/* The measure that is exported, never less than 0. */
uint64_t stacks_weight(const struct exporter *e, const struct stack_group *group);

#endif
