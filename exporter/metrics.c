#include "exporter/metrics.h"

#include "exporter/exporter.h"

#include <stdbool.h>
#include <string.h>

#define PARTS(...)                                                                                 \
    .parts = (const struct metric_part[]){__VA_ARGS__},                                            \
    .n_parts = sizeof((const struct metric_part[]){__VA_ARGS__}) / sizeof(struct metric_part)
#define W(value, row)                                                                              \
    {                                                                                              \
        value, COUNTERS_WORKER, COUNTERS_INDEX(worker, row)                                        \
    }
#define T(value, row)                                                                              \
    {                                                                                              \
        value, COUNTERS_TRANSPORT, COUNTERS_INDEX(transport, row)                                  \
    }
#define P(value, row)                                                                              \
    {                                                                                              \
        value, COUNTERS_PRODUCER, COUNTERS_INDEX(producer, row)                                    \
    }
#define C(value, row)                                                                              \
    {                                                                                              \
        value, COUNTERS_CONSUMER, COUNTERS_INDEX(consumer, row)                                    \
    }
#define S(value, member)                                                                           \
    {                                                                                              \
        value, COUNTERS_WORKER, offsetof(struct exporter_server, member)                           \
    }
#define X(member)                                                                                  \
    {                                                                                              \
        NULL, COUNTERS_WORKER, offsetof(struct exporter_self, member)                              \
    }
#define STREAM_LABELS                                                                              \
    "pid, room_id, peer_id, display_name, user_agent, transport_id, proto, local_addr, "           \
    "remote_addr, id, kind, codec, type, ssrc, rid"

