/* fuzz_frame.c - a payload: the first byte chooses the codec. A VP8 or VP9 descriptor and RED's headers are rewritten and must keep
 * their meaning. */
#include "worker/wire/av1.h"
#include "worker/wire/frame.h"
#include "worker/wire/red.h"
#include "worker/wire/vp8.h"
#include "worker/wire/vp9.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(const uint8_t *data, size_t size)
{
    struct vp8 d, e;
    if (vp8_parse(data, size, &d) < 0)
        return;
    uint8_t out[VP8_DESCRIPTOR_MAX + 1];
    size_t n = vp8_compose(out, &d, 0x1234, 0x56);
    out[n] = data[d.len];
    if (vp8_parse(out, n + 1, &e) < 0 || e.tid != d.tid || e.keyframe != d.keyframe ||
        e.start != d.start)
        abort();
}

static void rewrite_vp9(const uint8_t *data, size_t size)
{
    struct vp9 d, e;
    if (vp9_parse(data, size, &d) < 0 || size > 2048)
        return;
    uint8_t out[VP9_HEAD_MAX + 2048];
    size_t n = vp9_compose(out, data, &d, 0x1234, 0x56);
    memcpy(out + n, data + d.head_len, size - d.head_len);
    if (vp9_parse(out, n + size - d.head_len, &e) < 0) {
        if (d.len < 255)
            abort();
        return; /* a byte longer than is read */
    }
    if (e.tid != d.tid || e.sid != d.sid || e.keyframe != d.keyframe || e.end != d.end ||
        e.n_spatial != d.n_spatial || (d.has_picture_id && e.picture_id != 0x1234) ||
        (d.has_tl0picidx && e.tl0picidx != 0x56))
        abort();
}

static void rewrite_red(const uint8_t *data, size_t size)
{
    static const uint8_t pt[RED_BLOCKS_MAX] = {127, 0, 100};
    struct red d, e;
    if (size > 2048 || red_parse(data, size, &d) < 0)
        return;
    if (d.newest_off < d.head_len || d.newest_off >= size || d.head_len != 4 * (d.n - 1) + 1)
        abort();
    uint8_t out[RED_HEAD_MAX + 2048];
    size_t n = red_compose(out, data, &d, pt);
    memcpy(out + n, data + n, size - n);
    if (red_parse(out, size, &e) < 0 || e.n != d.n || e.newest_off != d.newest_off ||
        memcmp(e.pt, pt, e.n) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_ctx ctx = {0};
    struct frame_info f;
    if (size == 0)
        return 0;
    enum frame_codec codec = (enum frame_codec)(data[0] % (FRAME_CODEC_RED + 1));
    frame_parse(codec, data + 1, size - 1, data[0] & 0x80, NULL, &ctx, &f);
    rewrite(data + 1, size - 1);
    rewrite_vp9(data + 1, size - 1);
    rewrite_red(data + 1, size - 1);
    return 0;
}
