#include "load/result.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"audio", "video"};

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100 * (double)part / (double)whole : 0;
}

double result_loss(const struct result *r)
{
    uint64_t lost = 0, received = 0;
    for (size_t i = 0; i < MEDIA_COUNT; i++) {
        lost += r->media[i].lost;
        received += r->media[i].received;
    }
    return percent(lost, lost + received);
}

int64_t result_latency_us(const struct result *r, double p)
{
    int64_t worst = 0;
    for (size_t i = 0; i < MEDIA_COUNT; i++) {
        int64_t us = spread_percentile(&r->measure->latency[i], p);
        worst = us > worst ? us : worst;
    }
    return worst;
}

static double cpu(const struct process_usage *u, const struct result *r)
{
    return r->seconds > 0 ? (double)(u->user_us + u->system_us) / r->seconds / 10000 : 0;
}

static double mbit(uint64_t bytes, const struct result *r)
{
    return r->seconds > 0 ? (double)bytes * 8 / 1e6 / r->seconds : 0;
}

static double ms(int64_t us)
{
    return (double)us / 1000;
}

/* ---- the table ---- */

static void print_media(const struct result *r, size_t i, FILE *out)
{
    const struct result_media *m = &r->media[i];
    const struct spread *l = &r->measure->latency[i];
    if (!m->sent && !m->received)
        return;
    fprintf(out, "%-6s %8zu %10llu %10llu %8llu %7.3f %9.1f   %7.2f %7.2f %7.2f %7.2f\n", names[i],
            m->streams, (unsigned long long)m->sent, (unsigned long long)m->received,
            (unsigned long long)m->lost, percent(m->lost, m->lost + m->received),
            mbit(m->received_bytes, r), ms(spread_percentile(l, 50)), ms(spread_percentile(l, 95)),
            ms(spread_percentile(l, 99)), ms(l->max));
}

static void print_server(const struct result *r, FILE *out)
{
    const struct process_usage *u = &r->server;
    uint64_t packets = r->datagrams.datagrams_in;
    fprintf(out, "server  CPU %.0f %% (user %.2f s, system %.2f s), memory %.1f MiB", cpu(u, r),
            (double)u->user_us / 1e6, (double)u->system_us / 1e6,
            (double)u->resident_bytes / 1048576);
    if (packets)
        fprintf(out, ", %.2f us a datagram that reached us",
                (double)(u->user_us + u->system_us) / (double)packets);
    fputc('\n', out);
}

void result_print(const struct result *r, const struct options *o, FILE *out)
{
    const struct spread *j = &r->measure->join;
    fprintf(out,
            "\n%u rooms, %u people, %u of them in (%u failed), measured for %.1f s, GRO %s%s\n",
            r->rooms, r->peers, r->up, r->failed, r->seconds, o->gro ? "on" : "off",
            o->congestion ? "" : ", no congestion feedback");
    if (r->failed)
        fprintf(out, "the first that failed: %s\n", r->reason);
    fprintf(out, "join    50 %% in %.0f ms, 95 %% in %.0f ms, all in %.0f ms\n",
            ms(spread_percentile(j, 50)), ms(spread_percentile(j, 95)), ms(j->max));
    fprintf(out, "\n%-6s %8s %10s %10s %8s %7s %9s   %31s\n", "", "streams", "packets", "packets",
            "", "", "Mbit/s", "latency, ms");
    fprintf(out, "%-6s %8s %10s %10s %8s %7s %9s   %7s %7s %7s %7s\n", "", "received", "sent",
            "received", "lost", "lost %", "received", "50 %", "95 %", "99 %", "most");
    for (size_t i = 0; i < MEDIA_COUNT; i++)
        print_media(r, i, out);
    fprintf(out, "\nfreezes %llu, %.1f s in all; asked for again %llu packets, repaired %llu\n",
            (unsigned long long)r->measure->freezes, (double)r->measure->freeze_us / 1e6,
            (unsigned long long)r->media[MEDIA_VIDEO].nacked,
            (unsigned long long)r->media[MEDIA_VIDEO].repaired);
    if (r->has_server)
        print_server(r, out);
    fprintf(out, "load    CPU %.0f %%, left out %llu frames, kernel refused %llu datagrams\n",
            cpu(&r->own, r),
            (unsigned long long)(r->media[0].skipped_frames + r->media[1].skipped_frames),
            (unsigned long long)r->datagrams.lost_out);
    if (cpu(&r->own, r) > 85)
        fputs("The load itself was short of CPU: what it measured is its own limit.\n", out);
}

/* ---- JSON ---- */

static json_t *spread_json(const struct spread *s)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t)s->count, "mean",
                     round(spread_mean(s)) / 1000, "p50", ms(spread_percentile(s, 50)), "p95",
                     ms(spread_percentile(s, 95)), "p99", ms(spread_percentile(s, 99)), "max",
                     ms(s->max));
}

static json_t *media_json(const struct result *r, size_t i)
{
    const struct result_media *m = &r->media[i];
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:o}", "streams",
        (json_int_t)m->streams, "sent", (json_int_t)m->sent, "sentBytes", (json_int_t)m->sent_bytes,
        "received", (json_int_t)m->received, "receivedBytes", (json_int_t)m->received_bytes, "lost",
        (json_int_t)m->lost, "lossPercent", percent(m->lost, m->lost + m->received), "repaired",
        (json_int_t)m->repaired, "nacked", (json_int_t)m->nacked, "skippedFrames",
        (json_int_t)m->skipped_frames, "latencyMs", spread_json(&r->measure->latency[i]));
}

static json_t *usage_json(const struct process_usage *u, const struct result *r)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "cpuPercent", cpu(u, r), "userSeconds",
                     (double)u->user_us / 1e6, "systemSeconds", (double)u->system_us / 1e6,
                     "residentBytes", (json_int_t)u->resident_bytes);
}

static json_t *datagrams_json(const struct sockets_totals *t)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "received", (json_int_t)t->datagrams_in,
                     "receivedBytes", (json_int_t)t->bytes_in, "sent", (json_int_t)t->datagrams_out,
                     "sentBytes", (json_int_t)t->bytes_out, "notSent", (json_int_t)t->lost_out);
}

json_t *result_json(const struct result *r, const struct options *o)
{
    json_t *j = json_pack("{s:i, s:i, s:i, s:i, s:f, s:b, s:b, s:I, s:o}", "rooms", (int)r->rooms,
                          "peers", (int)r->peers, "joined", (int)r->up, "failed", (int)r->failed,
                          "seconds", r->seconds, "gro", (int)o->gro, "congestion",
                          (int)o->congestion, "streamsExpected", (json_int_t)r->streams_expected,
                          "joinMs", spread_json(&r->measure->join));
    if (r->failed)
        json_object_set_new(j, "reason", json_string(r->reason));
    for (size_t i = 0; i < MEDIA_COUNT; i++)
        json_object_set_new(j, names[i], media_json(r, i));
    json_object_set_new(j, "lossPercent", json_real(result_loss(r)));
    json_object_set_new(j, "freezes", json_integer((json_int_t)r->measure->freezes));
    json_object_set_new(j, "freezeMs", json_real(ms(r->measure->freeze_us)));
    json_object_set_new(j, "datagrams", datagrams_json(&r->datagrams));
    json_object_set_new(j, "datagramsSinceStart", datagrams_json(&r->all));
    json_object_set_new(j, "unreadable", json_integer((json_int_t)r->bad));
    json_object_set_new(j, "load", usage_json(&r->own, r));
    if (r->has_server)
        json_object_set_new(j, "server", usage_json(&r->server, r));
    return j;
}
