"""Order lines that are promised before their stock is there: pools with caps, and fair release.

A line is reserved whole or waits whole, and an order with a line that waits leaves together with
it. `pooling` takes lines in, `supplying` gives them stock, `ending` gives them up; `rules` decide.
"""
