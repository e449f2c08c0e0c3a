/* fuzz_rtcp.c - a compound RTCP packet through every parser; transport-cc feedback is composed again and must say the same. */
#include "worker/wire/rtcp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rtcp_twcc_status statuses[RTCP_TWCC_MAX];

static void recompose(size_t n)
{
    static uint8_t out[20000];
    static struct rtcp_twcc_status again[RTCP_TWCC_MAX];
    size_t first = 0;
    while (first < n && !statuses[first].received)
        first++;
    for (size_t i = first; i < n; i++)
        statuses[i].arrival_us += INT64_C(1) << 40;
    struct writer w = writer_of(out, sizeof(out));
    size_t took = rtcp_write_twcc(&w, 1, 2, 3, statuses + first, n - first);
    if (took == 0)
        return;
    struct rtcp_iter it = rtcp_iter_of(out, writer_len(&w));
    struct rtcp_packet p;
    struct rtcp_twcc t;
    size_t got;
    if (!rtcp_next(&it, &p) || rtcp_parse_twcc(&p, &t, again, RTCP_TWCC_MAX, &got) < 0 ||
        got != took)
        abort();
    for (size_t i = 0; i < got; i++)
        if (again[i].received != statuses[first + i].received ||
            again[i].seq != statuses[first + i].seq)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtcp_iter it = rtcp_iter_of(data, size);
    struct rtcp_packet p;
    while (rtcp_next(&it, &p)) {
        struct rtcp_sr sr;
        struct rtcp_report reports[RTCP_REPORTS_MAX];
        struct rtcp_cname names[RTCP_SSRCS_MAX];
        struct rtcp_fir firs[RTCP_SSRCS_MAX];
        struct rtcp_remb remb;
        struct rtcp_xr xr;
        struct rtcp_twcc twcc;
        uint32_t ssrcs[RTCP_SSRCS_MAX], ssrc;
        uint16_t seqs[1024];
        size_t n;
        rtcp_parse_sr(&p, &sr);
        rtcp_parse_reports(&p, &ssrc, reports, &n);
        rtcp_parse_sdes(&p, names, &n);
        rtcp_parse_bye(&p, ssrcs, &n);
        rtcp_parse_xr(&p, &xr);
        rtcp_parse_nack(&p, &ssrc, seqs, 1024, &n);
        rtcp_parse_pli(&p, &ssrc);
        rtcp_parse_fir(&p, firs, &n);
        rtcp_parse_remb(&p, &remb);
        if (rtcp_parse_twcc(&p, &twcc, statuses, RTCP_TWCC_MAX, &n) == 0)
            recompose(n);
    }
    return 0;
}
