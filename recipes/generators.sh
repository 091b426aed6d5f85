#!/usr/bin/env bash
# Ways to an unconditional agent. docs/results.md, "Thirty minutes from nothing"; docs/log.md, "three ways to an agent
# that makes digits up", "three ways to characters that nobody wrote".
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "four tables" "1 h 35 min on two cores for the first two, then 1 h on one" \
  "the data sets mnist and omniglot (limner data fetch …)"

digits=$(pick mnist mnist-5k)
smoke=$(pick '' "--seeds 0 --minutes 0.05")
run python experiments/compare.py generators --data "$digits" --minutes 30 --ways taught --seeds 0 1 2 \
  --out "$runs/thirty-minutes" $smoke
agents=("$runs/thirty-minutes/generators/$digits"/taught-{0,1,2}-1)
if [[ -n ${SMOKE:-} ]]; then agents=("${agents[0]}"); fi
run python experiments/temperatures.py "${agents[@]}" --temperatures 0.2 --first-action-temperature 0.8
three=(--minutes 3 --threads 1 --out "$runs/three-minutes"
  --ways adversarial likelihood "likelihood, then adversarial")
run python experiments/compare.py generators --data "$digits" "${three[@]}" $smoke
run python experiments/compare.py generators --data omniglot "${three[@]}" $smoke
