"""What systems say to each other: the envelope and one module per event family.

Types are msgspec structs: one decoder per event type checks and parses in one pass. A change to a
published type is judged by `assets.contracts.compatibility` against the committed JSON Schemas.
"""
