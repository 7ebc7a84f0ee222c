/* SPDX-License-Identifier: MIT */
/* target_suppressions.c - suppression files, and the matching of what they hold. */
#include "target.h"

#include <stdlib.h>

#include "analyzer/views/suppress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct suppress_frame frames[] = {
		{ "malloc", NULL, NULL, 0, "/lib/libc.so.6", 1 },
		{ "shelf::fill", "_ZN5shelf4fillEv", "/src/shelf.cc", 12, "/opt/shelf", 2, 1,
			true },
		{ "main", NULL, "/src/main.c", 1, "/opt/shelf", 3 },
		{ NULL, NULL, NULL, 0, NULL, 4 },
	};
	struct suppressions s = { 0 };
	char *text = target_text(data, size), why[256] = "";
	bool ok = suppressions_add_text(&s, text, "input", why, sizeof(why));

	target_expect(ok || why[0], "an error that isn't told");
	suppressions_see(&s, frames, sizeof(frames) / sizeof(frames[0]));
	for (int kind = 0; kind < LEAK_KINDS; kind++) {
		for (size_t count = 0; count <= sizeof(frames) / sizeof(frames[0]); count++)
			suppressions_match(&s, kind, frames, count);
	}
	suppressions_release(&s);
	free(text);
	return 0;
}
