/* rtcp_out.h - reports and feedback of a transport, as compounds (RFC 3550 6.1): each begins with an SR or RR and has a CNAME,
 * whatever else is in it, for the server does not say whether reduced size was negotiated (RFC 5506). None is longer than
 * RTCP_OUT_MAX.
 *
 * Reports: an SR and SDES for each consumer that sent lately, report blocks on all received streams, a receiver reference time when
 * anything is received (RFC 3611 4.4). Feedback: NACK, PLI or FIR of each received stream that needs one, transport-cc, REMB.
 */
#ifndef ALTHING_WORKER_ROUTE_RTCP_OUT_H
#define ALTHING_WORKER_ROUTE_RTCP_OUT_H

#include <stdint.h>

#define RTCP_OUT_MAX 1280 /* bytes before SRTCP: a transport-cc packet behind an RR and a CNAME */

struct transport;

void rtcp_out_reports(struct transport *t, int64_t now_us);
void rtcp_out_feedback(struct transport *t, int64_t now_us);

#endif
