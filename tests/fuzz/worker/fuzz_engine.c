/* What anybody may send to a worker with two browsers in a call: records of {who, length (2), bytes}, who being a stranger, an address
 * that ICE has validated, or a TCP connection. Whatever it is, the call goes on: the call's state is kept from input to input. */
#include "lib/cursor.h"
#include "tests/unit/worker/route/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stage s;
    static bool opened;
    if (!opened) {
        stage_open(&s);
        camera_frame(&s.cam, true, 2);
        opened = true;
    }
    struct tuple stranger = s.a->tuple, tcp = s.a->tuple;
    stranger.remote.port = 9;
    tcp.proto = NET_TCP;
    tcp.sock = 5;
    const struct tuple *who[] = {&stranger, &s.a->tuple, &s.b->tuple, &tcp};
    struct reader r = reader_of(data, size);
    while (reader_left(&r) >= 3) {
        const struct tuple *from = who[reader_u8(&r) % 4];
        size_t len = reader_u16(&r);
        if (len > reader_left(&r))
            len = reader_left(&r);
        world_push(&s.w, from, reader_take(&r, len), len);
    }
    world_run(&s.w);
    engine_tcp_gone(s.w.engine, &tcp, s.w.now_us);
    s.w.n_events = 0;
    browser_forget(s.a);
    browser_forget(s.b);
    return 0;
}
