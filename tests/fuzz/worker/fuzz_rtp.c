/* fuzz_rtp.c - an RTP packet: parsed, its extensions read, and composed again. What is composed must parse to the same. */
#include "worker/wire/demux.h"
#include "worker/wire/rtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtp h, g;
    struct rtp_exts x, y;
    struct rtp_ext_map m;
    static uint8_t out[70000];
    demux_kind(data, size);
    if (rtp_parse(data, size, &h) < 0)
        return 0;
    expect((size_t)h.payload_off + h.payload_len + h.pad_len == size);
    rtp_ext_map_init(&m);
    for (enum rtp_ext_type t = RTP_EXT_MID; t < RTP_EXT_COUNT; t++)
        rtp_ext_map_set(&m, t, (uint32_t)t);
    rtp_ext_parse(data, &h, &m, &x);
    size_t n = rtp_compose(out, sizeof(out), &h, &x, &m);
    expect(n > 0);
    memset(out + n, 1, 255);
    out[n + h.pad_len] = h.pad_len;
    if (h.pad_len)
        out[n + h.pad_len - 1] = h.pad_len;
    expect(rtp_parse(out, n + h.pad_len, &g) == 0);
    expect(g.seq == h.seq && g.ssrc == h.ssrc && g.ts == h.ts && g.pt == h.pt &&
           g.marker == h.marker && g.pad_len == h.pad_len);
    expect(rtp_ext_parse(out, &g, &m, &y) == 0 && x.present == y.present);
    return 0;
}
