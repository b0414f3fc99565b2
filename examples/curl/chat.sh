#!/usr/bin/env bash
# A streamed chat by curl. OPENAI_API_KEY and OPENAI_BASE_URL say where to; see README.md.
set -euo pipefail

: "${OPENAI_API_KEY:?set it to your key}"
url=${OPENAI_BASE_URL:-http://127.0.0.1:8600/compatible-mode/v1}/chat/completions
body='{"model":"qwen-plus","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"Who are you?"}]}'
tries=4
never_again='insufficient_quota|Arrearage|AllocationQuota|CommodityNotPurchased|BillOverdue'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The events as they come; what else is said is kept aside, it tells why there is no answer.
show() {
  while IFS= read -r line || [[ -n $line ]]; do
    case $line in
      data:*) printf '%s\n' "${line#data: }" ;;
      *) printf '%s\n' "$line" >>"$scratch/said" ;;
    esac
  done
}

for ((number = 1; number <= tries; number++)); do
  : >"$scratch/said"
  : >"$scratch/head"
  # The key goes through a file descriptor: other users can read a command line.
  if curl --silent --show-error --no-buffer --fail-with-body --connect-timeout 5 --speed-limit 1 --speed-time 60 \
    --dump-header "$scratch/head" --header @<(printf 'Authorization: Bearer %s' "$OPENAI_API_KEY") \
    --header 'Content-Type: application/json' --data "$body" "$url" 2>"$scratch/error" | show; then
    exit 0
  fi
  status=$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$scratch/head" | tail -n 1)
  case $status in 408 | 409 | 429 | 500 | 502 | 503 | 504 | '') ;; *) break ;; esac
  if grep -Eq "$never_again" "$scratch/said" || grep -iq '^x-should-retry: *false' "$scratch/head"; then break; fi
  ((number == tries)) && break
  # What the server told, and some jitter: at most 1, 2, 4 seconds.
  least=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]\{1,2\}\).*/\1/p' "$scratch/head")
  jitter_ms=$((RANDOM % (500 << number)))
  sleep "$((${least:-0} + jitter_ms / 1000)).$(printf '%03d' $((jitter_ms % 1000)))"
done
cat "$scratch/error" "$scratch/said" >&2
exit 1
