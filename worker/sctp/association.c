#include "worker/sctp/association.h"

#include "lib/mem.h"
#include "worker/sctp/stack.h"
#include "worker/sctp/state.h"
#include "worker/wire/sctp_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <usrsctp.h>

#define RTO_INITIAL_MS 500
#define RTO_MIN_MS     400
#define RTO_MAX_MS     10000
#define INIT_RTO_MS    4000
#define RETRANSMITS    20 /* then the peer is gone; that takes minutes, ICE gives up sooner */
#define RESETS_MAX     64 /* streams of one request */

/* ---- sets of streams ---- */

static bool has(const struct stream_set *s, uint16_t stream)
{
    return s->words[stream / 32] >> stream % 32 & 1;
}

static void add(struct stream_set *s, uint16_t stream)
{
    s->words[stream / 32] |= UINT32_C(1) << stream % 32;
}

static void take_out(struct stream_set *s, uint16_t stream)
{
    s->words[stream / 32] &= ~(UINT32_C(1) << stream % 32);
}

/* ---- life ---- */

static void set_state(struct association *a, enum association_state to)
{
    enum association_state from = a->state;
    if (from == to || from == ASSOCIATION_FAILED || from == ASSOCIATION_CLOSED)
        return;
    a->state = to;
    if (a->handlers->state)
        a->handlers->state(from, to, a->arg);
}

static void close_socket(struct association *a)
{
    if (!a->socket)
        return;
    usrsctp_set_upcall(a->socket, NULL, NULL);
    usrsctp_close(a->socket); /* it does not linger: a peer that is still there gets an ABORT */
    stack_remove(a);
    a->socket = NULL;
}

static void end(struct association *a, enum association_state how)
{
    close_socket(a);
    set_state(a, how);
}

int association_new(struct association **ap, const struct association_config *conf,
                    const struct association_handlers *handlers, void *arg)
{
    if (!conf->streams || conf->streams > ASSOCIATION_STREAMS_MAX ||
        conf->max_message < ASSOCIATION_MESSAGE_MIN ||
        conf->max_message > ASSOCIATION_MESSAGE_MAX || conf->send_buffer < conf->max_message ||
        conf->send_buffer > ASSOCIATION_SEND_BUFFER_MAX)
        return -EINVAL;
    struct association *a = mem_zalloc(sizeof(*a));
    a->conf = *conf;
    a->handlers = handlers;
    a->arg = arg;
    *ap = a;
    return 0;
}

void association_free(struct association *a)
{
    if (!a)
        return;
    a->silent = true;
    close_socket(a);
    free(a);
}

enum association_state association_state(const struct association *a)
{
    return a->state;
}

uint64_t association_dropped(const struct association *a)
{
    return a->dropped;
}

/* ---- connecting ---- */

static int option(const struct association *a, int name, const void *value, size_t len)
{
    return usrsctp_setsockopt(a->socket, IPPROTO_SCTP, name, value, (socklen_t)len) ? -errno : 0;
}

static int set_buffers(const struct association *a)
{
    const struct linger linger = {.l_onoff = 1};
    const int receive = ASSOCIATION_RECEIVE_BUFFER, send = (int)a->conf.send_buffer;
    /* A message is handed over in one piece: a longer one than is allowed shows by coming in parts. */
    const uint32_t part = a->conf.max_message + 1;
    if (usrsctp_setsockopt(a->socket, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) ||
        usrsctp_setsockopt(a->socket, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive)) ||
        usrsctp_setsockopt(a->socket, SOL_SOCKET, SO_SNDBUF, &send, sizeof(send)))
        return -errno;
    return option(a, SCTP_PARTIAL_DELIVERY_POINT, &part, sizeof(part));
}

static int set_times(const struct association *a)
{
    const struct sctp_rtoinfo rto = {
        .srto_initial = RTO_INITIAL_MS, .srto_min = RTO_MIN_MS, .srto_max = RTO_MAX_MS};
    const struct sctp_assocparams params = {.sasoc_asocmaxrxt = RETRANSMITS};
    const struct sctp_initmsg init = {.sinit_num_ostreams = a->conf.streams,
                                      .sinit_max_instreams = a->conf.streams,
                                      .sinit_max_attempts = UINT16_MAX, /* till the peer is there */
                                      .sinit_max_init_timeo = INIT_RTO_MS};
    const struct sctp_paddrparams path = {.spp_flags = SPP_PMTUD_DISABLE,
                                          .spp_pathmtu = ASSOCIATION_MTU - SCTP_PACKET_HEADER,
                                          .spp_pathmaxrxt = RETRANSMITS};
    int err = option(a, SCTP_RTOINFO, &rto, sizeof(rto));
    if (!err)
        err = option(a, SCTP_ASSOCINFO, &params, sizeof(params));
    if (!err)
        err = option(a, SCTP_INITMSG, &init, sizeof(init));
    return err ? err : option(a, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
}

static int set_features(const struct association *a)
{
    static const uint16_t wanted[] = {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT};
    const struct sctp_assoc_value reset = {.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ};
    const uint32_t on = 1;
    int err = option(a, SCTP_ENABLE_STREAM_RESET, &reset, sizeof(reset));
    if (!err)
        err = option(a, SCTP_NODELAY, &on, sizeof(on));
    if (!err)
        err = option(a, SCTP_RECVRCVINFO, &on, sizeof(on));
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && !err; i++) {
        const struct sctp_event event = {.se_type = wanted[i], .se_on = 1};
        err = option(a, SCTP_EVENT, &event, sizeof(event));
    }
    return err;
}

