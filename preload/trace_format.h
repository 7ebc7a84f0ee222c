/* SPDX-License-Identifier: MIT */
/*
 * trace_format.h - the trace file, the one header that the library and the analyzer share.
 *
 * A trace is a header page followed by extents. Every table (frames, nodes, sites, ...) is an array of
 * fixed-width little-endian records; a table grows by whole extents, which the directory in the
 * header lists. The library maps the extents shared and keeps its live state in them, so the file
 * holds everything up to the last allocation at any moment; nothing is ever flushed or finished.
 * FORMAT.md tells the same for people who write a reader of their own.
 *
 *   header | extent | extent | extent | ...        file
 *      |        |        |        |
 *      |     nodes[0..] sites[0..] nodes[512..]    tables, pieced together by the directory
 *      +-- directory: which piece of which table each extent is
 *
 * Rules for a reader of a trace that is still being written: a table's count is stored after the
 * record it counts, so records below the count are whole; counters may be one event apart.
 */
#ifndef MTRACE_TRACE_FORMAT_H
#define MTRACE_TRACE_FORMAT_H

#include <stdint.h>

/* clang-format off: columns by hand */

#define MT_MAGIC "\x89MTRACE\n"	  /* 8 bytes, without the terminating zero */
#define MT_VERSION 3		  /* of the writer */
#define MT_OLDEST_READER 1	  /* the oldest version whose reader understands this file */
#define MT_BYTE_ORDER 0x01020304u /* as the writer's CPU stores it */
#define MT_HEADER_SIZE 8192u /* bytes; the first extent starts at the next multiple of page_size */
#define MT_TABLES 24	     /* room in the header; unused descriptors are zero */
#define MT_LOSSES 16
#define MT_EXTENTS 400	     /* directory entries in the header */
#define MT_FREED_BY_SIZE 256 /* bytes, cut off there */
#define MT_FREED_BY_SOUGHT '\1'
#define MT_PROGRAM_SIZE 384 /* likewise */

/*
 * The tables, one row each, in the order of their numbers: a new table is a row at the end, its record
 * below, and its columns where packed traces need better ones than words (analyzer/trace/columns.c).
 *   id, record, name
 *   the analyzer's member for it, the member that counts its records, its columns in packed traces
 *   records: the most it may hold, so many more at once ahead of a seccomp filter, unused first ones
 *   whether records change after they were written
 */
