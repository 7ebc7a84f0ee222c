/* SPDX-License-Identifier: MIT */
/* formats.c - the formats that there are. */
#include "analyzer/export/export.h"

const char *const export_format_names[] = { "folded", "callgrind", "pprof", "dhat", "speedscope",
	"heaptrack", "massif", "csv", "json", NULL };
const struct export_format *const export_formats[] = { &export_folded, &export_callgrind,
	&export_pprof, &export_dhat, &export_speedscope, &export_heaptrack, &export_massif,
	&export_csv, &export_json };
