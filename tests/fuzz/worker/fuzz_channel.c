/* The server's requests, frame after frame: two bytes of length, then the frame. All of epoch 1, after a Hello. */
#include "lib/chan.h"
#include "lib/cursor.h"
#include "worker/on_request.h"
#include "worker/secure/dtls.h"
#include "worker/wire/dgram.h"

#include <stdlib.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct chan *worker, *server;
static struct dtls_cert *cert;
static struct outbox outbox;

static void nowhere(struct outbox *ob, void *arg)
{
    (void)ob;
    (void)arg;
}

static void open_once(void)
{
    int fds[2];
    if (cert)
        return;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) || chan_new(&worker, fds[0], 65536) ||
        chan_new(&server, fds[1], 65536) || dtls_cert_new(&cert))
        abort();
    outbox_init(&outbox, nowhere, NULL);
}

static void drain(void)
{
    static uint8_t buf[CHAN_FRAME_MAX];
    do {
        while (chan_recv(server, buf, sizeof(buf), NULL, NULL) > 0) {
        }
        chan_flush(worker);
    } while (chan_pending(worker));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Frame{epoch 1, request{id 1, hello{version 1, epoch 1}}} */
    static const uint8_t hello[] = {8, 1, 18, 8, 8, 1, 18, 4, 8, 1, 16, 1};
    struct channel *c;
    struct engine *e;
    open_once();
    struct channel_config cc = {.chan = worker, .cert = cert, .release = "fuzz"};
    channel_new(&c, &cc);
    struct engine_config ec = {
        .outbox = &outbox, .cert = cert, .pool_slots = 16, .event = channel_event, .event_arg = c};
    if (engine_new(&e, &ec))
        abort();
    channel_start(c, e);
    int64_t now_us = 1000000;
    channel_frame(c, hello, sizeof(hello), now_us);
    struct reader r = reader_of(data, size);
    while (reader_left(&r) >= 2) {
        size_t len = reader_u16(&r);
        if (len > reader_left(&r))
            len = reader_left(&r);
        channel_frame(c, reader_take(&r, len), len, now_us);
        now_us += 300000;
        engine_timers(e, now_us);
        engine_send(e, now_us);
        drain();
    }
    engine_free(e);
    channel_free(c);
    drain();
    return 0;
}
