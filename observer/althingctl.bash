# Completion for althingctl(1).
_althingctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' i
    local options='--socket --json --wide --no-color --help --version'
    local commands='help stats list tree bad top watch log trace kick close-room drain reload logLevel
        logTags usage dumpRooms dumpPeers dumpWorkers dumpRouter dumpTransport dumpProducer dumpConsumer
        dumpDataProducer dumpDataConsumer statsTransport statsProducer statsConsumer statsDataProducer
        statsDataConsumer snapshot quit dw dr dt dp dc ddp ddc st sp sc sdp sdc'
    local kinds='server worker router room chat peer lobby transport producer consumer dataProducer
        dataConsumer score layers'
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --socket) ((i++)) ;;
        -*) ;;
        *) command=${COMP_WORDS[i]} && break ;;
        esac
    done
    case $prev in
    --socket | --pcap) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
    --sort) mapfile -t COMPREPLY < <(compgen -W 'cause rate loss score rtt name' -- "$cur") && return ;;
    --types)
        mapfile -t COMPREPLY < <(compgen -W 'rtp keyframe nack pli fir sr layers bwe packet' -- "$cur")
        return
        ;;
    esac
    case $command in
    '') mapfile -t COMPREPLY < <(compgen -W "$options $commands" -- "$cur") ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
    list)
        mapfile -t COMPREPLY < <(compgen -W 'rooms peers lobby transports producers consumers workers
            --room --json --wide' -- "$cur")
        ;;
    watch) mapfile -t COMPREPLY < <(compgen -W "$kinds --room --json" -- "$cur") ;;
    top) mapfile -t COMPREPLY < <(compgen -W '--sort --every' -- "$cur") ;;
    trace) mapfile -t COMPREPLY < <(compgen -W '--types --seconds --pcap --json' -- "$cur") ;;
    drain) mapfile -t COMPREPLY < <(compgen -W 'off' -- "$cur") ;;
    log | logLevel) mapfile -t COMPREPLY < <(compgen -W 'error warn info debug' -- "$cur") ;;
    logTags)
        mapfile -t COMPREPLY < <(compgen -W 'info ice dtls rtp srtp rtcp rtx bwe score simulcast svc sctp' -- "$cur")
        ;;
    *) mapfile -t COMPREPLY < <(compgen -W '--json' -- "$cur") ;;
    esac
}
complete -F _althingctl althingctl
