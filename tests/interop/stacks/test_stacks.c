/* Stacks that are no browser's against a real worker: each sends a tone, which the worker forwards back to it, and says how much of it it
 * has decoded. A stack that is not installed is skipped. The first argument is the folder of the peers. */
#include "tests/interop/worker/harness.h"
#include "tests/unit/check.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define IP       "127.0.0.1"
#define ROUTER   1
#define PRODUCER 100
#define CONSUMER 200
#define SSRC_OUT 0x22222222u
#define PT       111
#define PASSWORD "apasswordofagoodlength1234"
#define CHILD_MS 40000

static const char *folder;
static struct harness h;

/* ---- a program of others ---- */

struct child {
    pid_t pid;
    int in, out;
    char text[32768];
    size_t len;
};

static void child_start(struct child *c, const char *command)
{
    int in[2], out[2];
    memset(c, 0, sizeof(*c));
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    c->pid = fork();
    if (c->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        if (chdir(folder) == 0)
            execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    c->in = in[1];
    c->out = out[0];
}

static void child_say(struct child *c, const char *text)
{
    assert_int_equal(write(c->in, text, strlen(text)), strlen(text));
    close(c->in);
    c->in = -1;
}

/* Reads until that stands there; false: it ended, or the time is over. */
static bool child_until(struct child *c, const char *mark)
{
    while (!strstr(c->text, mark)) {
        struct pollfd p = {.fd = c->out, .events = POLLIN};
        if (c->len + 1 >= sizeof(c->text) || poll(&p, 1, CHILD_MS) != 1)
            return false;
        ssize_t n = read(c->out, c->text + c->len, sizeof(c->text) - 1 - c->len);
        if (n <= 0)
            return false;
        c->len += (size_t)n;
    }
    return true;
}

static int child_stop(struct child *c, bool kill_it)
{
    int status = -1;
    if (c->in >= 0)
        close(c->in);
    if (kill_it)
        kill(c->pid, SIGTERM);
    waitpid(c->pid, &status, 0);
    close(c->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_there(const char *command)
{
    struct child c;
    child_start(&c, command);
    return child_stop(&c, false) == 0;
}

/* ---- the server's part ---- */

static void opus(Althing__Codec *codec)
{
    althing__codec__init(codec);
    codec->type = ALTHING__CODEC_TYPE__CODEC_OPUS;
    codec->payload_type = PT;
    codec->clock_rate = 48000;
    codec->mime_subtype = (char *)(uintptr_t) "opus";
}

static void produce(uint64_t transport, uint32_t ssrc)
{
    Althing__Codec codec, *codecs = &codec;
    Althing__Encoding encoding = ALTHING__ENCODING__INIT, *encodings = &encoding;
    Althing__CreateProducer p = ALTHING__CREATE_PRODUCER__INIT;
    Althing__Request r = ALTHING__REQUEST__INIT;
    opus(&codec);
    encoding.ssrc = ssrc;
    p.transport = transport;
    p.producer = PRODUCER;
    p.kind = ALTHING__KIND__KIND_AUDIO;
    p.n_codecs = p.n_encodings = 1;
    p.codecs = &codecs;
    p.encodings = &encodings;
    p.cname = (char *)(uintptr_t) "theirs";
    r.method_case = ALTHING__REQUEST__METHOD_CREATE_PRODUCER;
    r.create_producer = &p;
    assert_int_equal(harness_request(&h, &r), 0);
}

static void consume(uint64_t transport)
{
    Althing__Codec codec;
    Althing__CodecMapping mapping = ALTHING__CODEC_MAPPING__INIT, *mappings = &mapping;
    Althing__CreateConsumer c = ALTHING__CREATE_CONSUMER__INIT;
    Althing__Request r = ALTHING__REQUEST__INIT;
    opus(&codec);
    mapping.producer_payload_type = PT;
    mapping.codec = &codec;
    c.transport = transport;
    c.consumer = CONSUMER;
    c.producer = PRODUCER;
    c.n_codecs = 1;
    c.codecs = &mappings;
    c.ssrc = SSRC_OUT;
    c.cname = (char *)(uintptr_t) "ours";
    r.method_case = ALTHING__REQUEST__METHOD_CREATE_CONSUMER;
    r.create_consumer = &c;
    assert_int_equal(harness_request(&h, &r), 0);
}

/* ---- WebRTC ---- */

static void make_offer(char *out, size_t cap)
{
    snprintf(out, cap,
             "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n"
             "a=group:BUNDLE 0\r\na=msid-semantic: WMS *\r\n"
             "m=audio %u UDP/TLS/RTP/SAVPF %u\r\nc=IN IP4 %s\r\na=mid:0\r\n"
             "a=rtpmap:%u opus/48000/2\r\na=rtcp-mux\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=sendrecv\r\n"
             "a=setup:actpass\r\na=fingerprint:sha-256 %s\r\na=ice-ufrag:fragment\r\n"
             "a=ice-pwd:" PASSWORD "\r\na=candidate:1 1 udp 2130706431 %s %u typ host\r\n"
             "a=end-of-candidates\r\na=msid:ours ours\r\na=ssrc:%u cname:ours\r\n",
             h.port, PT, IP, PT, h.fingerprint, IP, h.port, SSRC_OUT);
}

static bool find_value(const char *sdp, const char *key, char *out, size_t cap)
{
    const char *at = strstr(sdp, key);
    if (!at)
        return false;
    at += strlen(key);
    size_t n = strcspn(at, " \r\n");
    if (n >= cap)
        return false;
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

static void tone_through(const char *name, const char *check, const char *command)
{
    char offer[2048], fingerprint[128], ssrc[16], setup[16];
    struct child c;
    if (!is_there(check)) {
        print_message("%s is not installed: skipped\n", name);
        return;
    }
    harness_start(&h);
    harness_router(&h, ROUTER);
    harness_transport(&h, ROUTER, 10, "fragment", PASSWORD);
    make_offer(offer, sizeof(offer));
    child_start(&c, command);
    child_say(&c, offer);
    assert_true(child_until(&c, "\n.\n"));
    assert_true(find_value(c.text, "a=fingerprint:sha-256 ", fingerprint, sizeof(fingerprint)));
    assert_true(find_value(c.text, "a=ssrc:", ssrc, sizeof(ssrc)));
    assert_true(find_value(c.text, "a=setup:", setup, sizeof(setup)));
    produce(10, (uint32_t)strtoul(ssrc, NULL, 10));
    consume(10);
    harness_connect(&h, 10,
                    strcmp(setup, "passive") == 0 ? ALTHING__DTLS_ROLE__DTLS_ROLE_SERVER
                                                  : ALTHING__DTLS_ROLE__DTLS_ROLE_CLIENT,
                    fingerprint);
    bool heard = child_until(&c, "heard 100");
    harness_events(&h, 0);
    if (!heard)
        print_message("%s\n", c.text);
    assert_true(heard);
    child_stop(&c, false);
    harness_stop(&h);
}

static void aiortc(void **state)
{
    (void)state;
    tone_through("aiortc", "/usr/bin/python3 -c 'import aiortc'",
                 "exec /usr/bin/python3 aiortc_peer.py");
}

static void gstreamer(void **state)
{
    (void)state;
    tone_through(
        "GStreamer",
        "gst-inspect-1.0 webrtcbin >/dev/null 2>&1 && gst-inspect-1.0 nicesink >/dev/null 2>&1 && "
        "gst-inspect-1.0 opusdec >/dev/null 2>&1 && /usr/bin/python3 -c 'import gi'",
        "exec /usr/bin/python3 gstreamer_peer.py");
}

/* ---- plain RTP ---- */

static void plain(uint64_t id, bool comedia, const uint8_t key[30])
{
    Althing__CreatePlainTransport m = ALTHING__CREATE_PLAIN_TRANSPORT__INIT;
    Althing__SrtpKey k = ALTHING__SRTP_KEY__INIT;
    Althing__Request r = ALTHING__REQUEST__INIT;
    k.profile = 1;
    k.key = (ProtobufCBinaryData){30, (uint8_t *)(uintptr_t)key};
    m.router = ROUTER;
    m.transport = id;
    m.comedia = comedia;
    m.rtcp_mux = true;
    m.clear = !key;
    m.send_key = key ? &k : NULL;
    r.method_case = ALTHING__REQUEST__METHOD_CREATE_PLAIN_TRANSPORT;
    r.create_plain_transport = &m;
    assert_int_equal(harness_request(&h, &r), 0);
}

static void plain_to(uint64_t id, uint16_t port, const uint8_t key[30])
{
    Althing__ConnectPlainTransport m = ALTHING__CONNECT_PLAIN_TRANSPORT__INIT;
    Althing__SrtpKey k = ALTHING__SRTP_KEY__INIT;
    Althing__Request r = ALTHING__REQUEST__INIT;
    k.profile = 1;
    k.key = (ProtobufCBinaryData){30, (uint8_t *)(uintptr_t)key};
    m.transport = id;
    m.remote_ip = (char *)(uintptr_t)(port ? IP : "");
    m.remote_port = port;
    m.receive_key = key ? &k : NULL;
    r.method_case = ALTHING__REQUEST__METHOD_CONNECT_PLAIN_TRANSPORT;
    r.connect_plain_transport = &m;
    assert_int_equal(harness_request(&h, &r), 0);
}

#define FFMPEG     "ffmpeg -hide_banner -nostats -loglevel info "
#define KEY_BASE64 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB" /* 30 times 1 */

/* One ffmpeg sends a tone to a transport that learns where it is; another gets it from a transport with its address. */
static void ffmpeg_through(const uint8_t key[30])
{
    char command[1024];
    struct child sender, receiver;
    uint16_t port = 0;
    harness_start(&h);
    port = (uint16_t)(h.port ^ 2); /* as free as any, and not the next one, where RTCP may be */
    harness_router(&h, ROUTER);
    plain(10, true, key);
    if (key)
        plain_to(10, 0, key);
    plain(20, false, key);
    produce(10, 12345);
    consume(20);
    snprintf(command, sizeof(command),
             "printf 'v=0\\no=- 0 0 IN IP4 " IP "\\ns=-\\nc=IN IP4 " IP "\\nt=0 0\\n"
             "m=audio %u RTP/%s %u\\na=rtpmap:%u opus/48000/2\\n%s' | exec " FFMPEG
             "-protocol_whitelist pipe,udp,rtp,srtp,crypto,fd -f sdp -i pipe:0 -t 2 "
             "-af volumedetect -f null - 2>&1",
             port, key ? "SAVP" : "AVP", PT, PT,
             key ? "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_BASE64 "\\n" : "");
    child_start(&receiver, command);
    snprintf(command, sizeof(command),
             "exec " FFMPEG
             "-re -f lavfi -i sine=frequency=440:sample_rate=48000 -t 15 -ac 2 -c:a libopus "
             "-ssrc 12345 -payload_type %u %s -f rtp '%srtp://" IP ":%u' 2>&1",
             PT, key ? "-srtp_out_suite AES_CM_128_HMAC_SHA1_80 -srtp_out_params " KEY_BASE64 : "",
             key ? "s" : "", h.port);
    usleep(500000); /* the receiver has its socket */
    plain_to(20, port, key);
    child_start(&sender, command);
    bool heard = child_until(&receiver, "mean_volume: -2");
    if (!heard)
        print_message("%s\n%s\n", receiver.text, sender.text);
    child_stop(&sender, true);
    child_stop(&receiver, !heard);
    assert_true(heard);
    harness_stop(&h);
}

static void ffmpeg(void **state)
{
    (void)state;
    uint8_t key[30];
    memset(key, 1, sizeof(key));
    if (!is_there("ffmpeg -version >/dev/null 2>&1")) {
        print_message("ffmpeg is not installed: skipped\n");
        return;
    }
    ffmpeg_through(NULL);
    ffmpeg_through(key);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aiortc),
        cmocka_unit_test(gstreamer),
        cmocka_unit_test(ffmpeg),
    };
    folder = argc > 1 ? argv[1] : ".";
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