/* clang-format off */
static const struct metric declared[] = {
    /* the names of the exporter that this one follows */
    {"edumeet_rooms", "Rooms open.", .from = METRIC_SERVER, PARTS(S(NULL, rooms))},
    {"edumeet_peers", "Peers admitted to the room.", .labels = "room_id", .from = METRIC_ROOM_PEERS},
    {"mediasoup_producer_byte_count_bytes", "Bytes of RTP packets received from the peer.", "bytes", STREAM_LABELS,
     .type = METRIC_OLD_COUNTER, .from = METRIC_STREAM_BYTES, .level = COUNTERS_PRODUCER},
    {"mediasoup_producer_score", "Quality of the stream as received, 0 to 10.", .labels = STREAM_LABELS,
     .from = METRIC_STREAM_SCORE, .level = COUNTERS_PRODUCER},
    {"mediasoup_consumer_byte_count_bytes", "Bytes of RTP packets sent to the peer.", "bytes", STREAM_LABELS,
     .type = METRIC_OLD_COUNTER, .from = METRIC_STREAM_BYTES, .level = COUNTERS_CONSUMER},
    {"mediasoup_consumer_score", "Quality of the stream as sent, 0 to 10.", .labels = STREAM_LABELS,
     .from = METRIC_STREAM_SCORE, .level = COUNTERS_CONSUMER},

    /* rooms and people */
    {"althing_rooms", "Rooms open.", .from = METRIC_SERVER, PARTS(S(NULL, rooms))},
    {"althing_peers", "People in rooms: in the lobby, let in, joined.", .labels = "state", .label = "state", .from = METRIC_SERVER,
     PARTS(S("lobby", lobby), S("admitted", admitted), S("joined", joined))},
    {"althing_producers", "Producers (sources of media) open.", .labels = "kind, codec", .from = METRIC_STREAM_COUNT,
     .level = COUNTERS_PRODUCER},
    {"althing_consumers", "Consumers (receivers of a producer's media) open.", .labels = "kind, codec", .from = METRIC_STREAM_COUNT,
     .level = COUNTERS_CONSUMER},

    /* how people get their media */
    {"althing_transport_connect_latency_seconds",
     "Time from a browser's request to connect a transport until its DTLS is connected.", "seconds", .type = METRIC_HISTOGRAM,
     .from = METRIC_SERVER, .histogram = &histogram_connect, PARTS(S(NULL, connect))},
    {"althing_join_latency_seconds",
     "Time from joining, or from the first request to connect a transport if that is later, until the first DTLS is connected.",
     "seconds", .type = METRIC_HISTOGRAM, .from = METRIC_SERVER, .histogram = &histogram_connect, PARTS(S(NULL, join))},
    {"althing_dtls_handshakes", "DTLS handshakes that ended, by their result.", .labels = "worker, result", .label = "result",
     .type = METRIC_COUNTER, PARTS(W("connected", dtls_connected), W("failed", dtls_failed))},
    {"althing_connection_failures",
     "Transports that did not connect, or lost their connection: ice_none got no connectivity check, ice_lost lost the consent to "
     "send, dtls_unfinished were closed during the handshake, the others failed in it.",
     .labels = "worker, reason", .label = "reason", .type = METRIC_COUNTER,
     PARTS(W("ice_none", closed_before_ice), W("ice_lost", ice_lost), W("dtls_unfinished", closed_before_dtls),
           W("dtls_fingerprint", dtls_failed_fingerprint), W("dtls_timeout", dtls_failed_timeout),
           W("dtls_srtp_profile", dtls_failed_srtp_profile), W("dtls_alert", dtls_failed_alert),
           W("dtls_handshake", dtls_failed_handshake))},
    {"althing_ice_connected", "Transports that ICE has found a way for.", .labels = "worker", .type = METRIC_COUNTER,
     PARTS(W(NULL, ice_connected))},
    {"althing_transports_by_ice_state", "Transports open, by the state of their ICE.", .labels = "worker, state",
     .from = METRIC_ICE_STATES},
    {"althing_transports_by_dtls_state", "Transports open, by the state of their DTLS.", .labels = "worker, state",
     .from = METRIC_DTLS_STATES},

    /* media */
    {"althing_bytes", "Bytes of all datagrams and frames.", "bytes", "worker, direction", "direction", .type = METRIC_COUNTER,
     PARTS(W("in", bytes_received), W("out", bytes_sent))},
    {"althing_datagrams", "UDP datagrams and TCP frames.", .labels = "worker, direction", .label = "direction",
     .type = METRIC_COUNTER, PARTS(W("in", datagrams_received), W("out", datagrams_sent))},
    {"althing_rtp_bytes", "Bytes of RTP packets, headers and padding included, retransmissions excluded.", "bytes",
     "worker, direction", "direction", .type = METRIC_COUNTER, PARTS(P("in", bytes), C("out", bytes))},
    {"althing_rtp_packets", "RTP packets, retransmissions excluded.", .labels = "worker, direction", .label = "direction",
     .type = METRIC_COUNTER, PARTS(P("in", packets), C("out", packets))},
    {"althing_rtp_lost_packets", "RTP packets lost: on the way in, and on the way out as receivers report.",
     .labels = "worker, direction", .label = "direction", .type = METRIC_COUNTER, PARTS(P("in", packets_lost), C("out", packets_lost))},
    {"althing_rtp_discarded_packets", "RTP packets received and thrown away (in), or not sent for want of bandwidth or room (out).",
     .labels = "worker, direction", .label = "direction", .type = METRIC_COUNTER,
     PARTS(P("in", packets_discarded), C("out", packets_discarded))},
    {"althing_retransmitted_packets", "RTP packets that came again (in) or were sent again (out).", .labels = "worker, direction",
     .label = "direction", .type = METRIC_COUNTER, PARTS(P("in", packets_retransmitted), C("out", packets_retransmitted))},
    {"althing_retransmitted_bytes", "Bytes of retransmitted RTP packets.", "bytes", "worker, direction", "direction",
     .type = METRIC_COUNTER, PARTS(T("in", rtx_bytes_received), T("out", rtx_bytes_sent))},
    {"althing_repaired_packets", "Lost RTP packets that a retransmission brought (in), or asked for and sent again (out).",
     .labels = "worker, direction", .label = "direction", .type = METRIC_COUNTER,
     PARTS(P("in", packets_repaired), C("out", packets_repaired))},
    {"althing_nack_messages", "NACK messages received (in) and sent (out).", .labels = "worker, direction", .label = "direction",
     .type = METRIC_COUNTER, PARTS(C("in", nack_count), P("out", nack_count))},
    {"althing_nack_packets", "RTP packets that NACK messages asked for.", .labels = "worker, direction", .label = "direction",
     .type = METRIC_COUNTER, PARTS(C("in", nack_packet_count), P("out", nack_packet_count))},
    {"althing_nack_missed_packets", "RTP packets that receivers asked for and that were not at hand any more.", .labels = "worker",
     .type = METRIC_COUNTER, PARTS(C(NULL, nack_misses))},
    {"althing_pli_messages", "Picture loss indications received (in) and sent (out).", .labels = "worker, direction",
     .label = "direction", .type = METRIC_COUNTER, PARTS(C("in", pli_count), P("out", pli_count))},
    {"althing_fir_messages", "Full intra requests received (in) and sent (out).", .labels = "worker, direction",
     .label = "direction", .type = METRIC_COUNTER, PARTS(C("in", fir_count), P("out", fir_count))},
    {"althing_key_frames", "Key frames received.", .labels = "worker", .type = METRIC_COUNTER, PARTS(P(NULL, key_frames))},
    {"althing_rtcp_datagrams", "RTCP datagrams.", .labels = "worker, direction", .label = "direction", .type = METRIC_COUNTER,
     PARTS(T("in", rtcp_packets_received), T("out", rtcp_packets_sent))},
    {"althing_forwarding_latency_seconds", "Time of an RTP packet from its arrival at the kernel until it is handed back to it.",
     "seconds", "worker", .type = METRIC_HISTOGRAM, .histogram = &histogram_forward, PARTS(W(NULL, forward_0))},
    {"althing_rtt_seconds", "Round-trip times to browsers, one a report.", "seconds", "worker", .type = METRIC_HISTOGRAM,
     .histogram = &histogram_rtt, PARTS(W(NULL, rtt_0))},
    {"althing_dropped_packets", "Datagrams, packets and frames thrown away, by reason.", .labels = "worker, reason",
     .label = "reason", .type = METRIC_COUNTER, .prefix = "dropped_",
     PARTS(W("send_error", send_errors), W("send_blocked", send_blocked))},

    /* processes */
    {"althing_workers", "Places for media workers.", .from = METRIC_SERVER, PARTS(S(NULL, workers))},
    {"althing_worker_up", "The worker in this place answers.", .labels = "worker", .from = METRIC_WORKER_UP},
    {"althing_worker_pid", "The process in this place; joins the pid label of the per-stream families to a worker.",
     .labels = "worker, pid", .type = METRIC_INFO, .from = METRIC_WORKER_PID},
    {"althing_worker_restarts", "Worker processes lost since the server started; each was replaced.", .type = METRIC_COUNTER,
     .from = METRIC_SERVER, PARTS(S(NULL, workers_lost))},
    {"althing_process_cpu_seconds", "CPU time: server, worker-0, worker-1, ...", "seconds", "process", .type = METRIC_COUNTER,
     .from = METRIC_CPU, .micro = true, PARTS(W(NULL, cpu_user), W(NULL, cpu_system))},
    {"althing_process_resident_memory_bytes", "Memory that is resident.", "bytes", "process", .from = METRIC_RESIDENT,
     PARTS(W(NULL, resident_bytes))},
    {"althing_process_start_time_seconds", "When the server started, in seconds since 1970.", "seconds", "process",
     .from = METRIC_START_TIME, .micro = true},
    {"althing_build", "The release that runs.", .labels = "version", .type = METRIC_INFO, .from = METRIC_BUILD},

    /* queues and the edge */
    {"althing_channel_queue_bytes", "Bytes that wait to be sent to the worker.", "bytes", "worker", .from = METRIC_WORKER_QUEUE},
    {"althing_channel_requests", "Requests that wait for the worker's answer.", .labels = "worker", .from = METRIC_WORKER_REQUESTS},
    {"althing_edge_connections", "TCP connections of browsers open.", .from = METRIC_SERVER, PARTS(S(NULL, connections))},
    {"althing_edge_sessions", "Signalling sessions open.", .from = METRIC_SERVER, PARTS(S(NULL, sessions))},
    {"althing_edge_accepted_connections", "TCP connections of browsers accepted.", .type = METRIC_COUNTER, .from = METRIC_SERVER,
     PARTS(S(NULL, connections_ever))},
    {"althing_edge_opened_sessions", "Signalling sessions opened.", .type = METRIC_COUNTER, .from = METRIC_SERVER,
     PARTS(S(NULL, sessions_ever))},
    {"althing_edge_queue_bytes", "Bytes that wait to be sent to browsers, of all sessions.", "bytes", .from = METRIC_SERVER,
     PARTS(S(NULL, queue_bytes))},
    {"althing_edge_longest_queue_bytes", "Bytes that wait to be sent to the browser with most of them.", "bytes",
     .from = METRIC_SERVER, PARTS(S(NULL, queue_most))},
    {"althing_edge_messages", "Signalling messages.", .labels = "direction", .label = "direction", .type = METRIC_COUNTER,
     .from = METRIC_SERVER, PARTS(S("in", messages_in), S("out", messages_out))},
    {"althing_edge_message_bytes", "Bytes of signalling messages.", "bytes", "direction", "direction", .type = METRIC_COUNTER,
     .from = METRIC_SERVER, PARTS(S("in", message_bytes_in), S("out", message_bytes_out))},
    {"althing_edge_http_requests", "HTTP requests.", .type = METRIC_COUNTER, .from = METRIC_SERVER, PARTS(S(NULL, http_requests))},
    {"althing_edge_missed_pings", "Sessions that did not answer a ping.", .type = METRIC_COUNTER, .from = METRIC_SERVER,
     PARTS(S(NULL, pings_missed))},
    {"althing_edge_refused", "Connections, sessions and messages refused or ended, by reason.", .labels = "reason",
     .label = "reason", .type = METRIC_COUNTER, .from = METRIC_SERVER,
     PARTS(S("address", refused_address), S("full", refused_full), S("origin", refused_origin), S("protocol", refused_protocol),
           S("size", refused_size), S("json", refused_json), S("rate", refused_rate), S("slow_reader", slow_readers),
           S("timeout", timeouts))},

    /* the exporter */
    {"althing_exporter_omitted_series",
     "Series left out of the family in this scrape, because prometheus.maxStreams or prometheus.maxRooms is reached.",
     .labels = "family", .from = METRIC_OMITTED},
    {"althing_exporter_scrapes", "Scrapes that were made.", .type = METRIC_COUNTER, .from = METRIC_SELF, PARTS(X(scrapes))},
    {"althing_exporter_scrape_slices", "Slices of the last scrape.", .from = METRIC_SELF, PARTS(X(slices))},
    {"althing_exporter_scrape_duration_seconds", "Time of the loop that the last scrape took.", "seconds", .from = METRIC_SELF,
     .micro = true, PARTS(X(last_us))},
    {"althing_exporter_longest_slice_seconds", "Time that the last scrape held the loop at once, at most.", "seconds",
     .from = METRIC_SELF, .micro = true, PARTS(X(slowest_us))},
    {"althing_exporter_refused_connections", "Connections that were refused because there were too many.", .type = METRIC_COUNTER,
     .from = METRIC_SELF, PARTS(X(refused))},
    {"althing_exporter_cut_off_connections", "Connections that were ended because they were too slow.", .type = METRIC_COUNTER,
     .from = METRIC_SELF, PARTS(X(cut_off))},
};
/* clang-format on */

