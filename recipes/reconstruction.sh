#!/usr/bin/env bash
# docs/results.md, "Drawing what is shown": errors of the conditional agents that ship, alone and with a second of search.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "metrics.json for every row (runs/evaluation)" "15 min on two cores" \
  "the data sets mnist, omniglot, faces and scenes (docs/data.md)"

evaluate() { # NAME AGENT DATA PICTURES PICTURES: alone, and with search
  run limner evaluate --agent "$2" --data "$3" --limit "$(pick "$4" 4)" --threads 2 --out "$runs/evaluation/$1"
  run limner evaluate --agent "$2" --data "$3" --limit "$(pick "$5" 4)" --threads 2 --search "$(pick 1 0.1)" \
    --out "$runs/evaluation/$1-search"
}
evaluate digits mnist-reconstruct "$(pick mnist mnist-5k)" 1000 40
evaluate characters omniglot "$seen" 1000 32
evaluate new-alphabets omniglot "omniglot:$held" 344 32
evaluate faces faces faces 103 103
if [[ -z ${SMOKE:-} ]]; then evaluate scenes scenes scenes 1000 1000; fi
