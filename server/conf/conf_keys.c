#include "server/conf/conf_int.h"

#include "server/ortc/ortc.h"

#define AT(member) .offset = offsetof(struct conf, member)
#define RTC        "mediasoup.webRtcTransport."

/* clang-format off */
const struct conf_key conf_keys[] = {
    {"listeningHost", CONF_STRING, AT(listening_host), .fallback = "null", .nullable = true,
     .help = "The address (or host name) on which browsers are served. null: all addresses, IPv4 and IPv6."},
    {"listeningPort", CONF_PORT, AT(listening_port), .fallback = "443", .min = 1, .max = 65535,
     .help = "The port on which browsers are served over HTTPS (HTTP with httpOnly)."},
    {"listeningRedirectPort", CONF_PORT, AT(listening_redirect_port), .fallback = "80", .max = 65535,
     .help = "The port on which plain HTTP is sent to the HTTPS address. 0: none. With httpOnly there is none."},
    {"tls.cert", CONF_STRING, AT(tls_cert), .fallback = "\"/etc/althing/cert.pem\"",
     .help = "A PEM file with the certificate, followed by its chain."},
    {"tls.key", CONF_STRING, AT(tls_key), .fallback = "\"/etc/althing/key.pem\"",
     .help = "A PEM file with the certificate's private key, without a passphrase."},
    {"tls.certPem", CONF_STRING, AT(tls_cert_pem), .fallback = "null", .nullable = true, .handoff = true,
     .help = "The certificate's text."},
    {"tls.keyPem", CONF_STRING, AT(tls_key_pem), .fallback = "null", .nullable = true, .handoff = true,
     .help = "The key's text."},
    {"httpOnly", CONF_BOOL, AT(http_only), .fallback = "false",
     .help = "Serve plain HTTP on listeningPort, behind a proxy that ends TLS. Browsers need HTTPS to use a camera."},
    {"trustProxy", CONF_BOOL, AT(trust_proxy), .fallback = "false",
     .help = "Believe X-Forwarded-For, -Host and -Proto. Only behind a proxy that sets them."},
    {"allowedOrigins", CONF_ORIGINS, AT(allowed_origins), .fallback = "[]",
     .help = "Web origins (\"https://meet.example.org\") whose pages may connect; \"*\" allows all. Empty: only pages of this server."},
    {"clientPath", CONF_STRING, AT(client_path), .fallback = "\"" ALTHING_DATADIR "/althing/app\"", .nullable = true,
     .help = "The folder of the browser client. null: no files are served."},
    {"maxUsersPerRoom", CONF_UINT, AT(max_users_per_room), .fallback = "null", .min = 1, .max = 100000, .nullable = true,
     .reload = true,
     .help = "How many people a room takes, its lobby included. null: no limit of its own."},
    {"mediasoup.numWorkers", CONF_UINT, AT(num_workers), .fallback = "null", .min = 1, .max = CONF_WORKERS_MAX, .nullable = true,
     .help = "How many media workers run. null: one for each CPU."},
    {"mediasoup.worker.rtcMinPort", CONF_PORT, AT(rtc_min_port), .fallback = "40000", .min = 1, .max = 65535,
     .help = "The media port of the first worker; the second has the next one, and so on. One port a worker, UDP and TCP."},
    {"mediasoup.worker.maxPeers", CONF_UINT, AT(worker_max_peers), .fallback = "null", .min = 1, .max = 100000, .nullable = true,
     .help = "A worker with so many people takes no more while another one has room: their room goes on there. null: no such limit."},
    {"mediasoup.worker.maxStreams", CONF_UINT, AT(worker_max_streams), .fallback = "2000", .min = 1, .max = 1000000, .nullable = true,
     .help = "The same for media streams, those that it receives and those that it sends, by what one CPU can do. null: no such limit."},
    {"mediasoup.router.mediaCodecs", CONF_CODECS, AT(media_codecs), .fallback = ORTC_DEFAULT_CODECS,
     .help = "The codecs that browsers may send and receive, in the order of their payload types: a list of {\"mimeType\", \"clockRate\", "
             "\"channels\" (audio), \"parameters\", \"preferredPayloadType\"}. There are audio/opus, multiopus, red, PCMU, PCMA, G722, iLBC, "
             "ISAC, SILK, CN and telephone-event, and video/VP8, VP9, H264, H265 and AV1; retransmission (RTX) of video is added. audio/red "
             "needs audio/opus behind it. People who are in a room while it changes have to join again."},
    {RTC "listenIps", CONF_LISTEN_IPS, AT(listen_ips), .fallback = "[]",
     .help = "Addresses for media, at most 8: a list of {\"ip\": bound address, \"announcedIp\": what browsers are told, or null for the same}. "
             "Empty: every address of the machine."},
    {RTC "initialAvailableOutgoingBitrate", CONF_UINT, AT(initial_available_outgoing_bitrate), .fallback = "1000000",
     .min = 1000, .max = 1000000000,
     .help = "Bits a second that a browser is taken to receive before anything has been measured."},
    {RTC "minimumAvailableOutgoingBitrate", CONF_UINT, AT(min_available_outgoing_bitrate), .fallback = "0", .max = 1000000000, .reload = true,
     .help = "Bits a second that a browser is taken to receive at least, whatever is measured. 0: as little as is measured."},
    {RTC "maxOutgoingBitrate", CONF_UINT, AT(max_outgoing_bitrate), .fallback = "0", .max = 1000000000, .reload = true,
     .help = "Bits a second that are sent to a browser at most. 0: what its network takes."},
    {RTC "maxIncomingBitrate", CONF_UINT, AT(max_incoming_bitrate), .fallback = "15000000", .max = 1000000000, .reload = true,
     .help = "Bits a second that a browser is asked not to exceed when it sends. 0: no limit."},
    {"prometheus.enabled", CONF_BOOL, AT(prometheus_enabled), .fallback = "true",
     .help = "Serve metrics."},
    {"prometheus.listen", CONF_STRING, AT(prometheus_listen), .fallback = "\"127.0.0.1\"",
     .help = "The address (or host name) on which metrics are served, to whoever reaches it unless prometheus.tokenFile is set."},
    {"prometheus.port", CONF_PORT, AT(prometheus_port), .fallback = "8889", .min = 1, .max = 65535,
     .help = "The port on which metrics are served."},
    {"prometheus.deidentify", CONF_BOOL, AT(prometheus_deidentify), .fallback = "false",
     .help = "Cut addresses to their network (/16 of IPv4, /32 of IPv6), and leave out ports, peer ids, names and user agents in "
             "metrics."},
    {"prometheus.numeric", CONF_BOOL, AT(prometheus_numeric), .fallback = "false",
     .help = "Show addresses as numbers in metrics, never as host names."},
    {"prometheus.quiet", CONF_BOOL, AT(prometheus_quiet), .fallback = "false",
     .help = "Leave out the ids of transports, producers and consumers in metrics: fewer series."},
    {"prometheus.maxStreams", CONF_UINT, AT(prometheus_max_streams), .fallback = "10000", .max = 1000000,
     .help = "How many streams the four per-stream families show, two series each; how many series were left out is in "
             "althing_exporter_omitted_series. 0: none, the totals remain."},
    {"prometheus.maxRooms", CONF_UINT, AT(prometheus_max_rooms), .fallback = "10000", .max = 1000000,
     .help = "How many rooms edumeet_peers shows. 0: none."},
    {"prometheus.tokenFile", CONF_STRING, AT(prometheus_token_file), .fallback = "null", .nullable = true,
     .help = "A file whose first line is the bearer token that a scraper must send. null: none is needed."},
    {"prometheus.token", CONF_STRING, AT(prometheus_token), .fallback = "null", .nullable = true, .handoff = true,
     .help = "The token."},
    {"prometheus.tls.cert", CONF_STRING, AT(prometheus_tls_cert), .fallback = "null", .nullable = true,
     .help = "A PEM file with a certificate, followed by its chain, to serve metrics over HTTPS. null: plain HTTP."},
    {"prometheus.tls.key", CONF_STRING, AT(prometheus_tls_key), .fallback = "null", .nullable = true,
     .help = "A PEM file with that certificate's private key, without a passphrase."},
    {"prometheus.tls.certPem", CONF_STRING, AT(prometheus_cert_pem), .fallback = "null", .nullable = true, .handoff = true,
     .help = "The certificate's text."},
    {"prometheus.tls.keyPem", CONF_STRING, AT(prometheus_key_pem), .fallback = "null", .nullable = true, .handoff = true,
     .help = "The key's text."},
    {"observer.path", CONF_STRING, AT(observer_path), .fallback = "\"/run/althing/observer.sock\"", .nullable = true,
     .help = "The Unix socket for althingctl and other observers; its group may use it. null: none."},
    {"observer.adminGroup", CONF_STRING, AT(observer_admin_group), .fallback = "null", .nullable = true, .reload = true,
     .help = "The group whose members may also order something over the observer's socket: send peers away, close rooms, drain, reload, "
             "change what is logged. Root and the server's own user may anyway. null: nobody else."},
    {"store", CONF_STRING, AT(store), .fallback = "\"/var/lib/althing/state.db\"", .nullable = true,
     .help = "Where rooms are kept, so that a server that is started again goes on with them: a file of SQLite, made if it is not there, or "
             "\"redis://:password@host:port/database\", or \"redis+unix:///path\". null: nowhere."},
    {"storeName", CONF_STRING, AT(store_name), .fallback = "null", .nullable = true,
     .help = "Tells servers that share a store apart. null: the name of the host."},
    {"defaultRoomSettings.locked", CONF_BOOL, AT(rooms_locked), .fallback = "false",
     .help = "New rooms are locked: all but the first wait in the lobby until somebody lets them in."},
    {"defaultRoomSettings.maxActiveVideos", CONF_UINT, AT(max_active_videos), .fallback = "12", .min = 1, .max = 500,
     .help = "How many videos a client shows at a time."},
    {"defaultRoomSettings.chatEnabled", CONF_BOOL, AT(rooms_chat), .fallback = "true", .help = "There is a chat."},
    {"defaultRoomSettings.filesharingEnabled", CONF_BOOL, AT(rooms_files), .fallback = "true", .help = "Files can be shared."},
    {"defaultRoomSettings.raiseHandEnabled", CONF_BOOL, AT(rooms_hands), .fallback = "true", .help = "Hands can be raised."},
    {"defaultRoomSettings.reactionsEnabled", CONF_BOOL, AT(rooms_reactions), .fallback = "true", .help = "There are reactions."},
    {"defaultRoomSettings.breakoutsEnabled", CONF_BOOL, AT(rooms_breakouts), .fallback = "true", .help = "Breakout rooms can be made."},
    {"defaultRoomSettings.localRecordingEnabled", CONF_BOOL, AT(rooms_recording), .fallback = "true",
     .help = "Clients may record what they see and hear; everybody is told."},
    {"defaultRoomSettings.tracker", CONF_STRING, AT(tracker), .fallback = "null", .nullable = true,
     .help = "The WebTorrent tracker that edumeet clients share files over. null: none is told."},
    {"defaultRoomSettings.maxFileSize", CONF_UINT, AT(max_file_size), .fallback = "100000000", .max = 4294967295,
     .help = "Bytes that edumeet clients let a shared file have. 0: nothing is told."},
    {"p2pEnabled", CONF_BOOL, AT(p2p), .fallback = "false",
     .help = "Two edumeet clients that are alone in a room connect directly, and so learn each other's addresses."},
    {"logLevel", CONF_CHOICE, AT(log_level), .fallback = "\"info\"", .words = "error, warn, info, debug", .reload = true,
     .help = "The least important kind of line that is logged."},
    {"user", CONF_STRING, AT(user), .fallback = "null", .nullable = true,
     .help = "The user to become after the ports are open, when started as root. null: stay."},
};
/* clang-format on */

