#include "worker/secure/srtp.h"

#include "lib/mem.h"
#include "lib/seq.h"
#include "worker/secure/srtp_evp.h"
#include "worker/secure/srtp_lib.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define WINDOW_WORDS (SRTP_WINDOW / 64)
#define INDEX_MAX    ((int64_t)1 << 48)

/* What has been received of one SSRC. */
struct source {
    uint32_t ssrc;
    int64_t highest;             /* index: roc << 16 | sequence number */
    uint64_t seen[WINDOW_WORDS]; /* of the last SRTP_WINDOW indices, bit index % SRTP_WINDOW */
    uint64_t used;               /* rx->clock when a packet last came */
    UT_hash_handle hh;
};

struct srtp_rx {
    struct srtp_evp *evp; /* NULL: RTP goes through lib */
    struct srtp_lib *lib; /* NULL: clear */
    struct source *rtp;   /* hash by SSRC */
    struct source *rtcp;  /* the same; of them only ssrc counts: libsrtp2 has the window */
    uint64_t clock;
};

struct srtp_tx {
    struct srtp_evp *evp; /* NULL: RTP goes through lib */
    struct srtp_lib *lib; /* NULL: clear */
};

static void free_sources(struct source **hash)
{
    struct source *s, *next;
    HASH_ITER (hh, *hash, s, next) {
        HASH_DEL(*hash, s);
        free(s);
    }
}

void srtp_rx_free(struct srtp_rx *rx)
{
    if (!rx)
        return;
    free_sources(&rx->rtp);
    free_sources(&rx->rtcp);
    srtp_evp_free(rx->evp);
    srtp_lib_free(rx->lib);
    free(rx);
}

int srtp_rx_new(struct srtp_rx **rp, const struct srtp_key *key, enum srtp_backend backend)
{
    struct srtp_rx *rx = mem_zalloc(sizeof(*rx));
    int err = srtp_lib_new(&rx->lib, key, false);
    if (!err && backend == SRTP_BACKEND_EVP)
        err = srtp_evp_new(&rx->evp, key, false);
    if (err) {
        srtp_rx_free(rx);
        return err;
    }
    *rp = rx;
    return 0;
}

