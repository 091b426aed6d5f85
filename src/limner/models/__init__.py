"""Neural networks: the policy that writes programs, and the critic that scores pictures."""