#define MT_EACH_TABLE(T)                                                                           \
	/* every return address that was met */                                                    \
	T(MT_FRAMES, struct mt_frame, "frames", frames, frame_count, frames, 2u << 20, 4u << 10,   \
		1, 1)                                                                              \
	/* the stack tree */                                                                       \
	T(MT_NODES, struct mt_node, "nodes", nodes, node_count, nodes, 16u << 20, 32u << 10,       \
		MT_NODE_FIRST, 0)                                                                  \
	/* counters for each node that allocated; site 0 is unused */                              \
	T(MT_SITES, struct mt_site, "sites", sites, site_count, sites, 2u << 20, 8u << 10, 1, 1)   \
	/* same index as MT_SITES, what never changes */                                           \
	T(MT_SITE_INFO, struct mt_site_info, "site info", site_info, site_count, site_info,        \
		2u << 20, 8u << 10, 1, 0)                                                          \
	/* own peak for each call instruction that allocates; call 0 is unused */                  \
	T(MT_CALLS, struct mt_call, "lines", calls, call_count, calls, 1u << 20, 4u << 10, 1, 1)   \
	/* same index as MT_SITES, once there is a second thread */                                \
	T(MT_PUBLISHED, struct mt_published, "published", published, site_count, published,        \
		2u << 20, 8u << 10, 0, 1)                                                          \
	/* threads, one lane each; lane 0 is the first thread */                                   \
	T(MT_LANES, struct mt_lane, "lanes", lanes, lane_count, words, 1u << 16, 256, 0, 1)        \
	/* the counters of one lane for one site */                                                \
	T(MT_ENTRIES, struct mt_entry, "entries", entries, entry_count, entries, 8u << 20,         \
		16u << 10, 0, 1)                                                                   \
	/* executables and libraries; module 0 is unused, and comes with the first */              \
	T(MT_MODULES, struct mt_module, "modules", modules, module_count, words, 1u << 16, 128, 0, \
		1)                                                                                 \
	/* bytes; a reference is an offset of a zero-terminated string, 0 is "" */                 \
	T(MT_STRINGS, char, "strings", strings, strings_size, NULL, 64u << 20, 64u << 10, 1, 0)    \
	/* where unknown blocks were freed */                                                      \
	T(MT_FOREIGN, struct mt_foreign, "foreign", foreign, foreign_count, foreign, 1u << 20,     \
		256, 0, 1)                                                                         \
	/* the live blocks by who points to them, if a scan was made */                            \
	T(MT_LEAKS, struct mt_leak, "leaks", leaks, leak_count, leaks, 16u << 20, 0, 0, 0)         \
	/* names and lines of frames, in copies (MT_NOTE_COPY) */                                  \
	T(MT_SYMBOLS, struct mt_symbol, "symbols", symbols, symbol_count, symbols, 0, 0, 0, 0)     \
	/* what was added up, in sums (MT_NOTE_MERGED) */                                          \
	T(MT_PROCESSES, struct mt_process, "processes", processes, process_count, words, 0, 0, 0,  \
		0)                                                                                 \
	/* same index as MT_SITES, with MTRACE_SLACK=1; else empty */                              \
	T(MT_SLACK, struct mt_slack, "slack", slack, site_count, slack, 2u << 20, 0, 0, 1)         \
	/* same index as MT_SITES, when sampling; how sure the counters are */                     \
	T(MT_ESTIMATES, struct mt_estimate, "estimates", estimates, estimate_count, words,         \
		2u << 20, 0, 0, 1)                                                                 \
	/* what lost blocks hold, if a scan was made */                                            \
	T(MT_HELD, struct mt_held, "held", held, held_count, held, 4u << 20, 0, 0, 0)              \
	/* moments of the run, in no order; a fork child begins without any */                     \
	T(MT_POINTS, struct mt_point, "points", points, point_count, words, 1u << 20, 0, 0, 0)     \
	/* what the larger sites had at these */                                                   \
	T(MT_SHARES, struct mt_share, "shares", shares, share_count, shares, 8u << 20, 0, 0, 0)    \
	/* states that were kept under a name, by time; a fork child begins without any */         \
	T(MT_SNAPSHOTS, struct mt_snapshot, "snapshots", snapshots, snapshot_count, words,         \
		1u << 20, 0, 0, 0)                                                                 \
	/* what the sites had in these */                                                          \
	T(MT_SNAPSHOT_ROWS, struct mt_snapshot_row, "snapshot rows", snapshot_rows,                \
		snapshot_row_count, snapshot_rows, 16u << 20, 0, 0, 0)

enum mt_table_id {
#define MT_TABLE_ID(id, ...) id,
	MT_EACH_TABLE(MT_TABLE_ID)
#undef MT_TABLE_ID
		MT_TABLES_USED
};

/* A return address. Look up `address - 1`: the call, not the instruction after it. For the frame that a
 * signal interrupted, and for a function's first byte at which a stack made by hand begins, the address
 * stored is that plus 1, so the same rule holds. */
struct mt_frame {
	uint64_t address; /* as in the process */
	uint32_t module;  /* in MT_MODULES, 0 = none (generated code) */
	uint32_t flags;	  /* MT_FRAME_* */
};
#define MT_FRAME_WRAPPER \
	1u /* inside operator new and its like: looked through when a call instruction is chosen */
#define MT_FRAME_NO_RULE \
	2u /* no unwind information covered it: frames between it and its caller may be missing */
/* Which allocation function the call called, as far as it was seen: by the first block of each
 * stack. `mtracer` needs it for suppressions, which name it. */
#define MT_FRAME_CALLS(function) (0x100u << (function))
enum mt_function {
	MT_MALLOC,
	MT_CALLOC,
	MT_REALLOC, /* and reallocarray */
	MT_MEMALIGN,
	MT_POSIX_MEMALIGN,
	MT_ALIGNED_ALLOC,
	MT_VALLOC,
	MT_PVALLOC,
	MT_NEW, /* the others in the order of enum cxx_function. Where they call malloc, only the
		   forms for arrays are noted: other operators have frames */
	MT_NEW_ARRAY,
	MT_NEW_NOTHROW,
	MT_NEW_ARRAY_NOTHROW,
	MT_NEW_ALIGNED,
	MT_NEW_ARRAY_ALIGNED,
	MT_NEW_ALIGNED_NOTHROW,
	MT_NEW_ARRAY_ALIGNED_NOTHROW,
	MT_FUNCTIONS
};

