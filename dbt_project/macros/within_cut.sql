{#- Only what every table of the last export has: an order comes with its lines or not at all. -#}
{% macro within_cut(table_name) -%}
    cast(cast(recorded_xid as text) as bigint) < (
        select lake_cut.exported_below_xid
        from lake_cut
        where lake_cut.table_name = '{{ table_name }}'
    )
{%- endmacro %}
