#include "tests/unit/server/media/fake_worker.h"

#include "lib/chan.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void fake_init(struct fake_worker *w, int *server_fd)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    memset(w, 0, sizeof(*w));
    w->fd = fds[0];
    fcntl(w->fd, F_SETFL, O_NONBLOCK);
    *server_fd = fds[1];
}

void fake_free(struct fake_worker *w)
{
    fake_forget(w);
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

void fake_forget(struct fake_worker *w)
{
    while (w->n_got)
        althing__frame__free_unpacked(w->got[--w->n_got], NULL);
}

void fake_bytes(struct fake_worker *w, const void *bytes, size_t n)
{
    assert_int_equal(send(w->fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

void fake_send(struct fake_worker *w, Althing__Frame *frame)
{
    uint8_t *buf = malloc(althing__frame__get_packed_size(frame) + 1);
    fake_bytes(w, buf, althing__frame__pack(frame, buf));
    free(buf);
}

void fake_event(struct fake_worker *w, Althing__Event *event)
{
    Althing__Frame f = ALTHING__FRAME__INIT;
    f.epoch = w->epoch;
    f.body_case = ALTHING__FRAME__BODY_EVENT;
    f.event = event;
    fake_send(w, &f);
}

static void page(const struct fake_worker *w, const Althing__ListObjects *rq,
                 Althing__ObjectList *out)
{
    const uint64_t *has = w->has[rq->kind];
    size_t n = w->n_has[rq->kind], at = 0;
    while (!w->loses_its_way && rq->after && at < n && has[at++] != rq->after) {
    }
    out->n_handles = n - at < 3 ? n - at : 3;
    out->handles = (uint64_t *)(uintptr_t)(has + at);
    out->more = w->loses_its_way || at + out->n_handles < n;
}

static void answer(struct fake_worker *w, const Althing__Request *rq)
{
    char algorithm[] = "sha-256", value[] = "AB:CD:EF", release[] = "0.1.0", empty[] = "";
    Althing__Fingerprint print = ALTHING__FINGERPRINT__INIT, *prints[] = {&print};
    print.algorithm = algorithm;
    print.value = value;
    Althing__HelloReply hello = ALTHING__HELLO_REPLY__INIT;
    hello.version = 1;
    hello.n_fingerprints = 1;
    hello.fingerprints = prints;
    hello.release = release;
    char ip[] = "192.0.2.1";
    Althing__SocketAddress udp = ALTHING__SOCKET_ADDRESS__INIT, *sockets[] = {&udp};
    udp.ip = ip;
    udp.port = 40000 + (uint32_t)w->fd;
    hello.n_udp = 1;
    hello.udp = sockets;
    Althing__Error error = ALTHING__ERROR__INIT;
    error.text = w->refuse ? strdup(w->refuse) : empty;
    Althing__ObjectList list = ALTHING__OBJECT_LIST__INIT;
    Althing__Reply reply = ALTHING__REPLY__INIT;
    reply.id = rq->id;
    if (rq->method_case == ALTHING__REQUEST__METHOD_HELLO) {
        reply.result_case = ALTHING__REPLY__RESULT_HELLO;
        reply.hello = &hello;
    } else if (rq->method_case == ALTHING__REQUEST__METHOD_LIST_OBJECTS) {
        reply.result_case = ALTHING__REPLY__RESULT_OBJECT_LIST;
        reply.object_list = &list;
        page(w, rq->list_objects, &list);
    } else if (w->refuse && rq->method_case != ALTHING__REQUEST__METHOD_CREATE_ROUTER) {
        reply.error = &error;
    }
    Althing__Frame f = ALTHING__FRAME__INIT;
    f.epoch = w->epoch;
    f.body_case = ALTHING__FRAME__BODY_REPLY;
    f.reply = &reply;
    fake_send(w, &f);
    if (w->refuse)
        free(error.text);
}

size_t fake_turn(struct fake_worker *w)
{
    static uint8_t buf[CHAN_FRAME_MAX];
    size_t n_read = 0;
    ssize_t n;
    while ((n = recv(w->fd, buf, sizeof(buf), 0)) > 0) {
        Althing__Frame *f = althing__frame__unpack(NULL, (size_t)n, buf);
        assert_non_null(f);
        assert_int_equal(f->body_case, ALTHING__FRAME__BODY_REQUEST);
        if (f->request->method_case == ALTHING__REQUEST__METHOD_HELLO)
            w->epoch = f->request->hello->epoch;
        if (!w->mute)
            answer(w, f->request);
        assert_true(w->n_got < FAKE_REQUESTS_MAX);
        w->got[w->n_got++] = f;
        n_read++;
    }
    return n_read;
}

const Althing__Request *fake_find(const struct fake_worker *w, Althing__Request__MethodCase method,
                                  size_t i)
{
    for (size_t k = 0; k < w->n_got; k++) {
        if (w->got[k]->request->method_case == method && i-- == 0)
            return w->got[k]->request;
    }
    return NULL;
}

size_t fake_count(const struct fake_worker *w, Althing__Request__MethodCase method)
{
    size_t n = 0;
    while (fake_find(w, method, n))
        n++;
    return n;
}
