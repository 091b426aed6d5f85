"""Population-based training (Jaderberg et al. 2017): several runs whose settings are tuned while they train.

A member is an ordinary run. Nothing below ``limner.training.run.train`` knows of populations, so they work with every
algorithm. A population whose members share a critic (SPIRAL++, Mellor et al. 2019) would not be one of these: its
members are parts of one training, so it is an algorithm with a trainer of its own.
"""
