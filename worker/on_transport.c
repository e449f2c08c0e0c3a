#include "worker/on_methods.h"
#include "worker/route/transport.h"
#include "worker/route/webrtc.h"

#include <errno.h>
#include <string.h>

/* ice-char of RFC 8839 5.4, and the lengths of RFC 8445 5.3. */
static bool ice_string(const char *s, size_t min, size_t max)
{
    size_t len = strlen(s);
    return len >= min && len <= max &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == len;
}

static bool credentials(const char *ufrag, const char *password)
{
    return ice_string(ufrag, 4, 32) && ice_string(password, 22, 64);
}

int on_create_transport(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__CreateTransport *m = r->create_transport;
    if (!m->transport || !credentials(m->ice_ufrag, m->ice_password))
        return -EINVAL;
    struct params_transport p = {
        .router = m->router,
        .transport = m->transport,
        .ufrag = m->ice_ufrag,
        .password = m->ice_password,
        .peer = m->peer,
        .max_incoming_bitrate = m->max_incoming_bitrate,
        .initial_outgoing_bitrate = m->initial_outgoing_bitrate,
        .min_outgoing_bitrate = m->min_outgoing_bitrate,
        .max_outgoing_bitrate = m->max_outgoing_bitrate,
    };
    if (m->sctp) {
        if (m->sctp->streams == 0 || m->sctp->streams > ASSOCIATION_STREAMS_MAX)
            return -EINVAL;
        p.sctp = (struct params_sctp){.streams = (uint16_t)m->sctp->streams,
                                      .max_message = m->sctp->max_message_size,
                                      .send_buffer = m->sctp->send_buffer_size};
    }
    return webrtc_create(e, &p, now_us);
}

int on_connect_transport(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__ConnectTransport *m = r->connect_transport;
    struct params_fingerprint prints[LIMIT_FINGERPRINTS];
    size_t n = 0;
    for (size_t i = 0; i < m->n_fingerprints && n < LIMIT_FINGERPRINTS; i++)
        prints[n++] =
            (struct params_fingerprint){m->fingerprints[i]->algorithm, m->fingerprints[i]->value};
    if (n == 0 || (unsigned)m->remote_role > ALTHING__DTLS_ROLE__DTLS_ROLE_SERVER)
        return -EINVAL;
    bool active = m->remote_role == ALTHING__DTLS_ROLE__DTLS_ROLE_SERVER;
    return webrtc_connect(e, m->transport, active, prints, n, now_us);
}

int on_restart_ice(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__RestartIce *m = r->restart_ice;
    if (!credentials(m->ice_ufrag, m->ice_password))
        return -EINVAL;
    return webrtc_restart_ice(e, m->transport, m->ice_ufrag, m->ice_password, now_us);
}

int on_close_transport(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    transport_close(e, r->close_transport->transport, now_us);
    return 0;
}

int on_set_outgoing_bitrates(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__SetOutgoingBitrates *m = r->set_outgoing_bitrates;
    (void)now_us;
    return transport_set_outgoing(e, m->transport, m->min, m->max);
}

int on_set_max_incoming_bitrate(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__SetMaxIncomingBitrate *m = r->set_max_incoming_bitrate;
    return transport_set_max_incoming(e, m->transport, m->bitrate, now_us);
}
