#!/usr/bin/env bash
# The agent `omniglot`: it draws the character that it is shown. Imitation of what search finds, then minus the distance
# as reward. Five alphabets are kept from it. The learning rate of omni3 ends where that of the shipped agent did, which
# was stopped early.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the agent omniglot, in the package" "1 h 30 min on one core" \
  "the data sets omniglot and mnist (limner data fetch …)"

shared=(omniglot --threads 1 --frames 100000000)
distance=("${shared[@]}" --algorithm distance --episodes 64 --reward.weight 100 --learning.entropy-cost 0
  --learning.ema-decay 0.98)

train "$runs/omniglot" "${shared[@]}" --minutes 18
train "$runs/omniglot-rl" "${distance[@]}" --start "$runs/omniglot" --minutes 13 --learning.learning-rate 3e-4
train "$runs/ab-d7" "${distance[@]}" --start "$runs/omniglot-rl" --minutes 6 --learning.learning-rate 3e-4 \
  --learning.final-learning-rate 1 --learning.discount 0.7
train "$runs/omni3" "${distance[@]}" --start "$runs/ab-d7" --minutes 23 --learning.learning-rate 1e-4 \
  --learning.final-learning-rate 0.48 --learning.discount 0.7
train "$runs/omni4" "${distance[@]}" --start "$runs/omni3" --minutes 25 --learning.learning-rate 1e-4 \
  --learning.discount 0.95 --learning.target-kl 0.02

tests=("$seen 0 1000" "$seen 1 32" "omniglot:$held 0 344" "omniglot:$held 1 32" "mnist 0 500")
if [[ -n ${SMOKE:-} ]]; then tests=("omniglot:Latin 0 8" "omniglot:Latin 0.1 2"); fi
ship "$runs/omni4" omniglot --tests "${tests[@]}" \
  --limits "it lifts the pen after every curve, and has seen characters in one width of pen only. Five alphabets were kept \
from it, to be tested on."
