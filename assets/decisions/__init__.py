"""Decision records, stored policies and the process log: what makes a decision explainable."""