/* A stack is a path from a node to one of the roots; the node itself is the innermost frame. */
struct mt_node {
	uint32_t
		parent; /* in MT_NODES; always smaller than the node's own index, except that roots have 0 */
	uint32_t frame; /* in MT_FRAMES; 0 for the roots */
};
#define MT_NODE_NONE 0u /* unused */
#define MT_NODE_ROOT 1u /* root of whole stacks */
#define MT_NODE_DEEP 2u /* root of stacks cut at MTRACE_DEPTH frames: only the innermost are kept */
#define MT_NODE_BROKEN 3u /* root of stacks that could not be followed further */
#define MT_NODE_FIRST 4u  /* the first node that is a frame */

/*
 * The counters of one site. `current_*`, `allocated_bytes`, `allocations` and `temporary` count what happened while
 * the process had one thread; each lane counts what happened since, in its entries. So, for site s:
 *   current_bytes   = s.current_bytes + sum over its entries of (allocated_bytes - freed_bytes)
 *   allocations     = s.allocations + sum over its entries of allocations            and so on.
 * The peaks follow the *published* state, s.current_bytes + published[s].bytes (published is 0 while the
 * process has one thread, and then the peaks are exact).
 *   at peak         = s.epoch == header.epoch ? s.at_peak_bytes : s.current_bytes + published[s].bytes
 * All of it requested bytes.
 */
struct mt_site {
	uint64_t current_bytes;
	uint64_t current_blocks;
	uint64_t allocated_bytes;
	uint64_t allocations;
	uint64_t temporary;
	uint64_t peak_bytes;	 /* the highest published state of this site */
	uint64_t at_peak_bytes;	 /* valid when epoch == header.epoch (low 32 bits) */
	uint32_t epoch;		 /* low half of header.epoch when this site last changed */
	uint32_t at_peak_blocks; /* as at_peak_bytes; stops at UINT32_MAX */
};

struct mt_site_info {
	uint32_t node; /* in MT_NODES: the site's stack */
	uint32_t call; /* in MT_CALLS: the call instruction that the site counts for */
};

/* One call instruction that allocates: the innermost frame that is no MT_FRAME_WRAPPER. All sites
 * whose info names it add up to it, but its own peak can't be had from theirs. */
struct mt_call {
	uint32_t frame;	     /* in MT_FRAMES; 0 where a stack has no such frame */
	uint32_t kind;	     /* MT_KIND_* */
	uint64_t live_bytes; /* published state; for the peak's sake only */
	uint64_t peak_bytes;
};
#define MT_KIND_HEAP 0u /* malloc and its family */
#define MT_KIND_MMAP 1u /* anonymous mappings (MTRACE_MMAP=1) */

/* What the lanes have made known of a site: signed sums, two's complement. */
struct mt_published {
	uint64_t bytes;
	uint64_t blocks;
};

/* What an allocator gave a site beyond what was asked for: usable size less requested size. */
struct mt_slack {
	uint64_t current_bytes;	  /* of the blocks that are there; two's complement */
	uint64_t allocated_bytes; /* over the whole run */
};

struct mt_lane {
	uint32_t tid;	   /* of the thread that has it, or had it last */
	uint32_t threads;  /* how many threads had it, one after the other */
	uint64_t start_ns; /* since header.start_ns; of the last thread */
	uint64_t end_ns;   /* 0 while the thread runs */
	uint64_t
		max_unpublished; /* bytes that it kept back, as told before the header did for all; 0 now */
	char name[16];		 /* of the last thread, zero-terminated; "" where unknown */
	char earlier
		[16]; /* of the threads before it; "" where they had several, or there were none */
};

/* Monotonic counters, written by the lane's thread alone. An entry with site 0 is not used yet. The difference
 * allocated - freed may be negative for one entry: threads free each other's blocks. */
struct mt_entry {
	uint32_t site;
	uint32_t lane;
	uint64_t allocated_bytes;
	uint64_t allocations;
	uint64_t freed_bytes;
	uint64_t frees;
	uint64_t temporary;
};

