"""The warehouse: dbt builds it aside, an atomic switch publishes it, readers see what is published.

A build happens in `build.duckdb`, in this process and warm: starting dbt anew costs eight seconds,
asking a running one a tenth. Publishing copies that file, lets a gate judge the marts in the copy,
puts the former version of what the gate holds in its place, and only then moves the pointer. A
reader therefore sees one version entire, whatever happens meanwhile. Everything that dbt writes
lies below the home; the project folder is only read.

Which rules make a mart good enough is the gate's business, not this module's.
"""
