#!/usr/bin/env bash
# Population-based training of SPIRAL: populations of four, with a critic each and with a shared one, against one run four
# times as long and the best of four seeds, all from nothing, at equal frames.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of populations (runs/population)" "2 h on one core" "the data set mnist (limner data fetch mnist)"

run python experiments/population.py --threads 1 --frames 150000 --out "$runs/population" \
  $(pick '' "--preset tiny --data mnist-5k --frames 240 --seeds 0")
