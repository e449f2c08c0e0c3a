/* capture.h - a sender's line through its sender reports: which NTP time an RTP timestamp was captured at (RFC 3550 6.4.1).
 *
 * All streams of a sender use one NTP clock, so two lines together map the timestamps of one stream to those of another. The
 * sender's clock is never compared with ours. Plain struct, zeroed at the start, one a received stream.
 */
#ifndef ALTHING_WORKER_STREAM_CAPTURE_H
#define ALTHING_WORKER_STREAM_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#define CAPTURE_VALID_US 10000000 /* a report older than this is not extrapolated from */

struct capture {
    bool known;
    uint32_t clock_rate; /* Hz */
    uint32_t ts;         /* RTP timestamp of the last sender report */
    int64_t ntp_us;      /* its NTP time, microseconds */
    int64_t rx_us;       /* its arrival, our clock */
};

void capture_report(struct capture *c, uint32_t clock_rate, uint64_t ntp, uint32_t rtp_ts,
                    int64_t now_us);
bool capture_valid(const struct capture *c, int64_t now_us);
/* What stream `to` would have stamped when `from` stamped ts. Both must be valid. */
uint32_t capture_convert(const struct capture *from, const struct capture *to, uint32_t ts);
/* The sender's clock at now_us, as NTP, and the timestamp that goes with it. */
void capture_at(const struct capture *c, int64_t now_us, uint64_t *ntp, uint32_t *rtp_ts);

uint64_t capture_ntp_of_us(int64_t us); /* microseconds since 1900 to 32.32 */

#endif