/* ---- rows that no family names -------------------------------------------------------------------------------------------------- */

static struct metric all[METRICS_MAX];
static char names[METRICS_MAX][METRICS_NAME_MAX];
static struct metric_part parts[METRICS_MAX];            /* of families of one row */
static struct metric_part gathered[COUNTERS_FIELDS_MAX]; /* of the families with a prefix */
static size_t n_all, n_gathered;

static bool is_named(enum counters_level level, size_t row)
{
    for (size_t i = 0; i < sizeof(declared) / sizeof(declared[0]); i++) {
        const struct metric *m = &all[i];
        bool rows = m->from == METRIC_ROWS || m->from == METRIC_CPU || m->from == METRIC_RESIDENT;
        size_t length = m->histogram ? HISTOGRAM_ROWS : 1;
        for (size_t k = 0; rows && k < m->n_parts; k++) {
            if (m->parts[k].level == level && row >= m->parts[k].at &&
                row < m->parts[k].at + length)
                return true;
        }
    }
    return false;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

/* Microseconds become seconds; a unit that the name ends with is one for OpenMetrics. */
static void add_row(enum counters_level level, const struct counters_field *f)
{
    struct metric *m = &all[n_all];
    char *name = names[n_all];
    bool counter = f->kind == COUNTERS_KIND_COUNTER, micro = strcmp(f->unit, "us") == 0;
    size_t base = strlen(f->name);
    if (micro && ends_with(f->name, "_us"))
        base -= 3;
    snprintf(name, METRICS_NAME_MAX, "althing_%s_%.*s%s", counters_level_name(level), (int)base,
             f->name, micro ? "_seconds" : "");
    parts[n_all] = (struct metric_part){NULL, level, f->offset / sizeof(uint64_t)};
    *m = (struct metric){.name = name,
                         .help = f->help,
                         .unit = micro                       ? "seconds"
                                 : ends_with(name, "_bytes") ? "bytes"
                                                             : "",
                         .labels = "worker",
                         .parts = &parts[n_all],
                         .n_parts = 1,
                         .type = counter ? METRIC_COUNTER : METRIC_GAUGE,
                         .from = METRIC_ROWS,
                         .level = level,
                         .micro = micro};
    n_all++;
}

/* Every row of the workers that begins so is a part, besides those that are named. */
static void gather(struct metric *m)
{
    size_t n, first = n_gathered, length = strlen(m->prefix);
    const struct counters_field *f = counters_fields(COUNTERS_WORKER, &n);
    for (size_t i = 0; i < m->n_parts; i++)
        gathered[n_gathered++] = m->parts[i];
    for (size_t i = 0; i < n && n_gathered < COUNTERS_FIELDS_MAX; i++) {
        if (strncmp(f[i].name, m->prefix, length) == 0)
            gathered[n_gathered++] = (struct metric_part){f[i].name + length, COUNTERS_WORKER, i};
    }
    m->parts = &gathered[first];
    m->n_parts = n_gathered - first;
}

static void add_declared(void)
{
    for (size_t i = 0; i < sizeof(declared) / sizeof(declared[0]); i++) {
        struct metric *m = &all[n_all++];
        *m = declared[i];
        m->unit = m->unit ? m->unit : "";
        m->labels = m->labels ? m->labels : "";
        m->micro |= m->histogram != NULL;
        if (m->prefix)
            gather(m);
    }
}

/* What is a state of one object has no sum. */
const struct metric *metrics_all(size_t *n)
{
    if (n_all == 0) {
        add_declared();
        for (int l = 0; l < COUNTERS_LEVELS; l++) {
            size_t n_rows;
            const struct counters_field *f = counters_fields((enum counters_level)l, &n_rows);
            for (size_t i = 0; i < n_rows && n_all < METRICS_MAX; i++) {
                bool sums = l == COUNTERS_WORKER || f[i].kind == COUNTERS_KIND_COUNTER;
                if (sums && !is_named((enum counters_level)l, i))
                    add_row((enum counters_level)l, &f[i]);
            }
        }
    }
    *n = n_all;
    return all;
}

/* ---- the page ------------------------------------------------------------------------------------------------------------------- */

const char *metrics_suffix(enum metric_type type)
{
    return type == METRIC_COUNTER ? "_total" : type == METRIC_INFO ? "_info" : "";
}

static const char *type_name(enum metric_type type)
{
    static const char *const text[] = {
        [METRIC_GAUGE] = "gauge",         [METRIC_COUNTER] = "counter",
        [METRIC_OLD_COUNTER] = "counter", [METRIC_HISTOGRAM] = "histogram",
        [METRIC_INFO] = "info",
    };
    return text[type];
}

static void print_values(FILE *out, const struct metric *m)
{
    if (!m->label)
        return;
    fprintf(out, " `%s`:", m->label);
    for (size_t i = 0; i < m->n_parts; i++)
        fprintf(out, "%s `%s`", i ? "," : "", m->parts[i].value);
    fputs(".", out);
}

void metrics_print(FILE *out)
{
    size_t n;
    const struct metric *m = metrics_all(&n);
    fputs("# Metrics\n\n"
          "What `GET /metrics` on `prometheus.port` shows. Rates are made by whoever asks: "
          "`rate(althing_bytes_total[1m])`. A `worker` is a place,\n"
          "which outlives the process in it; what former processes of a place have counted stays "
          "counted. `direction`: `in` is from browsers to us.\n"
          "OpenMetrics shows the two families of counters whose names do not end in `_total` as "
          "`unknown`; their names and numbers are the same.\n\n"
          "Who has bad quality: `mediasoup_consumer_score < 7` (what reaches somebody) and "
          "`mediasoup_producer_score < 7` (what somebody sends). A score counts\n"
          "what retransmissions did not mend, so that a line which loses 10 % may keep a 9. Loss, "
          "round trip, jitter and layers of a single stream, and the\n"
          "likely cause, are not metrics: `althingctl bad` says them.\n\n"
          "| name | type | labels | what it says |\n|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "| `%s%s` | %s | %s | %s", m[i].name, metrics_suffix(m[i].type),
                type_name(m[i].type), m[i].labels, m[i].help);
        print_values(out, &m[i]);
        fputs(" |\n", out);
    }
}
