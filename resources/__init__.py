"""We reach the world: one implementation for each port that the flows name."""
