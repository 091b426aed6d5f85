#!/usr/bin/env bash
# The pictures of docs/results.md: a hundred digits, a hundred characters, and two paintings of photographs.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "sheet.png and painted.png in four folders (runs/pictures)" "5 min on two cores" \
  "china.jpg and flower.jpg of scikit-learn (pip install scikit-learn, then sklearn/datasets/images) in the folder PHOTOS"

run limner sample --agent mnist -n 100 --out "$runs/pictures/digits"
run limner sample --agent omniglot-prior -n 100 --out "$runs/pictures/characters"
photos=${PHOTOS:-photos}
run limner paint "$photos/china.jpg" --search "$(pick 90 3)" --size 1024 --threads 1 --out "$runs/pictures/palace"
run limner paint "$photos/flower.jpg" --search "$(pick 40 3)" --size 768 --threads 1 --out "$runs/pictures/flower"