const size_t conf_n_keys = sizeof(conf_keys) / sizeof(conf_keys[0]);

static void print_type(FILE *out, const struct conf_key *k)
{
    switch (k->type) {
    case CONF_BOOL:
        fputs("true or false", out);
        break;
    case CONF_PORT:
    case CONF_UINT:
        fprintf(out, "integer, %u to %u", k->min, k->max);
        break;
    case CONF_STRING:
        fputs("string", out);
        break;
    case CONF_CHOICE:
        fprintf(out, "one of %s", k->words);
        break;
    case CONF_ORIGINS:
        fputs("list of strings", out);
        break;
    case CONF_LISTEN_IPS:
    case CONF_CODECS:
        fputs("list of objects", out);
        break;
    }
    if (k->nullable)
        fputs(", or null", out);
}

void conf_print_reference(FILE *out)
{
    fputs("# Configuration\n\n"
          "A JSON file, by default `" CONF_PATH_DEFAULT
          "`. A dot in a key is an object in an object:\n"
          "`prometheus.port` is `{\"prometheus\": {\"port\": 8889}}`. Every key may be left out; a "
          "key\n"
          "that is not listed here is an error.\n",
          out);
    for (size_t i = 0; i < conf_n_keys; i++) {
        const struct conf_key *k = &conf_keys[i];
        if (k->handoff)
            continue;
        fprintf(out, "\n### `%s`\n\n", k->path);
        print_type(out, k);
        fprintf(out, "; default `%s`\n\n%s\n", k->fallback, k->help);
        if (k->reload)
            fputs("A running server takes it over on SIGHUP and on `reload`.\n", out);
    }
}
