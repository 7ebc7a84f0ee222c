/* target_packed.c - packed traces, as they are on disk. */
#include "target.h"

#include <unistd.h>

#include "analyzer/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[TARGET_PATH], why[256] = "";
	int fd = target_file(data, size, path);
	struct trace *t = trace_open(path, why, sizeof(why));

	close(fd);
	target_expect(t || why[0], "an error that isn't told");
	trace_free(t);
	return 0;
}