void srtp_rx_new_clear(struct srtp_rx **rp)
{
    *rp = mem_zalloc(sizeof(**rp));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static struct source *find_source(struct source *hash, uint32_t ssrc)
{
    struct source *s;
    HASH_FIND(hh, hash, &ssrc, sizeof(ssrc), s);
    return s;
}

/* An authentic packet of a new SSRC came: this is rare, and the one place here that allocates. */
static struct source *add_source(struct source **hash, uint32_t ssrc)
{
    struct source *s = mem_zalloc(sizeof(*s));
    s->ssrc = ssrc;
    HASH_ADD(hh, *hash, ssrc, sizeof(s->ssrc), s);
    return s;
}

static void make_room(struct srtp_rx *rx)
{
    struct source *s, *next, *oldest = NULL;
    if (HASH_COUNT(rx->rtp) < SRTP_SSRCS_MAX)
        return;
    HASH_ITER (hh, rx->rtp, s, next)
        if (!oldest || s->used < oldest->used)
            oldest = s;
    HASH_DEL(rx->rtp, oldest);
    free(oldest);
}

static bool seen_before(const struct source *s, int64_t index)
{
    if (index > s->highest)
        return false;
    if (index <= s->highest - SRTP_WINDOW)
        return true;
    size_t bit = (size_t)index % SRTP_WINDOW;
    return s->seen[bit / 64] >> (bit % 64) & 1;
}

static void mark_seen(struct source *s, int64_t index)
{
    if (index - s->highest >= SRTP_WINDOW)
        memset(s->seen, 0, sizeof(s->seen));
    else
        for (int64_t i = s->highest + 1; i < index; i++) {
            size_t gap = (size_t)i % SRTP_WINDOW;
            s->seen[gap / 64] &= ~(1ULL << (gap % 64));
        }
    if (index > s->highest)
        s->highest = index;
    size_t bit = (size_t)index % SRTP_WINDOW;
    s->seen[bit / 64] |= 1ULL << (bit % 64);
}

static int open_evp(struct srtp_rx *rx, const uint8_t *pkt, size_t len, size_t header_len,
                    uint8_t *out, size_t *out_len)
{
    uint16_t seq = (uint16_t)(pkt[2] << 8 | pkt[3]);
    struct source *s = find_source(rx->rtp, get32(pkt + 8));
    /* RFC 3711 3.3.1: the index nearest to the highest one. */
    int64_t index = s ? seq16_extend(seq, s->highest) : seq;
    if (index < 0 || index >= INDEX_MAX)
        return -EBADMSG;
    if (s && seen_before(s, index))
        return -EALREADY;
    int err = srtp_evp_open(rx->evp, pkt, len, header_len, (uint64_t)index, out, out_len);
    if (err)
        return err;
    if (!s) {
        make_room(rx);
        s = add_source(&rx->rtp, get32(pkt + 8));
        s->highest = index;
    }
    mark_seen(s, index);
    s->used = ++rx->clock;
    return 0;
}

int srtp_rx_rtp(struct srtp_rx *rx, const uint8_t *pkt, size_t len, size_t header_len, uint8_t *out,
                size_t cap, size_t *out_len)
{
    if (len < 12)
        return -EBADMSG;
    if (len > cap)
        return -EMSGSIZE;
    if (rx->evp)
        return open_evp(rx, pkt, len, header_len, out, out_len);
    memcpy(out, pkt, len);
    *out_len = len;
    if (!rx->lib)
        return 0;
    uint32_t ssrc = get32(pkt + 8);
    struct source *s = find_source(rx->rtp, ssrc);
    if (!s && HASH_COUNT(rx->rtp) >= SRTP_SSRCS_MAX)
        return -EBADMSG;
    int err = srtp_lib_open_rtp(rx->lib, out, out_len);
    if (!err && !s)
        add_source(&rx->rtp, ssrc);
    return err;
}

int srtp_rx_rtcp(struct srtp_rx *rx, uint8_t *pkt, size_t *len)
{
    if (*len < 8)
        return -EBADMSG;
    if (!rx->lib)
        return 0;
    uint32_t ssrc = get32(pkt + 4);
    struct source *s = find_source(rx->rtcp, ssrc);
    if (!s && HASH_COUNT(rx->rtcp) >= SRTP_SSRCS_MAX)
        return -EBADMSG;
    int err = srtp_lib_open_rtcp(rx->lib, pkt, len);
    if (!err && !s)
        add_source(&rx->rtcp, ssrc);
    return err;
}

/* ---- sending ---- */

void srtp_tx_free(struct srtp_tx *tx)
{
    if (!tx)
        return;
    srtp_evp_free(tx->evp);
    srtp_lib_free(tx->lib);
    free(tx);
}

int srtp_tx_new(struct srtp_tx **tp, const struct srtp_key *key, enum srtp_backend backend)
{
    struct srtp_tx *tx = mem_zalloc(sizeof(*tx));
    int err = srtp_lib_new(&tx->lib, key, true);
    if (!err && backend == SRTP_BACKEND_EVP)
        err = srtp_evp_new(&tx->evp, key, true);
    if (err) {
        srtp_tx_free(tx);
        return err;
    }
    *tp = tx;
    return 0;
}

void srtp_tx_new_clear(struct srtp_tx **tp)
{
    *tp = mem_zalloc(sizeof(**tp));
}

static void put_clear(struct srtp_job *job)
{
    uint8_t *p = job->out + job->aad_len + job->head_len;
    job->out_len = 0;
    if (job->pad_len > UINT8_MAX)
        return;
    if (job->payload_len)
        memcpy(p, job->payload, job->payload_len);
    if (job->pad_len) {
        memset(p + job->payload_len, 0, job->pad_len);
        p[job->payload_len + job->pad_len - 1] = (uint8_t)job->pad_len;
    }
    job->out_len = job->aad_len + job->head_len + job->payload_len + job->pad_len;
}

void srtp_tx_rtp(struct srtp_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].tx->evp)
            srtp_evp_seal(jobs[i].tx->evp, &jobs[i]);
        else if (!jobs[i].tx->lib)
            put_clear(&jobs[i]);
        else
            srtp_lib_seal(jobs[i].tx->lib, &jobs[i]);
    }
}

void srtp_tx_forget(struct srtp_tx *tx, uint32_t ssrc)
{
    if (tx->lib)
        srtp_lib_forget(tx->lib, ssrc);
}

int srtp_tx_rtcp(struct srtp_tx *tx, uint8_t *pkt, size_t *len, size_t cap)
{
    if (!tx->lib)
        return *len <= cap ? 0 : -EMSGSIZE;
    return srtp_lib_seal_rtcp(tx->lib, pkt, len, cap);
}
