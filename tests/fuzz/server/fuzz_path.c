#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/edge/static.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct static_files *files;
    const struct static_file *f;
    const char *path = (const char *)data;
    if (!files) {
        if (static_new(&files, NULL, 1000))
            abort();
        static_add(files, "/index.html", "x", 1);
    }
    bool safe = static_path_is_safe(path, size);
    if (safe && (memmem(path, size, "/../", 4) || memchr(path, 0, size)))
        abort();
    if ((static_find(files, path, size, &f) == STATIC_REFUSED) == safe)
        abort();
    return 0;
}
