#include "worker/sctp/stack.h"

#include "lib/clock.h"
#include "worker/sctp/state.h"

#include <usrsctp.h>
#include <utlist.h>

#define TICK_US      10000   /* while there is traffic */
#define IDLE_TICK_US 50000   /* else: the shortest of the library's timers is 200 ms */
#define BUSY_US      1000000 /* how long traffic is remembered */
#define STEP_MAX_MS  1000
#define FINISH_STEPS 1000 /* of 100 ms: longer than any timer that holds a closed association */

static struct {
    unsigned opened;
    uintptr_t last_id;
    struct association *associations; /* hash by id */
    struct association *ready;        /* list */
    bool draining;
    int64_t now_us;  /* the library's */
    int64_t busy_us; /* when a packet went in or out last */
} stack;

static struct association *find(const void *address)
{
    uintptr_t id = (uintptr_t)address;
    struct association *a = NULL;
    HASH_FIND(hh, stack.associations, &id, sizeof(id), a);
    return a;
}

/* A packet of the library. It may hold locks: nothing of it may be called in here. */
static int output(void *address, void *packet, size_t len, uint8_t tos, uint8_t set_df)
{
    (void)tos;
    (void)set_df;
    struct association *a = find(address);
    stack.busy_us = stack.now_us;
    if (a && !a->silent)
        a->handlers->send(packet, len, a->arg);
    return 0;
}

static void limit_library(void)
{
    usrsctp_sysctl_set_sctp_blackhole(2);
    usrsctp_sysctl_set_sctp_auto_asconf(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    usrsctp_sysctl_set_sctp_nat_friendly(0);
    usrsctp_sysctl_set_sctp_inits_include_nat_friendly(0);
    usrsctp_sysctl_set_sctp_mobility_base(0);
    usrsctp_sysctl_set_sctp_mobility_fasthandoff(0);
    usrsctp_sysctl_set_sctp_cmt_on_off(0);
    usrsctp_sysctl_set_sctp_pr_enable(1);
    usrsctp_sysctl_set_sctp_reconfig_enable(1);
    usrsctp_sysctl_set_sctp_max_chunks_on_queue(ASSOCIATION_CHUNKS);
    usrsctp_sysctl_set_sctp_delayed_sack_time_default(100);
    usrsctp_sysctl_set_sctp_initial_cwnd(10);
    usrsctp_sysctl_set_sctp_max_burst_default(32);
}

void stack_open(void)
{
    if (stack.opened++)
        return;
    usrsctp_init_nothreads(0, output, NULL);
    limit_library();
    stack.now_us = stack.busy_us = 0;
}

/* The library lets go of a closed association only when its timers have fired. */
void stack_close(void)
{
    if (--stack.opened)
        return;
    for (int i = 0; i < FINISH_STEPS && usrsctp_finish(); i++)
        usrsctp_handle_timers(100);
}

void stack_timer(int64_t now_us)
{
    int64_t passed_ms = (now_us - stack.now_us) / 1000;
    if (passed_ms <= 0) {
        stack.now_us = passed_ms < 0 ? now_us : stack.now_us;
        return;
    }
    stack.now_us = now_us;
    usrsctp_handle_timers(passed_ms < STEP_MAX_MS ? (uint32_t)passed_ms : STEP_MAX_MS);
    stack_drain();
}

int64_t stack_next_us(void)
{
    if (!stack.associations)
        return TIME_NEVER_US;
    return stack.now_us + (stack.now_us - stack.busy_us < BUSY_US ? TICK_US : IDLE_TICK_US);
}

/* ---- associations ---- */

static void upcall(struct socket *socket, void *arg, int flags)
{
    (void)socket;
    (void)flags;
    struct association *a = find(arg);
    if (!a || a->ready)
        return;
    a->ready = true;
    DL_APPEND(stack.ready, a);
}

void stack_add(struct association *a)
{
    a->id = ++stack.last_id;
    HASH_ADD(hh, stack.associations, id, sizeof(a->id), a);
    usrsctp_register_address((void *)a->id);
    usrsctp_set_upcall(a->socket, upcall, (void *)a->id);
}

void stack_remove(struct association *a)
{
    if (!a->id)
        return;
    if (a->ready)
        DL_DELETE(stack.ready, a);
    a->ready = false;
    HASH_DEL(stack.associations, a);
    usrsctp_deregister_address((void *)a->id);
    a->id = 0;
}

void stack_drain(void)
{
    if (stack.draining)
        return;
    stack.draining = true;
    while (stack.ready) {
        struct association *a = stack.ready;
        DL_DELETE(stack.ready, a);
        a->ready = false;
        association_read(a);
    }
    stack.draining = false;
}
