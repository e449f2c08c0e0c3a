/* limits.h - who has how many connections and sessions, by address. An IPv6 address counts as its /64.
 *
 * Invariant: an entry exists while its address has a connection or a session, and until its bucket is full again; limits_sweep()
 * drops the others. At most LIMITS_ENTRIES_MAX entries: addresses beyond share one, so that a flood from many addresses costs them
 * a common allowance and us no memory. The owner calls with the time; no clock here.
 */
#ifndef ALTHING_SERVER_EDGE_LIMITS_H
#define ALTHING_SERVER_EDGE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_ENTRIES_MAX 65536

struct limits;
struct limits_entry;

struct limits_conf {
    unsigned sessions_per_address;
    unsigned sessions_per_second; /* and five times that as a burst */
    unsigned connections_per_address; /* 0: not counted (behind a proxy all have one address) */
};

void limits_new(struct limits **lp, const struct limits_conf *conf, int64_t now_us);
void limits_free(struct limits *l); /* NULL is fine; entries still held become invalid */
/* NULL: refused. What is returned is given back with the matching drop. `ip` is a literal address. */
struct limits_entry *limits_take_connection(struct limits *l, const char *ip, int64_t now_us);
void limits_drop_connection(struct limits_entry *entry); /* NULL is fine */
struct limits_entry *limits_take_session(struct limits *l, const char *ip, int64_t now_us);
void limits_drop_session(struct limits_entry *entry); /* NULL is fine */
void limits_sweep(struct limits *l, int64_t now_us);
size_t limits_count(const struct limits *l);

#endif
