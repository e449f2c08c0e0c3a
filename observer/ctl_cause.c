#include "observer/ctl_cause.h"

#include "observer/ctl_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The worst finding so far. */
struct finding {
    unsigned severity;
    char *cause;
};

static void found(struct finding *f, unsigned severity, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void found(struct finding *f, unsigned severity, const char *fmt, ...)
{
    va_list ap;
    if (severity > 100)
        severity = 100;
    if (severity <= f->severity)
        return;
    f->severity = severity;
    va_start(ap, fmt);
    vsnprintf(f->cause, CTL_CAUSE_MAX, fmt, ap);
    va_end(ap);
}

static bool over_tcp(const struct ctl_stream *s)
{
    return s->transport && strcmp(s->transport->protocol, "tcp") == 0;
}

static const char *tcp_hint(const struct ctl_stream *s)
{
    return over_tcp(s) ? ", over TCP: its UDP is blocked" : "";
}

/* Causes begin with what is wrong: a narrow screen cuts off their end. */
static const char *on_link(const struct ctl_stream *s)
{
    return s->sends ? "on its link to the server" : "on its link from the server";
}

/* False: media can flow. */
static bool unconnected(struct finding *f, const struct ctl_stream *s)
{
    const struct ctl_transport *t = s->transport;
    if (!t)
        return false;
    if (strcmp(t->ice, "disconnected") == 0)
        found(f, 95, "connection lost: the peer does not answer any more");
    else if (strcmp(t->dtls, "failed") == 0)
        found(f, 95, "DTLS failed: no media keys");
    else if (strcmp(t->ice, "new") == 0)
        found(f, 90, "not connected: no ICE check came; a firewall, or a wrong announced address");
    else if (strcmp(t->dtls, "connected") != 0 && t->dtls[0])
        found(f, 90, "not connected yet: DTLS is %s", t->dtls);
    return f->severity > 0;
}

static int64_t clock_khz(const struct ctl_stream *s)
{
    return strcmp(s->kind, "audio") == 0 ? 48 : 90;
}

static void way(struct finding *f, const struct ctl_stream *s)
{
    char share[CTL_NUMBER_MAX], ms[CTL_NUMBER_MAX];
    if (s->loss >= CTL_LOSS_BAD)
        found(f, 30 + (unsigned)s->loss / 2, "%s lost %s%s", ctl_text_share(share, s->loss),
              on_link(s), tcp_hint(s));
    if (s->rtt_us >= CTL_RTT_BAD_US)
        found(f, 25, "slow: %s there and back %s%s", ctl_text_ms(ms, s->rtt_us), on_link(s),
              tcp_hint(s));
    if (s->jitter / clock_khz(s) >= CTL_JITTER_BAD_MS)
        found(f, 20, "jitter %lldms %s%s: it is unsteady, or the %s is busy",
              (long long)(s->jitter / clock_khz(s)), on_link(s), tcp_hint(s),
              s->sends ? "browser" : "sender");
}

static void sender(struct finding *f, const struct ctl_stream *s)
{
    if (s->bitrate == 0 && s->active == 0)
        found(f, 80, "it sends nothing: the device is muted or busy, or its uplink is cut");
    else if (s->bitrate == 0)
        return; /* the higher layers of a simulcast set come and go as they are wanted */
    way(f, s);
    if (s->score >= 0 && s->score < CTL_SCORE_GOOD)
        found(f, 10 + (unsigned)(CTL_SCORE_GOOD - s->score) * 3, "packets lost %s", on_link(s));
}

static void fewer_layers(struct finding *f, const struct ctl_stream *s)
{
    const struct ctl_stream *from = s->source_stream;
    char rate[CTL_NUMBER_MAX];
    int64_t available =
        s->transport ? ctl_int(s->transport->stats, "available_outgoing_bitrate", 0) : 0;
    long long have = (long long)s->spatial, most = (long long)s->spatial_most;
    if (from && from->streams > 1 && (int64_t)from->active <= s->spatial + 1)
        found(f, 15, "layer %lld, not %lld: the sender sends no higher one (its uplink, its CPU)",
              have, most);
    else if (available)
        found(f, 20, "layer %lld, not %lld: its downlink takes about %sbit/s", have, most,
              ctl_text_rate(rate, available));
    else
        found(f, 15, "layer %lld, not %lld: for want of bandwidth, or waiting for a key frame",
              have, most);
}

static void receiver(struct finding *f, const struct ctl_stream *s)
{
    const struct ctl_stream *from = s->source_stream;
    char sender_cause[CTL_CAUSE_MAX] = "";
    unsigned of_sender = from && !from->paused ? ctl_cause(from, sender_cause) : 0;
    if (s->bitrate == 0 && from && from->active == 0)
        found(f, 70, "nothing comes from the sender: %s", sender_cause);
    else if (s->bitrate == 0 && from)
        found(f, 75,
              "nothing is forwarded: waiting for a key frame, or no bandwidth; the sender sends");
    if (of_sender >= 20 && s->bitrate)
        found(f, of_sender - 5, "at the sender: %s", sender_cause);
    way(f, s);
    if (s->bitrate && s->spatial >= 0 && s->spatial < s->spatial_most)
        fewer_layers(f, s);
    if (s->score >= 0 && s->score < CTL_SCORE_GOOD)
        found(f, 10 + (unsigned)(CTL_SCORE_GOOD - s->score) * 3, "packets lost %s", on_link(s));
}

unsigned ctl_cause(const struct ctl_stream *s, char cause[static CTL_CAUSE_MAX])
{
    struct finding f = {0, cause};
    cause[0] = 0;
    if (s->paused || !s->measured || unconnected(&f, s))
        return f.severity;
    if (s->sends)
        sender(&f, s);
    else
        receiver(&f, s);
    return f.severity;
}
