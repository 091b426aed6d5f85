#!/usr/bin/env bash
# docs/log.md, "what to do with time for search": lookahead, refinement, and both without an agent, at equal CPU time.
# The agent is the first stage of mnist-reconstruct.sh, and not trained again where it is there.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of search budgets" "1 h to train the agent, then 5 min, on one core" \
  "the data set mnist (limner data fetch mnist)"

data=$(pick mnist mnist-5k)
train "$runs/reconstruct" mnist-reconstruct --data "$data" --threads 1 --frames 100000000 --minutes 60
run python experiments/search_budgets.py --agent "$runs/reconstruct" --data "$data" --pictures 8 \
  $(pick '' "--budgets 0.05")
