#!/usr/bin/env bash
# The whole flow with curl: imagine, fetch until it is done, press a button, fill in its window.
#
#   examples/flow.sh http://127.0.0.1:8062                  the account's own speed and links
#   examples/flow.sh http://127.0.0.1:8062/mj-turbo-proxy   turbo jobs, links on the image host
#
# SECRET is the server's API secret, if it has one. Needs curl and python3 (to read JSON).
set -euo pipefail
base=${1:-http://127.0.0.1:8062}/mj

read_json() { python3 -c "import json,sys; t=json.load(sys.stdin); print($1)"; }

ask() { # METHOD PATH [BODY]
    curl --silent --show-error --request "$1" "$base$2" \
        --header "mj-api-secret: ${SECRET:-}" --header "Content-Type: application/json" \
        ${3:+--data "$3"}
}

wait_for() { # TASK: prints the finished task; each call returns at the next change
    local task
    while task=$(ask GET "/task/$1/fetch?wait=30"); do
        printf '%s' "$task" | read_json "t['status'], t['progress'], t['imageUrl'] or ''" >&2
        [ "$(printf '%s' "$task" | read_json "t['finishTime'] is not None")" = True ] && break
    done
    printf '%s' "$task"
}

echo "1. imagine" >&2
id=$(ask POST /submit/imagine '{"prompt": "a lighthouse at dusk --ar 3:2"}' | read_json "t['result']")
grid=$(wait_for "$id")

echo "2. action: U2, then Custom Zoom, which opens a window (code 21)" >&2
press() { # TASK LABEL
    printf '%s' "$1" | read_json "json.dumps({'taskId': t['id'], 'customId':
        next(b['customId'] for b in t['buttons'] if b['label'] == '$2')})"
}
id=$(ask POST /submit/action "$(press "$grid" U2)" | read_json "t['result']")
single=$(wait_for "$id")
id=$(ask POST /submit/action "$(press "$single" "Custom Zoom")" | read_json "t['result']")

echo "3. modal" >&2
window="{\"taskId\": \"$id\", \"prompt\": \"a lighthouse at dusk --ar 3:2 --zoom 1.5\"}"
ask POST /submit/modal "$window" | read_json "t['code'], t['description']" >&2

echo "4. fetch" >&2
wait_for "$id" | read_json "t['imageUrl']"
