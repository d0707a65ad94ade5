{#- Incremental models restate keys. A row carries the newest transaction that it rests on; what
    the last build has not seen yet has a newer one, however late it came. This holds because all
    facts are read up to one cut (stg_lake_cut) and a build always includes its ancestors. -#}

{#- The newest transaction that this model has taken in. -#}
{% macro loaded_xid() -%}
    (select coalesce(max(loaded.recorded_xid), 0) from {{ this }} as loaded)
{%- endmacro %}

{#- The keys that facts of the given CTEs touch and the model has not taken in yet. -#}
{% macro touched_keys(keys, ctes) -%}
    {%- for cte in ctes %}
    select {{ keys | join(', ') }}
    from {{ cte }}
    where recorded_xid > {{ loaded_xid() }}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
