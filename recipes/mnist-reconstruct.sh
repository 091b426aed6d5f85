#!/usr/bin/env bash
# The agent `mnist-reconstruct`: it draws the digit that it is shown. Imitation of what search finds, then minus the
# distance as reward. The learning rate of rec7 ends where that of the shipped agent did, which was stopped early.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the agent mnist-reconstruct, in the package" "2 h 25 min on one core" "the data set mnist (limner data fetch mnist)"

data=$(pick mnist mnist-5k)
shared=(mnist-reconstruct --data "$data" --threads 1 --frames 100000000)
distance=("${shared[@]}" --algorithm distance --episodes 64 --reward.weight 100 --learning.entropy-cost 0
  --learning.ema-decay 0.98)

train "$runs/reconstruct" "${shared[@]}" --minutes 60
train "$runs/reconstruct-rl" "${distance[@]}" --start "$runs/reconstruct" --minutes 25 --learning.learning-rate 3e-4
train "$runs/rec5" "${distance[@]}" --start "$runs/reconstruct-rl" --minutes 25 --learning.learning-rate 1e-4 \
  --learning.discount 0.95 --learning.target-kl 0.02
train "$runs/rec6" "${distance[@]}" --start "$runs/rec5" --minutes 13 --learning.learning-rate 8e-5 \
  --learning.target-kl 0.015

if shipping; then # mnist.sh goes on from rec6
  train "$runs/rec7" "${distance[@]}" --start "$runs/rec6" --horizon 20 --minutes 19 --learning.learning-rate 8e-5 \
    --learning.final-learning-rate 0.66 --learning.target-kl 0.015
fi

tests=("mnist 0 1000" "mnist 0.25 40" "mnist 1 40")
if [[ -n ${SMOKE:-} ]]; then tests=("$data 0 8" "$data 0.1 2"); fi
ship "$runs/rec7" mnist-reconstruct --tests "${tests[@]}" --limits "it has seen digits only; other shapes need search."
