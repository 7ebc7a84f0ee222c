/* SPDX-License-Identifier: MIT */
/* target_names.c - names of functions, as symbol tables and debug information have them. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/demangle.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"
#include "analyzer/symbols/wrappers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wrappers *wrappers;
	char *text = target_text(data, size), *name = demangle(text), plain[64];
	struct symbol symbol = { .function = name, .linkage = text };
	struct strbuf clean = { 0 };

	if (!wrappers)
		wrappers = wrappers_new();
	plain_name(name, plain, sizeof(plain));
	target_expect(strlen(plain) < sizeof(plain), "a name without end");
	wrappers_match(wrappers, &symbol, "/opt/app");
	wrappers_match(wrappers, &symbol, text);
	strbuf_add_clean(&clean, name);
	text_width(strbuf_text(&clean));
	strbuf_add_cut(&clean, strbuf_text(&clean) + clean.size, 3);
	strbuf_release(&clean);
	free(name);
	free(text);
	return 0;
}
