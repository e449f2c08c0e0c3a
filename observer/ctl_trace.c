/* ctl_trace.c - follows the packets of an object, and writes their headers to a capture file. */
#include "observer/ctl.h"
#include "observer/ctl_pcap.h"
#include "observer/ctl_text.h"

#include "lib/mem.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKET_MAX 2048

struct trace {
    struct ctl *c;
    const char *kind; /* of the object */
    char *id;
    struct ctl_pcap pcap; /* file NULL: none is written */
    uint64_t shown;
};

/* ---- which object ---- */

static bool take(struct trace *t, const char *kind, const json_t *o, const char *key)
{
    if (!o)
        return false;
    t->kind = kind;
    t->id = mem_strdup(ctl_str(o, key));
    return true;
}

/* A capture is of the whole transport, whatever on it was named. */
static bool addresses(struct trace *t, const struct ctl_model *m)
{
    bool several;
    const json_t *o = ctl_model_find(m, t->kind, NULL, t->id, &several);
    char *transport = mem_strdup(ctl_str(o, "transportId"));
    free(t->id);
    t->kind = "transport";
    t->id = transport;
    o = ctl_model_find(m, "transport", NULL, transport, &several);
    return ctl_pcap_addr(ctl_str(o, "local"), &t->pcap.local) &&
           ctl_pcap_addr(ctl_str(o, "remote"), &t->pcap.remote);
}

static int find(struct trace *t, const char *word)
{
    static const char *const kinds[] = {"transport", "producer", "consumer", NULL};
    struct ctl_model *m;
    bool several = false, any = false;
    int status = ctl_look(t->c, kinds, NULL, false, &m);
    if (status)
        return status;
    for (size_t i = 0; kinds[i] && !t->id; i++) {
        char key[32];
        snprintf(key, sizeof(key), "%sId", kinds[i]);
        take(t, kinds[i], ctl_model_find(m, kinds[i], NULL, word, &several), key);
        any |= several;
    }
    if (!t->id) {
        ctl_complain(any ? "several are meant by '%s'" : "no transport, producer or consumer '%s'",
                     word);
        status = CTL_REFUSED;
    } else if (t->pcap.file && !addresses(t, m)) {
        ctl_complain("the transport is not connected: nothing to capture");
        status = CTL_REFUSED;
    }
    ctl_model_free(m);
    return status;
}

