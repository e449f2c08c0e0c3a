#include "worker/secure/srtp_lib.h"

#include "lib/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <srtp2/srtp.h>

struct srtp_lib {
    srtp_t session;
};

void srtp_lib_free(struct srtp_lib *l)
{
    if (!l)
        return;
    if (l->session)
        srtp_dealloc(l->session);
    free(l);
}

static void set_policies(srtp_policy_t *p, enum srtp_profile profile)
{
    switch (profile) {
    case SRTP_PROFILE_AEAD_AES_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtcp);
        break;
    case SRTP_PROFILE_AEAD_AES_256_GCM:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtcp);
        break;
    case SRTP_PROFILE_AES_CM_128_HMAC_SHA1_32:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&p->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtcp);
        break;
    case SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtcp);
        break;
    }
}

int srtp_lib_new(struct srtp_lib **lp, const struct srtp_key *key, bool seal)
{
    static bool ready;
    size_t k = srtp_key_len(key->profile), s = srtp_salt_len(key->profile);
    if (!k)
        return -EINVAL;
    if (!ready && srtp_init() != srtp_err_status_ok)
        return -EINVAL;
    ready = true;
    uint8_t master[32 + 14];
    memcpy(master, key->key, k);
    memcpy(master + k, key->salt, s);
    srtp_policy_t policy = {0};
    set_policies(&policy, key->profile);
    policy.ssrc.type = seal ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = master;
    policy.window_size = SRTP_WINDOW;
    policy.allow_repeat_tx = 1;
    struct srtp_lib *l = mem_zalloc(sizeof(*l));
    srtp_err_status_t status = srtp_create(&l->session, &policy);
    OPENSSL_cleanse(master, sizeof(master));
    if (status != srtp_err_status_ok) {
        free(l);
        return -EINVAL;
    }
    *lp = l;
    return 0;
}

static int result(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return -EALREADY;
    default:
        return -EBADMSG;
    }
}

int srtp_lib_open_rtp(struct srtp_lib *l, uint8_t *pkt, size_t *len)
{
    int n = (int)*len;
    int err = result(srtp_unprotect(l->session, pkt, &n));
    *len = (size_t)n;
    return err;
}

int srtp_lib_open_rtcp(struct srtp_lib *l, uint8_t *pkt, size_t *len)
{
    int n = (int)*len;
    int err = result(srtp_unprotect_rtcp(l->session, pkt, &n));
    *len = (size_t)n;
    return err;
}

void srtp_lib_seal(struct srtp_lib *l, struct srtp_job *job)
{
    uint8_t *p = job->out + job->aad_len + job->head_len;
    job->out_len = 0;
    if (job->pad_len > UCHAR_MAX)
        return;
    if (job->payload_len)
        memcpy(p, job->payload, job->payload_len);
    if (job->pad_len) {
        memset(p + job->payload_len, 0, job->pad_len);
        p[job->payload_len + job->pad_len - 1] = (uint8_t)job->pad_len;
    }
    int n = (int)(job->aad_len + job->head_len + job->payload_len + job->pad_len);
    if (srtp_protect(l->session, job->out, &n) == srtp_err_status_ok)
        job->out_len = (uint32_t)n;
}

int srtp_lib_seal_rtcp(struct srtp_lib *l, uint8_t *pkt, size_t *len, size_t cap)
{
    if (*len + SRTP_TRAILER_MAX > cap)
        return -EMSGSIZE;
    int n = (int)*len;
    if (srtp_protect_rtcp(l->session, pkt, &n) != srtp_err_status_ok)
        return -EIO;
    *len = (size_t)n;
    return 0;
}

void srtp_lib_forget(struct srtp_lib *l, uint32_t ssrc)
{
    (void)srtp_remove_stream(l->session, htonl(ssrc));
}
