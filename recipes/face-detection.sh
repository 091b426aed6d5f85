#!/usr/bin/env bash
# docs/results.md, "Drawing what is shown": in how many paintings of faces OpenCV's stock detector finds a face.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of face detection" "2 min on two cores" \
  "the data set faces, your own copy (docs/data.md), and pip install \"opencv-python-headless<5\""

run python experiments/face_detection.py --agent faces --search "$(pick 1 0.1)" --detail 2 --pictures "$(pick 32 4)"
