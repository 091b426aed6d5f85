#!/usr/bin/env bash
# The agent `faces`: it paints the portrait that it is shown, in colour. Imitation of what search finds, then minus the
# distance as reward. Learning rates end where those of the shipped agent did, of whose stages two were stopped early.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the agent faces, in the package" "1 h 40 min on one core" "the data set faces, your own copy (docs/data.md)"

shared=(faces --threads 1 --frames 100000000)
distance=("${shared[@]}" --algorithm distance --episodes 64)
late=("${distance[@]}" --reward.weight 50 --learning.learning-rate 2e-4 --learning.entropy-cost 0
  --learning.ema-decay 0.98 --learning.discount 0.7)

train "$runs/faces" "${shared[@]}" --minutes 25
train "$runs/faces-rl" "${distance[@]}" --start "$runs/faces" --minutes 11 --reward.weight 100 \
  --learning.learning-rate 5e-4 --learning.final-learning-rate 0.62 --learning.entropy-cost 0.0005 \
  --learning.ema-decay 0.98
train "$runs/faces-rl2" "${distance[@]}" --start "$runs/faces-rl" --minutes 12 --reward.weight 20 \
  --learning.learning-rate 1e-4 --learning.entropy-cost 0.0005 --learning.ema-decay 0.97
train "$runs/faces3" "${late[@]}" --start "$runs/faces-rl2" --minutes 28 --learning.final-learning-rate 0.5 \
  --learning.target-kl 0.02
train "$runs/faces5" "${late[@]}" --start "$runs/faces3" --minutes 22 --learning.target-kl 0.03

if [[ -n ${SMOKE:-} ]]; then tests=("faces 0 8" "faces 0.1 2"); else tests=("faces 0 103" "faces 1 103"); fi
ship "$runs/faces5" faces --tests "${tests[@]}" \
  --limits "alone it paints the large areas of colour and hardly a feature; give it search. Trained on 934 portraits, all \
of one kind."