static int connect_socket(struct association *a)
{
    struct sockaddr_conn address = {.sconn_family = AF_CONN,
                                    .sconn_port = htons(ASSOCIATION_PORT),
                                    .sconn_addr = (void *)a->id};
    if (usrsctp_set_non_blocking(a->socket, 1))
        return -errno;
    int err = set_buffers(a);
    if (!err)
        err = set_times(a);
    if (!err)
        err = set_features(a);
    if (err)
        return err;
    if (usrsctp_bind(a->socket, (struct sockaddr *)&address, sizeof(address)))
        return -errno;
    if (usrsctp_connect(a->socket, (struct sockaddr *)&address, sizeof(address)) &&
        errno != EINPROGRESS)
        return -errno;
    return 0;
}

int association_connect(struct association *a)
{
    if (a->state != ASSOCIATION_NEW)
        return 0;
    a->socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (!a->socket)
        return -errno;
    stack_add(a);
    set_state(a, ASSOCIATION_CONNECTING);
    int err = connect_socket(a);
    if (err)
        end(a, ASSOCIATION_FAILED);
    stack_drain();
    return err;
}

/* ---- resets (RFC 6525) ---- */

/* The library takes one request at a time; it says so, and when that one is done. */
static void request_resets(struct association *a)
{
    union {
        struct sctp_reset_streams head;
        uint8_t bytes[sizeof(struct sctp_reset_streams) + RESETS_MAX * sizeof(uint16_t)];
    } request = {.head = {.srs_flags = SCTP_STREAM_RESET_OUTGOING}};
    uint16_t *list = request.head.srs_stream_list, n = 0;
    for (uint16_t i = 0; i < a->out_streams && n < RESETS_MAX; i++)
        if (has(&a->to_reset, i))
            list[n++] = i;
    if (!n || !a->socket)
        return;
    request.head.srs_number_streams = n;
    size_t len = sizeof(request.head) + n * sizeof(list[0]);
    if (usrsctp_setsockopt(a->socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, &request, (socklen_t)len))
        return;
    for (uint16_t i = 0; i < n; i++)
        take_out(&a->to_reset, list[i]);
}

static void reset(struct association *a, uint16_t stream)
{
    if (stream >= a->out_streams || !has(&a->used, stream))
        return;
    take_out(&a->used, stream);
    add(&a->to_reset, stream);
}

void association_use(struct association *a, uint16_t stream)
{
    if (stream < a->conf.streams)
        add(&a->used, stream);
}

void association_reset(struct association *a, uint16_t stream)
{
    if (a->state != ASSOCIATION_CONNECTED)
        return;
    reset(a, stream);
    request_resets(a);
    stack_drain();
}