/* ---- what comes ---- */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t from_hex(const char *text, uint8_t out[static PACKET_MAX])
{
    size_t n = 0;
    for (; n < PACKET_MAX && text[0] && digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2)
        out[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
    return n;
}

static void capture(struct trace *t, const json_t *e)
{
    uint8_t data[PACKET_MAX];
    const json_t *info = json_object_get(e, "info");
    double time_s = json_number_value(json_object_get(e, "time"));
    size_t n = from_hex(ctl_str(info, "data"), data);
    int64_t size = ctl_int(info, "size", 0);
    if (size < 0 || !(time_s >= 0 && time_s < 1e10))
        return;
    ctl_pcap_packet(&t->pcap, llround(time_s * 1e6), strcmp(ctl_str(e, "direction"), "out") == 0,
                    data, n, (size_t)size);
}

static void put_clean(FILE *out, const char *text)
{
    char *clean = ctl_text_clean_dup(text);
    fputs(clean, out);
    free(clean);
}

static void put_info(FILE *out, const json_t *info)
{
    const char *key;
    const json_t *v;
    json_object_foreach((json_t *)(uintptr_t)info, key, v)
    {
        fputc(' ', out);
        put_clean(out, key);
        fputc('=', out);
        char *text = json_is_string(v)
                         ? NULL
                         : json_dumps(v, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
        put_clean(out, text ? text : json_is_string(v) ? json_string_value(v) : "");
        free(text);
    }
}

static void show(const struct trace *t, const json_t *e)
{
    FILE *out = t->c->out;
    char at[16], id[CTL_ID_SHOWN + 1];
    double time_s = json_number_value(json_object_get(e, "time"));
    long long us = time_s >= 0 && time_s < 1e10 ? llround(time_s * 1e6) : 0;
    time_t whole = (time_t)(us / 1000000);
    struct tm tm;
    localtime_r(&whole, &tm);
    strftime(at, sizeof(at), "%H:%M:%S", &tm);
    fprintf(out, "%s.%06d %-3s ", at, (int)(us % 1000000),
            strcmp(ctl_str(e, "direction"), "out") == 0 ? "out" : "in");
    put_clean(out, ctl_str(e, "type"));
    fputc(' ', out);
    put_clean(out, ctl_str(e, "kind"));
    fputc(' ', out);
    snprintf(id, sizeof(id), "%s", ctl_str(e, "id"));
    put_clean(out, id);
    put_info(out, json_object_get(e, "info"));
    fputc('\n', out);
}

static void summary(const struct trace *t, const json_t *e)
{
    if (t->pcap.file)
        fprintf(stderr, "%llu packets captured", (unsigned long long)t->pcap.packets);
    else
        fprintf(stderr, "%llu events", (unsigned long long)t->shown);
    if (ctl_int(e, "lost", 0))
        fprintf(stderr, ", %lld lost", (long long)ctl_int(e, "lost", 0));
    const char *reason = ctl_str(e, "reason");
    fputs(*reason ? ": " : "", stderr);
    put_clean(stderr, reason);
    fputc('\n', stderr);
}

static int follow(struct trace *t)
{
    int err = 0;
    bool ended = false;
    while (!ended && !err && !ctl_interrupted) {
        json_t *e;
        err = ctl_conn_event(t->c->conn, -1, &e);
        if (err)
            break;
        const char *event = ctl_str(e, "event");
        ended = strcmp(event, "traceEnd") == 0;
        bool packet = strcmp(ctl_str(e, "type"), "packet") == 0;
        t->shown += !ended;
        if (t->pcap.file && packet)
            capture(t, e);
        else if (t->c->json)
            ctl_print_json(t->c, e);
        else if (!ended)
            show(t, e);
        if (ended)
            summary(t, e);
        json_decref(e);
        if (fflush(t->c->out) != 0 || (t->pcap.file && ferror(t->pcap.file)))
            err = -EIO;
    }
    if (!ended) { /* it ends with its connection */
        ctl_conn_free(t->c->conn);
        t->c->conn = NULL;
    }
    if (!err || err == -EINTR)
        return CTL_OK;
    ctl_complain(err == -EIO ? "cannot write" : "the server has closed the connection");
    return err == -EIO ? CTL_REFUSED : CTL_NO_SERVER;
}

/* ---- the command ---- */

static json_t *list_of(const char *words)
{
    json_t *list = json_array();
    while (*words) {
        size_t n = strcspn(words, ",");
        json_array_append_new(list, json_stringn(words, n));
        words += n + (words[n] == ',');
    }
    return list;
}

static int start(struct trace *t, const char *types, long seconds)
{
    json_t *members = json_object(), *r;
    json_object_set_new(members, "kind", json_string(t->kind));
    json_object_set_new(members, "key", json_string(t->id));
    if (types)
        json_object_set_new(members, "types", list_of(types));
    if (seconds)
        json_object_set_new(members, "seconds", json_integer(seconds));
    int status = ctl_ask(t->c, "trace", members, &r);
    json_decref(r);
    return status;
}

int ctl_trace(struct ctl *c, int argc, char **argv)
{
    const char *types = ctl_option(&argc, argv, "--types");
    const char *seconds = ctl_option(&argc, argv, "--seconds");
    const char *pcap = ctl_option(&argc, argv, "--pcap");
    char *end = NULL;
    long n = seconds ? strtol(seconds, &end, 10) : 0;
    struct trace t = {.c = c};
    if (argc != 2 || (seconds && (n < 1 || n > 3600 || *end)))
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    if (pcap) {
        t.pcap.file = fopen(pcap, "wxe");
        if (!t.pcap.file) {
            ctl_complain("cannot make %s: %s", pcap, strerror(errno));
            return CTL_REFUSED;
        }
        ctl_pcap_start(&t.pcap);
    }
    int status = find(&t, argv[1]);
    if (!status)
        status = start(&t, pcap && !types ? "packet" : types, n);
    if (!status)
        status = follow(&t);
    if (pcap && fclose(t.pcap.file) != 0 && !status) {
        ctl_complain("cannot write %s: %s", pcap, strerror(errno));
        status = CTL_REFUSED;
    }
    if (pcap && status && t.pcap.packets == 0)
        remove(pcap);
    free(t.id);
    return status;
}
