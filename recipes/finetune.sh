#!/usr/bin/env bash
# docs/results.md, "What a critic adds": an agent that has imitated programs goes on with a critic, or with more imitation.
# WAYS="wasserstein held" adds other ways of those that experiments/finetune.py lists, in place of the encoder.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of what a critic adds (runs/finetune)" "2 h on one core" "nothing: the digits that ship"

run python experiments/finetune.py --ways imitation critic ${WAYS:-encoder} --minutes 10 --start-minutes 10 \
  --threads 1 --out "$runs/finetune" $(pick '' "--minutes 0.05 --start-minutes 0.05 --seeds 0")
