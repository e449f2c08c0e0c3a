#include "tests/interop/worker/peer.h"

#include "tests/interop/worker/peer_dtls.h"

#include <stdlib.h>
#include <string.h>

#include <nice/agent.h>
#include <srtp2/srtp.h>

#define PACKET_MAX 2048
#define TRAILER    148 /* libsrtp may write so much behind a packet */

struct browser {
    struct browser_config conf;
    NiceAgent *agent;
    guint stream;
    bool ice_ready, keyed;
    struct peer_dtls *dtls;
    const char *remote_fingerprint;
    const char *profile;
    srtp_t rx, tx;
    uint64_t bad;
};

static GMainContext *context;

static void send_datagram(const uint8_t *data, size_t len, void *arg)
{
    struct browser *p = arg;
    nice_agent_send(p->agent, p->stream, 1, (guint)len, (const gchar *)data);
}

static srtp_t session(const struct peer_dtls_keys *k, uint8_t *key, srtp_ssrc_type_t direction)
{
    srtp_policy_t policy = {.ssrc.type = direction, .key = key, .window_size = 1024};
    srtp_t s;
    if (k->profile == 7) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else if (k->profile == 8) {
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    }
    if (srtp_create(&s, &policy) != srtp_err_status_ok)
        abort();
    return s;
}

static void take_keys(struct browser *p)
{
    struct peer_dtls_keys k;
    if (p->keyed || !peer_dtls_keys(p->dtls, &k))
        return;
    p->tx = session(&k, k.local, ssrc_any_outbound);
    p->rx = session(&k, k.remote, ssrc_any_inbound);
    p->profile = k.name;
    p->keyed = true;
}

static void take_media(struct browser *p, const uint8_t *data, size_t len)
{
    uint8_t pkt[PACKET_MAX] __attribute__((aligned(8)));
    bool rtcp = len > 1 && data[1] >= 192 && data[1] <= 223;
    int n = (int)len;
    if (!p->keyed || len > sizeof(pkt))
        return;
    memcpy(pkt, data, len);
    srtp_err_status_t err =
        rtcp ? srtp_unprotect_rtcp(p->rx, pkt, &n) : srtp_unprotect(p->rx, pkt, &n);
    if (err != srtp_err_status_ok) {
        p->bad++;
        return;
    }
    browser_packet_f *fn = rtcp ? p->conf.rtcp : p->conf.rtp;
    if (fn)
        fn(p, pkt, (size_t)n, p->conf.arg);
}

static void on_datagram(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf,
                        gpointer arg)
{
    struct browser *p = arg;
    const uint8_t *data = (const uint8_t *)buf;
    (void)agent;
    (void)stream;
    (void)component;
    if (len && data[0] >= 128 && data[0] <= 191)
        take_media(p, data, len);
    else if (len && data[0] >= 20 && data[0] <= 63)
        peer_dtls_input(p->dtls, data, len);
    take_keys(p);
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer arg)
{
    struct browser *p = arg;
    (void)agent;
    (void)stream;
    (void)component;
    if (state != NICE_COMPONENT_STATE_READY)
        return;
    p->ice_ready = true;
    peer_dtls_start(p->dtls);
}

struct browser *browser_new(const struct browser_config *conf)
{
    struct browser *p = calloc(1, sizeof(*p));
    NiceAddress local;
    if (!context) {
        context = g_main_context_new();
        srtp_init();
    }
    p->conf = *conf;
    p->profile = "";
    p->dtls =
        peer_dtls_new(conf->profiles, conf->dtls_server, conf->hello_pieces, send_datagram, p);
    p->agent = nice_agent_new(context, NICE_COMPATIBILITY_RFC5245);
    g_object_set(p->agent, "controlling-mode", TRUE, "upnp", FALSE, "ice-tcp", (gboolean)conf->tcp,
                 "ice-udp", (gboolean)!conf->tcp, NULL);
    g_signal_connect(p->agent, "component-state-changed", G_CALLBACK(on_state), p);
    nice_address_init(&local);
    if (!nice_address_set_from_string(&local, conf->local_ip))
        abort();
    nice_agent_add_local_address(p->agent, &local);
    p->stream = nice_agent_add_stream(p->agent, 1);
    nice_agent_attach_recv(p->agent, p->stream, 1, context, on_datagram, p);
    if (!nice_agent_gather_candidates(p->agent, p->stream))
        abort();
    return p;
}