struct mt_module {
	uint64_t bias;	  /* address in the process minus address in the ELF file */
	uint64_t start;	  /* of its mapping, inclusive */
	uint64_t end;	  /* exclusive */
	uint64_t load_ns; /* since header.start_ns, when it was first met */
	uint64_t
		unload_ns; /* 0 while it is loaded; another module may then sit at the same addresses */
	uint32_t path;	   /* string; absolute where it could be known */
	uint16_t flags; /* MT_MODULE_* */
	uint16_t build_id_size;
	uint8_t build_id[32];
};
#define MT_MODULE_EXE 1u  /* the program itself */
#define MT_MODULE_SELF 2u /* libmtrace.so */
#define MT_MODULE_VDSO 4u

/* Frees of addresses that no recorded allocation returned (allocated before the start, or lost). */
struct mt_foreign {
	uint32_t node; /* the stack of the free */
	uint32_t reserved;
	uint64_t frees;
};

/* Of the blocks of one site that were live at the scan, those of one kind. */
struct mt_leak {
	uint32_t site;
	uint32_t kind; /* MT_LEAK_* */
	uint64_t bytes;
	uint64_t blocks;
};
#define MT_LEAK_LOST 1u	    /* nothing points to them */
#define MT_LEAK_INDIRECT 2u /* only lost blocks do */
#define MT_LEAK_POSSIBLE 3u /* only pointers to their inside */
#define MT_LEAK_REACHABLE 4u
#define MT_LEAK_UNCLASSIFIED 5u /* in sums: of the processes that didn't look */

/* Of the indirect blocks of one site, those that lost blocks of another hold. A block that several
 * lead to is held by one of them, so what all hold adds up to all that is indirect. */
struct mt_held {
	uint32_t owner; /* site of the lost blocks */
	uint32_t site;	/* of what they hold; 0: of whatever sites, as there were more pairs than
			   room */
	uint64_t bytes;
	uint64_t blocks;
};

/* A function that a frame is in, and where; with inlining there are several, innermost first. Written by `mtracer pack`
 * and `merge`, so that the binaries needn't be kept with the trace. Sorted by frame; a frame without any is looked up. */
struct mt_symbol {
	uint32_t frame;	    /* in MT_FRAMES */
	uint32_t function;  /* string, demangled */
	uint32_t linkage;   /* string, "" where unknown */
	uint32_t file;	    /* string, "" where unknown */
	uint32_t line;	    /* 0 = unknown */
	uint32_t flags;	    /* MT_SYMBOL_* */
	uint32_t decl_file; /* string: where the function itself is written, "" where unknown */
	uint32_t decl_line;
};
#define MT_SYMBOL_INLINED 1u /* into the next one */

struct mt_text {
	uint32_t offset; /* in MT_STRINGS */
	uint32_t
		size; /* bytes, for texts that hold zeros (the command line: each argument ends with one) */
};

/* A process whose trace was added up. A pid that executes another program is several of them. */
struct mt_process {
	uint32_t pid;
	uint32_t parent_pid;
	uint32_t
		forked_from; /* pid of the process whose blocks and counts it began with; 0 = none */
	uint32_t program;    /* string: path of the executable */
	struct mt_text command;
	uint32_t state;	      /* MT_PROCESS_* */
	uint32_t wait_status; /* valid with MT_HAS_WAIT_STATUS */
	uint32_t flags;	      /* as in the header of its trace */
	uint32_t reserved;
	uint64_t start_ticks; /* as in the header: the same in all programs of one process */
	uint64_t start_ns;    /* CLOCK_REALTIME */
	uint64_t end_ns;      /* CLOCK_REALTIME; 0 = unknown */
	uint64_t peak_bytes;
	uint64_t current_bytes;
	uint64_t allocated_bytes;
	uint64_t allocations;
};
#define MT_PROCESS_RUNNING 1u
#define MT_PROCESS_EXITED 2u
#define MT_PROCESS_DIED 3u
#define MT_PROCESS_WENT_ON 4u /* as another program (exec) */

/* How sure a site's counters are when sampling: the variances of the estimates, in bytes squared and blocks squared. */
struct mt_estimate {
	double current_bytes;
	double current_blocks;
	double at_peak_bytes; /* valid when the site's epoch == header.epoch, as its own; else current_bytes */
	double allocated_bytes;
	double allocations;
	double temporary;
};

/* The whole program at one moment; with several threads, its published state. A record is written anew when
 * another moment takes its place: `kind` is 0 meanwhile. */
