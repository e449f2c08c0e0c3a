/* names.h - host names of addresses, looked up by threads of its own and remembered.
 *
 * At most NAMES_MAX addresses; when all places are taken by fresh ones, others stay numbers. At most NAMES_QUEUE lookups wait, and
 * NAMES_THREADS are under way. What is older than NAMES_FRESH_US is looked up again, and still served meanwhile. A resolver may
 * hang as long as it likes: names_free() does not wait for it, the thread lets go of the rest when it comes back. The threads are
 * not libuv's, whose pool the loop's end would wait for.
 */
#ifndef ALTHING_EXPORTER_NAMES_H
#define ALTHING_EXPORTER_NAMES_H

#include "lib/addr.h"

#include <stdbool.h>
#include <stddef.h>

#define NAMES_MAX      1024
#define NAMES_QUEUE    64
#define NAMES_THREADS  2
#define NAMES_HOST_MAX 254 /* with its NUL */
#define NAMES_FRESH_US (600 * INT64_C(1000000))

struct names;
struct uv_loop_s;

/* Blocks. False: it has no name. */
typedef bool names_resolve_f(const struct addr *a, char host[static NAMES_HOST_MAX]);

int names_new(struct names **np, struct uv_loop_s *loop, names_resolve_f *resolve); /* NULL: getnameinfo(). 0 or -errno */
void names_free(struct names *n); /* NULL is fine; memory goes when the loop has turned once more */
const char *names_of(struct names *n, const struct addr *a, int64_t now_us); /* NULL: not known yet, or there is none */

#endif
