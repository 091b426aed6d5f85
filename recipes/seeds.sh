#!/usr/bin/env bash
# docs/results.md, "A critic alone": five seeds of SPIRAL with small updates, from nothing, and the sheet of a hundred
# digits of the first.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of five seeds (runs/seeds) and a sheet of digits" "1 h on two free cores, 2 h 30 min on one" \
  "the data set mnist (limner data fetch mnist)"

run python experiments/seeds.py --threads 1 --out "$runs/seeds" \
  $(pick '' "--preset tiny --data mnist-5k --frames 480 --seeds 0 1")
if [[ -n ${SMOKE:-} ]]; then agents=("$runs/seeds/0"); else agents=("$runs"/seeds/{0,1,2,3,4}); fi
run python experiments/temperatures.py "${agents[@]}" --temperatures 0.5 0.6 0.7
run limner sample --agent "$runs/seeds/0" -n 100 --temperature 0.6 --out "$runs/seeds-sheet"
