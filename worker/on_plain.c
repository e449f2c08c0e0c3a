#include "worker/on_methods.h"
#include "worker/route/pipe.h"
#include "worker/route/plain.h"

#include <errno.h>
#include <string.h>

/* Absent: fine, and *has is false. */
static int decode_key(bool *has, struct srtp_key *out, const Althing__SrtpKey *in)
{
    *has = in != NULL;
    if (!in)
        return 0;
    enum srtp_profile profile = (enum srtp_profile)in->profile;
    size_t k = srtp_key_len(profile), s = srtp_salt_len(profile);
    if (!k || in->key.len != k + s)
        return -EINVAL;
    out->profile = profile;
    memcpy(out->key, in->key.data, k);
    memcpy(out->salt, in->key.data + k, s);
    return 0;
}

static int check_socket(const struct engine *e, uint32_t sock)
{
    struct addr local;
    return engine_local(e, sock, &local) ? 0 : -EINVAL;
}

int on_create_plain_transport(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__CreatePlainTransport *m = r->create_plain_transport;
    struct params_plain p = {
        .router = m->router,
        .transport = m->transport,
        .peer = m->peer,
        .sock = m->socket,
        .comedia = m->comedia,
        .rtcp_mux = m->rtcp_mux,
        .clear = m->clear,
        .max_incoming_bitrate = m->max_incoming_bitrate,
    };
    int err = m->transport ? check_socket(e, m->socket) : -EINVAL;
    if (!err)
        err = decode_key(&p.has_key, &p.key, m->send_key);
    if (!err)
        err = plain_create(e, &p, now_us);
    explicit_bzero(&p.key, sizeof(p.key));
    return err;
}

int on_create_pipe_transport(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__CreatePipeTransport *m = r->create_pipe_transport;
    struct params_plain p = {
        .router = m->router,
        .transport = m->transport,
        .peer = "",
        .sock = m->socket,
        .rtcp_mux = true,
        .clear = m->clear,
        .rtcp_ssrc = m->ssrc,
    };
    int err = m->transport ? check_socket(e, m->socket) : -EINVAL;
    if (!err)
        err = decode_key(&p.has_key, &p.key, m->send_key);
    if (!err)
        err = pipe_create(e, &p, now_us);
    explicit_bzero(&p.key, sizeof(p.key));
    return err;
}

static int decode_remote(struct params_remote *out, const char *ip, uint32_t port)
{
    if (port > UINT16_MAX)
        return -EINVAL;
    if (!port)
        return *ip ? -EINVAL : 0;
    return addr_parse(&out->addr, ip, (uint16_t)port) ? -EINVAL : 0;
}

int on_connect_plain_transport(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__ConnectPlainTransport *m = r->connect_plain_transport;
    struct params_remote p = {.rtcp_port = (uint16_t)m->remote_rtcp_port,
                              .rtcp_ssrc = m->remote_ssrc};
    int err = m->remote_rtcp_port > UINT16_MAX ? -EINVAL : 0;
    if (!err)
        err = decode_remote(&p, m->remote_ip, m->remote_port);
    if (!err)
        err = decode_key(&p.has_key, &p.key, m->receive_key);
    if (!err)
        err = plain_connect(e, m->transport, &p, now_us);
    explicit_bzero(&p.key, sizeof(p.key));
    return err;
}

int on_connect_pipe_transport(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__ConnectPipeTransport *m = r->connect_pipe_transport;
    struct params_remote p = {.rtcp_ssrc = m->remote_ssrc};
    int err = decode_remote(&p, m->remote_ip, m->remote_port);
    if (!err)
        err = decode_key(&p.has_key, &p.key, m->receive_key);
    if (!err)
        err = pipe_connect(e, m->transport, &p, now_us);
    explicit_bzero(&p.key, sizeof(p.key));
    return err;
}
