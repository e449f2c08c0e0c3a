/* names.h - host names of addresses, looked up in libuv's pool and remembered.
 *
 * At most NAMES_MAX addresses; when all places are taken by fresh ones, others stay numbers. At most NAMES_IN_FLIGHT lookups at
 * a time, so that a slow resolver leaves the pool to others. What is older than NAMES_FRESH_US is looked up again, and still
 * served meanwhile.
 */
#ifndef ALTHING_EXPORTER_NAMES_H
#define ALTHING_EXPORTER_NAMES_H

#include "lib/addr.h"

#define NAMES_MAX       1024
#define NAMES_IN_FLIGHT 2
#define NAMES_FRESH_US  (600 * INT64_C(1000000))

struct names;
struct uv_loop_s;

struct names *names_new(struct uv_loop_s *loop);
void names_free(struct names *n); /* NULL is fine; memory goes when the lookups have ended */
const char *names_of(struct names *n, const struct addr *a, int64_t now_us); /* NULL: not known yet, or there is none */

#endif