static void on_reset(struct association *a, const struct sctp_stream_reset_event *ev)
{
    size_t n = (ev->strreset_length - sizeof(*ev)) / sizeof(uint16_t);
    bool incoming = (ev->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0;
    bool refused =
        (ev->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) != 0;
    for (size_t i = 0; incoming && !refused && i < n; i++)
        reset(a, ev->strreset_stream_list[i]);
    for (uint32_t i = 0; incoming && !refused && !n && i < a->out_streams; i++)
        reset(a, (uint16_t)i);
    request_resets(a);
}

/* ---- what comes in ---- */

static void on_change(struct association *a, const struct sctp_assoc_change *ev)
{
    switch (ev->sac_state) {
    case SCTP_COMM_UP:
    case SCTP_RESTART:
        a->out_streams =
            ev->sac_outbound_streams < a->conf.streams ? ev->sac_outbound_streams : a->conf.streams;
        set_state(a, ASSOCIATION_CONNECTED);
        break;
    case SCTP_SHUTDOWN_COMP:
        end(a, ASSOCIATION_CLOSED);
        break;
    case SCTP_COMM_LOST:
    case SCTP_CANT_STR_ASSOC:
        end(a, ASSOCIATION_FAILED);
        break;
    default:
        break;
    }
}

/* The library's notifications are ours to trust but for what a packet could make of them: their length. */
static void on_notification(struct association *a, const uint8_t *data, size_t len)
{
    union {
        union sctp_notification any;
        uint8_t bytes[offsetof(struct sctp_stream_reset_event, strreset_stream_list) +
                      ASSOCIATION_STREAMS_MAX * sizeof(uint16_t)];
    } n;
    if (len < sizeof(n.any.sn_header) || len > sizeof(n.bytes))
        return;
    memcpy(n.bytes, data, len);
    if (n.any.sn_header.sn_length != len)
        return;
    if (n.any.sn_header.sn_type == SCTP_ASSOC_CHANGE && len >= sizeof(n.any.sn_assoc_change))
        on_change(a, &n.any.sn_assoc_change);
    if (n.any.sn_header.sn_type == SCTP_STREAM_RESET_EVENT &&
        len >= sizeof(n.any.sn_strreset_event))
        on_reset(a, &n.any.sn_strreset_event);
}

static void on_message(struct association *a, const uint8_t *data, size_t len,
                       const struct sctp_rcvinfo *info)
{
    if (info->rcv_sid >= a->conf.streams)
        return;
    add(&a->used, info->rcv_sid);
    const struct association_message m = {
        .stream = info->rcv_sid,
        .ppid = ntohl(info->rcv_ppid),
        .data = data,
        .len = len,
        .unordered = (info->rcv_flags & SCTP_UNORDERED) != 0,
    };
    a->handlers->message(&m, a->arg);
}

void association_read(struct association *a)
{
    static uint8_t data[ASSOCIATION_MESSAGE_MAX + 1]; /* one is read at a time */
    while (a->socket) {
        struct sctp_rcvinfo info = {0};
        socklen_t from_len = 0, info_len = sizeof(info);
        unsigned type = SCTP_RECVV_NOINFO;
        int flags = 0;
        ssize_t n = usrsctp_recvv(a->socket, data, a->conf.max_message + 1, NULL, &from_len, &info,
                                  &info_len, &type, &flags);
        if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN))
            return;
        if (n <= 0)
            end(a, n ? ASSOCIATION_FAILED : ASSOCIATION_CLOSED);
        else if (flags & MSG_NOTIFICATION)
            on_notification(a, data, (size_t)n);
        else if (!(flags & MSG_EOR) || (size_t)n > a->conf.max_message)
            end(a, ASSOCIATION_FAILED);
        else if (type == SCTP_RECVV_RCVINFO)
            on_message(a, data, (size_t)n, &info);
    }
}

void association_input(struct association *a, const uint8_t *packet, size_t len)
{
    struct sctp_packet p;
    if (sctp_packet_check(packet, len, &p) || p.source_port != ASSOCIATION_PORT ||
        p.destination_port != ASSOCIATION_PORT) {
        a->dropped++;
        return;
    }
    association_connect(a);
    if (!a->socket)
        return;
    usrsctp_conninput((void *)a->id, packet, len, 0);
    stack_drain();
}

/* ---- what goes out ---- */

int association_send(struct association *a, const struct association_message *m)
{
    static const uint16_t policies[] = {
        [ASSOCIATION_RELIABLE] = SCTP_PR_SCTP_NONE,
        [ASSOCIATION_RETRANSMITS] = SCTP_PR_SCTP_RTX,
        [ASSOCIATION_LIFETIME] = SCTP_PR_SCTP_TTL,
    };
    if (a->state != ASSOCIATION_CONNECTED || !a->socket)
        return -ENOTCONN;
    if (m->stream >= a->out_streams || !m->len)
        return -EINVAL;
    if (m->len > a->conf.max_message)
        return -EMSGSIZE;
    struct sctp_sendv_spa spa = {
        .sendv_flags = SCTP_SEND_SNDINFO_VALID,
        .sendv_sndinfo = {.snd_sid = m->stream,
                          .snd_flags = m->unordered ? SCTP_UNORDERED : 0,
                          .snd_ppid = htonl(m->ppid)},
        .sendv_prinfo = {.pr_policy = policies[m->reliability], .pr_value = m->parameter},
    };
    if (m->reliability != ASSOCIATION_RELIABLE)
        spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    ssize_t n =
        usrsctp_sendv(a->socket, m->data, m->len, NULL, 0, &spa, sizeof(spa), SCTP_SENDV_SPA, 0);
    int err = n < 0 ? -errno : 0;
    add(&a->used, m->stream);
    stack_drain();
    return !err || err == -EAGAIN || err == -EMSGSIZE ? err : -EAGAIN;
}
