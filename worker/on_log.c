#include "worker/on_log.h"

#include "lib/log.h"
#include "worker/on_methods.h"

#include <errno.h>
#include <string.h>

#define SECOND_US 1000000

/* What is told once a second, if it has grown. */
static const struct row {
    enum tag tag;
    size_t counter;
    const char *text;
} rows[] = {
    {TAG_ICE, offsetof(struct counters_worker, dropped_bad_stun),
     "malformed STUN, or wrong credentials"},
    {TAG_ICE, offsetof(struct counters_worker, dropped_not_validated),
     "datagrams from addresses that are not validated"},
    {TAG_DTLS, offsetof(struct counters_worker, dropped_bad_dtls),
     "datagrams that are not acceptable as DTLS"},
    {TAG_RTP, offsetof(struct counters_worker, dropped_rtp_parse), "malformed RTP packets"},
    {TAG_RTP, offsetof(struct counters_worker, dropped_no_stream), "RTP packets of no producer"},
    {TAG_RTP, offsetof(struct counters_worker, dropped_pool_exhausted),
     "packets without a free slot"},
    {TAG_SRTP, offsetof(struct counters_worker, dropped_no_keys), "media before its keys"},
    {TAG_SRTP, offsetof(struct counters_worker, dropped_srtp_auth),
     "packets that are not authentic"},
    {TAG_SRTP, offsetof(struct counters_worker, dropped_srtp_replay),
     "packets seen before, or too old"},
    {TAG_RTCP, offsetof(struct counters_worker, dropped_rtcp_parse), "malformed RTCP packets"},
    {TAG_RTX, offsetof(struct counters_worker, dropped_rate_limit), "packets over a rate limit"},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static struct {
    uint32_t tags;
    unsigned left; /* lines that may be written in this second */
    unsigned suppressed;
    int64_t next_us;
    uint64_t seen[N_ROWS];
} state;

int on_log_set(uint32_t level, uint32_t tags)
{
    if (level > LOG_LEVEL_DEBUG)
        return -EINVAL;
    log_set_level((enum log_level)level);
    state.tags = tags & (TAG_BIT(TAGS) - 1);
    state.left = ON_LOG_LINES;
    state.next_us = 0;
    return 0;
}

uint32_t on_log_tags(void)
{
    return state.tags;
}

int on_set_log(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    (void)e;
    (void)now_us;
    return on_log_set(r->set_log->level, r->set_log->tags);
}

/* Whether a line of one of these tags may be written now. */
static bool may(uint32_t tags)
{
    if (!(state.tags & tags))
        return false;
    if (state.left == 0) {
        state.suppressed++;
        return false;
    }
    state.left--;
    return true;
}

static void log_layers(const struct engine_event *e)
{
    const char *tag = tag_name(state.tags & TAG_BIT(TAG_SIMULCAST) ? TAG_SIMULCAST : TAG_SVC);
    if (e->none)
        log_info(tag, "nothing is sent consumer=%llu", (unsigned long long)e->object);
    else
        log_info(tag, "other layers are sent consumer=%llu spatial=%u temporal=%u",
                 (unsigned long long)e->object, e->spatial, e->temporal);
}

void on_log_event(const struct engine_event *e)
{
    static const char *const ice[] = {"new", "connected", "completed", "disconnected"};
    static const char *const dtls[] = {"new", "connecting", "connected", "failed", "closed"};
    unsigned long long id = e->object;
    char local[ADDR_STR_MAX], remote[ADDR_STR_MAX];
    switch (e->kind) {
    case ENGINE_ICE_STATE:
        if (may(TAG_BIT(TAG_ICE)))
            log_info("ice", "state transport=%llu state=%s", id, ice[e->ice]);
        break;
    case ENGINE_TUPLE:
        if (may(TAG_BIT(TAG_ICE)))
            log_info("ice", "selected transport=%llu protocol=%s local=%s remote=%s", id,
                     e->tcp ? "tcp" : "udp", addr_format(&e->local, local),
                     addr_format(&e->remote, remote));
        break;
    case ENGINE_DTLS_STATE:
        if (may(TAG_BIT(TAG_DTLS)))
            log_info("dtls", "state transport=%llu state=%s reason=%s", id, dtls[e->dtls],
                     e->reason ? e->reason : "");
        break;
    case ENGINE_LAYERS:
        if (may(TAG_BIT(TAG_SIMULCAST) | TAG_BIT(TAG_SVC)))
            log_layers(e);
        break;
    case ENGINE_SCORE:
        if (may(TAG_BIT(TAG_SCORE)))
            log_info("score", "other score object=%llu score=%u", id, e->score);
        break;
    default:
        break;
    }
}

void on_log_refused(unsigned method, const char *why)
{
    if (may(TAG_BIT(TAG_INFO)))
        log_info("info", "a request was refused method=%u reason=\"%s\"", method, why);
}

void on_log_pass(const struct counters_worker *counts, int64_t now_us)
{
    if (!state.tags || now_us < state.next_us)
        return;
    bool first = state.next_us == 0; /* what was counted before is not news */
    state.next_us = now_us + SECOND_US;
    state.left = ON_LOG_LINES;
    if (state.suppressed)
        log_info("info", "lines were left out lines=%u", state.suppressed);
    state.suppressed = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        uint64_t now;
        memcpy(&now, (const uint8_t *)counts + rows[i].counter, sizeof(now));
        uint64_t grown = now - state.seen[i];
        state.seen[i] = now;
        if (grown && !first && may(TAG_BIT(rows[i].tag)))
            log_info(tag_name(rows[i].tag), "dropped: %s count=%llu", rows[i].text,
                     (unsigned long long)grown);
    }
}
