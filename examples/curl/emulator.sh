#!/usr/bin/env bash
# Publishes events to the Pub/Sub emulator and reads messages from it, with nothing but curl.
# The project and the emulator come from GOOGLE_CLOUD_PROJECT and PUBSUB_EMULATOR_HOST: . .upbeat/emulators.env
#
#   emulator.sh create TOPIC       creates the subscription TOPIC-example-curl
#   emulator.sh publish TOPIC      publishes standard input, a JSON object
#   emulator.sh pull TOPIC         prints the first messages of the next 15 seconds, and acknowledges them
#
# In the cloud the host is https://pubsub.googleapis.com, and every call needs the header
# "Authorization: Bearer $(gcloud auth print-access-token)".
set -euo pipefail

command=$1 topic=$2
api="http://$PUBSUB_EMULATOR_HOST/v1/projects/$GOOGLE_CLOUD_PROJECT"
subscription="$api/subscriptions/$topic-example-curl"

call() { # METHOD URL BODY
    curl --silent --show-error --fail-with-body --request "$1" --header 'Content-Type: application/json' --data "$3" "$2"
}

case $command in
create)
    call PUT "$subscription" "{\"topic\": \"projects/$GOOGLE_CLOUD_PROJECT/topics/$topic\"}" > /dev/null
    echo "created $topic-example-curl"
    ;;
publish)
    # The data of a message is base64 in JSON.
    call POST "$api/topics/$topic:publish" "{\"messages\": [{\"data\": \"$(base64 | tr -d '\n')\"}]}" > /dev/null
    echo "published to $topic"
    ;;
pull)
    for _ in {1..15}; do
        # An answer at once, also an empty one: the emulator would wait for minutes.
        answer=$(call POST "$subscription:pull" '{"maxMessages": 100, "returnImmediately": true}')
        grep -q ackId <<< "$answer" && break
        sleep 1
    done
    values() { grep -o "\"$1\": *\"[^\"]*\"" <<< "$answer" | cut -d'"' -f4 || true; }
    values data | while read -r data; do
        base64 --decode <<< "$data"
        echo
    done
    ids=$(values ackId | sed 's/.*/"&"/' | paste -sd, -)
    [ -z "$ids" ] || call POST "$subscription:acknowledge" "{\"ackIds\": [$ids]}" > /dev/null
    ;;
*)
    echo "expected create, publish or pull, found $command" >&2
    exit 2
    ;;
esac