struct mt_point {
	uint64_t ns; /* since header.start_ns, by a clock that doesn't jump */
	uint64_t live_bytes;
	uint64_t live_blocks;
	uint64_t allocated_bytes; /* so far */
	uint64_t allocations;
	uint64_t rss_anonymous; /* bytes of resident memory, the tracer's included; 0 = unknown */
	uint64_t rss_file;	/* likewise: of files and shared memory */
	uint32_t kind;		/* MT_POINT_* */
	uint32_t number;	/* goes up from one to the next in time */
	uint32_t threads;
	uint32_t label; /* MT_POINT_MARK: string */
};
#define MT_POINT_UNUSED 0u
#define MT_POINT_REGULAR 1u
#define MT_POINT_PEAK 2u /* a new peak, higher than the last such point by a part */
#define MT_POINT_MARK 3u /* mtrace_mark() */
#define MT_POINT_END 4u	 /* the process ends */

/* What a site had at a point. There is one for each that had 1/1024 of the live bytes, up to a number. */
struct mt_share {
	uint32_t site;
	uint32_t point; /* in MT_POINTS, plus 1; 0 = unused */
	uint64_t bytes;
};

/*
 * The whole state of all sites at a moment. Its rows are those from the last snapshot's `rows_end` up to its
 * own: of the sites that differ from the snapshot before. A site without a row has the last one that it
 * had in an earlier snapshot; one that never had a row had nothing. Rows behind those of the last snapshot
 * are of one that was not finished.
 */
struct mt_snapshot {
	uint64_t ns;	     /* since header.start_ns, by a clock that doesn't jump */
	uint64_t live_bytes; /* of all sites: the sums of what they have */
	uint64_t live_blocks;
	uint64_t allocated_bytes;
	uint64_t allocations;
	uint64_t temporary;
	uint64_t peak_bytes; /* the header's, then; so too the next two */
	uint64_t peak_ns;
	uint64_t max_unpublished;
	uint32_t label;	   /* string, not empty; of several with the same the last is meant */
	uint32_t rows_end; /* in MT_SNAPSHOT_ROWS */
	uint32_t peak_site;
	uint32_t peak_lane;
	uint32_t flags; /* of the header's MT_NOTE_*: MULTI, RESET and CLEARED */
	uint32_t reserved;
};

/* A site then, all its lanes added up. None is below 0. */
struct mt_snapshot_row {
	uint32_t site;
	uint32_t at_peak_blocks; /* stops at UINT32_MAX */
	uint64_t current_bytes;
	uint64_t current_blocks;
	uint64_t allocated_bytes;
	uint64_t allocations;
	uint64_t temporary;
	uint64_t peak_bytes;
	uint64_t at_peak_bytes;
	uint64_t
		call_peak_bytes; /* of its call instruction: valid in the last row of all its sites */
};

/* What another process asks for, `enabled` having MT_ENABLED_LOOK. Whoever writes one holds the file's
 * lock (flock) until it was answered. */
#define MT_LABEL_SIZE 128u
struct mt_request {
	uint64_t number;  /* written last; there is a request while it differs from `answer` */
	uint64_t claimed; /* the last that a thread has begun */
	uint64_t answer;  /* the last that was done */
	uint32_t kind;	  /* MT_REQUEST_* */
	uint32_t reserved;
	char label[MT_LABEL_SIZE]; /* with a terminating zero */
};
#define MT_REQUEST_RESET_PEAK 1u
#define MT_REQUEST_MARK 2u     /* at this moment, with the label */
#define MT_REQUEST_SNAPSHOT 3u /* likewise; since version 3 */

struct mt_table {
	uint32_t record_size; /* bytes; a newer writer may have longer records, never shorter */
	uint32_t reserved;
	uint64_t count; /* records in use; MT_STRINGS: bytes */
};

/* Pages [table_page, table_page + pages) of a table are pages [file_page, file_page + pages) of the file. */
struct mt_extent {
	uint32_t table; /* enum mt_table_id */
	uint32_t table_page;
	uint32_t file_page;
	uint32_t pages;
};

enum mt_state {
	MT_STATE_RUNNING =
		1, /* or died without a word: see whether `pid` with `start_ticks` still lives */
	MT_STATE_EXITED = 2, /* exit, _exit, quick_exit or return from main */
	MT_STATE_DIED = 3,   /* only in copies (MT_NOTE_COPY): a signal, or without a word */
};