void browser_free(struct browser *p)
{
    if (!p)
        return;
    g_signal_handlers_disconnect_by_data(p->agent, p);
    nice_agent_attach_recv(p->agent, p->stream, 1, context, NULL, NULL);
    nice_agent_remove_stream(p->agent, p->stream);
    g_object_unref(p->agent);
    while (g_main_context_iteration(context, FALSE))
        continue;
    peer_dtls_free(p->dtls);
    if (p->keyed) {
        srtp_dealloc(p->rx);
        srtp_dealloc(p->tx);
    }
    free(p);
}

const char *browser_fingerprint(const struct browser *p)
{
    return peer_dtls_fingerprint(p->dtls);
}

void browser_connect(struct browser *p, const char *ufrag, const char *password, const char *ip,
                     uint16_t port, const char *fingerprint)
{
    NiceCandidate *c = nice_candidate_new(NICE_CANDIDATE_TYPE_HOST);
    c->transport =
        p->conf.tcp ? NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE : NICE_CANDIDATE_TRANSPORT_UDP;
    c->component_id = 1;
    c->stream_id = p->stream;
    c->priority = 2130706431;
    strcpy(c->foundation, "1");
    nice_address_set_from_string(&c->addr, ip);
    nice_address_set_port(&c->addr, port);
    c->base_addr = c->addr;
    p->remote_fingerprint = fingerprint;
    GSList *list = g_slist_append(NULL, c);
    nice_agent_set_remote_credentials(p->agent, p->stream, ufrag, password);
    nice_agent_set_remote_candidates(p->agent, p->stream, 1, list);
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
}

static bool ready(const struct browser *p)
{
    return p->keyed && peer_dtls_remote_is(p->dtls, p->remote_fingerprint);
}

bool browser_wait(struct browser *p, unsigned ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;
    while (!ready(p) && !peer_dtls_failed(p->dtls) && g_get_monotonic_time() < end) {
        browser_run(2, NULL, 0);
        peer_dtls_turn(p->dtls);
        take_keys(p);
    }
    return ready(p);
}

bool browser_failed(const struct browser *p)
{
    return peer_dtls_failed(p->dtls);
}

const char *browser_profile(const struct browser *p)
{
    return p->profile;
}

uint64_t browser_bad_packets(const struct browser *p)
{
    return p->bad;
}

static size_t protect(struct browser *p, bool rtcp, const uint8_t *pkt, size_t len, uint8_t *out,
                      size_t cap)
{
    int n = (int)len;
    if (!p->keyed || len + TRAILER > cap)
        return 0;
    memcpy(out, pkt, len);
    srtp_err_status_t err = rtcp ? srtp_protect_rtcp(p->tx, out, &n) : srtp_protect(p->tx, out, &n);
    return err == srtp_err_status_ok ? (size_t)n : 0;
}

size_t browser_protect_rtp(struct browser *p, const uint8_t *pkt, size_t len, uint8_t *out,
                           size_t cap)
{
    return protect(p, false, pkt, len, out, cap);
}

void browser_send_raw(struct browser *p, const uint8_t *data, size_t len)
{
    send_datagram(data, len, p);
}

void browser_send_rtp(struct browser *p, const uint8_t *pkt, size_t len)
{
    uint8_t out[PACKET_MAX] __attribute__((aligned(8)));
    size_t n = protect(p, false, pkt, len, out, sizeof(out));
    if (n)
        send_datagram(out, n, p);
}

void browser_send_rtcp(struct browser *p, const uint8_t *pkt, size_t len)
{
    uint8_t out[PACKET_MAX] __attribute__((aligned(8)));
    size_t n = protect(p, true, pkt, len, out, sizeof(out));
    if (n)
        send_datagram(out, n, p);
}

static gboolean wake(gpointer arg)
{
    (void)arg;
    return G_SOURCE_CONTINUE;
}

void browser_run(unsigned ms, const uint64_t *done, uint64_t until)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;
    GSource *tick = g_timeout_source_new(1);
    g_source_set_callback(tick, wake, NULL, NULL);
    g_source_attach(tick, context);
    while (g_get_monotonic_time() < end && (!done || *done < until))
        g_main_context_iteration(context, TRUE);
    g_source_destroy(tick);
    g_source_unref(tick);
}
