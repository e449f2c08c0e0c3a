/* sim.h - a network on virtual time: events in order, and links that delay, lose, reorder and queue.
 *
 * A test makes a sim, links, and what sends over them; sim_run lets time pass as fast as the machine can. The same seed gives the
 * same run, bit for bit. Packets belong to the link they are on, then to the one they were delivered to, who frees them.
 */
#ifndef ALTHING_TESTS_SIM_SIM_H
#define ALTHING_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_PACKET_DATA 1300

struct sim;
typedef void sim_event_fn(int64_t now_us, void *arg);

struct sim_packet;
typedef void sim_deliver_fn(struct sim_packet *p, int64_t now_us, void *arg);

struct sim_packet {
    size_t bytes; /* what it takes on a link */
    sim_deliver_fn *deliver;
    void *arg;
    uint16_t seq;
    size_t len; /* of data: what is in it, where that matters */
    uint8_t data[SIM_PACKET_DATA];
};

struct sim_link_conf {
    uint32_t rate_bps; /* of the bottleneck; 0: none, nothing queues */
    int64_t queue_us;  /* packets that would wait longer are dropped; 0: as long as it takes */
    int64_t delay_us;
    int64_t jitter_us;    /* delay more, up to this; order stays */
    double loss;          /* at random */
    double burst_begin;   /* chance with each packet that all are lost ... */
    double burst_end;     /* ... until, with this chance, they are not */
    double reorder;       /* share that is delayed by reorder_us more, and overtaken */
    int64_t reorder_us;
    double duplicate;
};

struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *s); /* with its links; NULL is fine */
int64_t sim_now_us(const struct sim *s);
void sim_at(struct sim *s, int64_t at_us, sim_event_fn *fn, void *arg); /* in the past: at once */
void sim_run(struct sim *s, int64_t until_us);
double sim_chance(struct sim *s); /* 0 .. 1 */

struct sim_link;

struct sim_link *sim_link_new(struct sim *s, const struct sim_link_conf *conf);
struct sim_link_conf *sim_link_conf(struct sim_link *l); /* may be changed while it runs */
void sim_link_set_rate_at(struct sim_link *l, int64_t at_us, uint32_t rate_bps); /* up to 16 changes */
void sim_link_send(struct sim_link *l, const struct sim_packet *p); /* copies it */
int64_t sim_link_queue_us(const struct sim_link *l); /* how long a packet that came now would wait */
uint64_t sim_link_dropped(const struct sim_link *l); /* by the full queue */

#endif