/* What could not be recorded, and why; each counts allocations (frees of them then count as foreign). */
enum mt_loss {
	MT_LOST_SITE,	   /* no room in a table: disk full, file size limit, address space */
	MT_LOST_SLOT,	   /* no memory to remember the block */
	MT_LOST_REENTRANT, /* in a signal handler that interrupted the tracer itself */
	MT_LOST_THREAD,	   /* no memory for the thread's state, or the thread is past its end */
	MT_LOST_LIMIT,	   /* as many call sites as a trace tells apart (MT_NOTE_FULL) */
	MT_LOSSES_USED
};

enum mt_scan {
	MT_SCAN_NONE,	 /* no scan: every live block is unclassified */
	MT_SCAN_RUNNING, /* or cut short, if the process that makes it is gone */
	MT_SCAN_DONE,	 /* MT_LEAKS holds the live blocks of the moment scan_at_ns */
	MT_SCAN_FAILED,	 /* it ran out of memory or time */
};

struct mt_header {
	char magic[8];
	uint16_t version;
	uint16_t oldest_reader;
	uint32_t byte_order;
	uint32_t header_size;
	uint32_t page_size; /* unit of the extents */

	uint32_t state; /* enum mt_state */
	uint32_t pid;
	uint32_t parent_pid;
	uint32_t
		wait_status; /* as wait() gave it to `mtracer run`, valid with MT_HAS_WAIT_STATUS */
	uint64_t start_ticks; /* field 22 of /proc/PID/stat: tells a reused pid from this one */
	uint64_t start_ns;    /* CLOCK_REALTIME */
	uint64_t end_ns;      /* since start_ns; 0 while running or died */
	uint64_t
		last_ns; /* since start_ns: the last time anything new was met (a site, a thread, a module) */
	char boot_id[40]; /* of the machine's boot, as text; "" where unknown */

	uint32_t depth;		  /* MTRACE_DEPTH */
	uint32_t flags;		  /* MT_HAS_* and MT_NOTE_* */
	uint64_t sample_bytes;	  /* MTRACE_SAMPLE; 0 = every allocation */
	uint64_t enabled;	  /* MT_ENABLED_*; others may write it */
	struct mt_text program;	  /* path of the executable */
	struct mt_text command;	  /* arguments, each with its terminating zero */
	struct mt_text directory; /* working directory at the start */
	struct mt_text host;

	/* Published state of the whole program. Exact with one thread. */
	uint64_t live_bytes;
	uint64_t peak_bytes;
	uint64_t epoch;	  /* goes up by one at each new peak */
	uint64_t peak_ns; /* since start_ns: when the peak was, or a little before; 0 = unknown */

	uint64_t foreign_frees; /* frees of addresses that no recorded allocation returned */
	uint64_t missed_frees; /* an allocation returned an address that was thought to be in use */
	uint64_t broken_stacks;	  /* distinct stacks that could not be followed to the end */
	uint64_t lost[MT_LOSSES]; /* enum mt_loss */
	uint64_t forked_from; /* pid of the parent whose state this trace began with; 0 = none */
	uint64_t scan_state;  /* enum mt_scan */
	uint64_t scan_ns;     /* how long the last scan took */
	uint64_t scan_at_ns;  /* since start_ns: when its snapshot was taken */
	uint64_t scan_bytes;  /* of memory that it looked through */
	uint64_t
		scan_request; /* others write here what they want: a scan each time that it differs from scan_answer */
	uint64_t scan_answer; /* the last request that was begun */
	uint64_t merged;      /* MT_NOTE_MERGED: how many traces were added up */
	uint64_t
		own_malloc; /* MT_NOTE_OWN_MALLOC: string, the path of what defines it; 0 = unknown */
	uint64_t
		resident_bytes; /* the most memory that the process ever took, the tracer's included; 0 = unknown */
	uint64_t tracer_bytes; /* of that, the tracer's own at the most */
	uint64_t sample_unit;  /* numbers of blocks are in so many parts of one; 0 = 1 */
	uint64_t scan_error;   /* error number of the process that the last scan could not have; 0 =
				none */
	uint64_t
		max_unpublished; /* bytes: all lanes together never kept more back from the published state */
	uint64_t
		overlaid_frees; /* an allocation returned an address inside of a block that was thought to be in use */
	uint64_t
		scan_blind; /* threads whose registers the scan couldn't read: what only these may hold is possible */

	struct mt_table tables[MT_TABLES];
	uint32_t extent_count;
	uint32_t went_on; /* 1: the process executed another program at end_ns */
	struct mt_extent extents[MT_EXTENTS];
	char freed_by
		[MT_FREED_BY_SIZE]; /* libraries whose free isn't ours, as the last scan found them: "a.so, b.so"; begins with MT_FREED_BY_SOUGHT while they are sought */
	char went_on_as
		[MT_PROGRAM_SIZE]; /* that program, as exec was asked for it; "" where unknown */
	uint32_t peak_site;	   /* whose allocation made the peak, as of peak_ns; 0 = unknown */
	uint32_t peak_lane;	   /* whose thread that was; valid with peak_ns */
	uint64_t lost_marks;	   /* that there was no room for */
	struct mt_request request;
	uint64_t lost_snapshots; /* that were one too many (MTRACE_SNAPSHOTS), or had no room */
};
#define MT_ENABLED_RECORD 1u /* else stopped: new allocations are not recorded */
#define MT_ENABLED_LOOK \
	2u /* somebody has written a request (scan_request, request): the next allocation takes it */

#define MT_HAS_WAIT_STATUS 1u
#define MT_NOTE_OWN_MALLOC \
	2u /* a malloc is found before ours (the program's own, or preloaded first): nothing passes through the library */
#define MT_NOTE_MULTI 4u   /* there was a second thread: peaks are within a bound */
#define MT_NOTE_STORAGE 8u /* the file could not grow any more */
#define MT_NOTE_REDACTED 16u
#define MT_NOTE_MMAP 32u      /* anonymous mappings are traced */
#define MT_NOTE_UNSTARTED 64u /* began stopped (MTRACE_START=0) */
#define MT_NOTE_MERGED \
	128u /* `mtracer merge` added up several traces: each peak is a sum of theirs, an upper bound */
#define MT_NOTE_CUT \
	512u /* there were too many stacks with a frame found by its frame pointer, or that broke off: later ones are cut */
#define MT_NOTE_RESET \
	1024u /* the program has reset the peaks (mtrace_reset_peak): they are those since the last time */
#define MT_NOTE_CLEARED \
	2048u /* the program has had all forgotten (mtrace_clear_traces): everything is since then */
#define MT_NOTE_FULL \
	4096u /* more call sites than a trace tells apart: the later ones share one, without frames */
#define MT_NOTE_COPY \
	256u /* written by mtracer, not by the process: nobody writes it, `state` is what it was then */

_Static_assert(sizeof(struct mt_frame) == 16, "on-disk size");
_Static_assert(sizeof(struct mt_node) == 8, "on-disk size");
_Static_assert(sizeof(struct mt_site) == 64, "on-disk size");
_Static_assert(sizeof(struct mt_site_info) == 8, "on-disk size");
_Static_assert(sizeof(struct mt_call) == 24, "on-disk size");
_Static_assert(sizeof(struct mt_published) == 16, "on-disk size");
_Static_assert(sizeof(struct mt_slack) == 16, "on-disk size");
_Static_assert(sizeof(struct mt_lane) == 64, "on-disk size");
_Static_assert(sizeof(struct mt_entry) == 48, "on-disk size");
_Static_assert(sizeof(struct mt_module) == 80, "on-disk size");
_Static_assert(sizeof(struct mt_foreign) == 16, "on-disk size");
_Static_assert(sizeof(struct mt_leak) == 24, "on-disk size");
_Static_assert(sizeof(struct mt_held) == 24, "on-disk size");
_Static_assert(sizeof(struct mt_symbol) == 32, "on-disk size");
_Static_assert(sizeof(struct mt_process) == 96, "on-disk size");
_Static_assert(sizeof(struct mt_estimate) == 48, "on-disk size");
_Static_assert(sizeof(struct mt_point) == 72, "on-disk size");
_Static_assert(sizeof(struct mt_share) == 16, "on-disk size");
_Static_assert(sizeof(struct mt_snapshot) == 96, "on-disk size");
_Static_assert(sizeof(struct mt_snapshot_row) == 72, "on-disk size");
_Static_assert(sizeof(struct mt_request) == 160, "on-disk size");
_Static_assert(sizeof(struct mt_extent) == 16, "on-disk size");
_Static_assert(sizeof(struct mt_header) <= MT_HEADER_SIZE, "the header must fit its pages");

/* clang-format on */

#endif
